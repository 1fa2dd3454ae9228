import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Descriptor from "effect-oci/Descriptor"
import * as Digest from "effect-oci/Digest"
import * as Hasher from "effect-oci/Hasher"
import * as Manifest from "effect-oci/Manifest"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import * as Reference from "effect-oci/Reference"
import type { Repository } from "effect-oci/Repository"
import * as Uploads from "effect-oci/Uploads"
import * as Image from "./image.js"
import * as Page from "./page.js"

const source = fileURLToPath(new URL("../../packages/oci/src", import.meta.url))

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

/** Sends a blob whose digest and size nobody knows before its last byte. */
const upload = (repository: Repository, bytes: Stream.Stream<Uint8Array>) =>
  Effect.gen(function* () {
    const hash = (yield* Hasher.Hasher).make("sha256")
    const session = yield* Stream.runFoldEffect(bytes, yield* Uploads.start(repository), (session, chunk) => {
      hash.update(chunk)
      return Uploads.patch(session, chunk)
    })
    return yield* Uploads.finish(session, Digest.make("sha256", hash.digest()))
  })

/** Sends a blob in memory with one request. */
const post = (repository: Repository, bytes: Uint8Array, mediaType: string) =>
  Effect.flatMap(Descriptor.fromBytes(bytes, { mediaType }), (descriptor) =>
    Uploads.post(repository, descriptor, bytes)
  )

/** The layer of the image: this library's own sources. */
export const build = Effect.tap(Image.layerOf(source), ({ names, tar }) =>
  Page.say("build", `${names.length} files of packages/oci/src, ${Page.size(tar.length)} as a tar`)
)

/** Pushes an image of the layer for two platforms: what is named comes before what names it. */
export const push = (reference: Reference.Reference, layer: Image.Layer) =>
  Effect.gen(function* () {
    const { repository } = reference
    const sent = yield* upload(repository, Image.gzip(layer.tar))
    yield* Page.say(
      "push",
      `layer   ${Page.short(sent.digest)}  ${Page.size(sent.size)}, gzipped on its way, in chunks`
    )
    const manifests = yield* Effect.forEach(["amd64", "arm64"], (architecture) =>
      Effect.gen(function* () {
        const config = yield* post(repository, json(Image.config(architecture, layer)), MediaType.ociConfig)
        yield* Page.say("", `config  ${Page.short(config.digest)}  ${Page.size(config.size)}, linux/${architecture}`)
        const image = yield* Manifest.content({
          schemaVersion: 2,
          mediaType: MediaType.ociManifest,
          config,
          layers: [{ ...sent, mediaType: MediaType.ociLayerGzip }]
        })
        const { digest } = image.descriptor
        yield* Manifests.put(Reference.make(repository, { digest }), image)
        yield* Page.say("", `image   ${Page.short(digest)}  ${Page.size(image.bytes.length)}, linux/${architecture}`)
        return { ...image.descriptor, platform: { os: "linux", architecture } }
      })
    )
    const index = yield* Manifests.put(
      reference,
      { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests },
      { tags: ["latest"] }
    )
    yield* Page.say("", `index   ${Page.short(index.descriptor.digest)}  tagged ${index.tags.join(" and ")}`)
  })

const fileList = "application/vnd.effect-oci.demo.files+json"

/** Attaches the list of its files to an image. */
export const attach = (reference: Reference.Reference, { names }: Image.Layer) =>
  Effect.gen(function* () {
    const { repository } = reference
    const blob = yield* post(repository, json(names), fileList)
    yield* Uploads.post(repository, Descriptor.empty, Descriptor.emptyBytes)
    const artifact = yield* Manifest.content({
      schemaVersion: 2,
      mediaType: MediaType.ociManifest,
      artifactType: fileList,
      config: Descriptor.empty,
      layers: [blob],
      subject: yield* Manifests.head(reference)
    })
    const { digest } = artifact.descriptor
    yield* Manifests.put(Reference.make(repository, { digest }), artifact)
    yield* Page.say("attach", `${Page.short(digest)}  the list of its files, which refers to ${reference.tag}`)
  })

/** Begins an upload, thinks better of it, and shows that nothing is left. */
export const cancel = ({ repository }: Reference.Reference, { tar }: Image.Layer) =>
  Effect.gen(function* () {
    const half = tar.subarray(0, tar.length / 2)
    const session = yield* Uploads.status(yield* Uploads.patch(yield* Uploads.start(repository), half))
    yield* Page.say("cancel", `an upload that stands at ${Page.size(session.offset)} of ${Page.size(tar.length)}`)
    yield* Uploads.cancel(session)
    yield* Uploads.status(session).pipe(
      Effect.catchTag("BlobUploadUnknown", ({ _tag }) =>
        Page.say("", `${Page.good("✓")} nothing is left of it: ${Page.wrong(_tag)}`)
      )
    )
  })
