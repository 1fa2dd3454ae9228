import { Console, Effect } from "effect"
import { Blobs, ImageConfig, Manifest, Manifests, type Reference } from "effect-oci"

export const description = "end-2: a small blob in memory, verified: an image's config"

export const program = (reference: Reference.Reference) =>
  Effect.gen(function* () {
    const { manifest } = yield* Manifests.resolve(reference)
    if (!Manifest.isImage(manifest)) return yield* Console.log("this is not an image")
    const bytes = yield* Blobs.get(reference.repository, manifest.config)
    const config = yield* ImageConfig.oci.decode(bytes)
    yield* Console.log(`it runs on ${config.os}/${config.architecture}`)
    yield* Console.log(`its layers: ${config.rootfs.diff_ids.length}`)
  })
