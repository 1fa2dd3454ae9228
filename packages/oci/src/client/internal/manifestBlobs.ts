import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Descriptor } from "../../spec/Descriptor.js"
import type { Digest } from "../../spec/Digest.js"
import type { Manifest } from "../../spec/Manifest.js"
import * as MediaType from "../../spec/MediaType.js"
import type { Repository } from "../../spec/Repository.js"
import * as BlobSource from "../BlobSource.js"
import * as Blobs from "../Blobs.js"
import type { ManifestBlobUnknown } from "../RegistryError.js"

/** Where blobs are to be had that a registry turns out not to have. */
export type Supply<E, R> = (digest: Digest) => Option.Option<Uint8Array | BlobSource.BlobSource<E, R>>

/** What a manifest names that lies beside it in the repository, and may. */
const blobsOf = (manifest: Manifest): ReadonlyArray<Descriptor> => {
  const named =
    "layers" in manifest ? [manifest.config, ...manifest.layers] : "blobs" in manifest ? (manifest.blobs ?? []) : []
  return named.filter(({ mediaType }) => MediaType.isDistributable(mediaType))
}

/**
 * Pushes the blobs that a registry misses, all of them where it does not say which. What it says it has counts for nothing
 * here: it has said so before. Fails as before where one of them is not to be had.
 */
export const supplied = <E, R>(
  repository: Repository,
  manifest: Manifest,
  supply: Supply<E, R>,
  error: ManifestBlobUnknown
) =>
  Effect.gen(function* () {
    const { missing } = error
    const wanted = blobsOf(manifest).filter(({ digest }) => missing.length === 0 || missing.includes(digest))
    const found = Option.all(
      wanted.map(({ digest, mediaType, size }) =>
        Option.map(supply(digest), (given): BlobSource.BlobSource<E, R> => {
          const known = { digest, mediaType, size }
          return given instanceof Uint8Array ? { ...BlobSource.bytes(given), ...known } : { ...given, ...known }
        })
      )
    )
    if (
      Option.isNone(found) ||
      wanted.length === 0 ||
      !missing.every((digest) => wanted.some((one) => one.digest === digest))
    ) {
      return yield* error
    }
    yield* Effect.forEach(found.value, (source) => Blobs.push(repository, source, { check: false }), { discard: true })
  })
