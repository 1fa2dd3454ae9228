import { Console, Effect } from "effect"
import { Hasher, type Reference, Uploads } from "effect-oci"

export const description = "end-5: uploads a blob in chunks"

export const program = ({ repository }: Reference.Reference) =>
  Effect.gen(function* () {
    const bytes = new TextEncoder().encode("one chunk after the other")
    let session = yield* Uploads.start(repository)
    for (const chunk of [bytes.subarray(0, 10), bytes.subarray(10)]) {
      session = yield* Uploads.patch(session, chunk)
      yield* Console.log(`the registry has ${session.offset} of ${bytes.length} bytes`)
    }
    const { digest } = yield* Uploads.finish(session, yield* Hasher.digest(bytes))
    yield* Console.log(`wrote ${repository}@${digest}`)
  })
