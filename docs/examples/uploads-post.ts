import { Console, Effect } from "effect"
import { Descriptor, type Reference, Uploads } from "effect-oci"

export const description = "end-4b: uploads a blob with one request"

export const program = ({ repository }: Reference.Reference) =>
  Effect.gen(function* () {
    const bytes = new TextEncoder().encode("all at once")
    const descriptor = yield* Descriptor.fromBytes(bytes, { mediaType: "text/plain" })
    const { digest, size } = yield* Uploads.post(repository, descriptor, bytes)
    yield* Console.log(`wrote ${repository}@${digest}, ${size} bytes`)
  })
