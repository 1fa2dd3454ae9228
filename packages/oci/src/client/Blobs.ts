/**
 * Blobs: content by digest (end-2, end-10). What is read is verified, always.
 */
import type { PlatformError } from "@effect/platform/Error"
import type { FileSystem } from "@effect/platform/FileSystem"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import type * as MutableRef from "effect/MutableRef"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as Descriptor from "../spec/Descriptor.js"
import type { Digest } from "../spec/Digest.js"
import * as MediaType from "../spec/MediaType.js"
import type { Repository } from "../spec/Repository.js"
import type { BlobSource } from "./BlobSource.js"
import * as Content from "./internal/blobs/content.js"
import type * as Extent from "./internal/blobs/extent.js"
import * as File from "./internal/blobs/file.js"
import * as Part from "./internal/blobs/part.js"
import * as Body from "./internal/body.js"
import * as Call from "./internal/call.js"
import * as Push from "./internal/push/push.js"
import * as Refused from "./internal/refused.js"
import * as Request from "./internal/request.js"
import * as Verify from "./internal/verify.js"
import * as RegistryClient from "./RegistryClient.js"
import {
  BlobUnknown,
  type BlobUploadInvalid,
  type BlobUploadUnknown,
  type CallError,
  type DigestInvalid,
  type DigestMismatch,
  type NameInvalid,
  type NameUnknown,
  type PayloadTooLarge,
  type RangeNotSatisfiable,
  ResponseTooLarge,
  type SizeInvalid,
  type SizeMismatch,
  type SourceNotReplayable,
  UnexpectedResponse,
  type Unsupported
} from "./RegistryError.js"
import * as RegistryHosts from "./RegistryHosts.js"

export type { Range } from "./internal/blobs/extent.js"
export type { PushOptions } from "./internal/push/push.js"

/** A blob is asked for by its digest, or better by its descriptor: then its size is checked before its bytes come. */
export type Target = Digest | Descriptor.Descriptor

const operation = (name: "blobs.head" | "blobs.delete", repository: Repository, digest: Digest) =>
  Request.onRepository(name, repository, digest)

const ask = (repository: Repository, digest: Digest, accepts: ReadonlyArray<number>) =>
  Call.head({
    operation: operation("blobs.head", repository, digest),
    request: HttpClientRequest.head(Request.blob(repository, digest)),
    accepts: [...accepts, 405, 501],
    refused: ({ facts, status }) => (status === 404 ? new BlobUnknown(facts) : undefined)
  })

/**
 * The size of a blob, without its bytes (end-2). It is the registry's word, unverified; the media type is what the
 * registry calls it, mostly `application/octet-stream`. Where `HEAD` is not taken or tells no size, a `GET` is asked
 * and left unread.
 */
export const head: (
  repository: Repository,
  digest: Digest
) => Effect.Effect<Descriptor.Descriptor, BlobUnknown | NameUnknown | CallError, RegistryClient.RegistryClient> =
  Effect.fn("oci.blobs.head")(function* (repository, digest) {
    yield* Request.annotate(repository, digest)
    const described = (answer: Body.Answer) => {
      const size = Body.length(answer)
      const mediaType = MediaType.essence(answer.response.headers["content-type"] ?? "") || Request.octets
      return size === undefined ? Option.none() : Option.some({ mediaType, digest, size })
    }
    const asked = yield* ask(repository, digest, [200])
    const found = asked.response.status === 200 ? described(asked) : Option.none()
    if (Option.isSome(found)) return found.value
    const opened = yield* Effect.scoped(Part.ask(repository, digest)(undefined, [200]))
    return yield* Option.match(described(opened), {
      onNone: () => new UnexpectedResponse({ ...Body.facts(opened), reason: "the registry does not say its size" }),
      onSome: Effect.succeed
    })
  })

/** Whether the repository has this blob (end-2). A registry that wants to know who asks first is an error, not a no. */
export const exists: (
  repository: Repository,
  digest: Digest
) => Effect.Effect<boolean, CallError, RegistryClient.RegistryClient> = Effect.fn("oci.blobs.exists")(
  function* (repository, digest) {
    yield* Request.annotate(repository, digest)
    return yield* Effect.flatMap(ask(repository, digest, [200]), ({ response }) =>
      response.status === 200 ? Effect.void : Effect.scoped(Part.ask(repository, digest)(undefined, [200]))
    ).pipe(
      Effect.as(true),
      Effect.catchTags({
        BlobUnknown: () => Effect.succeed(false),
        NameUnknown: () => Effect.succeed(false)
      })
    )
  }
)

/** The span of a stream, which lasts until it has ended. */
const spanned = (name: string, repository: Repository, digest: Digest) =>
  Stream.withSpan(name, { captureStackTrace: false, attributes: Request.attributes(repository, digest) })

export interface StreamOptions {
  /**
   * Whether a blob that the registry does not have is fetched from where its descriptor's `urls` say: whoever wrote the
   * descriptor chose them. They are judged by the origin policy, and get no credentials. Default: false.
   */
  readonly foreign?: boolean | undefined
  /** Set to the number of bytes that have come, as they come, for whoever wants to look. */
  readonly progress?: MutableRef.MutableRef<number> | undefined
}

/**
 * The bytes of a blob as they come, verified (end-2). When digest or size are not what they must be, the stream fails
 * before its last chunk: nobody gets the whole of something wrong, and whoever keeps the bytes must wait for its end.
 *
 * When the connection is lost, stalls or ends early, the rest is asked for, from another mirror if there is one: again and
 * again, as long as 1 MiB comes or a minute passes between the breaks, and at most four times without.
 */
export const stream = (
  repository: Repository,
  target: Target,
  options?: StreamOptions
): Stream.Stream<
  Uint8Array,
  BlobUnknown | NameUnknown | DigestMismatch | SizeMismatch | CallError,
  RegistryClient.RegistryClient
> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const digest = Content.digestOf(target)
      const client = yield* RegistryClient.RegistryClient
      const inline = yield* client.provide(Content.embedded(target))
      if (Option.isSome(inline)) return Stream.make(inline.value)
      const hash = yield* client.provide(Verify.hash(digest, Request.blobFacts(repository, digest)))
      const { bytes, check } = Content.open(repository, target, { ...options, from: 0, hash })
      return Verify.withholding(bytes, check)
    })
  ).pipe(spanned("oci.blobs.stream", repository, Content.digestOf(target)))

export interface FileOptions extends StreamOptions {
  /**
   * How many ranges of the blob are fetched at a time, of 4 MiB each, where its size is known and the registry knows ranges;
   * 1 by default. More help where one connection is slower than the line; twice their number is held in memory.
   */
  readonly ranges?: number | undefined
}

/**
 * Brings a blob into a file, verified (end-2), and answers what it is. It is written beside the path, to a name that ends in
 * `.partial`, and renamed when all of it is right: nothing else ever has the final name, where a file that is there is
 * replaced. When the call fails or the program ends before that, the next call for the same blob and path goes on from
 * what is there, which it hashes again; something wrong is removed. Interrupted connections are as with `stream`.
 *
 * Within a program calls for the same path wait for each other; two programs at a time must not write to one path.
 */
export const toFile: (
  repository: Repository,
  target: Target,
  path: string,
  options?: FileOptions
) => Effect.Effect<
  Descriptor.Descriptor,
  BlobUnknown | NameUnknown | DigestMismatch | SizeMismatch | PlatformError | CallError,
  RegistryClient.RegistryClient | FileSystem
> = (repository, target, path, options) => {
  const digest = Content.digestOf(target)
  return Effect.map(File.save(repository, target, path, options), (size) =>
    typeof target === "string" ? { mediaType: Request.octets, digest, size } : target
  ).pipe(Call.spanned("oci.blobs.toFile", repository, digest))
}

/**
 * A whole blob in memory, verified (end-2): for configs and other small ones. Fails with `ResponseTooLarge` beyond the
 * limit of `RegistryHosts`, 32 MiB by default, before anything is read where the size is known.
 */
export const get: (
  repository: Repository,
  target: Target
) => Effect.Effect<
  Uint8Array,
  BlobUnknown | NameUnknown | DigestMismatch | SizeMismatch | CallError,
  RegistryClient.RegistryClient
> = Effect.fn("oci.blobs.get")(function* (repository, target) {
  const digest = Content.digestOf(target)
  const size = Content.sizeOf(target)
  yield* Request.annotate(repository, digest)
  const client = yield* RegistryClient.RegistryClient
  const inline = yield* client.provide(Content.embedded(target))
  if (Option.isSome(inline)) return inline.value
  const facts = Request.blobFacts(repository, digest)
  const { limits } = yield* client.provide(RegistryHosts.of(repository.registry, repository))
  if (size !== undefined && size > limits.blob) return yield* new ResponseTooLarge({ ...facts, limit: limits.blob })
  return yield* Content.held(repository, target, size ?? limits.blob)
})

/**
 * A part of a blob (end-2). Its place and length are checked against the range asked for; a part has no digest that could
 * be verified. A registry that does not know ranges sends the whole blob, of which the part is then taken. Interrupted
 * connections are as with `stream`.
 */
export const range = (
  repository: Repository,
  digest: Digest,
  range: Extent.Range
): Stream.Stream<
  Uint8Array,
  BlobUnknown | NameUnknown | RangeNotSatisfiable | SizeMismatch | CallError,
  RegistryClient.RegistryClient
> => Content.part(repository, digest, range).pipe(spanned("oci.blobs.range", repository, digest))

const remove: (
  repository: Repository,
  digest: Digest
) => Effect.Effect<void, BlobUnknown | NameUnknown | Unsupported | CallError, RegistryClient.RegistryClient> =
  Effect.fn("oci.blobs.delete")(function* (repository, digest) {
    yield* Request.annotate(repository, digest)
    yield* Call.head({
      operation: operation("blobs.delete", repository, digest),
      request: HttpClientRequest.del(Request.blob(repository, digest)),
      accepts: [200, 202, 204],
      refused: (refusal) => Refused.blobGone(refusal) ?? Refused.notDone(refusal)
    })
  })

export {
  /** Deletes a blob from a repository (end-10). Many registries leave that to their garbage collection. */
  remove as delete
}

/**
 * Puts a blob into a repository (end-2, end-4, end-5, end-6, end-11, end-13, end-14), by the cheapest way that the registry
 * takes: none if it is there already, a mount, one POST where `RegistryHosts` says so, a POST and a PUT, or in chunks where
 * the size is unknown or the registry wants it so. What breaks is gone on with where the registry says it stands; four
 * failures in a row end it, but not while it moves on. When it ends early, the registry is told to forget what it has.
 *
 * A source that can be read only once, and would have to be read again, is `SourceNotReplayable`.
 */
export const push = <E = never, R = never>(
  repository: Repository,
  source: Uint8Array | BlobSource<E, R>,
  options: Push.PushOptions = {}
): Effect.Effect<
  Descriptor.Descriptor,
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
  R | RegistryClient.RegistryClient
> =>
  Push.push(repository, source, options).pipe(
    Call.spanned("oci.blobs.push", repository, source instanceof Uint8Array ? undefined : source.digest)
  )
