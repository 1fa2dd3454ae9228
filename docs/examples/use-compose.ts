import { Console, Effect } from "effect"
import { Manifests, Reference } from "effect-oci"

export const description = "composes endpoints: errors are in the type, the environment is one requirement"

// #region digestOf
export const digestOf = (name: string) =>
  Effect.gen(function* () {
    const reference = yield* Reference.parse(name)
    const image = yield* Manifests.resolve(reference, { platform: "linux/arm64" })
    return image.descriptor.digest
  }).pipe(Effect.catchTag("ManifestUnknown", () => Effect.succeed(undefined)))
// #endregion

export const program = (reference: Reference.Reference) =>
  digestOf(Reference.format(reference)).pipe(
    Effect.flatMap((digest) => Console.log(digest ?? "there is no such image"))
  )
