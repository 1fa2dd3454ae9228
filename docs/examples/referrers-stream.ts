import { Console, Effect, Stream } from "effect"
import { Manifests, type Reference, Referrers } from "effect-oci"

export const description = "end-12: all that refer to a manifest, as a stream"

export const program = (reference: Reference.Reference) =>
  Effect.gen(function* () {
    const { digest } = yield* Manifests.head(reference)
    yield* Referrers.stream(reference.repository, digest).pipe(
      Stream.runForEach((referrer) => Console.log(`${referrer.artifactType}: ${referrer.digest}`))
    )
  })
