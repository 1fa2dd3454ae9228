import { Console, Effect } from "effect"
import { Manifests, type Reference } from "effect-oci"

export const description = "end-3: from a name to the image for one platform"

export const program = (reference: Reference.Reference) =>
  Effect.gen(function* () {
    const image = yield* Manifests.resolve(reference, { platform: "linux/arm64" })
    yield* Console.log(`on linux/arm64 it is ${image.descriptor.digest}`)
    // what the index lacks is an error with the facts in its fields
    yield* Manifests.resolve(reference, { platform: "plan9/386" }).pipe(
      Effect.catchTag("PlatformUnknown", ({ available, wanted }) =>
        Console.log(`nothing for ${wanted}, but for ${available.join(", ")}`)
      )
    )
  })
