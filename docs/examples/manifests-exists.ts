import { Console, Effect } from "effect"
import { Manifests, Reference } from "effect-oci"

export const description = "end-3: whether there is such a manifest"

export const program = (reference: Reference.Reference) =>
  Effect.gen(function* () {
    const other = Reference.make(reference.repository, { tag: "no-such-tag" })
    yield* Console.log(`${reference}: ${yield* Manifests.exists(reference)}`)
    yield* Console.log(`${other}: ${yield* Manifests.exists(other)}`)
  })
