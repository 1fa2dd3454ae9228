import { createGunzip } from "node:zlib"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Arr from "effect/Array"
import * as Chunk from "effect/Chunk"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Order from "effect/Order"
import * as Stream from "effect/Stream"
import * as Blobs from "effect-oci/Blobs"
import * as Catalog from "effect-oci/Catalog"
import type { Descriptor } from "effect-oci/Descriptor"
import * as Digest from "effect-oci/Digest"
import * as Hasher from "effect-oci/Hasher"
import * as ImageConfig from "effect-oci/ImageConfig"
import * as Manifest from "effect-oci/Manifest"
import * as Manifests from "effect-oci/Manifests"
import * as Reference from "effect-oci/Reference"
import * as Referrers from "effect-oci/Referrers"
import * as Tags from "effect-oci/Tags"
import * as Page from "./page.js"

interface Failure extends Error {
  readonly _tag: string
}

const tell = (verb: string, error: Failure) => Page.say(verb, `${Page.wrong(error._tag)}: ${error.message}`)

/** The first names of a list; no request is made for the others. */
const some = <E, R>(names: Stream.Stream<string, E, R>) =>
  Effect.map(Stream.runCollect(Stream.take(names, 9)), (all) => {
    const shown = Page.foreign(Chunk.join(Chunk.take(all, 8), ", "))
    return all.length === 0 ? "none" : `${shown}${all.length > 8 ? " and more" : ""}`
  })

/** The tags of the repository, the repositories of the registry. */
export const list = ({ registry, repository }: Reference.Reference) =>
  Effect.gen(function* () {
    yield* Page.say("tags", yield* some(Tags.stream(repository)))
    yield* some(Catalog.stream(registry)).pipe(
      Effect.flatMap((names) => Page.say("catalog", names)),
      // large registries refuse it; the story goes on
      Effect.catchAll((error) => tell("catalog", error))
    )
  })

/** The images for a platform that most have, and for one that hardly any has. */
export const resolve = (reference: Reference.Reference) =>
  Effect.forEach(
    ["linux/arm64", "plan9/386"],
    (platform) =>
      Manifests.resolve(reference, { platform }).pipe(
        Effect.flatMap(({ descriptor }) => Page.say("resolve", `${platform} is ${Page.short(descriptor.digest)}`)),
        Effect.catchTag("PlatformUnknown", (error) => tell("resolve", error))
      ),
    { discard: true }
  )

/** What refers to the image. */
export const referrers = (reference: Reference.Reference) =>
  Effect.gen(function* () {
    const { digest } = yield* Manifests.head(reference)
    const found = yield* Referrers.list(reference.repository, digest)
    if (found.length === 0) yield* Page.say("referrers", "none")
    for (const { artifactType = "of no type", digest, size } of found.slice(0, 8)) {
      yield* Page.say("referrers", `${Page.short(digest)}  ${Page.foreign(artifactType)}, ${Page.size(size)}`)
    }
  })

class NotGzip extends Data.TaggedError("NotGzip")<{ readonly cause: unknown }> {
  override get message(): string {
    return `the layer is not what its media type says: ${String(this.cause)}`
  }
}

const gunzip = NodeStream.pipeThroughDuplex(
  () => createGunzip(),
  (cause) => new NotGzip({ cause })
)

/** The digest of what comes, of which nothing is kept. */
const digestOf = <E, R>(bytes: Stream.Stream<Uint8Array, E, R>) =>
  Effect.gen(function* () {
    const hash = (yield* Hasher.Hasher).make("sha256")
    yield* Stream.runForEachChunk(bytes, (chunk) => Effect.sync(() => Chunk.forEach(chunk, hash.update)))
    return Digest.make("sha256", hash.digest())
  })

const smallest = Arr.min(Order.mapInput(Order.number, ({ size }: Descriptor) => size))

/** Pulls an image's config and its smallest layer, and unpacks that. */
export const pull = (reference: Reference.Reference) =>
  Effect.gen(function* () {
    const { repository } = reference
    const { manifest } = yield* Manifests.resolve(reference)
    if (!Manifest.isImage(manifest) || !Arr.isNonEmptyReadonlyArray(manifest.layers)) {
      return yield* Page.say("pull", "nothing: this is no image")
    }
    const config = yield* ImageConfig.oci.decode(yield* Blobs.get(repository, manifest.config))
    yield* Page.say(
      "pull",
      `config  ${Page.short(manifest.config.digest)}  for ${Page.foreign(`${config.os}/${config.architecture}`)}`
    )

    const layer = smallest(manifest.layers)
    let pulled = 0
    const bytes = Blobs.stream(repository, layer).pipe(
      Stream.tap((piece) => {
        pulled += piece.length
        return Page.progress("pull", pulled, layer.size)
      })
    )
    const unpacked = yield* digestOf(layer.mediaType.endsWith("gzip") ? gunzip(bytes) : bytes)
    yield* Page.say("", `layer   ${Page.short(layer.digest)}  ${Page.size(pulled)}, verified as it came`)
    const promised = config.rootfs.diff_ids[manifest.layers.indexOf(layer)]
    yield* unpacked === promised
      ? Page.say("", `${Page.good("✓")} unpacked it is ${Page.short(unpacked)}, as the config says`)
      : Page.say("", `${Page.wrong("✗")} unpacked it is ${unpacked}, but the config says ${promised}`)
  })

/** What is not there is a typed error, whose message helps. */
export const miss = ({ repository }: Reference.Reference) => {
  const missing = Reference.make(repository, { tag: "no-such-tag" })
  return Manifests.get(missing).pipe(
    Effect.flatMap(() => Page.say("missing", `${missing} is there after all`)),
    Effect.catchAll((error) => tell("missing", error))
  )
}
