import { Console, Effect } from "effect"
import { type Reference, Uploads } from "effect-oci"

export const description = "end-13: asks where an upload stands, as one does after a broken connection"

export const program = ({ repository }: Reference.Reference) =>
  Effect.gen(function* () {
    const begun = yield* Uploads.start(repository)
    const sent = yield* Uploads.patch(begun, new TextEncoder().encode("half of it"))
    const session = yield* Uploads.status(sent)
    yield* Console.log(`the registry has ${session.offset} bytes`)
    yield* Uploads.cancel(session)
  })
