import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import type { LazyArg } from "effect/Function"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import type { Repository } from "../../spec/Repository.js"
import type { Operation } from "../Operation.js"
import * as RegistryClient from "../RegistryClient.js"
import { type CallError, UnexpectedResponse } from "../RegistryError.js"
import * as RegistryHosts from "../RegistryHosts.js"
import * as Body from "./body.js"
import * as Mirrors from "./hosts/mirrors.js"
import * as Policies from "./policies.js"
import * as Provenance from "./provenance.js"
import * as Refusal from "./refusal.js"
import * as Request from "./request.js"
import * as Sending from "./sending.js"

/** One request of an endpoint, and how its answers are read. */
export interface Call<E> {
  readonly operation: Operation
  readonly request: HttpClientRequest.HttpClientRequest
  /** The statuses that mean yes. */
  readonly accepts: ReadonlyArray<number>
  /** What a refusal means to this endpoint; nothing leaves it to the meaning that it has for all. */
  readonly refused?: (refusal: Refusal.Refusal) => E | undefined
  /** Whether mirrors are asked, where they can be. Default: true. A mirror's copy may be old, or missing. */
  readonly mirrors?: false
}

/**
 * Whether a delete finds nothing because one before, whose answer was lost, has deleted it: then it is done. Nobody can tell
 * that from there having been nothing, and what was wanted holds.
 */
const isGone = ({ method }: HttpClientRequest.HttpClientRequest, response: HttpClientResponse): boolean =>
  method === "DELETE" && response.status === 404 && Provenance.of(response)?.lost === true

/** An answer without mirrors, in the place of a mirror's that cannot be used. */
const again = <A, E, R>({ abort, response }: Body.Answer, self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.zipRight(abort, Mirrors.withoutThat(response, self))

/** Fails for an answer; when it is a mirror's, there is another effect to go on with. */
export const orAgain = <A, E, R, E2>(
  answer: Body.Answer,
  error: E2,
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E | E2, R> => (Mirrors.isFrom(answer.response) ? again(answer, self) : Effect.fail(error))

/** A registry of Docker's first version, which knows no path of the second. */
const isFirstVersion = ({ headers }: HttpClientResponse): boolean =>
  headers["x-docker-registry-version"] !== undefined && headers["docker-distribution-api-version"] === undefined

/** What an answer means that does not say yes; from a mirror, one that says nothing here is asked for `anew`. */
const refused = <E, R>(
  call: Call<E>,
  answer: Body.Answer,
  anew: LazyArg<Effect.Effect<Body.Answer, E | CallError, R>>
): Effect.Effect<Body.Answer, E | CallError, R> =>
  Effect.gen(function* () {
    const { response } = answer
    // a status below 400 that means nothing here; what is 400 and above does not come from mirrors
    if (Mirrors.isFrom(response)) return yield* again(answer, anew())
    const refusal = yield* Refusal.read(answer)
    if (response.status === 404 && isFirstVersion(response)) {
      const reason = "it speaks only the first version of Docker's protocol"
      return yield* new UnexpectedResponse({ ...refusal.facts, reason })
    }
    // who asks and how often: the status alone decides, whatever code comes with it
    const particular = response.status === 401 || response.status === 429 ? undefined : call.refused?.(refusal)
    return yield* Effect.fail(particular ?? (yield* Refusal.common(answer, refusal)))
  })

/** As `open`. Only what may be given up while its Scope lasts needs one of its own. */
const send = <E>(
  call: Call<E>,
  options: RegistryClient.ExecuteOptions | undefined,
  abortable: boolean,
  outer: Scope.Scope
): Effect.Effect<Body.Answer, E | CallError, RegistryClient.RegistryClient> =>
  Effect.contextWithEffect((context: Context.Context<RegistryClient.RegistryClient>) => {
    const { accepts, operation, request } = call
    const client = Context.get(context, RegistryClient.RegistryClient)
    const hosts = Policies.get(client.memory, context, RegistryHosts.RegistryHosts)
    const { limits, mirrors } = hosts.lookup(operation.registry, operation.repository)
    const sent = (scope: Scope.Scope, abort: Effect.Effect<void>) => {
      const executed = Sending.by(client)(scope, operation, request, options)
      const asked = call.mirrors === false && mirrors.length > 0 ? Mirrors.without(executed) : executed
      return Effect.flatMap(asked, (response) => {
        const answer: Body.Answer = { operation, response, limits, abort }
        return accepts.includes(response.status) || isGone(request, response)
          ? Effect.succeed(answer)
          : refused(call, answer, () => send(call, options, abortable, outer))
      })
    }
    // a mirror's answer is given up for the registry's own
    return abortable || mirrors.length > 0
      ? Effect.flatMap(Scope.fork(outer, ExecutionStrategy.sequential), (scope) =>
          sent(scope, Scope.close(scope, Exit.void))
        )
      : sent(outer, Effect.void)
  })

/** Sends the request and hands out an answer that says yes, its body unread. */
export const open = <E = never>(
  call: Call<E>,
  options?: RegistryClient.ExecuteOptions
): Effect.Effect<Body.Answer, E | CallError, RegistryClient.RegistryClient | Scope.Scope> =>
  Effect.scopeWith((scope) => send(call, options, true, scope))

/** Sends the request and reads no more of the answer than its headers. */
export const head = <E = never>(
  call: Call<E>
): Effect.Effect<Body.Answer, E | CallError, RegistryClient.RegistryClient> =>
  Effect.scopedWith((scope) =>
    Effect.flatMap(send(call, undefined, false, scope), (answer) => Effect.as(Body.discard(answer), answer))
  )

/**
 * Opens an answer and uses it up. What a mirror sent and cannot be used is asked for again without mirrors, and all of it is
 * used anew.
 */
export const using = <A, E, R, E2, R2>(
  opened: Effect.Effect<Body.Answer, E, R>,
  use: (answer: Body.Answer) => Effect.Effect<A, E2, R2>
): Effect.Effect<A, E | E2, Exclude<R | R2, Scope.Scope>> =>
  Effect.suspend(() => {
    let response: HttpClientResponse | undefined
    const used = Effect.flatMap(opened, (answer) => {
      response = answer.response
      return use(answer)
    })
    return Effect.catchAll(Effect.scoped(used), (error) =>
      response !== undefined && Mirrors.isFrom(response)
        ? Mirrors.withoutThat(response, Effect.scoped(used))
        : Effect.fail(error)
    )
  })

/** Sends the request and uses the answer's whole body, up to a limit. */
export const read = <A, E, E2, R2>(
  call: Call<E>,
  limit: (limits: RegistryHosts.Limits) => number,
  use: (answer: Body.Answer, bytes: Uint8Array) => Effect.Effect<A, E2, R2>
): Effect.Effect<A, E | E2 | CallError, RegistryClient.RegistryClient | Exclude<R2, Scope.Scope>> =>
  using(
    Effect.scopeWith((scope) => send(call, { hold: limit }, false, scope)),
    (answer) => Effect.flatMap(Body.collect(answer, limit(answer.limits)), (bytes) => use(answer, bytes))
  )

/**
 * An endpoint's span, under the client's policies. `Effect.fn` would take two stack traces for each call, and each context
 * that is given costs as much as ten steps; the endpoints called most do with one.
 */
export const spanned =
  (name: `oci.${string}`, repository: Repository, target?: string) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | RegistryClient.RegistryClient> =>
    Effect.flatMap(RegistryClient.RegistryClient, ({ memory }) =>
      Effect.useSpan(name, { captureStackTrace: false, attributes: Request.attributes(repository, target) }, (span) =>
        Effect.contextWithEffect((context: Context.Context<never>) =>
          Effect.provide(self, Context.add(Policies.missing(memory, context), Tracer.ParentSpan, span))
        )
      )
    )
