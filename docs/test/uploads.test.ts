import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { RegistryServer } from "@effect-oci/registry"
import { Effect, Either, Layer, MutableRef, Option, Schedule, Schema, Stream } from "effect"
import { BlobSource, Blobs, Manifests, Reference, RegistryHosts, Uploads } from "effect-oci"

const { repository } = Either.getOrThrow(Reference.parse("registry.test/org/app"))

const registry = RegistryServer.layerTest({ seed: { "org/app:1.2": {}, "org/base:1": {} } })

describe("docs/uploads.md", () => {
  it.scoped("pushes bytes, files and streams", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const path = yield* files.makeTempFileScoped()
      yield* files.writeFileString(path, "a layer")
      const bytes = new TextEncoder().encode("bytes")
      const chunks = Stream.make(bytes)
      const known = yield* Blobs.push(repository, bytes)

      // #region sources
      yield* Blobs.push(repository, bytes)
      yield* Blobs.push(repository, BlobSource.file(path), { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" })
      // known to the last byte: nothing is read before the registry wants it, and nothing is hashed
      yield* Blobs.push(repository, BlobSource.stream(chunks, { digest: known.digest, size: known.size }))
      // of unknown size, and gone when it was read
      yield* Blobs.push(repository, BlobSource.stream(chunks, { once: true }))
      // #endregion

      // #region begin
      const source = BlobSource.stream(chunks, {
        size: known.size,
        from: (offset) => Stream.map(chunks, (bytes) => bytes.subarray(offset))
      })
      // #endregion
      assert.deepStrictEqual((yield* Blobs.push(repository, source)).digest, known.digest)
    }).pipe(Effect.provide(Layer.merge(registry, NodeFileSystem.layer)))
  )

  it.effect("tells how far it is", () =>
    Effect.gen(function* () {
      const bytes = new Uint8Array(5)
      // #region progress
      const progress = MutableRef.make(0)
      const watch = Effect.sync(() => `${MutableRef.get(progress)} bytes`).pipe(
        Effect.tap(Effect.logInfo),
        Effect.repeat(Schedule.spaced("1 second"))
      )
      yield* Effect.raceFirst(Blobs.push(repository, bytes, { progress }), watch)
      // #endregion
      assert.strictEqual(MutableRef.get(progress), 5)
    }).pipe(Effect.provide(registry))
  )

  it.effect("saves the newest session", () =>
    Effect.gen(function* () {
      const bytes = new Uint8Array(5)
      const written: Array<string> = []
      const write = (text: string) => Effect.sync(() => written.push(text))

      // #region save
      const session = MutableRef.make<Uploads.UploadSession | undefined>(undefined)
      const save = Effect.suspend(() => {
        const newest = MutableRef.get(session)
        return newest === undefined
          ? Effect.void
          : Effect.flatMap(Schema.encode(Schema.parseJson(Uploads.Saved))(Uploads.save(newest)), write)
      })
      const push = Blobs.push(repository, bytes, { session }).pipe(Effect.onInterrupt(() => Effect.ignore(save)))
      // #endregion
      yield* push
      assert.isUndefined(MutableRef.get(session))
    }).pipe(Effect.provide(registry))
  )

  it.effect("pushes with a manifest what the registry lacks", () =>
    Effect.gen(function* () {
      const reference = yield* Reference.parse("registry.test/org/app:1.2")
      const manifest = yield* Manifests.get(reference)
      const layers = new Map<string, Uint8Array>()
      // #region manifest
      yield* Manifests.put(reference, manifest, {
        skipIfSame: true,
        blobs: (digest) => Option.fromNullable(layers.get(digest))
      })
      // #endregion
    }).pipe(Effect.provide(registry))
  )

  it.effect("takes settings", () => {
    // #region settings
    const hosts = RegistryHosts.fromRecord({
      "artifactory.internal": { capabilities: { singlePost: true } },
      "us-docker.pkg.dev": { capabilities: { chunks: false } },
      "behind-a-proxy.internal": { chunk: { max: 50_000_000 } }
    })
    // #endregion
    return Effect.provide(Blobs.push(repository, new Uint8Array(1)), Layer.merge(registry, hosts))
  })
})
