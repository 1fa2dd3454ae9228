import { Console, Effect } from "effect"
import { Blobs, Hasher, Manifest, Manifests, type Reference } from "effect-oci"

export const description = "end-2: whether a repository has a blob"

export const program = (reference: Reference.Reference) =>
  Effect.gen(function* () {
    const { manifest } = yield* Manifests.resolve(reference)
    if (Manifest.isImage(manifest)) {
      const found = yield* Blobs.exists(reference.repository, manifest.config.digest)
      yield* Console.log(`its config: ${found}`)
    }
    const other = yield* Hasher.digest(new TextEncoder().encode("nobody has this"))
    yield* Console.log(`something else: ${yield* Blobs.exists(reference.repository, other)}`)
  })
