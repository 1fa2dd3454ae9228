/**
 * The client that every endpoint asks for: an `HttpClient` under the policies of registries.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as HasherKey from "../spec/internal/hasherKey.js"
import type { RegistryName } from "../spec/RegistryName.js"
import type { Repository } from "../spec/Repository.js"
import * as Credentials from "./Credentials.js"
import * as TokenService from "./internal/auth/tokenService.js"
import * as BlobFilesKey from "./internal/blobFilesKey.js"
import * as RegistryHttpClient from "./internal/client.js"
import * as Exchange from "./internal/exchange.js"
import * as Facts from "./internal/facts.js"
import * as Hold from "./internal/hold.js"
import * as Mirrors from "./internal/hosts/mirrors.js"
import * as Route from "./internal/hosts/route.js"
import * as Slots from "./internal/hosts/slots.js"
import * as Policies from "./internal/policies.js"
import * as Redirects from "./internal/redirects.js"
import * as Sending from "./internal/sending.js"
import type { Seen } from "./internal/warnings.js"
import type { Operation } from "./Operation.js"
import * as OriginPolicy from "./OriginPolicy.js"
import * as RegistryAuth from "./RegistryAuth.js"
import { type CallError, CredentialsInvalid, PolicyViolation } from "./RegistryError.js"
import * as RegistryHosts from "./RegistryHosts.js"
import { RegistryMemory } from "./RegistryMemory.js"
import * as RegistryMiddleware from "./RegistryMiddleware.js"
import * as RegistryObserver from "./RegistryObserver.js"
import * as RegistryRetry from "./RegistryRetry.js"
import * as ScopedTransport from "./ScopedTransport.js"

export interface ExecuteOptions {
  /**
   * How many bytes of a success's body are held in memory, at most; beyond that it is `ResponseTooLarge`. A body that breaks
   * off is then asked for again like an answer that did not come. Without this the body is read by whoever gets the answer.
   */
  readonly hold?: ((limits: RegistryHosts.Limits) => number) | undefined
  /** Whether nothing that tells who asks goes along, wherever the request goes, and no mirror is asked. Default: false. */
  readonly anonymous?: boolean | undefined
}

export interface Service {
  /**
   * Sends a request of an operation through all policies: host, the user's middleware, retry, sign-in, redirects, limits
   * and observation. A URL that begins with `/` is a path on the operation's registry; to another host no credentials go,
   * and no headers that might tell who asks. Any status is an answer here; its body belongs to the Scope and is cancelled
   * with it. Endpoints that the specification does not know can be built on it.
   */
  readonly execute: (
    operation: Operation,
    request: HttpClientRequest.HttpClientRequest,
    options?: ExecuteOptions
  ) => Effect.Effect<HttpClientResponse, CallError, Scope.Scope>
  /** Runs an effect under this client's policies. Those provided around the effect come first. */
  readonly provide: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** What this client remembers between calls. */
  readonly memory: RegistryMemory
}

/** A client for registries. It is one for all registries, and keeps what belongs to it alone, such as warnings seen. */
export class RegistryClient extends Context.Tag("effect-oci/RegistryClient")<RegistryClient, Service>() {}

/** The policies that a client takes from where it is built, and a caller may replace. Each has a default. */
const policies: ReadonlyArray<{ readonly key: string }> = [
  Credentials.Credentials,
  RegistryAuth.RegistryAuth,
  RegistryRetry.RegistryRetry,
  RegistryHosts.RegistryHosts,
  OriginPolicy.OriginPolicy,
  RegistryMiddleware.RegistryMiddleware,
  RegistryObserver.RegistryObserver,
  BlobFilesKey,
  HasherKey
]

const userAgent = "effect-oci/0.1.0"

const originOf = (url: string): string | undefined => (URL.canParse(url) ? new URL(url).origin : undefined)

/** Builds the client from the `HttpClient` and whatever policies there are. */
export const make: Effect.Effect<Service, never, HttpClient.HttpClient> = Effect.gen(function* () {
  const transport = ScopedTransport.of(yield* HttpClient.HttpClient)
  const warnings: Seen = new Set()
  const memory = new RegistryMemory()
  Policies.keep(memory, yield* Effect.context<never>(), policies)

  const provide: Service["provide"] = (self) => Policies.provide(memory, self)

  /** All that is done for a request at one host: the registry's own, or a mirror. */
  const via = (
    context: Context.Context<never>,
    { host, mirror, operation, request }: Route.Route,
    scope: Scope.Scope,
    options: ExecuteOptions | undefined
  ): Effect.Effect<HttpClientResponse, CallError> => {
    const { baseUrl, limits, requestsPerSecond, secure } = host
    const observer = Context.get(context, RegistryObserver.RegistryObserver)
    const credentials = Context.get(context, Credentials.Credentials)
    const auth = Context.get(context, RegistryAuth.RegistryAuth)
    // a mirror has one try: there is somebody else to ask
    const retry = mirror ? RegistryRetry.none : Context.get(context, RegistryRetry.RegistryRetry)
    const middleware = Context.get(context, RegistryMiddleware.RegistryMiddleware)
    const policy = Context.get(context, OriginPolicy.OriginPolicy)

    const url = request.url.startsWith("/") ? `${baseUrl}${request.url}` : request.url
    // pages and uploads may be on another host that the origin policy trusts: not with our credentials
    const home = options?.anonymous !== true && (url !== request.url || originOf(url) === originOf(baseUrl))
    const exchanging = (operation: Operation, attempt: number, hop: number, owner: Scope.Scope) =>
      Exchange.make(transport, { operation, policy, limits, observer, warnings, scope: owner, attempt, hop })
    let attempts = 0
    const redirecting = RegistryHttpClient.make((request) => {
      const attempt = ++attempts
      const hop = (hop: number) => exchanging(operation, attempt, hop, scope)
      const sent = Redirects.follow(hop, { operation, policy, limits, home }).execute(request)
      return requestsPerSecond === undefined ? sent : Effect.zipRight(Slots.turn(memory, host), sent)
    })
    const exchange = (): RegistryMiddleware.Client => {
      const tokens: Operation = { ...operation, name: "auth.token" }
      let exchanges = 0
      const each = RegistryHttpClient.make((request) =>
        // a token is fetched for many, so the answer belongs to the Scope of the fetch and not to that of one call
        Effect.flatMap(Effect.serviceOption(Scope.Scope), (own) =>
          exchanging(
            tokens,
            ++exchanges,
            0,
            Option.getOrElse(own, () => scope)
          ).execute(request)
        )
      )
      return retry({ operation: tokens, memory }, Hold.make(tokens, limits, TokenService.largest, each))
    }
    let exchanged: RegistryMiddleware.Client | undefined
    const signingIn: RegistryAuth.Request = {
      operation,
      host,
      policy,
      memory,
      credential: (options) =>
        Effect.filterOrFail(
          credentials.lookup(operation.registry, operation.repository, options),
          (found) => secure || found._tag === "None",
          () =>
            new CredentialsInvalid({
              ...Facts.ofOperation(operation),
              reason: "they are not sent over plain http, unless RegistryHosts sets this host's scheme to http"
            })
        ),
      // most requests have a token, and need none
      get exchange() {
        exchanged ??= exchange()
        return exchanged
      }
    }
    const signedIn = home ? auth(signingIn, redirecting) : redirecting
    const whole = options?.hold ? Hold.make(operation, limits, options.hold(limits), signedIn) : signedIn
    const client = middleware(operation, retry({ operation, memory }, whole))
    const send = (wanted: Readonly<Record<string, Redacted.Redacted>>) =>
      client.execute(
        request.pipe(
          HttpClientRequest.setUrl(url),
          HttpClientRequest.setHeaders({
            ...Record.map(wanted, (value) => Redacted.value(value)),
            "user-agent": userAgent,
            // what is hashed and measured is what the registry holds, not a coding of it
            "accept-encoding": "identity",
            ...request.headers
          })
        )
      )
    const sent =
      home && secure && credentials.headers !== undefined
        ? Effect.flatMap(credentials.headers(operation.registry), send)
        : Effect.suspend(() => send({}))
    return host.concurrency === undefined
      ? sent
      : Effect.zipRight(Slots.hold(memory, host, operation.name, scope), sent)
  }

  const within: Sending.Within = (scope, operation, request, options) =>
    provide(
      Effect.contextWithEffect((context: Context.Context<never>) => {
        const host = Context.get(context, RegistryHosts.RegistryHosts).lookup(operation.registry, operation.repository)
        if (host.blocked) {
          const facts = Facts.ofRequest(operation, request.method, request.url)
          return new PolicyViolation({ ...facts, reason: "RegistryHosts blocks this registry" })
        }
        if (options?.anonymous === true) {
          return via(context, { host, operation, request, mirror: false }, scope, options)
        }
        if (host.mirrors.length === 0) return via(context, Route.source(host, operation, request), scope, options)
        const { last, mirrors } = Route.all(host, operation, request)
        return Mirrors.before(mirrors, last, memory, (route, scope) => via(context, route, scope, options), scope)
      })
    )
  const execute: Service["execute"] = (operation, request, options) =>
    Effect.scopeWith((scope) => within(scope, operation, request, options))
  Sending.keep(execute, within)

  return { execute, provide, memory }
})

/**
 * A client over the `HttpClient` in place. Policies (credentials, retry, hosts, observers and the rest) may be given to
 * this layer, beside it, around a program or around one call; the one nearest to the call wins. Each use of this layer is
 * a client of its own.
 */
export const layer: Layer.Layer<RegistryClient, never, HttpClient.HttpClient> = Layer.fresh(
  Layer.effect(RegistryClient, make)
)

/**
 * Runs an effect with a slot of each of these registries, where `RegistryHosts` limits their concurrency. The slots are
 * taken all at once, so that effects which each need two registries, as copies do, cannot wait for each other. What the
 * effect asks of these registries needs no further slots.
 */
export const together =
  (registries: ReadonlyArray<RegistryName | Repository>) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | RegistryClient> =>
    Effect.gen(function* () {
      const { memory, provide } = yield* RegistryClient
      const { lookup } = yield* provide(RegistryHosts.RegistryHosts)
      const hosts = registries.map((one) => ("registry" in one ? lookup(one.registry, one) : lookup(one)))
      return yield* Slots.together(memory, hosts, self)
    })

/**
 * Runs an effect and hands out the distinct warnings that registries sent meanwhile (the `Warning` header), in their
 * order. The observer in place sees them as well.
 */
export const withWarnings = <A, E, R>(
  self: Effect.Effect<A, E, R>
): Effect.Effect<readonly [A, ReadonlyArray<RegistryObserver.Warning>], E, R | RegistryClient> =>
  Effect.gen(function* () {
    const client = yield* RegistryClient
    const outer = yield* client.provide(RegistryObserver.RegistryObserver)
    const seen = new Map<string, RegistryObserver.Warning>()
    const collecting = RegistryObserver.both(outer, {
      ...RegistryObserver.silent,
      warning: (warning) => Effect.sync(() => void seen.set(`${warning.registry} ${warning.text}`, warning))
    })
    const result = yield* Effect.provideService(self, RegistryObserver.RegistryObserver, collecting)
    return [result, [...seen.values()]] as const
  })
