/**
 * Uploads of blobs: sessions, chunks, mounts (end-4, end-5, end-6, end-11, end-13, end-14).
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { Descriptor } from "../spec/Descriptor.js"
import type * as Digest from "../spec/Digest.js"
import type { Repository } from "../spec/Repository.js"
import type { Sized } from "./BlobSource.js"
import * as Call from "./internal/call.js"
import * as Refused from "./internal/refused.js"
import * as Request from "./internal/request.js"
import * as SavedUpload from "./internal/savedUpload.js"
import * as UploadAnswer from "./internal/uploadAnswer.js"
import * as UploadBody from "./internal/uploadBody.js"
import * as UploadPost from "./internal/uploadPost.js"
import * as UploadSteps from "./internal/uploadSteps.js"
import type { RegistryClient } from "./RegistryClient.js"
import {
  type BlobUploadInvalid,
  type BlobUploadUnknown,
  type CallError,
  type DigestInvalid,
  type DigestMismatch,
  type NameInvalid,
  type NameUnknown,
  type PayloadTooLarge,
  type RangeNotSatisfiable,
  type SizeInvalid,
  SizeMismatch,
  type SourceNotReplayable,
  type Unsupported
} from "./RegistryError.js"

/** An upload under way. Each answer of the registry gives a new one; only the newest is good. */
export interface UploadSession {
  readonly _tag: "UploadSession"
  readonly repository: Repository
  /** Where to go on. Redacted, since it may be signed. */
  readonly location: Redacted.Redacted
  /** How many bytes the registry has. */
  readonly offset: number
  /** The least that every chunk but the last must have, in bytes, when the registry said so (`OCI-Chunk-Min-Length`). */
  readonly minChunk?: number | undefined
  /** The most that a chunk may have, in bytes, when the registry said so (`oci-chunk-max-length`). */
  readonly maxChunk?: number | undefined
}

/** A blob that is now in the repository without an upload. */
export interface Mounted {
  readonly _tag: "Mounted"
  readonly digest: Digest.Digest
}

/**
 * Begins an upload (end-4a). For a digest other than sha256 the registry is told the algorithm (end-4c), which it may use or
 * ignore.
 */
export const start: (
  repository: Repository,
  options?: { readonly algorithm?: Digest.Algorithm | undefined }
) => Effect.Effect<UploadSession, NameUnknown | NameInvalid | DigestInvalid | Unsupported | CallError, RegistryClient> =
  (repository, options) =>
    UploadSteps.start(repository, options?.algorithm ?? "sha256").pipe(Call.spanned("oci.uploads.start", repository))

/**
 * Uploads a blob of known digest and size with one request (end-4b). A registry that does not take it so has begun a
 * session instead, and the content is sent once more, to that (end-6).
 */
export const post = <E = never, R = never>(
  repository: Repository,
  descriptor: Descriptor,
  body: Uint8Array | Stream.Stream<Uint8Array, E, R>
): Effect.Effect<
  Descriptor,
  | E
  | NameUnknown
  | NameInvalid
  | BlobUploadUnknown
  | BlobUploadInvalid
  | DigestInvalid
  | DigestMismatch
  | SizeInvalid
  | SizeMismatch
  | RangeNotSatisfiable
  | PayloadTooLarge
  | SourceNotReplayable
  | Unsupported
  | CallError,
  R | RegistryClient
> =>
  Effect.gen(function* () {
    const { digest, size } = descriptor
    const facts = Request.blobFacts(repository, digest)
    if (body instanceof Uint8Array && body.length !== size) {
      return yield* new SizeMismatch({ ...facts, expected: size, actual: body.length })
    }
    const content = body instanceof Uint8Array ? body : { size, stream: body }
    const answer = yield* UploadPost.send(repository, digest, content)
    if (answer.response.status === 201) return yield* UploadAnswer.finished(answer, descriptor)
    const session = yield* UploadAnswer.begun(answer, repository)
    const finished = yield* UploadBody.again(finish(session, digest, content), facts)
    return { ...finished, mediaType: descriptor.mediaType }
  }).pipe(Call.spanned("oci.uploads.post", repository, descriptor.digest))

/**
 * Sends the next chunk (end-5). The session answered tells how much the registry now has: its `offset` may be less than all
 * that was sent. Chunks go in order, and none but the last may be smaller than `minChunk`.
 */
export const patch = <E = never, R = never>(
  session: UploadSession,
  chunk: Uint8Array | Sized<E, R>
): Effect.Effect<
  UploadSession,
  | E
  | BlobUploadUnknown
  | BlobUploadInvalid
  | DigestInvalid
  | SizeInvalid
  | SizeMismatch
  | RangeNotSatisfiable
  | PayloadTooLarge
  | CallError,
  R | RegistryClient
> => UploadSteps.patch(session, chunk).pipe(Call.spanned("oci.uploads.patch", session.repository))

/**
 * Ends an upload, with its last chunk or with the whole blob if nothing was sent before (end-6). The registry verifies the
 * digest; what it makes of it is checked.
 */
export const finish = <E = never, R = never>(
  session: UploadSession,
  digest: Digest.Digest,
  lastChunk?: Uint8Array | Sized<E, R>
): Effect.Effect<
  Descriptor,
  | E
  | BlobUploadUnknown
  | BlobUploadInvalid
  | DigestInvalid
  | DigestMismatch
  | SizeInvalid
  | SizeMismatch
  | RangeNotSatisfiable
  | PayloadTooLarge
  | CallError,
  R | RegistryClient
> => UploadSteps.finish(session, digest, lastChunk).pipe(Call.spanned("oci.uploads.finish", session.repository, digest))

/**
 * Puts a blob of another repository of the same registry into this one, without its bytes (end-11); without `from` the
 * registry looks for it. A registry that does not find it, or does not mount, answers with a session to upload to.
 */
export const mount: (
  repository: Repository,
  digest: Digest.Digest,
  from?: Repository
) => Effect.Effect<
  Mounted | UploadSession,
  NameUnknown | NameInvalid | DigestInvalid | DigestMismatch | Unsupported | CallError,
  RegistryClient
> = Effect.fn("oci.uploads.mount")(function* (repository, digest, from) {
  yield* Request.annotate(repository, digest)
  // nothing can be mounted from another registry, and its names are not this one's business
  if (from !== undefined && from.registry.toString() !== repository.registry.toString()) return yield* start(repository)
  const answer = yield* Call.head({
    operation: { ...Request.onRepository("uploads.mount", repository, digest), from },
    request: HttpClientRequest.post(
      `${Request.uploads(repository)}${Request.query([
        ["mount", digest],
        ["from", from?.name]
      ])}`
    ),
    accepts: [201, 202],
    refused: UploadAnswer.refusedStart
  })
  if (answer.response.status === 202) return yield* UploadAnswer.begun(answer, repository)
  yield* UploadAnswer.finished(answer, { mediaType: Request.octets, digest, size: 0 })
  return { _tag: "Mounted", digest } as const
})

/** Asks how much of an upload the registry has (end-13). */
export const status: (
  session: UploadSession
) => Effect.Effect<UploadSession, BlobUploadUnknown | CallError, RegistryClient> = Effect.fn("oci.uploads.status")(
  function* (session) {
    yield* Request.annotate(session.repository)
    const answer = yield* Call.head({
      operation: Request.onRepository("uploads.status", session.repository),
      request: HttpClientRequest.get(Redacted.value(session.location)),
      accepts: [200, 202, 204],
      refused: UploadAnswer.refusedSession
    })
    const now = UploadAnswer.received(answer.response.headers.range) ?? 0
    // `0-0` is one byte, but it is also how some say that there is none
    return yield* UploadAnswer.continued(answer, session, session.offset === 0 && now === 1 ? 0 : now)
  }
)

/** Gives an upload up, so that the registry can forget its bytes (end-14). */
export const cancel: (
  session: UploadSession
) => Effect.Effect<void, BlobUploadUnknown | Unsupported | CallError, RegistryClient> = Effect.fn("oci.uploads.cancel")(
  function* (session) {
    yield* Request.annotate(session.repository)
    yield* Call.head({
      operation: Request.onRepository("uploads.cancel", session.repository),
      request: HttpClientRequest.del(Redacted.value(session.location)),
      accepts: [200, 202, 204],
      refused: (refusal) => UploadAnswer.refusedSession(refusal) ?? Refused.notDone(refusal)
    })
  }
)

/** An upload as it can be written down. */
export type Saved = SavedUpload.Saved
export type SavedEncoded = SavedUpload.SavedEncoded

/**
 * How an upload is written down. The location stays Redacted until it is encoded: what `Schema.encode` makes of it is a
 * secret, since whoever has it can write to the upload.
 */
export const Saved: Schema.Schema<Saved, SavedEncoded> = SavedUpload.Saved

/** What another process needs to go on with an upload. Only the newest session is good for it. */
export const save = ({ location, maxChunk, minChunk, offset, repository }: UploadSession): Saved => ({
  repository,
  location,
  offset,
  ...(minChunk === undefined ? {} : { minChunk }),
  ...(maxChunk === undefined ? {} : { maxChunk })
})

/**
 * An upload that was saved, as it stands now at the registry (end-13). A location that is not on the registry's origin is
 * refused, as one that it hands out would be.
 */
export const resume: (saved: Saved) => Effect.Effect<UploadSession, BlobUploadUnknown | CallError, RegistryClient> =
  Effect.fn("oci.uploads.resume")(function* (saved) {
    yield* Request.annotate(saved.repository)
    return yield* status({ _tag: "UploadSession", ...saved, location: yield* SavedUpload.judged(saved) })
  })
