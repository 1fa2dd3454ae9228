import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import type { Platform } from "effect-oci/Platform"
import { play, type Step } from "../scripted.js"
import {
  answer,
  describeBytes,
  failing,
  json,
  manifest,
  manifestAnswer,
  manifestContent,
  sha256,
  tagged,
  v2
} from "./given.js"

const amd64 = { os: "linux", architecture: "amd64" }
const arm64 = { os: "linux", architecture: "arm64" }

const entry = (bytes: Uint8Array, mediaType: string, platform: Platform = amd64) => ({
  ...describeBytes(bytes, mediaType),
  platform
})
const indexOf = (...manifests: ReadonlyArray<object>) =>
  json({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests })
const typed = (contentType: string, bytes: Uint8Array) => answer(200, { "content-type": contentType }, bytes)

const first = (bytes: Uint8Array): Step => [`GET ${v2}/manifests/1.2`, typed(MediaType.ociIndex, bytes)]
const next = (bytes: Uint8Array, contentType: string): Step => [
  `GET ${v2}/manifests/${sha256(bytes)}`,
  typed(contentType, bytes)
]

const other = json({
  schemaVersion: 2,
  mediaType: MediaType.ociManifest,
  config: describeBytes("{}", MediaType.ociEmpty),
  layers: []
})
const index = indexOf(entry(other, MediaType.ociManifest, arm64), entry(manifest, MediaType.ociManifest))

/** An index in an index and so on, with an image inside. */
const nested = (depth: number): ReadonlyArray<Uint8Array> => {
  const [outer, ...rest] = depth === 1 ? [manifest] : nested(depth - 1)
  const type = depth === 1 ? MediaType.ociManifest : MediaType.ociIndex
  return outer === undefined ? [] : [indexOf(entry(outer, type)), outer, ...rest]
}

describe("Manifests.resolve", () => {
  it.effect("M18 M25 goes by its digest to the image for linux/amd64, unless told otherwise", () =>
    play([first(index), next(manifest, MediaType.ociManifest), first(index), next(other, MediaType.ociManifest)], () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* Manifests.resolve(tagged), manifestContent)
        const { bytes } = yield* Manifests.resolve(tagged, { platform: arm64 })
        assert.deepStrictEqual(bytes, other)
      })
    )
  )

  it.effect("answers with an image as it is", () =>
    play([[`GET ${v2}/manifests/1.2`, manifestAnswer()]], () =>
      Effect.map(Manifests.resolve(tagged, { platform: "plan9/mips" }), (found) =>
        assert.deepStrictEqual(found, manifestContent)
      )
    )
  )

  it.effect("reads Docker's lists too", () => {
    const list = json({
      schemaVersion: 2,
      mediaType: MediaType.dockerManifestList,
      manifests: [entry(manifest, MediaType.ociManifest)]
    })
    return play(
      [[`GET ${v2}/manifests/1.2`, typed(MediaType.dockerManifestList, list)], next(manifest, MediaType.ociManifest)],
      () => Effect.map(Manifests.resolve(tagged), (found) => assert.deepStrictEqual(found, manifestContent))
    )
  })

  it.effect("M7 goes by the descriptor's type, not by the answer's", () =>
    play([first(index), next(manifest, "text/plain"), first(index), next(manifest, MediaType.dockerManifest)], () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* Manifests.resolve(tagged), manifestContent)
        assert.deepStrictEqual(yield* Manifests.resolve(tagged), manifestContent)
      })
    )
  )

  it.effect("M7 refuses a manifest that is not of its descriptor's type", () => {
    const lying = indexOf(entry(manifest, MediaType.dockerManifest))
    return play([first(lying), next(manifest, MediaType.ociManifest)], () =>
      failing("ManifestInvalid", Manifests.resolve(tagged))
    )
  })

  it.effect("M19 goes through nested indexes, as deep as five", () => {
    const [outer = manifest, ...inner] = nested(5)
    const steps = inner.map((bytes, n) =>
      next(bytes, n === inner.length - 1 ? MediaType.ociManifest : MediaType.ociIndex)
    )
    return play([first(outer), ...steps], () =>
      Effect.map(Manifests.resolve(tagged), (found) => assert.deepStrictEqual(found, manifestContent))
    )
  })

  it.effect("M19 S19 goes no deeper", () => {
    const [outer = manifest, ...inner] = nested(7)
    const steps = inner.slice(0, 5).map((bytes) => next(bytes, MediaType.ociIndex))
    return play([first(outer), ...steps], () =>
      Effect.gen(function* () {
        const error = yield* failing("ManifestInvalid", Manifests.resolve(tagged))
        assert.include(error.message, "indexes within indexes")
        assert.strictEqual(error.reference, "1.2")
      })
    )
  })

  it.effect("S4 verifies the manifest that an index names", () =>
    play([first(index), [`GET ${v2}/manifests/${sha256(manifest)}`, typed(MediaType.ociManifest, other)]], () =>
      Effect.gen(function* () {
        const error = yield* failing("DigestMismatch", Manifests.resolve(tagged))
        assert.deepStrictEqual([error.expected, error.actual], [sha256(manifest), sha256(other)])
      })
    )
  )

  it.effect("refuses an index that lies about a size", () => {
    const lying = indexOf({ ...entry(manifest, MediaType.ociManifest), size: 9 })
    return play([first(lying), next(manifest, MediaType.ociManifest)], () =>
      Effect.gen(function* () {
        const error = yield* failing("ManifestInvalid", Manifests.resolve(tagged))
        assert.include(error.message, `its index says 9 bytes, it has ${manifest.length}`)
        assert.strictEqual(error.digest, sha256(manifest))
      })
    )
  })

  it.effect("tells that the manifest an index names is not there", () =>
    play([first(index), [`GET ${v2}/manifests/${sha256(manifest)}`, answer(404)]], () =>
      Effect.gen(function* () {
        const error = yield* failing("ManifestUnknown", Manifests.resolve(tagged))
        assert.strictEqual(error.digest, sha256(manifest))
      })
    )
  )

  it.effect("M18 tells which platforms there are", () => {
    const attestation = {
      ...entry(other, MediaType.ociManifest, { os: "unknown", architecture: "unknown" }),
      annotations: { "vnd.docker.reference.type": "attestation-manifest" }
    }
    return play([first(indexOf(attestation, entry(manifest, MediaType.ociManifest)))], () =>
      Effect.gen(function* () {
        const error = yield* failing("PlatformUnknown", Manifests.resolve(tagged, { platform: "linux/s390x" }))
        assert.deepStrictEqual([error.wanted, error.available], ["linux/s390x", ["linux/amd64"]])
      })
    )
  })

  it.effect("M18 finds nothing in an empty index", () =>
    play([first(indexOf())], () =>
      Effect.map(failing("PlatformUnknown", Manifests.resolve(tagged)), ({ available }) =>
        assert.deepStrictEqual(available, [])
      )
    )
  )

  it.effect("asks for nothing when the platform is none", () =>
    play([], () =>
      Effect.gen(function* () {
        yield* failing("InvalidPlatform", Manifests.resolve(tagged, { platform: "linux" }))
        yield* failing("InvalidPlatform", Manifests.get(tagged, { platform: "linux" }))
      })
    )
  )
})

describe("Manifests.get with a platform", () => {
  it.effect("goes to the image for it, and asks for the kinds wanted first", () =>
    play([first(index), next(other, MediaType.ociManifest)], (sent) =>
      Effect.gen(function* () {
        const options = { platform: "linux/aarch64", accept: [MediaType.ociIndex] }
        assert.deepStrictEqual((yield* Manifests.get(tagged, options)).bytes, other)
        assert.strictEqual(sent[0]?.headers.accept, MediaType.ociIndex)
        assert.strictEqual(sent[1]?.headers.accept, MediaType.accept)
      })
    )
  )

  it.effect("hands out an index as it is without one", () =>
    play([first(index)], () =>
      Effect.map(Manifests.get(tagged, { platform: undefined }), ({ bytes }) => assert.deepStrictEqual(bytes, index))
    )
  )
})
