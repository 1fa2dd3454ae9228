import { Console, Effect } from "effect"
import { Manifests, type Reference, Referrers } from "effect-oci"

export const description = "end-3: the artifacts that refer to a manifest, each checked to do so"

export const program = (reference: Reference.Reference) =>
  Effect.gen(function* () {
    const { repository } = reference
    const { digest } = yield* Manifests.head(reference)
    for (const referrer of yield* Referrers.list(repository, digest)) {
      const { descriptor, manifest } = yield* Referrers.get(repository, digest, referrer)
      yield* Console.log(`${descriptor.digest} ${manifest.mediaType}`)
    }
  })
