import { assert, describe, effect, layer } from "@effect/vitest"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Descriptor from "effect-oci/Descriptor"
import * as Hasher from "effect-oci/Hasher"
import * as Manifest from "effect-oci/Manifest"
import * as MediaType from "effect-oci/MediaType"
import { send } from "./support.js"

const get = (name: string, reference: string) =>
  Effect.gen(function* () {
    const answer = yield* send("GET", `/v2/${name}/manifests/${reference}`)
    assert.strictEqual(answer.status, 200)
    return yield* Manifest.ManifestContent.fromBytes(answer.bytes, { mediaType: answer.headers["content-type"] })
  })

/** A blob that is what its descriptor says. */
const blob = (name: string, { digest, size }: Descriptor.Descriptor) =>
  Effect.gen(function* () {
    const { bytes } = yield* send("GET", `/v2/${name}/blobs/${digest}`)
    assert.strictEqual(bytes.length, size)
    assert.strictEqual(yield* Hasher.digest(bytes), digest)
    return bytes
  })

describe("Seed", () => {
  layer(
    RegistryServer.layerHttpClient({
      seed: {
        "org/app:1.2": { platforms: ["linux/arm64/v8"], annotations: { a: "b" } },
        "org/app:all": { platforms: ["linux/amd64", "linux/arm/v7", "windows/amd64"] },
        "org/app:sbom": { artifactType: "application/vnd.example", subject: "org/app:1.2", annotations: { c: "d" } },
        "org/plain": {}
      }
    })
  )((it) => {
    it.effect("makes an image of one platform", () =>
      Effect.gen(function* () {
        const { manifest } = yield* get("org/app", "1.2")
        assert(manifest.mediaType === MediaType.ociManifest)
        assert.deepStrictEqual(manifest.annotations, { a: "b" })
        const config = JSON.parse(new TextDecoder().decode(yield* blob("org/app", manifest.config)))
        assert.strictEqual(config.os, "linux")
        assert.strictEqual(config.architecture, "arm64")
        assert.strictEqual(config.variant, "v8")
        const [layer] = manifest.layers
        assert.isDefined(layer)
        assert.strictEqual(layer.mediaType, MediaType.ociLayer)
        assert.deepStrictEqual(config.rootfs, { type: "layers", diff_ids: [layer.digest] })
      })
    )

    it.effect("makes layers that are tar archives", () =>
      Effect.gen(function* () {
        const { manifest } = yield* get("org/app", "1.2")
        assert(Manifest.isImage(manifest))
        const [layer] = manifest.layers
        assert.isDefined(layer)
        const tar = yield* blob("org/app", layer)
        const text = (start: number, length: number) => new TextDecoder().decode(tar.subarray(start, start + length))
        assert.strictEqual(tar.length % 512, 0)
        assert.strictEqual(text(257, 8), "ustar\x0000")
        const size = Number.parseInt(text(124, 11), 8)
        assert.strictEqual(text(512, size), "org/app for linux/arm64/v8\n")
        const sum = tar.subarray(0, 512).reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0)
        assert.strictEqual(Number.parseInt(text(148, 6), 8), sum)
        assert.isTrue(tar.subarray(1024).every((byte) => byte === 0))
      })
    )

    it.effect("makes an index of several platforms", () =>
      Effect.gen(function* () {
        const { manifest } = yield* get("org/app", "all")
        assert(manifest.mediaType === MediaType.ociIndex)
        assert.deepStrictEqual(
          manifest.manifests.map(({ platform }) => platform),
          [
            { os: "linux", architecture: "amd64" },
            { os: "linux", architecture: "arm", variant: "v7" },
            { os: "windows", architecture: "amd64" }
          ]
        )
        for (const { digest } of manifest.manifests) assert(Manifest.isImage((yield* get("org/app", digest)).manifest))
      })
    )

    it.effect("makes an artifact with a subject", () =>
      Effect.gen(function* () {
        const subject = yield* get("org/app", "1.2")
        const { descriptor, manifest } = yield* get("org/app", "sbom")
        assert(manifest.mediaType === MediaType.ociManifest)
        assert.strictEqual(manifest.artifactType, "application/vnd.example")
        assert.strictEqual(manifest.subject?.digest, subject.descriptor.digest)
        assert.deepStrictEqual(yield* blob("org/app", manifest.config), Descriptor.emptyBytes)
        const { json } = yield* send("GET", `/v2/org/app/referrers/${subject.descriptor.digest}`)
        assert.deepStrictEqual(Object(json).manifests, [
          {
            mediaType: MediaType.ociManifest,
            digest: descriptor.digest,
            size: descriptor.size,
            annotations: { c: "d" },
            artifactType: "application/vnd.example"
          }
        ])
      })
    )

    it.effect("takes latest and linux/amd64 for what is not said", () =>
      Effect.gen(function* () {
        const { manifest } = yield* get("org/plain", "latest")
        assert(Manifest.isImage(manifest))
        const config = JSON.parse(new TextDecoder().decode(yield* blob("org/plain", manifest.config)))
        assert.strictEqual(`${config.os}/${config.architecture}`, "linux/amd64")
      })
    )

    it.effect("makes the same digests each time", () =>
      Effect.gen(function* () {
        const { descriptor } = yield* get("org/app", "1.2")
        assert.strictEqual(descriptor.digest, "sha256:ad6d32da60fba624f482bc8d6ae5500ba6a8e572045b5e7336556ae80d4b8c3a")
      })
    )

    it.effect("can be added to while the registry runs", () =>
      Effect.gen(function* () {
        const { seed } = yield* RegistryServer.RegistryServer
        assert.strictEqual((yield* send("HEAD", "/v2/org/late/manifests/1")).status, 404)
        yield* seed({ "org/late:1": {} })
        assert.strictEqual((yield* send("HEAD", "/v2/org/late/manifests/1")).status, 200)
      })
    )
  })

  const wrong: ReadonlyArray<readonly [title: string, seed: RegistryServer.Seed, message: string]> = [
    ["name", { "Org/App:1": {} }, "capital letters"],
    ["platform", { "a:1": { platforms: ["linux"] } }, "linux"],
    ["subject", { "a:1": { subject: "a:2" } }, "the subject a:2 is not an entry above"],
    ["subject elsewhere", { "a:1": {}, "b:1": { subject: "a:1" } }, "the subject a:1 is not an entry above"]
  ]
  for (const [title, seed, message] of wrong) {
    effect(`dies of a wrong ${title}`, () =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(RegistryServer.make({ seed }))
        assert(Exit.isFailure(exit))
        assert.isTrue(Cause.isDie(exit.cause))
        assert.include(Cause.pretty(exit.cause), message)
      })
    )
  }
})
