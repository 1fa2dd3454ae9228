import { Console, Effect } from "effect"
import { Hasher, type Reference, Uploads } from "effect-oci"

export const description = "end-6: ends an upload, here with the whole blob: POST, then PUT"

export const program = ({ repository }: Reference.Reference) =>
  Effect.gen(function* () {
    const bytes = new TextEncoder().encode("two requests, which every registry takes")
    const session = yield* Uploads.start(repository)
    const { digest, size } = yield* Uploads.finish(session, yield* Hasher.digest(bytes), bytes)
    yield* Console.log(`wrote ${repository}@${digest}, ${size} bytes`)
  })
