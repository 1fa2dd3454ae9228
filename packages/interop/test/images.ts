import { randomBytes } from "node:crypto"
import { gzipSync } from "node:zlib"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Annotations from "effect-oci/Annotations"
import * as Blobs from "effect-oci/Blobs"
import * as Descriptor from "effect-oci/Descriptor"
import * as Digest from "effect-oci/Digest"
import * as Hasher from "effect-oci/Hasher"
import * as Manifest from "effect-oci/Manifest"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import * as Reference from "effect-oci/Reference"
import type { Repository } from "effect-oci/Repository"
import * as Uploads from "effect-oci/Uploads"

/** Content with all that it names, each in its bytes. */
export interface Image {
  readonly root: Manifest.ManifestContent
  /** The manifests that the root lists. */
  readonly children: ReadonlyArray<Manifest.ManifestContent>
  readonly blobs: ReadonlyArray<Blob>
}

interface Blob {
  readonly descriptor: Descriptor.Descriptor
  readonly bytes: Uint8Array
}

const blob = (bytes: Uint8Array, mediaType: string): Effect.Effect<Blob> =>
  Effect.map(Descriptor.fromBytes(bytes, { mediaType }), (descriptor) => ({ descriptor, bytes }))

/** An image of two layers. They are of no other run, so what a tool remembers of other registries is of no use to it. */
export const single = (architecture = "amd64"): Effect.Effect<Image> =>
  Effect.gen(function* () {
    const contents = [randomBytes(300_000), randomBytes(1000)]
    const document = {
      architecture,
      os: "linux",
      config: {},
      rootfs: { type: "layers", diff_ids: yield* Effect.forEach(contents, (content) => Hasher.digest(content)) }
    }
    const config = yield* blob(new TextEncoder().encode(JSON.stringify(document)), MediaType.ociConfig)
    const layers = yield* Effect.forEach(contents, (content) =>
      blob(new Uint8Array(gzipSync(content)), MediaType.ociLayerGzip)
    )
    const root = yield* Manifest.content({
      schemaVersion: 2,
      mediaType: MediaType.ociManifest,
      config: config.descriptor,
      layers: layers.map(({ descriptor }) => descriptor)
    })
    return { root, children: [], blobs: [config, ...layers] }
  })

/** An image for two platforms. */
export const multi: Effect.Effect<Image> = Effect.gen(function* () {
  const [amd64, arm64] = [yield* single("amd64"), yield* single("arm64")]
  const root = yield* Manifest.content({
    schemaVersion: 2,
    mediaType: MediaType.ociIndex,
    manifests: [
      { ...amd64.root.descriptor, platform: { os: "linux", architecture: "amd64" } },
      { ...arm64.root.descriptor, platform: { os: "linux", architecture: "arm64" } }
    ]
  })
  return { root, children: [amd64.root, arm64.root], blobs: [...amd64.blobs, ...arm64.blobs] }
})

const pathOf = (folder: string, { digest }: Descriptor.Descriptor) =>
  `${folder}/blobs/${Digest.algorithm(digest)}/${Digest.encoded(digest)}`

const parts = ({ blobs, children, root }: Image): ReadonlyArray<Blob> => [root, ...children, ...blobs]

/** Writes an image as an OCI layout in which it has a name. */
export const writeLayout = (folder: string, name: string, image: Image) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    yield* fs.makeDirectory(`${folder}/blobs/sha256`, { recursive: true })
    yield* Effect.forEach(parts(image), ({ bytes, descriptor }) => fs.writeFile(pathOf(folder, descriptor), bytes))
    const index = {
      schemaVersion: 2,
      manifests: [{ ...image.root.descriptor, annotations: { [Annotations.refName]: name } }]
    }
    yield* fs.writeFileString(`${folder}/index.json`, JSON.stringify(index))
    yield* fs.writeFileString(`${folder}/oci-layout`, JSON.stringify({ imageLayoutVersion: "1.0.0" }))
  })

/** Reads from an OCI layout what it has of an image: all its bytes, in the order of `partsOf`. */
export const readLayout = (folder: string, image: Image) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return yield* Effect.forEach(parts(image), ({ descriptor }) =>
      Effect.map(fs.readFile(pathOf(folder, descriptor)), (bytes) => new Uint8Array(bytes))
    )
  })

/** The bytes of an image: of its manifests and then of its blobs. */
export const bytesOf = (image: Image): ReadonlyArray<Uint8Array> => parts(image).map(({ bytes }) => bytes)

/** Pushes an image by our client. */
export const push = (repository: Repository, tag: string, image: Image) =>
  Effect.gen(function* () {
    yield* Effect.forEach(image.blobs, ({ bytes, descriptor }) => Uploads.post(repository, descriptor, bytes))
    yield* Effect.forEach(image.children, (child) =>
      Manifests.put(Reference.make(repository, { digest: child.descriptor.digest }), child)
    )
    yield* Manifests.put(Reference.make(repository, { tag }), image.root)
  })

/** Pulls by our client all that an image has. */
export const pull = (repository: Repository, tag: string) =>
  Effect.gen(function* () {
    const root = yield* Manifests.get(Reference.make(repository, { tag }))
    const listed = Manifest.isIndex(root.manifest) ? root.manifest.manifests : []
    const children = yield* Effect.forEach(listed, ({ digest }) =>
      Manifests.get(Reference.make(repository, { digest }))
    )
    const named = [root, ...children].flatMap(({ manifest }) =>
      Manifest.isImage(manifest) ? [manifest.config, ...manifest.layers] : []
    )
    const blobs = yield* Effect.forEach(named, (descriptor) =>
      Effect.map(Blobs.get(repository, descriptor), (bytes) => ({ descriptor, bytes: new Uint8Array(bytes) }))
    )
    return { root, children, blobs } satisfies Image
  })
