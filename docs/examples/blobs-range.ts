import { Console, Effect, Stream } from "effect"
import { Blobs, Manifest, Manifests, type Reference } from "effect-oci"

export const description = "end-2: parts of a blob, from its start or its end"

export const program = (reference: Reference.Reference) =>
  Effect.gen(function* () {
    const { manifest } = yield* Manifests.resolve(reference)
    if (!Manifest.isImage(manifest)) return yield* Console.log("this is not an image")
    const part = (range: Blobs.Range) =>
      Blobs.range(reference.repository, manifest.config.digest, range).pipe(Stream.decodeText(), Stream.mkString)
    yield* Console.log(`its config begins ${yield* part({ start: 0, end: 9 })}`)
    yield* Console.log(`its config ends ${yield* part({ last: 4 })}`)
  })
