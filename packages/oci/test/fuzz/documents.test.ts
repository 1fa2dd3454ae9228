/** Documents of a stranger: each is read for what it is, or refused with a typed error; none throws. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as Descriptor from "effect-oci/Descriptor"
import * as ImageConfig from "effect-oci/ImageConfig"
import * as Manifest from "effect-oci/Manifest"
import * as MediaType from "effect-oci/MediaType"
import * as Platform from "effect-oci/Platform"
import { ManifestInvalid, ManifestUnsupported } from "effect-oci/RegistryError"
import { sha256 } from "../endpoints/given.js"
import { assertPrintable, near, nearDocument, nearJson, oddText } from "./arbitraries.js"
import * as Samples from "./samples.js"
import { everyRun, fuzz } from "./settings.js"

const contentType = FastCheck.oneof(
  FastCheck.constant(undefined),
  near(
    "",
    MediaType.ociManifest,
    `${MediaType.ociIndex}; charset=utf-8`,
    MediaType.dockerManifestV1Signed,
    "text/plain"
  )
)

const platforms = FastCheck.oneof(
  FastCheck.constantFrom("linux/amd64", "linux/arm64", "windows(10.0.17763)/amd64", "linux/arm/v6").map((text) =>
    Either.getOrThrow(Platform.parse(text))
  ),
  FastCheck.record({ os: oddText, architecture: oddText, variant: oddText })
)

const assertRefused = (error: unknown): void => {
  assert(error instanceof ManifestInvalid || error instanceof ManifestUnsupported)
  assertPrintable(error.message)
}

describe("fuzzed documents", () => {
  it.prop(
    "manifests are refused, or read and written the same from then on",
    [nearJson(...Samples.manifests), contentType],
    ([bytes, type]) =>
      Either.match(Manifest.decode(bytes, type), {
        onLeft: assertRefused,
        onRight: (manifest) => {
          assert.oneOf(manifest.mediaType, [
            MediaType.ociManifest,
            MediaType.ociIndex,
            MediaType.dockerManifest,
            MediaType.dockerManifestList,
            MediaType.ociArtifactManifest
          ])
          const written = Manifest.encode(manifest)
          const again = Either.getOrThrow(Manifest.decode(written, manifest.mediaType))
          assert.deepStrictEqual(new TextDecoder().decode(Manifest.encode(again)), new TextDecoder().decode(written))
          assert.deepStrictEqual(Manifest.subject(again), Manifest.subject(manifest))
          assert.deepStrictEqual(Manifest.artifactType(again), Manifest.artifactType(manifest))
        }
      }),
    fuzz
  )

  it.effect(
    "what is kept of a manifest is its bytes and their digest",
    () =>
      everyRun(FastCheck.tuple(nearJson(...Samples.manifests), contentType), ([bytes, mediaType]) =>
        Effect.map(Effect.either(Manifest.ManifestContent.fromBytes(bytes, { mediaType })), (read) => {
          if (Either.isLeft(read)) return assertRefused(read.left)
          const { descriptor, manifest } = read.right
          assert.strictEqual(read.right.bytes, bytes)
          assert.deepStrictEqual(
            [descriptor.mediaType, descriptor.digest, descriptor.size],
            [manifest.mediaType, sha256(bytes), bytes.length]
          )
        })
      ),
    fuzz
  )

  it.prop(
    "an index gives one of its entries for a platform, or says which platforms it has",
    [nearJson(Samples.index), platforms],
    ([bytes, wanted]) => {
      const index = Option.getOrUndefined(Either.getRight(Manifest.decode(bytes)))
      if (index === undefined || !Manifest.isIndex(index)) return
      Either.match(Platform.select(index, wanted), {
        onLeft: (error) => {
          assert.instanceOf(error, Platform.PlatformUnknown)
          assertPrintable(error.message)
        },
        onRight: (chosen) => {
          assert.include(index.manifests, chosen)
          assert(chosen.platform !== undefined && Platform.matches(wanted, chosen.platform))
        }
      })
    },
    fuzz
  )

  it.prop(
    "configs are refused, or read and written the same from then on",
    [nearJson(Samples.config)],
    ([bytes]) => {
      for (const { decode } of [ImageConfig.oci, ImageConfig.docker, ImageConfig.helm, ImageConfig.empty]) {
        const read = decode(bytes)
        if (Either.isLeft(read)) assert.instanceOf(read.left, ParseResult.ParseError)
        else assert.isString(JSON.stringify(read.right))
      }
      const config = Option.getOrUndefined(Either.getRight(ImageConfig.oci.decode(bytes)))
      if (config === undefined) return
      const written = new TextEncoder().encode(JSON.stringify(Schema.encodeSync(ImageConfig.ImageConfig)(config)))
      assert.strictEqual(JSON.stringify(Either.getOrThrow(ImageConfig.oci.decode(written))), JSON.stringify(config))
    },
    fuzz
  )

  it.effect(
    "descriptors are refused, or read; content within them counts only when it is theirs",
    () =>
      everyRun(nearDocument(Samples.image.config, Samples.image.layers[1], Samples.index.manifests[2]), (document) => {
        const read = Schema.decodeUnknownEither(Descriptor.Descriptor)(document)
        if (Either.isLeft(read)) return Effect.void
        const written: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(Descriptor.Descriptor)(read.right)))
        assert.strictEqual(
          JSON.stringify(Schema.decodeUnknownSync(Descriptor.Descriptor)(written)),
          JSON.stringify(read.right)
        )
        return Effect.map(Descriptor.embedded(read.right), (content) => {
          if (Option.isSome(content)) assert.strictEqual(sha256(content.value), read.right.digest)
        })
      }),
    fuzz
  )
})
