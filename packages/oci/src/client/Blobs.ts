/**
 * Blobs: content by digest (end-2, end-10). What is read is verified, always.
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Descriptor from "../spec/Descriptor.js"
import type { Digest } from "../spec/Digest.js"
import * as MediaType from "../spec/MediaType.js"
import type { Repository } from "../spec/Repository.js"
import type { BlobSource } from "./BlobSource.js"
import * as BlobRange from "./internal/blobRange.js"
import * as Body from "./internal/body.js"
import * as Browser from "./internal/browser.js"
import * as Call from "./internal/call.js"
import * as Mirrors from "./internal/hosts/mirrors.js"
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
  SizeMismatch,
  type SourceNotReplayable,
  UnexpectedResponse,
  type Unsupported
} from "./RegistryError.js"
import * as RegistryHosts from "./RegistryHosts.js"

export type { Range } from "./internal/blobRange.js"
export type { PushOptions } from "./internal/push/push.js"

/** A blob is asked for by its digest, or better by its descriptor: then its size is checked before its bytes come. */
export type Target = Digest | Descriptor.Descriptor

const digestOf = (target: Target): Digest => (typeof target === "string" ? target : target.digest)

const operation = (name: "blobs.head" | "blobs.get" | "blobs.delete", repository: Repository, digest: Digest) =>
  Request.onRepository(name, repository, digest)

const octets = "application/octet-stream"

const ask = (repository: Repository, digest: Digest, accepts: ReadonlyArray<number>) =>
  Call.head({
    operation: operation("blobs.head", repository, digest),
    request: HttpClientRequest.head(Request.blob(repository, digest)),
    accepts: [...accepts, 405, 501],
    refused: ({ facts, status }) => (status === 404 ? new BlobUnknown(facts) : undefined)
  })

const open = (repository: Repository, digest: Digest, options?: RegistryClient.ExecuteOptions) =>
  Call.open(
    {
      operation: operation("blobs.get", repository, digest),
      request: HttpClientRequest.get(Request.blob(repository, digest)),
      accepts: [200],
      refused: Refused.blobGone
    },
    options
  )

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
      const mediaType = MediaType.essence(answer.response.headers["content-type"] ?? "") || octets
      return size === undefined ? Option.none() : Option.some({ mediaType, digest, size })
    }
    const asked = yield* ask(repository, digest, [200])
    const found = asked.response.status === 200 ? described(asked) : Option.none()
    if (Option.isSome(found)) return found.value
    const opened = yield* Effect.scoped(open(repository, digest))
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
      response.status === 200 ? Effect.void : Effect.scoped(open(repository, digest))
    ).pipe(
      Effect.as(true),
      Effect.catchTags({
        BlobUnknown: () => Effect.succeed(false),
        NameUnknown: () => Effect.succeed(false)
      })
    )
  }
)

type ReadError = BlobUnknown | NameUnknown | DigestMismatch | SizeMismatch | CallError

/** Content that the descriptor itself holds, when it is what the descriptor says. */
const embedded = (target: Target): Effect.Effect<Option.Option<Uint8Array>> =>
  typeof target === "string" ? Effect.succeedNone : Descriptor.embedded(target)

const expected = (target: Target): Verify.Expected => (typeof target === "string" ? { digest: target } : target)

/** The answer, once it can be verified and does not claim another size than it must have. */
const opened = (
  repository: Repository,
  target: Target,
  options?: RegistryClient.ExecuteOptions
): Effect.Effect<Body.Answer, ReadError, RegistryClient.RegistryClient | Scope.Scope> =>
  Effect.gen(function* () {
    const digest = digestOf(target)
    yield* Verify.algorithm(digest, Request.blobFacts(repository, digest))
    const answer = yield* open(repository, digest, options)
    // a page may not be shown that the body is coded, and then this length is not that of its bytes
    const claimed = Browser.inPage() ? undefined : Body.length(answer)
    const { size } = expected(target)
    return claimed !== undefined && size !== undefined && claimed !== size
      ? yield* Call.orAgain(
          answer,
          new SizeMismatch({ ...Body.facts(answer), expected: size, actual: claimed }),
          opened(repository, target)
        )
      : answer
  })

/**
 * The bytes of a blob as they come, verified (end-2). When digest or size are not what they must be, the stream fails
 * before its last chunk: nobody gets the whole of something wrong, and whoever keeps the bytes must wait for its end.
 */
export const stream = (
  repository: Repository,
  target: Target
): Stream.Stream<
  Uint8Array,
  BlobUnknown | NameUnknown | DigestMismatch | SizeMismatch | CallError,
  RegistryClient.RegistryClient
> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      yield* Request.annotate(repository, digestOf(target))
      const client = yield* RegistryClient.RegistryClient
      const inline = yield* client.provide(embedded(target))
      if (Option.isSome(inline)) return Stream.make(inline.value)
      const answer = yield* opened(repository, target)
      const verified = yield* client.provide(Verify.stream(Body.stream(answer), expected(target), Body.facts(answer)))
      // some of it is handed out already: the next call goes past this mirror
      return Mirrors.isFrom(answer.response)
        ? Stream.tapError(verified, () => Mirrors.distrust(answer.response))
        : verified
    }).pipe(Effect.withSpan("oci.blobs.stream", { captureStackTrace: false }))
  )

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
  yield* Request.annotate(repository, digestOf(target))
  const client = yield* RegistryClient.RegistryClient
  const inline = yield* client.provide(embedded(target))
  if (Option.isSome(inline)) return inline.value
  const { limits } = yield* client.provide(RegistryHosts.of(repository.registry, repository))
  const { size } = expected(target)
  if (size !== undefined && size > limits.blob) {
    return yield* new ResponseTooLarge({ ...Request.blobFacts(repository, digestOf(target)), limit: limits.blob })
  }
  const limit = size ?? limits.blob
  return yield* Call.using(opened(repository, target, { hold: () => limit }), (answer) =>
    Effect.flatMap(Body.collect(answer, limit), (bytes) =>
      client.provide(Verify.bytes(bytes, expected(target), Body.facts(answer)))
    )
  ).pipe(
    // beyond the descriptor's size it is not too large but another one
    Effect.catchTag("ResponseTooLarge", ({ _tag, limit, ...facts }) =>
      Effect.fail(
        size === undefined
          ? new ResponseTooLarge({ ...facts, limit })
          : new SizeMismatch({ ...facts, expected: size, actual: size + 1 })
      )
    )
  )
})

/**
 * A part of a blob (end-2). Its place and length are checked against the range asked for; a part has no digest that could
 * be verified. A registry that does not know ranges sends the whole blob, of which the part is then taken.
 */
export const range = (
  repository: Repository,
  digest: Digest,
  range: BlobRange.Range
): Stream.Stream<
  Uint8Array,
  BlobUnknown | NameUnknown | RangeNotSatisfiable | SizeMismatch | CallError,
  RegistryClient.RegistryClient
> =>
  Stream.unwrapScoped(
    Effect.zipRight(Request.annotate(repository, digest), BlobRange.open(repository, digest, range)).pipe(
      Effect.withSpan("oci.blobs.range", { captureStackTrace: false })
    )
  )

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
> => Push.push(repository, source, options).pipe(Effect.withSpan("oci.blobs.push", { captureStackTrace: false }))
