import { Console, Effect } from "effect"
import { type Reference, Uploads } from "effect-oci"

export const description = "end-14: gives an upload up"

export const program = ({ repository }: Reference.Reference) =>
  Effect.gen(function* () {
    const session = yield* Uploads.start(repository)
    yield* Uploads.cancel(session)
    yield* Console.log("cancelled")
    yield* Uploads.status(session).pipe(
      Effect.catchTag("BlobUploadUnknown", () => Console.log("the registry knows of it no more"))
    )
  })
