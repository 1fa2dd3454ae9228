import { Console, Effect } from "effect"
import { Hasher, type Reference, Uploads } from "effect-oci"

export const description = "end-4a, end-4c: begins an upload, here of a blob with a sha512 digest"

export const program = ({ repository }: Reference.Reference) =>
  Effect.gen(function* () {
    const bytes = new TextEncoder().encode("a longer digest for a short text")
    const session = yield* Uploads.start(repository, { algorithm: "sha512" })
    yield* Console.log(`begun, the registry has ${session.offset} bytes`)
    const { digest } = yield* Uploads.finish(session, yield* Hasher.digest(bytes, "sha512"), bytes)
    yield* Console.log(`wrote ${repository}@${digest}`)
  })
