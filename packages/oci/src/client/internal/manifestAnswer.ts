import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Digest from "../../spec/Digest.js"
import * as Hasher from "../../spec/Hasher.js"
import { ManifestContent } from "../../spec/Manifest.js"
import * as MediaType from "../../spec/MediaType.js"
import * as RegistryClient from "../RegistryClient.js"
import { DigestMismatch, ManifestInvalid, ManifestUnsupported } from "../RegistryError.js"
import * as Body from "./body.js"
import * as Verify from "./verify.js"

/** What is known of a manifest before its bytes are. */
export interface Asked {
  /** The digest it was asked for by. */
  readonly digest?: Digest.Digest | undefined
  /** The type that its descriptor gives it; without one, the `Content-Type` counts. */
  readonly mediaType?: string | undefined
}

/**
 * The algorithm that names a manifest asked for by tag: the one the registry names it by, when what it says holds, so that
 * it can be asked for by that digest; else sha256.
 */
const algorithmOf = (answer: Body.Answer, bytes: Uint8Array): Effect.Effect<Digest.Algorithm> => {
  const claimed = Either.getRight(Digest.parse(answer.response.headers["docker-content-digest"] ?? ""))
  const algorithm = Option.flatMap(claimed, Digest.verifiable)
  if (Option.isNone(claimed) || Option.isNone(algorithm) || algorithm.value === "sha256")
    return Effect.succeed("sha256")
  return Effect.map(Hasher.digest(bytes, algorithm.value), (actual) =>
    actual === claimed.value ? algorithm.value : "sha256"
  )
}

/** Reads and verifies a manifest that a registry answered with. */
export const read = (
  answer: Body.Answer,
  bytes: Uint8Array,
  asked: Asked
): Effect.Effect<
  ManifestContent,
  ManifestInvalid | ManifestUnsupported | DigestMismatch,
  RegistryClient.RegistryClient
> => {
  const facts = Body.facts(answer)
  const verified = (actual: string | undefined) =>
    asked.digest === undefined || actual === asked.digest
      ? Effect.void
      : new DigestMismatch({ ...facts, expected: asked.digest, actual })
  return Effect.flatMap(RegistryClient.RegistryClient, (client) =>
    Effect.gen(function* () {
      const algorithm =
        asked.digest === undefined ? yield* algorithmOf(answer, bytes) : yield* Verify.algorithm(asked.digest, facts)
      const mediaType = asked.mediaType ?? answer.response.headers["content-type"]
      // before anything is read from them; only a signed schema 1 is named by less than its bytes
      if (asked.digest !== undefined && !MediaType.isSchemaOne(mediaType ?? "")) {
        yield* verified(yield* Hasher.digest(bytes, algorithm))
      }
      return yield* ManifestContent.fromBytes(bytes, { algorithm, mediaType }).pipe(
        Effect.tap(({ descriptor }) => verified(descriptor.digest)),
        Effect.catchTags({
          ManifestInvalid: (error) =>
            Effect.fail(new ManifestInvalid({ ...facts, reason: error.reason, mediaType: error.mediaType })),
          ManifestUnsupported: ({ bytes, digest, mediaType }) =>
            Effect.zipRight(
              verified(digest),
              Effect.fail(new ManifestUnsupported({ ...facts, bytes, digest, mediaType }))
            )
        })
      )
    }).pipe(client.provide)
  )
}
