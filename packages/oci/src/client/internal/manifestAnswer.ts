import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Digest from "../../spec/Digest.js"
import * as Hasher from "../../spec/Hasher.js"
import { describe } from "../../spec/internal/describe.js"
import { decode, ManifestContent } from "../../spec/Manifest.js"
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

/** As `ManifestContent.fromBytes`, where the digest is known; they are not hashed once more unless there is something wrong. */
const content = (
  bytes: Uint8Array,
  digest: Digest.Digest,
  options: { readonly algorithm: Digest.Algorithm; readonly mediaType: string | undefined }
): ReturnType<typeof ManifestContent.fromBytes> =>
  Either.match(decode(bytes, options.mediaType), {
    onLeft: () => ManifestContent.fromBytes(bytes, options),
    onRight: (manifest) =>
      Effect.succeed(new ManifestContent({ descriptor: describe(manifest, digest, bytes.length), bytes, manifest }))
  })

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
  const { digest } = asked
  const mediaType = asked.mediaType ?? answer.response.headers["content-type"]
  const verified = (actual: string | undefined) =>
    digest === undefined || actual === digest
      ? Effect.void
      : new DigestMismatch({ ...Body.facts(answer), expected: digest, actual })
  const named = (algorithm: Digest.Algorithm) =>
    Effect.tap(ManifestContent.fromBytes(bytes, { algorithm, mediaType }), ({ descriptor }) =>
      verified(descriptor.digest)
    )
  const found =
    digest === undefined
      ? Effect.flatMap(algorithmOf(answer, bytes), named)
      : Effect.flatMap(
          Effect.suspend(() => Verify.algorithm(digest, Body.facts(answer))),
          (algorithm) =>
            // only a signed schema 1 is named by less than its bytes
            MediaType.isSchemaOne(mediaType ?? "")
              ? named(algorithm)
              : Effect.flatMap(Hasher.digest(bytes, algorithm), (actual) =>
                  // before anything is read from them
                  Effect.zipRight(
                    verified(actual),
                    Effect.suspend(() => content(bytes, actual, { algorithm, mediaType }))
                  )
                )
        )
  const explained = Effect.catchAll(
    found,
    (error): Effect.Effect<never, ManifestInvalid | ManifestUnsupported | DigestMismatch> => {
      if (error._tag === "DigestMismatch") return Effect.fail(error)
      const facts = Body.facts(answer)
      return error._tag === "ManifestInvalid"
        ? new ManifestInvalid({ ...facts, reason: error.reason, mediaType: error.mediaType })
        : Effect.zipRight(
            verified(error.digest),
            new ManifestUnsupported({ ...facts, bytes: error.bytes, digest: error.digest, mediaType: error.mediaType })
          )
    }
  )
  return Effect.flatMap(RegistryClient.RegistryClient, ({ provide }) => provide(explained))
}
