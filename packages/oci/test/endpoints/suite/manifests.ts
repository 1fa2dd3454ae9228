import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Descriptor from "effect-oci/Descriptor"
import * as Hasher from "effect-oci/Hasher"
import * as Manifest from "effect-oci/Manifest"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import * as Reference from "effect-oci/Reference"
import { type Deviations, encode, type It, image, newRepository, nothing, pushImage } from "./support.js"

export const manifests = (it: It, deviations: Deviations): void => {
  it.effect("end-7a and end-3 push and fetch a manifest by tag", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const manifest = yield* image(repository, "layer")
      const reference = Reference.make(repository, { tag: "1.2" })
      const put = yield* Manifests.put(reference, manifest)
      assert.deepStrictEqual([put.descriptor, put.tags], [manifest.descriptor, ["1.2"]])
      assert.isTrue(Option.isNone(put.subject))
      assert.deepStrictEqual(yield* Manifests.get(reference), manifest)
      assert.deepStrictEqual(yield* Manifests.head(reference), manifest.descriptor)
      assert.isTrue(yield* Manifests.exists(reference))
    })
  )

  it.effect("end-7a and end-3 push and fetch a manifest by digest", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const manifest = yield* image(repository, "layer")
      const reference = Reference.make(repository, { digest: manifest.descriptor.digest })
      assert.deepStrictEqual((yield* Manifests.put(reference, manifest)).tags, [])
      assert.deepStrictEqual(yield* Manifests.get(reference), manifest)
      assert.deepStrictEqual(yield* Manifests.head(reference), manifest.descriptor)
    })
  )

  it.effect("end-7a and end-3 keep a manifest byte for byte", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const { manifest } = yield* image(repository, "layer")
      const bytes = encode(JSON.stringify({ "x-unknown": [null, 1], ...manifest }, undefined, 3))
      const content = yield* Manifest.ManifestContent.fromBytes(bytes)
      const reference = Reference.make(repository)
      assert.deepStrictEqual((yield* Manifests.put(reference, content)).tags, ["latest"])
      assert.deepStrictEqual((yield* Manifests.get(reference)).bytes, bytes)
    })
  )

  it.effect("end-7b pushes a manifest under several tags", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const manifest = yield* image(repository, "layer")
      const reference = Reference.make(repository, { tag: "1.2.3", digest: manifest.descriptor.digest })
      const tags = ["1.2.3", ...Array.from({ length: 11 }, (_, n) => `tag-${n}`)]
      const put = yield* Manifests.put(reference, manifest, { tags: tags.slice(1) })
      assert.deepStrictEqual(put.tags, tags)
      for (const tag of tags) {
        const { digest } = yield* Manifests.head(Reference.make(repository, { tag }))
        assert.strictEqual(digest, manifest.descriptor.digest)
      }
    })
  )

  it.effect("end-7a and end-3 push and fetch a manifest by its sha512 digest", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const manifest = yield* image(repository, "layer")
      const digest = yield* Hasher.digest(manifest.bytes, "sha512")
      const reference = Reference.make(repository, { digest })
      if (deviations.sha512 === "stored as sha256") {
        assert.strictEqual((yield* Effect.flip(Manifests.put(reference, manifest)))._tag, "DigestInvalid")
        assert.strictEqual((yield* Effect.flip(Manifests.get(reference)))._tag, "ManifestUnknown")
        return
      }
      const put = yield* Manifests.put(reference, manifest)
      assert.strictEqual(put.descriptor.digest, digest)
      const found = yield* Manifests.get(reference)
      assert.deepStrictEqual(found.bytes, manifest.bytes)
      assert.strictEqual(found.descriptor.digest, digest)
    })
  )

  it.effect("code-7 tells that a manifest is not there", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      yield* pushImage(repository, "layer", ["1"])
      for (const target of [{ tag: "2" }, { digest: nothing() }]) {
        const reference = Reference.make(repository, target)
        assert.strictEqual((yield* Effect.flip(Manifests.get(reference)))._tag, "ManifestUnknown")
        assert.strictEqual((yield* Effect.flip(Manifests.head(reference)))._tag, "ManifestUnknown")
        assert.isFalse(yield* Manifests.exists(reference))
      }
    })
  )

  it.effect("end-3 has no manifests in a repository that is not there", () =>
    Effect.gen(function* () {
      const reference = Reference.make(yield* newRepository)
      assert.isFalse(yield* Manifests.exists(reference))
      assert.include(["ManifestUnknown", "NameUnknown"], (yield* Effect.flip(Manifests.get(reference)))._tag)
    })
  )

  it.effect("code-5 refuses a manifest that names what is not there", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      yield* image(repository, "layer")
      const put = Manifests.put(Reference.make(repository), {
        schemaVersion: 2,
        mediaType: MediaType.ociManifest,
        config: Descriptor.empty,
        layers: [{ mediaType: MediaType.ociLayer, digest: nothing(), size: 3 }]
      })
      if (deviations.missingBlobs === "taken") {
        assert.deepStrictEqual((yield* put).tags, ["latest"])
        return
      }
      const error = yield* Effect.flip(put)
      assert(error._tag === "ManifestBlobUnknown")
      assert.deepStrictEqual(error.missing, [nothing()])
    })
  )

  it.effect("end-7a tells the subject that the registry has noted", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const subject = (yield* pushImage(repository, "subject", ["1"])).descriptor
      const manifest = yield* image(repository, "signature", { artifactType: "application/x-signature", subject })
      const put = yield* Manifests.put(Reference.make(repository, { tag: "signature" }), manifest)
      assert.strictEqual(
        Option.getOrUndefined(put.subject),
        deviations.referrersApi === false ? undefined : subject.digest
      )
    })
  )

  it.effect("end-3 goes from an index to the image for a platform", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const amd64 = yield* pushImage(repository, "amd64", [])
      const arm64 = yield* pushImage(repository, "arm64", [])
      const index = yield* Manifest.content({
        schemaVersion: 2,
        mediaType: MediaType.ociIndex,
        manifests: [
          { ...amd64.descriptor, platform: { os: "linux", architecture: "amd64" } },
          { ...arm64.descriptor, platform: { os: "linux", architecture: "arm64" } }
        ]
      })
      const reference = Reference.make(repository, { tag: "multi" })
      yield* Manifests.put(reference, index)
      assert.deepStrictEqual(yield* Manifests.get(reference), index)
      assert.deepStrictEqual(yield* Manifests.resolve(reference), amd64)
      assert.deepStrictEqual(yield* Manifests.resolve(reference, { platform: "linux/arm64" }), arm64)
      assert.deepStrictEqual(yield* Manifests.get(reference, { platform: "linux/arm64/v8" }), arm64)
      const error = yield* Effect.flip(Manifests.resolve(reference, { platform: "windows/amd64" }))
      assert(error._tag === "PlatformUnknown")
      assert.deepStrictEqual(error.available, ["linux/amd64", "linux/arm64"])
    })
  )

  it.effect("end-7a takes an artifact whose parts are the empty descriptor", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      yield* image(repository, "layer")
      const reference = Reference.make(repository, { tag: "artifact" })
      yield* Manifests.put(reference, {
        schemaVersion: 2,
        mediaType: MediaType.ociManifest,
        artifactType: "application/x-artifact",
        config: Descriptor.empty,
        layers: [Descriptor.empty]
      })
      const found = yield* Manifests.get(reference)
      assert.strictEqual(found.descriptor.artifactType, "application/x-artifact")
    })
  )

  it.effect("end-9 deletes a manifest with its tags", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const { descriptor } = yield* pushImage(repository, "layer", ["1", "2"])
      yield* pushImage(repository, "other", ["3"])
      if (deviations.deletes === false) {
        assert.strictEqual((yield* Effect.flip(Manifests.delete(repository, descriptor.digest)))._tag, "Unsupported")
        assert.isTrue(yield* Manifests.exists(Reference.make(repository, { tag: "1" })))
        return
      }
      yield* Manifests.delete(repository, descriptor.digest)
      assert.isFalse(yield* Manifests.exists(Reference.make(repository, { digest: descriptor.digest })))
      assert.strictEqual(
        yield* Manifests.exists(Reference.make(repository, { tag: "1" })),
        deviations.deletedTags === "stay"
      )
      assert.isTrue(yield* Manifests.exists(Reference.make(repository, { tag: "3" })))
      assert.strictEqual((yield* Effect.flip(Manifests.delete(repository, descriptor.digest)))._tag, "ManifestUnknown")
    })
  )
}
