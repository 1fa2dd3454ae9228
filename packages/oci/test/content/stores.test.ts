/** What every store does, and what each of them does in a way of its own. */
import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as MutableRef from "effect/MutableRef"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as BlobSource from "effect-oci/BlobSource"
import type * as ContentStore from "effect-oci/ContentStore"
import * as Descriptor from "effect-oci/Descriptor"
import * as Digest from "effect-oci/Digest"
import * as Hasher from "effect-oci/Hasher"
import * as Manifest from "effect-oci/Manifest"
import * as MediaType from "effect-oci/MediaType"
import * as MemoryStore from "effect-oci/MemoryStore"
import type { RegistryClient } from "effect-oci/RegistryClient"
import * as RegistryStore from "effect-oci/RegistryStore"
import * as Given from "./given.js"

type Failure =
  | RegistryStore.ReadError
  | RegistryStore.WriteError
  | RegistryStore.NameError
  | ContentStore.ContentUnknown

type Store = ContentStore.Target<Failure, RegistryClient>

const stores: { readonly [name: string]: Effect.Effect<Store> } = {
  MemoryStore: MemoryStore.make(),
  RegistryStore: Effect.sync(() => RegistryStore.make(Given.at("to.test/org/app")))
}

const bytesOf = (store: Store, content: Descriptor.Descriptor) =>
  Effect.map(Stream.runCollect(store.fetch(content)), (pieces) =>
    Buffer.concat(Chunk.toReadonlyArray(pieces)).toString()
  )

const tagsOf = (store: Store) => Effect.map(Stream.runCollect(store.tags), Chunk.toReadonlyArray)

for (const [name, make] of Object.entries(stores)) {
  describe(name, () => {
    const test = (what: string, body: (store: Store) => Effect.Effect<void, unknown, RegistryClient>) =>
      it.effect(what, () => Effect.provide(Effect.flatMap(make, body), Given.registries()))

    test("holds content by its digest", (store) =>
      Effect.gen(function* () {
        const content = yield* Descriptor.fromBytes(Given.text("one"), { mediaType: MediaType.ociLayer })
        assert.isFalse(yield* store.exists(content))
        const progress = MutableRef.make(0)
        assert.strictEqual(yield* store.push(content, BlobSource.bytes(Given.text("one")), { progress }), "sent")
        assert.strictEqual(MutableRef.get(progress), 3)
        assert.isTrue(yield* store.exists(content))
        assert.strictEqual(yield* bytesOf(store, content), "one")
        yield* store.delete(content)
        assert.isFalse(yield* store.exists(content))
      }))

    test("gives content from anywhere", (store) =>
      Effect.gen(function* () {
        const content = yield* Given.put(store, Given.text("content"))
        const { fetchFrom } = store
        assert(Option.isSome(fetchFrom))
        for (const [offset, rest] of [
          [0, "content"],
          [3, "tent"],
          [7, ""]
        ] as const) {
          const text = fetchFrom.value(content, offset).pipe(Stream.decodeText(), Stream.mkString)
          assert.strictEqual(yield* text, rest)
        }
      }))

    test("opens no source of what it has", (store) =>
      Effect.gen(function* () {
        const content = yield* Given.put(store, Given.text("one"))
        const source = BlobSource.stream(Stream.dieMessage("opened"), content)
        assert.strictEqual(yield* store.push(content, source), "present")
      }))

    test("takes nothing that is not what its descriptor says", (store) =>
      Effect.gen(function* () {
        const content = yield* Descriptor.fromBytes(Given.text("one"), { mediaType: MediaType.ociLayer })
        const manifest = yield* Manifest.content({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] })
        for (const [descriptor, bytes] of [
          [content, Given.text("two")],
          [manifest.descriptor, new Uint8Array([...manifest.bytes.slice(0, -1), 32])],
          [manifest.descriptor, manifest.bytes.slice(1)]
        ] as const) {
          const error = yield* Effect.flip(
            store.push(descriptor, { ...BlobSource.bytes(bytes), size: descriptor.size })
          )
          assert.match(error._tag, /^(Digest|Size)(Mismatch|Invalid)$/)
          assert.isFalse(yield* store.exists(descriptor))
        }
      }))

    test("gives manifests names, and takes them back", (store) =>
      Effect.gen(function* () {
        const [one, two] = [
          yield* Given.image(store, ["one"], { tags: ["a", "b"] }),
          yield* Given.image(store, ["two"])
        ]
        const named = (name: string) =>
          Effect.map(
            store.resolve(name),
            Option.map(({ digest }) => digest)
          )
        assert.deepStrictEqual(yield* tagsOf(store), ["a", "b"])
        yield* store.tag(two, "b")
        yield* store.tag(two, "c")
        assert.deepStrictEqual(
          [yield* named("a"), yield* named("b")],
          [Option.some(one.digest), Option.some(two.digest)]
        )
        assert.deepStrictEqual(yield* named(two.digest), Option.some(two.digest))
        yield* store.untag("b")
        assert.deepStrictEqual(yield* tagsOf(store), ["a", "c"])
        assert.deepStrictEqual(yield* named("b"), Option.none())
        assert.isTrue(yield* store.exists(two))
        yield* store.delete(two)
        assert.deepStrictEqual(yield* tagsOf(store), ["a"])
      }))

    test("has nothing that was never there", (store) =>
      Effect.gen(function* () {
        const blob = yield* Descriptor.fromBytes(Given.text("no"), { mediaType: MediaType.ociLayer })
        const { descriptor: manifest } = yield* Manifest.content({
          schemaVersion: 2,
          mediaType: MediaType.ociIndex,
          manifests: []
        })
        for (const content of [blob, manifest]) {
          assert.isFalse(yield* store.exists(content))
          assert.match((yield* Effect.flip(bytesOf(store, content)))._tag, /Unknown$/)
          assert.match((yield* Effect.flip(store.delete(content)))._tag, /Unknown$/)
        }
        assert.deepStrictEqual(yield* store.resolve("none"), Option.none())
        assert.match((yield* Effect.flip(store.tag(manifest, "none")))._tag, /Unknown$/)
        assert.match((yield* Effect.flip(store.untag("none")))._tag, /Unknown$/)
      }))

    test("knows what refers to a manifest", (store) =>
      Effect.gen(function* () {
        const subject = yield* Given.image(store, ["one"])
        const referrer = yield* Given.image(store, ["signature"], { subject })
        const { referrers } = store
        assert(Option.isSome(referrers))
        const digests = (content: Descriptor.Descriptor) =>
          Effect.map(Stream.runCollect(referrers.value(content)), (found) =>
            Chunk.toReadonlyArray(found).map(({ digest }) => digest)
          )
        assert.deepStrictEqual(yield* digests(subject), [referrer.digest])
        assert.deepStrictEqual(yield* digests(referrer), [])
      }))

    test("holds content of other algorithms", (store) =>
      Effect.gen(function* () {
        const { bytes } = yield* Manifest.content({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] })
        const digest = yield* Hasher.digest(bytes, "sha512")
        const content = { mediaType: MediaType.ociIndex, digest, size: bytes.length }
        yield* store.push(content, BlobSource.bytes(bytes), { tags: ["512"] })
        assert.strictEqual(yield* bytesOf(store, content), new TextDecoder().decode(bytes))
        assert.isTrue(Option.isSome(yield* store.resolve("512")))
        assert.isTrue(Option.isSome(yield* store.resolve(digest)))
        assert.strictEqual(Digest.algorithm(digest), "sha512")
      }))
  })
}

describe("RegistryStore", () => {
  const [app, other] = [Given.at("to.test/org/app"), Given.at("to.test/org/other")]

  it.effect("is called as its repository is, and is one", () =>
    Effect.sync(() => {
      const store = RegistryStore.make(app)
      assert.strictEqual(store.name, "to.test/org/app")
      assert.deepStrictEqual(store.repository, Option.some(app))
    })
  )

  it.effect("mounts, and says so; what cannot be mounted is sent", () =>
    Effect.gen(function* () {
      const content = yield* Given.put(RegistryStore.make(app), Given.text("one"))
      const [never, source] = [
        BlobSource.stream(Stream.dieMessage("opened"), content),
        BlobSource.stream(Stream.make(Given.text("one")), content)
      ]
      const store = RegistryStore.make(other)
      assert.strictEqual(yield* store.push(content, never, { from: app }), "mounted")
      yield* store.delete(content)
      const progress = MutableRef.make(0)
      const pushed = yield* store.push(content, source, { from: Given.at("to.test/org/none"), progress })
      assert.deepStrictEqual([pushed, MutableRef.get(progress)], ["sent", 3])
    }).pipe(Effect.provide(Given.registries()))
  )

  it.effect("refuses a name that can be none", () =>
    Effect.gen(function* () {
      const store = RegistryStore.make(app)
      const image = yield* Given.image(store, ["one"])
      assert.strictEqual((yield* Effect.flip(store.resolve("no name")))._tag, "InvalidReference")
      assert.strictEqual((yield* Effect.flip(store.tag(image, "no name")))._tag, "InvalidReference")
    }).pipe(Effect.provide(Given.registries()))
  )

  it.effect("does not believe in the size of a manifest", () =>
    Effect.gen(function* () {
      const store = RegistryStore.make(app)
      const image = yield* Given.image(store, ["one"])
      const error = yield* Effect.flip(Stream.runDrain(store.fetch({ ...image, size: image.size + 1 })))
      assert.strictEqual(error._tag, "SizeMismatch")
    }).pipe(Effect.provide(Given.registries()))
  )
})
