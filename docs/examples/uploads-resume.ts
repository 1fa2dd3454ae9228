import { Console, Effect, Schema } from "effect"
import { Blobs, type Reference, Uploads } from "effect-oci"

export const description = "end-13: goes on with an upload that another process has begun"

const written = Schema.parseJson(Uploads.Saved)

export const program = ({ repository }: Reference.Reference) =>
  Effect.gen(function* () {
    const bytes = new TextEncoder().encode("begun here, and ended elsewhere")
    const begun = yield* Uploads.patch(yield* Uploads.start(repository), bytes.subarray(0, 11))
    // a secret: whoever has it can write to the upload
    const text = yield* Schema.encode(written)(Uploads.save(begun))

    const session = yield* Uploads.resume(yield* Schema.decode(written)(text))
    yield* Console.log(`the registry has ${session.offset} of ${bytes.length} bytes`)
    const { digest } = yield* Blobs.push(repository, bytes, { session })
    yield* Console.log(`wrote ${repository}@${digest}`)
  })
