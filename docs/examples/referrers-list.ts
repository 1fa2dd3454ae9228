import { Console, Effect } from "effect"
import { Manifests, MediaType, type Reference, Referrers } from "effect-oci"

export const description = "end-12: the artifacts that refer to a manifest, of one type: bills of materials"

export const program = (reference: Reference.Reference) =>
  Effect.gen(function* () {
    const { digest } = yield* Manifests.head(reference)
    const found = yield* Referrers.list(reference.repository, digest, { artifactType: MediaType.spdx })
    yield* Console.log(`${found.length} of type ${MediaType.spdx}`)
    for (const referrer of found) yield* Console.log(referrer.digest)
  })
