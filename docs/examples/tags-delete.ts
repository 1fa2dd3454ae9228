import { Console, Effect } from "effect"
import { Manifests, Reference, Tags } from "effect-oci"

export const description = "end-9: deletes a tag, which it wrote before; the manifest stays"

export const program = (reference: Reference.Reference) =>
  Effect.gen(function* () {
    const { repository } = reference
    const tag = "effect-oci-delete-me"
    yield* Manifests.put(Reference.make(repository, { tag }), yield* Manifests.get(reference))
    yield* Console.log(`wrote the tag ${tag} in ${repository}`)
    // some registries delete manifests and no tags
    yield* Tags.delete(repository, tag, { fallback: "dummy" })
    yield* Console.log(`deleted it; is ${reference} there? ${yield* Manifests.exists(reference)}`)
  })
