import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Blobs from "effect-oci/Blobs"
import * as Credentials from "effect-oci/Credentials"
import * as Hasher from "effect-oci/Hasher"
import * as OriginPolicy from "effect-oci/OriginPolicy"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as RegistryMiddleware from "effect-oci/RegistryMiddleware"
import * as RegistryObserver from "effect-oci/RegistryObserver"
import * as RegistryRetry from "effect-oci/RegistryRetry"
import * as Tags from "effect-oci/Tags"
import manifest from "../../package.json" with { type: "json" }
import { play } from "../scripted.js"
import { digest, origin, registry, repository, tagsUrl } from "./support.js"

/** Redirects each blob to itself with a query, then answers it: so that a read of it needs every policy. */
const transport = Layer.succeed(
  HttpClient.HttpClient,
  HttpClient.make((request) =>
    Effect.sync(() => {
      const response = request.url.endsWith("?moved")
        ? new Response("{}")
        : new Response(null, { status: 307, headers: { location: "?moved" } })
      return HttpClientResponse.fromWeb(request, response)
    })
  )
)

/** Notes that a policy was asked. */
interface Note {
  (): void
}

const portable = Effect.runSync(Hasher.Hasher)

/** Each policy as one that notes when it is asked and else does what is sound. */
const policies: { readonly [policy: string]: (note: Note) => Layer.Layer<never> } = {
  Credentials: (note) =>
    Layer.succeed(Credentials.Credentials, {
      lookup: () => {
        note()
        return Effect.succeedSome({ _tag: "Token", token: Redacted.make("t") })
      }
    }),
  RegistryAuth: (note) =>
    Layer.succeed(RegistryAuth.RegistryAuth, (_, next) => {
      note()
      return next
    }),
  RegistryRetry: (note) =>
    Layer.succeed(RegistryRetry.RegistryRetry, (_, next) => {
      note()
      return next
    }),
  RegistryHosts: (note) =>
    Layer.succeed(RegistryHosts.RegistryHosts, {
      lookup: () => {
        note()
        return { baseUrl: origin, secure: true, limits: RegistryHosts.defaultLimits }
      }
    }),
  OriginPolicy: (note) =>
    Layer.succeed(OriginPolicy.OriginPolicy, {
      judge: ({ from, to }) => {
        note()
        return Either.right({ url: new URL(to, from).href, sameOrigin: true })
      }
    }),
  RegistryMiddleware: (note) =>
    RegistryMiddleware.layer((_, next) => {
      note()
      return next
    }),
  RegistryObserver: (note) =>
    Layer.succeed(RegistryObserver.RegistryObserver, {
      exchange: () => Effect.sync(note),
      warning: () => Effect.void
    }),
  Hasher: (note) =>
    Layer.succeed(Hasher.Hasher, {
      make: (algorithm) => {
        note()
        return portable.make(algorithm)
      }
    })
}

/** Reads a blob, with policies around just that. */
interface Read {
  (...around: ReadonlyArray<Layer.Layer<never>>): Effect.Effect<void, unknown, RegistryClient.RegistryClient>
}

const reads: { readonly [what: string]: Read } = {
  "an endpoint": (...around) =>
    Effect.asVoid(around.reduce((read, layer) => Effect.provide(read, layer), Blobs.get(repository, digest))),
  "a stream": (...around) =>
    Stream.runDrain(
      around.reduce((read, layer) => Stream.provideSomeLayer(read, layer), Blobs.stream(repository, digest))
    )
}

const client = RegistryClient.layer

/** Where a policy may be put. The `near` one must be asked, and no other. */
const places: {
  readonly [place: string]: (
    read: Read,
    near: Layer.Layer<never>,
    far: Layer.Layer<never>
  ) => Effect.Effect<void, unknown, HttpClient.HttpClient>
} = {
  "given to the client's layer": (read, near) => read().pipe(Effect.provide(client.pipe(Layer.provide(near)))),
  "beneath the client's layer and handed on": (read, near) =>
    read().pipe(Effect.provide(client.pipe(Layer.provideMerge(near)))),
  "merged beside the client": (read, near) => read().pipe(Effect.provide(Layer.merge(client, near))),
  "around the program, inside the client": (read, near) => read().pipe(Effect.provide(near), Effect.provide(client)),
  "around the program, outside the client": (read, near) => read().pipe(Effect.provide(client), Effect.provide(near)),
  "around one call": (read, near) => read(near).pipe(Effect.provide(client)),
  "beside a client that was given another": (read, near, far) =>
    read().pipe(Effect.provide(Layer.merge(client.pipe(Layer.provide(far)), near))),
  "around the program of a client that was given another": (read, near, far) =>
    read().pipe(Effect.provide(near), Effect.provide(client.pipe(Layer.provide(far)))),
  "around one call of a client that was given another": (read, near, far) =>
    read(near).pipe(Effect.provide(client.pipe(Layer.provide(far)))),
  "around one call in a program with another": (read, near, far) =>
    read(near).pipe(Effect.provide(far), Effect.provide(client)),
  "around one call beside another": (read, near, far) => read(near).pipe(Effect.provide(Layer.merge(client, far))),
  "around one call, twice": (read, near, far) => read(near, far).pipe(Effect.provide(client)),
  "given to the client's layer, with another outside": (read, near, far) =>
    read().pipe(Effect.provide(client.pipe(Layer.provide(near))), Effect.provide(far), Effect.provide(near))
}

describe("RegistryClient", () => {
  describe("takes a policy", () => {
    for (const [policy, make] of Object.entries(policies)) {
      for (const [place, put] of Object.entries(places)) {
        for (const [what, read] of Object.entries(reads)) {
          it.effect(`${policy} ${place}, for ${what}`, () =>
            Effect.gen(function* () {
              const asked: Array<string> = []
              const noting = (name: string) => make(() => asked.push(name))
              yield* put(read, noting("near"), noting("far")).pipe(
                Effect.provide([transport, RegistryAuth.layerBasic, RegistryRetry.layerNone])
              )
              assert.deepStrictEqual(Arr.dedupe(asked), ["near"])
            })
          )
        }
      }
    }
  })
})
