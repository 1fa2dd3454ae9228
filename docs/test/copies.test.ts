import { HttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { RegistryServer } from "@effect-oci/registry"
import { Chunk, Effect, Layer, Option, Stream } from "effect"
import {
  BlobSource,
  Copy,
  Descriptor,
  Manifest,
  Manifests,
  MediaType,
  MemoryStore,
  Reference,
  RegistryClient,
  RegistryStore
} from "effect-oci"

/** ghcr.io and quay.io, as far as these pages need them. */
const registries = Layer.unwrapEffect(
  Effect.gen(function* () {
    const [ghcr, quay] = [
      yield* RegistryServer.make({ seed: { "org/app:1.2": { platforms: ["linux/amd64", "linux/arm64"] } } }),
      yield* RegistryServer.make()
    ]
    const client = HttpClient.make((request, url) => (url.host === "ghcr.io" ? ghcr : quay).client.execute(request))
    return Layer.provide(RegistryClient.layer, Layer.succeed(HttpClient.HttpClient, client))
  })
)

describe("copies", () => {
  it.effect("go from registry to registry", () =>
    Effect.gen(function* () {
      // #region copy
      const from = yield* Reference.parse("ghcr.io/org/app:1.2")
      const to = yield* Reference.parse("quay.io/mirror/app:1.2")

      const copy = Copy.copy(RegistryStore.make(from.repository), RegistryStore.make(to.repository), {
        root: from.target,
        tags: [to.target],
        referrers: true
      })
      yield* Stream.runDrain(copy)
      // #endregion
      assert.strictEqual((yield* Manifests.head(to)).digest, (yield* Manifests.head(from)).digest)
    }).pipe(Effect.provide(registries))
  )

  it.effect("tell what happens", () =>
    Effect.gen(function* () {
      const { repository } = yield* Reference.parse("ghcr.io/org/app:1.2")
      const copy = Copy.copy(RegistryStore.make(repository), yield* MemoryStore.make(), { root: "1.2" })
      // #region events
      const lines = Stream.filterMap(
        copy,
        Copy.Event.$match({
          Found: () => Option.none(),
          Bytes: ({ bytes, content }) => Option.some(`${content.digest}: ${bytes} of ${content.size}`),
          Skipped: ({ content }) => Option.some(`${content.digest} is there`),
          Mounted: ({ content }) => Option.some(`${content.digest} is mounted`),
          Done: ({ content }) => Option.some(`${content.digest} is copied`)
        })
      )
      // #endregion
      const told = Chunk.toReadonlyArray(yield* Stream.runCollect(lines))
      assert.isAbove(told.length, 4)
      for (const line of told) assert.match(line, / is copied$/)
    }).pipe(Effect.provide(registries))
  )

  it.effect("are of one platform", () =>
    Effect.gen(function* () {
      const from = yield* Reference.parse("ghcr.io/org/app:1.2")
      const to = yield* Reference.parse("quay.io/mirror/app:1.2")
      // #region platform
      const { descriptor } = yield* Manifests.resolve(from, { platform: "linux/arm64" })
      const copy = Copy.copy(RegistryStore.make(from.repository), RegistryStore.make(to.repository), {
        root: descriptor,
        tags: ["1.2-arm64"]
      })
      // #endregion
      yield* Stream.runDrain(copy)
      assert.strictEqual((yield* Manifests.head(yield* Reference.withTag(to, "1.2-arm64"))).digest, descriptor.digest)
    }).pipe(Effect.provide(registries))
  )

  it.effect("begin in memory", () =>
    Effect.gen(function* () {
      const { repository } = yield* Reference.parse("quay.io/org/notes")
      // #region memory
      const store = yield* MemoryStore.make()
      const text = new TextEncoder().encode("what changed")
      const note = yield* Descriptor.fromBytes(text, { mediaType: "text/plain" })
      yield* store.push(note, BlobSource.bytes(text))
      yield* store.push(Descriptor.empty, BlobSource.bytes(Descriptor.emptyBytes))
      const artifact = yield* Manifest.content({
        schemaVersion: 2,
        mediaType: MediaType.ociManifest,
        artifactType: "application/vnd.example.notes",
        config: Descriptor.empty,
        layers: [note]
      })
      yield* store.push(artifact.descriptor, BlobSource.bytes(artifact.bytes), { tags: ["1.2"] })

      yield* Stream.runDrain(Copy.copy(store, RegistryStore.make(repository), { root: "1.2" }))
      // #endregion
      assert.isTrue(yield* Manifests.exists(Reference.make(repository, { tag: "1.2" })))
    }).pipe(Effect.provide(registries))
  )
})
