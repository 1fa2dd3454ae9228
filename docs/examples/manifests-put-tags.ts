import { Console, Effect } from "effect"
import { Manifests, Reference } from "effect-oci"

export const description = "end-7b: writes the tags effect-oci-example-1 and -2 for a manifest, with one request"

export const program = (reference: Reference.Reference) =>
  Effect.gen(function* () {
    const content = yield* Manifests.get(reference)
    // the bytes go back as they came, so the digest stays
    const { digest } = content.descriptor
    const { tags } = yield* Manifests.put(Reference.make(reference.repository, { digest }), content, {
      tags: ["effect-oci-example-1", "effect-oci-example-2"]
    })
    yield* Console.log(`wrote ${tags.join(" and ")} in ${reference.repository} for ${digest}`)
  })
