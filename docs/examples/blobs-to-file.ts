import { FileSystem } from "@effect/platform"
import { Console, Effect } from "effect"
import { Blobs, Manifest, Manifests, type Reference } from "effect-oci"

export const description = "end-2: blobs as files, which go on from where they broke off, also tomorrow"

export const program = (reference: Reference.Reference) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped()
    const { manifest } = yield* Manifests.resolve(reference)
    for (const layer of Manifest.isImage(manifest) ? manifest.layers : []) {
      const { digest, size } = yield* Blobs.toFile(reference.repository, layer, `${folder}/layer.tar`)
      yield* Console.log(`${digest}: ${size} bytes in layer.tar, verified`)
    }
  }).pipe(Effect.scoped)
