import * as Encoding from "effect/Encoding"
import type { Descriptor } from "../Descriptor.js"
import type { DockerManifest, DockerManifestList, ImageIndex, ImageManifest, Manifest } from "../Manifest.js"
import * as MediaType from "../MediaType.js"

const inOrder = (value: object, names: ReadonlyArray<string>): object => {
  // a field of this name is not read (a merge would make a prototype of it), so it is not written either
  const own = new Map<string, unknown>(Object.entries(value).filter(([name]) => name !== "__proto__"))
  const known = names.filter((name) => own.has(name))
  const others = [...own.keys()].filter((name) => !names.includes(name))
  return Object.fromEntries([...known, ...others].map((name) => [name, own.get(name)]))
}

const sorted = (map: { readonly [key: string]: string } | undefined) => map && inOrder(map, Object.keys(map).sort())

const descriptorNames = ["mediaType", "digest", "size", "urls", "annotations", "data", "platform", "artifactType"]
const platformNames = ["architecture", "os", "os.version", "os.features", "variant"]
const manifestNames = [
  "schemaVersion",
  "mediaType",
  "artifactType",
  "config",
  "layers",
  "manifests",
  "blobs",
  "subject",
  "annotations"
]

const descriptor = (value: Descriptor): object =>
  inOrder(
    {
      ...value,
      annotations: sorted(value.annotations),
      data: value.data && Encoding.encodeBase64(value.data),
      platform: value.platform && inOrder(value.platform, platformNames)
    },
    descriptorNames
  )

const about = (manifest: Pick<ImageManifest, "subject" | "annotations">): object => ({
  subject: manifest.subject && descriptor(manifest.subject),
  annotations: sorted(manifest.annotations)
})

const image = (manifest: ImageManifest | DockerManifest): object => ({
  ...manifest,
  config: descriptor(manifest.config),
  layers: manifest.layers.map(descriptor)
})

const index = (manifest: ImageIndex | DockerManifestList): object => ({
  ...manifest,
  manifests: manifest.manifests.map(descriptor)
})

const encoded = (manifest: Manifest): object => {
  switch (manifest.mediaType) {
    case MediaType.ociManifest:
      return { ...image(manifest), ...about(manifest) }
    case MediaType.ociIndex:
      return { ...index(manifest), ...about(manifest) }
    case MediaType.dockerManifest:
      return image(manifest)
    case MediaType.dockerManifestList:
      return index(manifest)
    case MediaType.ociArtifactManifest:
      return { ...manifest, blobs: manifest.blobs.map(descriptor), ...about(manifest) }
  }
}

/**
 * JSON without white space, its fields in the order of the specification, fields that it does not know after them,
 * annotations sorted: so the same manifest has the same digest wherever and however it was built.
 */
export const canonical = (manifest: Manifest): string => JSON.stringify(inOrder(encoded(manifest), manifestNames))
