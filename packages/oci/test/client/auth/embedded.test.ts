import { assert, describe, it } from "@effect/vitest"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Blobs from "effect-oci/Blobs"
import * as Catalog from "effect-oci/Catalog"
import * as Credentials from "effect-oci/Credentials"
import * as Manifests from "effect-oci/Manifests"
import * as Reference from "effect-oci/Reference"
import * as RegistryObserver from "effect-oci/RegistryObserver"
import * as Repository from "effect-oci/Repository"
import * as Tags from "effect-oci/Tags"
import * as Uploads from "effect-oci/Uploads"
import { bytes, digest, reference, registry, repository } from "../support.js"

const users = { me: "s3cret" }
const seed = { "org/app:1.2": {}, "org/app:1.3": {}, "org/base:1": {} }
const base = Either.getOrThrow(Repository.parse("registry.test/org/base"))

const auths = { token: { type: "token", users, anonymousPull: true }, basic: { type: "basic", users } } as const

const as = (password: string) => Layer.orDie(Credentials.basic("registry.test", "me", password))

/** Counts the requests to the token service, by what they are for. */
const counting = (tokens: Array<string>) =>
  RegistryObserver.layer({
    exchange: ({ operation }) =>
      Effect.sync(() => {
        if (operation.name === "auth.token") tokens.push(operation.repository?.name ?? "")
      })
  })

describe("RegistryAuth on a registry that signs in", () => {
  for (const [type, auth] of Object.entries(auths)) {
    it.effect(`does everything, by ${type}`, () =>
      Effect.gen(function* () {
        const image = yield* Manifests.get(reference)
        const begun = yield* Uploads.start(repository)
        yield* Uploads.finish(yield* Uploads.patch(begun, bytes("{}")), digest)
        const source = { size: 2, stream: Stream.make(bytes("{"), bytes("}")) }
        yield* Uploads.finish(yield* Uploads.start(base), digest, source)
        yield* Uploads.mount(base, digest, repository)
        yield* Manifests.put(yield* Reference.withTag(reference, "2"), image)
        assert.deepStrictEqual((yield* Tags.list(repository)).tags, ["1.2", "1.3", "2"])
        assert.isTrue(yield* Blobs.exists(base, digest))
        // A46: it takes the right to delete here, which is not fetched for it
        yield* Effect.ignore(Uploads.cancel(yield* Uploads.start(repository)))
        yield* Blobs.delete(repository, digest)
        yield* Tags.delete(repository, "2")
        assert.deepStrictEqual((yield* Catalog.list(registry)).repositories, ["org/app", "org/base"])
      }).pipe(Effect.provide(as("s3cret")), Effect.provide(RegistryServer.layerTest({ seed, auth })))
    )

    it.effect(`A28 says that a password is wrong, by ${type}`, () =>
      Effect.map(Effect.flip(Uploads.start(repository)), (error) => {
        assert(error._tag === "Unauthorized")
        assert.isTrue(error.authenticated)
      }).pipe(Effect.provide(as("wrong")), Effect.provide(RegistryServer.layerTest({ seed, auth })))
    )
  }

  it.effect("A2 pulls without credentials what everyone may", () =>
    Effect.map(Manifests.get(reference), ({ descriptor }) => assert.isAbove(descriptor.size, 0)).pipe(
      Effect.provide(RegistryServer.layerTest({ seed, auth: auths.token }))
    )
  )

  it.effect("L23 A42 goes on with a page and an upload when their token has lapsed", () => {
    const tokens: Array<string> = []
    return Effect.gen(function* () {
      const begun = yield* Uploads.start(repository)
      const tags = yield* Tags.stream(repository, { n: 1 }).pipe(
        Stream.tap(() => TestClock.adjust("2 minutes")),
        Stream.runCollect
      )
      assert.deepStrictEqual(Chunk.toReadonlyArray(tags), ["1.2", "1.3"])
      const sent = yield* Uploads.patch(begun, bytes("{}"))
      yield* TestClock.adjust("2 minutes")
      yield* Uploads.finish(sent, digest)
      assert.isAbove(tokens.length, 1)
    }).pipe(
      Effect.provide([as("s3cret"), counting(tokens)]),
      Effect.provide(RegistryServer.layerTest({ seed, auth: { ...auths.token, expiry: "30 seconds" } }))
    )
  })

  it.effect("A40 a registry that refuses at random has its token fetched once, and every call ends", () => {
    const tokens: Array<string> = []
    return Effect.gen(function* () {
      const calls = Array.from({ length: 300 }, () => Effect.either(Manifests.head(reference)))
      const ended = yield* Effect.all(calls, { concurrency: 10 })
      const failed = ended.flatMap((end) => (Either.isLeft(end) ? [end.left._tag] : []))
      assert.deepStrictEqual(
        [...new Set(failed)].filter((tag) => tag !== "Unauthorized"),
        []
      )
      assert.isBelow(failed.length, 60)
      assert.deepStrictEqual(tokens, ["org/app"])
    }).pipe(
      Effect.provide([as("s3cret"), counting(tokens)]),
      Effect.provide(
        RegistryServer.layerTest({
          seed,
          auth: auths.token,
          faults: { seed: 1, rate: { "manifests.head": 0.2 }, kinds: [401] }
        })
      )
    )
  })
})
