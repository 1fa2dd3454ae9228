import { randomBytes } from "node:crypto"
import { gzipSync } from "node:zlib"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Annotations from "effect-oci/Annotations"
import * as Blobs from "effect-oci/Blobs"
import * as Descriptor from "effect-oci/Descriptor"
import * as Digest from "effect-oci/Digest"
import * as Hasher from "effect-oci/Hasher"
import * as Manifest from "effect-oci/Manifest"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import * as Reference from "effect-oci/Reference"
import * as Referrers from "effect-oci/Referrers"
import type { Repository } from "effect-oci/Repository"
import * as Uploads from "effect-oci/Uploads"

/** Content with all that it names, each in its bytes. */
export interface Image {
  readonly root: Manifest.ManifestContent
  /** The manifests that the root lists. */
  readonly children: ReadonlyArray<Manifest.ManifestContent>
  /** The manifests whose subject the root is. */
  readonly referrers: ReadonlyArray<Manifest.ManifestContent>
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
    return { root, children: [], referrers: [], blobs: [config, ...layers] }
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
  return { root, children: [amd64.root, arm64.root], referrers: [], blobs: [...amd64.blobs, ...arm64.blobs] }
})

/** An artifact of one file, and an SBOM that refers to it. */
export const artifact: Effect.Effect<Image> = Effect.gen(function* () {
  const empty = { descriptor: Descriptor.empty, bytes: Descriptor.emptyBytes }
  const file = yield* blob(randomBytes(1000), "application/x-file")
  const list = yield* blob(randomBytes(100), "application/x-list")
  const root = yield* Manifest.content({
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    artifactType: "application/x-artifact",
    config: Descriptor.empty,
    layers: [file.descriptor]
  })
  const sbom = yield* Manifest.content({
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    artifactType: "application/x-sbom",
    config: Descriptor.empty,
    layers: [list.descriptor],
    subject: { mediaType: root.descriptor.mediaType, digest: root.descriptor.digest, size: root.descriptor.size }
  })
  return { root, children: [], referrers: [sbom], blobs: [empty, file, list] }
})

const pathOf = (folder: string, { digest }: Descriptor.Descriptor) =>
  `${folder}/blobs/${Digest.algorithm(digest)}/${Digest.encoded(digest)}`

const parts = ({ blobs, children, referrers, root }: Image): ReadonlyArray<Blob> => [
  root,
  ...children,
  ...referrers,
  ...blobs
]

/** Writes an image as an OCI layout in which its root, or what is given, has a name. */
export const writeLayout = (folder: string, name: string, image: Image, named = image.root) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    yield* fs.makeDirectory(`${folder}/blobs/sha256`, { recursive: true })
    yield* Effect.forEach(parts(image), ({ bytes, descriptor }) => fs.writeFile(pathOf(folder, descriptor), bytes))
    const index = {
      schemaVersion: 2,
      manifests: [{ ...named.descriptor, annotations: { [Annotations.refName]: name } }]
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

/** Pushes an image by our client, with what refers to it. */
export const push = (repository: Repository, tag: string, image: Image) =>
  Effect.gen(function* () {
    yield* Effect.forEach(image.blobs, ({ bytes, descriptor }) => Uploads.post(repository, descriptor, bytes))
    yield* Effect.forEach(image.children, (child) =>
      Manifests.put(Reference.make(repository, { digest: child.descriptor.digest }), child)
    )
    yield* Manifests.put(Reference.make(repository, { tag }), image.root)
    const noted = yield* Effect.forEach(image.referrers, (referrer) =>
      Manifests.put(Reference.make(repository, { digest: referrer.descriptor.digest }), referrer)
    )
    if (noted.every(({ subject }) => Option.isSome(subject))) return
    // the registry does not list referrers, so clients do, under a tag
    yield* Manifests.put(Reference.make(repository, { tag: Referrers.tag(image.root.descriptor.digest) }), {
      schemaVersion: 2,
      mediaType: MediaType.ociIndex,
      manifests: image.referrers.map(({ descriptor }) => descriptor)
    })
  })

/** Pulls by our client all that an image has, with the referrers that it is known to have. */
export const pull = (repository: Repository, tag: string, known: Image["referrers"] = []) =>
  Effect.gen(function* () {
    const byDigest = ({ digest }: Descriptor.Descriptor) => Manifests.get(Reference.make(repository, { digest }))
    const root = yield* Manifests.get(Reference.make(repository, { tag }))
    const children = yield* Effect.forEach(Manifest.isIndex(root.manifest) ? root.manifest.manifests : [], byDigest)
    const referrers = yield* Effect.forEach(known, ({ descriptor }) => byDigest(descriptor))
    const named = [root, ...children, ...referrers].flatMap(({ manifest }) =>
      Manifest.isImage(manifest) ? [manifest.config, ...manifest.layers] : []
    )
    const blobs = yield* Effect.forEach(Arr.dedupeWith(named, sameDigest), (descriptor) =>
      Effect.map(Blobs.get(repository, descriptor), (bytes) => ({ descriptor, bytes: new Uint8Array(bytes) }))
    )
    return { root, children, referrers, blobs } satisfies Image
  })

const sameDigest = (a: Descriptor.Descriptor, b: Descriptor.Descriptor): boolean => a.digest === b.digest
