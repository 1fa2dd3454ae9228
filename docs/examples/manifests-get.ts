import { Console, Effect } from "effect"
import { Manifest, Manifests, Platform, type Reference } from "effect-oci"

export const description = "end-3: a manifest by tag or digest, verified and decoded"

export const program = (reference: Reference.Reference) =>
  Effect.gen(function* () {
    const { descriptor, manifest } = yield* Manifests.get(reference)
    yield* Console.log(`${descriptor.digest} is of type ${manifest.mediaType}`)
    if (Manifest.isIndex(manifest)) {
      for (const { digest, platform } of manifest.manifests) {
        yield* Console.log(`${digest} is for ${platform ? Platform.format(platform) : "no platform"}`)
      }
    }
  })
