import { Console, Effect } from "effect"
import { Blobs, Manifest, Manifests, type Reference } from "effect-oci"

export const description = "end-2: how large a blob is, without its bytes"

export const program = (reference: Reference.Reference) =>
  Effect.gen(function* () {
    const { manifest } = yield* Manifests.resolve(reference)
    for (const layer of Manifest.isImage(manifest) ? manifest.layers : []) {
      const { digest, size } = yield* Blobs.head(reference.repository, layer.digest)
      yield* Console.log(`${digest} has ${size} bytes`)
    }
  })
