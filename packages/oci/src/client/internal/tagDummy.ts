import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Descriptor from "../../spec/Descriptor.js"
import * as Manifest from "../../spec/Manifest.js"
import * as MediaType from "../../spec/MediaType.js"
import * as Reference from "../../spec/Reference.js"
import * as Blobs from "../Blobs.js"
import * as Manifests from "../Manifests.js"
import type { RegistryClient } from "../RegistryClient.js"
import {
  type CallError,
  isCallError,
  isRetryable,
  type ManifestUnknown,
  type NameUnknown,
  UnexpectedResponse,
  type Unsupported
} from "../RegistryError.js"
import * as Uploads from "../Uploads.js"
import * as Mirrors from "./hosts/mirrors.js"
import * as ManifestDelete from "./manifestDelete.js"

/** A manifest like no other, which says what it stands in for. */
const made = (reference: Reference.Reference, original: Manifest.ManifestContent) =>
  Effect.flatMap(
    Effect.all([Clock.currentTimeMillis, Random.nextIntBetween(0, 2 ** 48), Random.nextIntBetween(0, 2 ** 48)]),
    (chance) =>
      Manifest.content({
        schemaVersion: 2,
        mediaType: MediaType.ociManifest,
        artifactType: "application/vnd.effect-oci.deleted-tag",
        config: Descriptor.empty,
        layers: [Descriptor.empty],
        annotations: {
          "effect-oci.tag": reference.target,
          "effect-oci.replaces": original.descriptor.digest,
          "effect-oci.unique": chance.map((part) => part.toString(36)).join("-")
        }
      })
  )

/** Puts the manifest back that a tag named, and fails as what came before did. */
const restored =
  (reference: Reference.Reference, original: Manifest.ManifestContent, dummy: Manifest.ManifestContent) =>
  <E extends Unsupported | CallError>(failure: E): Effect.Effect<never, E | UnexpectedResponse, RegistryClient> =>
    Effect.matchEffect(Manifests.put(reference, original), {
      onSuccess: () => Effect.fail(failure),
      onFailure: ({ message }) => {
        const { errors, method, registry, repository, requestId, status, url } = failure
        const named = `${dummy.descriptor.digest}, which was made to delete it`
        const reason = `the tag now names ${named}; ${original.descriptor.digest} could not be put back: ${message}`
        const facts = { registry, repository, reference: reference.target, method, url, status, requestId, errors }
        return new UnexpectedResponse({ ...facts, reason })
      }
    })

/**
 * Deletes a tag where the registry deletes only manifests: the tag is moved to a manifest made for that, which is deleted by
 * its digest. Whatever is wrong with such a manifest, the tag cannot be deleted: that is `refused`.
 */
export const remove = (
  reference: Reference.Reference,
  refused: Unsupported
): Effect.Effect<void, ManifestUnknown | NameUnknown | Unsupported | CallError, RegistryClient> =>
  Effect.gen(function* () {
    const { repository } = reference
    const unfit = <E>(error: E) => (isCallError(error) ? error : refused)
    const original = yield* Effect.catchTags(Manifests.get(reference), {
      ManifestInvalid: () => refused,
      DigestMismatch: () => refused
    })
    const dummy = yield* made(reference, original)
    const { digest } = dummy.descriptor
    // with a manifest that others named, their tags would go too
    if (yield* Manifests.exists(Reference.make(repository, { digest }))) return yield* refused
    // there is none yet; a registry that deletes no manifests says so before the tag is touched
    yield* ManifestDelete.ifThere(repository, digest)
    if (!(yield* Blobs.exists(repository, Descriptor.empty.digest))) {
      yield* Effect.mapError(Uploads.post(repository, Descriptor.empty, Descriptor.emptyBytes), unfit)
    }
    const back = restored(reference, original, dummy)
    const moved = Effect.catchAll(Manifests.put(reference, dummy), (error) =>
      // refused is not done; without an answer, or with the digest of something else, it may be
      isRetryable(error) || error._tag === "DigestMismatch" ? back(unfit(error)) : Effect.fail(unfit(error))
    )
    const deleted = Effect.catchAll(ManifestDelete.one(repository, digest), (error) => back(unfit(error)))
    yield* Effect.uninterruptible(Effect.zipRight(moved, deleted))
  }).pipe(Mirrors.without)
