import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Digest from "effect-oci/Digest"
import * as Reference from "effect-oci/Reference"
import * as Repository from "effect-oci/Repository"
import { type Refusal, refuse } from "./refusal.js"

const parsed = (name: string) => Repository.parse(`registry.test/${name}`, { strict: true })

/** Whether a repository can be called so. */
export const isRepository = (name: string): boolean => Either.isRight(parsed(name))

/** Refuses a name that no repository can have. */
export const repository = (name: string): Effect.Effect<void, Refusal> =>
  Either.match(parsed(name), {
    onLeft: ({ reason }) => Effect.fail(refuse(400, "NAME_INVALID", `invalid repository name: ${reason}`)),
    onRight: () => Effect.void
  })

export const digest = (text: string): Effect.Effect<Digest.Digest, Refusal> =>
  Effect.mapError(Digest.parse(text), ({ reason }) => refuse(400, "DIGEST_INVALID", `invalid digest: ${reason}`))

/** The algorithm of a digest that content is to be stored under: one that can be computed here. */
export const algorithm = (wanted: Digest.Digest): Effect.Effect<Digest.Algorithm, Refusal> =>
  Option.match(Digest.verifiable(wanted), {
    onNone: () =>
      Effect.fail(refuse(400, "DIGEST_INVALID", `digest algorithm ${Digest.algorithm(wanted)} is not supported`)),
    onSome: Effect.succeed
  })

export const tag = (text: string): Effect.Effect<Reference.Tag, Refusal> =>
  Reference.isTag(text)
    ? Effect.succeed(text)
    : Effect.fail(refuse(400, "MANIFEST_INVALID", "invalid tag: letters, digits and _ . - only, 128 at most"))

/** What stands behind `manifests/`: a tag cannot have a colon, a digest must. */
export const isDigest = (reference: string): boolean => reference.includes(":")
