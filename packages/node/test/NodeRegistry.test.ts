import { assert, describe, it } from "@effect/vitest"
import * as NodeRegistry from "@effect-oci/node/NodeRegistry"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Blobs from "effect-oci/Blobs"
import * as Credentials from "effect-oci/Credentials"
import * as Hasher from "effect-oci/Hasher"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import * as RegistryClient from "effect-oci/RegistryClient"
import { digest, repositoryAt, serve } from "./support.js"

const blob = serve((_, response) => response.setHeader("content-length", 2).end("{}"))

const as = (host: string, name: string) =>
  Layer.merge(RegistryAuth.layerBasic, Layer.orDie(Credentials.basic(host, name, "pass")))

const named = (authorization: string | undefined) => atob(authorization?.replace("Basic ", "") ?? "").split(":")[0]

describe("NodeRegistry", () => {
  it.scopedLive("is all that a program needs", () =>
    Effect.gen(function* () {
      const repository = yield* repositoryAt(yield* blob)
      const program: Effect.Effect<Uint8Array, unknown> = Effect.provide(
        Blobs.get(repository, digest),
        NodeRegistry.layer
      )
      assert.deepStrictEqual(yield* program, new TextEncoder().encode("{}"))
    })
  )

  it.scopedLive("hashes natively for the program too", () =>
    Effect.gen(function* () {
      const portable = yield* Hasher.Hasher
      const native = yield* Effect.provide(Hasher.Hasher, NodeRegistry.layer)
      assert.notStrictEqual(native, portable)
      assert.strictEqual(yield* Hasher.digest(new TextEncoder().encode("{}")), digest)
    })
  )

  it.scopedLive("takes policies given to it, beside it, around the program and around a call; the nearest counts", () =>
    Effect.gen(function* () {
      const server = yield* blob
      const repository = yield* repositoryAt(server)
      const get = Blobs.get(repository, digest)
      const [outer, inner] = [as(server.host, "outer"), as(server.host, "inner")]
      yield* Effect.provide(get, Layer.provide(NodeRegistry.layer, inner))
      yield* Effect.provide(get, Layer.merge(NodeRegistry.layer, inner))
      yield* get.pipe(Effect.provide(NodeRegistry.layer), Effect.provide(inner))
      yield* get.pipe(Effect.provide(inner), Effect.provide(Layer.provide(NodeRegistry.layer, outer)))
      assert.deepStrictEqual(
        server.requests.map(({ headers }) => named(headers.authorization)),
        ["inner", "inner", "inner", "inner"]
      )
    })
  )

  it.scopedLive("is a client of its own at each place where it stands", () =>
    Effect.gen(function* () {
      const server = yield* blob
      const repository = yield* repositoryAt(server)
      class Other extends Context.Tag("Other")<Other, RegistryClient.Service>() {}
      const both = Layer.merge(
        Layer.provide(NodeRegistry.layer, as(server.host, "one")),
        Layer.effect(Other, RegistryClient.RegistryClient).pipe(
          Layer.provide(NodeRegistry.layer),
          Layer.provide(as(server.host, "two"))
        )
      )
      const get = Blobs.get(repository, digest)
      yield* Effect.gen(function* () {
        yield* get
        yield* Effect.provideServiceEffect(get, RegistryClient.RegistryClient, Other)
      }).pipe(Effect.provide(both))
      assert.deepStrictEqual(
        server.requests.map(({ headers }) => named(headers.authorization)),
        ["one", "two"]
      )
    })
  )
})
