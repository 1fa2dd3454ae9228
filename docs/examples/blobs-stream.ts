import { Console, Effect, Stream } from "effect"
import { Blobs, Manifest, Manifests, type Reference } from "effect-oci"

export const description = "end-2: blobs of any size as streams, verified at their end"

export const program = (reference: Reference.Reference) =>
  Effect.gen(function* () {
    const { manifest } = yield* Manifests.resolve(reference)
    for (const layer of Manifest.isImage(manifest) ? manifest.layers : []) {
      const size = yield* Blobs.stream(reference.repository, layer).pipe(
        Stream.runFold(0, (sum, bytes) => sum + bytes.length)
      )
      yield* Console.log(`${layer.digest}: ${size} bytes, verified`)
    }
  })
