import { Console, Effect } from "effect"
import { Blobs, Descriptor, type Reference, Uploads } from "effect-oci"

export const description = "end-10: deletes a blob, which it uploaded before"

export const program = ({ repository }: Reference.Reference) =>
  Effect.gen(function* () {
    const bytes = new TextEncoder().encode("written to be deleted")
    const { digest } = yield* Descriptor.fromBytes(bytes, { mediaType: "text/plain" }).pipe(
      Effect.flatMap((descriptor) => Uploads.post(repository, descriptor, bytes))
    )
    yield* Console.log(`wrote ${repository}@${digest}`)
    yield* Blobs.delete(repository, digest)
    yield* Console.log(`deleted it; is it there? ${yield* Blobs.exists(repository, digest)}`)
  })
