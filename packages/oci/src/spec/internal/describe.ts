import type { Descriptor } from "../Descriptor.js"
import type { Digest } from "../Digest.js"
import type { Manifest } from "../Manifest.js"
import * as MediaType from "../MediaType.js"

/** Whether it is of a kind that can name a subject and an artifact type: Docker's can't, though a field may look so. */
export const isOci = (
  manifest: Manifest
): manifest is Exclude<
  Manifest,
  { readonly mediaType: typeof MediaType.dockerManifest | typeof MediaType.dockerManifestList }
> => manifest.mediaType !== MediaType.dockerManifest && manifest.mediaType !== MediaType.dockerManifestList

/** The descriptor of a manifest whose bytes have this digest and size. */
export const describe = (manifest: Manifest, digest: Digest, size: number): Descriptor => {
  const { mediaType } = manifest
  const artifactType = isOci(manifest) ? manifest.artifactType : undefined
  return artifactType ? { mediaType, digest, size, artifactType } : { mediaType, digest, size }
}
