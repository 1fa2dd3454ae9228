import { Console, Effect } from "effect"
import { Manifests, type Reference } from "effect-oci"

export const description = "end-3: what a tag names, by one request without a body"

export const program = (reference: Reference.Reference) =>
  Effect.gen(function* () {
    const { digest, mediaType, size } = yield* Manifests.head(reference)
    yield* Console.log(digest)
    yield* Console.log(`${mediaType}, ${size} bytes`)
  })
