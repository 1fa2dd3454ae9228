import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Hasher } from "effect-oci/Hasher"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as Auth from "./internal/auth.js"
import * as Cors from "./internal/cors.js"
import type { Ended } from "./internal/ending.js"
import * as Faults from "./internal/faults.js"
import * as Incoming from "./internal/incoming.js"
import * as Refusal from "./internal/refusal.js"
import * as Route from "./internal/route.js"
import * as Router from "./internal/router.js"
import * as Seed from "./internal/seed.js"
import * as Sessions from "./internal/sessions.js"
import * as Transport from "./internal/transport.js"
import { RegistryStorage } from "./RegistryStorage.js"

export type { Action, Users } from "./internal/auth/access.js"
export type { BasicAuth } from "./internal/auth/basic.js"
export type { TokenAuth } from "./internal/auth/token.js"
export type { Auth } from "./internal/auth.js"
export type { Fault, Faults } from "./internal/faults.js"
export type { Seed, SeedEntry } from "./internal/seed.js"

/** How a registry differs from one that implements the whole specification for everybody. All are optional. */
export interface Options {
  /** What it has from the start. Default: nothing. */
  readonly seed?: Seed.Seed | undefined
  /** The longest page of tags, referrers and repositories. Default: 1000. */
  readonly pageSize?: number | undefined
  /** Announced as `OCI-Chunk-Min-Length`, in bytes; a chunk after a shorter one is refused. Default: none. */
  readonly chunkMinLength?: number | undefined
  /** Whether it has the referrers API and says `OCI-Subject`. Default: true. */
  readonly referrers?: boolean | undefined
  /** Whether blobs, manifests and tags can be deleted. Default: true. */
  readonly deletes?: boolean | undefined
  /** Refuses every write. The seed is there all the same. Default: false. */
  readonly readOnly?: boolean | undefined
  /** Takes manifests that name blobs and manifests which are not here (else `MANIFEST_BLOB_UNKNOWN`). Default: false. */
  readonly sparse?: boolean | undefined
  /** In bytes. Default: 4 MiB. */
  readonly maxManifestSize?: number | undefined
  /** How long an upload may rest before it is forgotten. Default: one hour. */
  readonly uploadExpiry?: Duration.DurationInput | undefined
  /** Web pages that may use it from a browser: their origins, or `"*"` for all. Default: none. */
  readonly cors?: "*" | ReadonlyArray<string> | undefined
  /** Who may do what, and how they sign in. Default: everyone may do everything. */
  readonly auth?: Auth.Auth | undefined
  /** What goes wrong on purpose, and how often. Default: nothing. */
  readonly faults?: Faults.Faults | undefined
}

/** A registry: the server's side of the distribution specification, end-1 to end-14, and Docker's catalogue. */
export interface Service {
  /** For any server of @effect/platform, or `HttpApp.toWebHandler`. It expects to be at the root: paths start with `/v2/`. */
  readonly app: HttpApp.Default
  /** Reaches this registry without a socket, whatever host a request names. */
  readonly client: HttpClient.HttpClient
  /** Adds what `Options.seed` could have had. A name, platform or subject that is wrong is a defect. */
  readonly seed: (seed: Seed.Seed) => Effect.Effect<void>
  readonly faults: {
    /** How often each fault has happened until now; what has not happened is missing. */
    readonly injected: Effect.Effect<Readonly<Partial<Record<Faults.Fault, number>>>>
  }
}

export class RegistryServer extends Context.Tag("@effect-oci/registry/RegistryServer")<RegistryServer, Service>() {}

/** A registry. It hashes with the `Hasher` and keeps what it has in the `RegistryStorage` that are there when it is made. */
export const make = (options: Options = {}): Effect.Effect<Service> =>
  Effect.gen(function* () {
    const hasher = yield* Hasher
    const store = yield* (yield* RegistryStorage).open
    const gate = Auth.make(options.auth)
    const registry = {
      store,
      gate,
      settings: {
        pageSize: options.pageSize ?? 1000,
        chunkMinLength: options.chunkMinLength ?? 0,
        referrers: options.referrers ?? true,
        deletes: options.deletes ?? true,
        readOnly: options.readOnly ?? false,
        sparse: options.sparse ?? false,
        maxManifestSize: options.maxManifestSize ?? 4 * 1024 * 1024,
        uploadExpiry: Duration.toMillis(options.uploadExpiry ?? "1 hour")
      }
    }
    const faults = Faults.make(options.faults, {
      challenge: gate.challenge,
      loseUpload: (id) => Effect.ignoreLogged(Sessions.forget(store, id))
    })
    const origins = options.cors ?? []
    const seed = (entries: Seed.Seed) => Effect.provideService(Seed.add(store, entries), Hasher, hasher)

    const handle = (incoming: Incoming.Incoming): Effect.Effect<HttpServerResponse.HttpServerResponse, Ended> => {
      const route = Route.match(incoming.path, gate.tokens?.path)
      const answer = Router.answer(registry, incoming, route).pipe(
        Effect.catchAll((error) =>
          error._tag === "Refusal" ? Effect.succeed(Refusal.toResponse(error)) : Refusal.ofStorage(error)
        )
      )
      return faults.around(route, incoming, answer).pipe(
        Effect.map(
          HttpServerResponse.setHeaders({
            "docker-distribution-api-version": "registry/2.0",
            ...Cors.headers(origins, incoming)
          })
        ),
        Effect.provideService(Hasher, hasher)
      )
    }
    const answer = (incoming: Incoming.Incoming) => {
      const preflight = Cors.preflight(origins, incoming)
      return preflight === undefined ? handle(incoming) : Effect.succeed(preflight)
    }

    yield* seed(options.seed ?? {})
    return RegistryServer.of({
      app: Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
        Effect.catchTag(answer(Incoming.fromServer(request)), "Ended", (ended) =>
          // a web handler has no connection to end: the body of its answer fails instead
          Effect.succeed(HttpServerResponse.stream(Stream.fail(ended)))
        )
      ),
      client: Transport.make(answer),
      seed,
      faults: { injected: faults.injected }
    })
  })

/** A registry: in memory, and each build is a new one, unless a `RegistryStorage` is provided to it. */
export const layer = (options?: Options): Layer.Layer<RegistryServer> => Layer.effect(RegistryServer, make(options))

/**
 * An `HttpClient` that is the registry: no socket, any host reaches it. Requests are handled in the fiber that sends them
 * and on its clock, so a test's `TestClock` holds here too.
 */
export const layerHttpClient = (options?: Options): Layer.Layer<HttpClient.HttpClient | RegistryServer> =>
  Layer.provideMerge(
    Layer.effect(
      HttpClient.HttpClient,
      Effect.map(RegistryServer, ({ client }) => client)
    ),
    layer(options)
  )

/**
 * The mock for tests, in one line: a `RegistryClient` that talks to a registry in this process, seeded as the options
 * say. Nothing here waits, but the client does between its retries: under `TestClock` such a test must adjust the clock,
 * or be given `RegistryRetry.layerNone`.
 */
export const layerTest = (
  options?: Options
): Layer.Layer<RegistryClient.RegistryClient | HttpClient.HttpClient | RegistryServer> =>
  Layer.provideMerge(RegistryClient.layer, layerHttpClient(options))

/** The registry behind whichever `HttpServer` is provided: NodeHttpServer.layer, say. */
export const layerHttp = (options?: Options): Layer.Layer<RegistryServer, never, HttpServer.HttpServer> =>
  Layer.provideMerge(
    Layer.scopedDiscard(Effect.flatMap(RegistryServer, ({ app }) => HttpServer.serveEffect(app))),
    layer(options)
  )
