import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as MutableRef from "effect/MutableRef"
import * as Stream from "effect/Stream"
import * as Descriptor from "../../../spec/Descriptor.js"
import type { Digest } from "../../../spec/Digest.js"
import type { Repository } from "../../../spec/Repository.js"
import type { StreamOptions, Target } from "../../Blobs.js"
import { type ExecuteOptions, RegistryClient } from "../../RegistryClient.js"
import {
  type BlobUnknown,
  type CallError,
  DigestMismatch,
  type NameUnknown,
  type RangeNotSatisfiable,
  ResponseTooLarge,
  SizeMismatch
} from "../../RegistryError.js"
import * as RegistryMiddleware from "../../RegistryMiddleware.js"
import * as ScopedTransport from "../../ScopedTransport.js"
import * as Body from "../body.js"
import * as Call from "../call.js"
import * as Mirrors from "../hosts/mirrors.js"
import * as Request from "../request.js"
import * as Verify from "../verify.js"
import * as Elsewhere from "./elsewhere.js"
import type * as Extent from "./extent.js"
import * as Part from "./part.js"
import * as Pieces from "./pieces.js"
import * as Reading from "./reading.js"

export type ReadError = BlobUnknown | NameUnknown | DigestMismatch | SizeMismatch | CallError

export const digestOf = (target: Target): Digest => (typeof target === "string" ? target : target.digest)

export const sizeOf = (target: Target): number | undefined => (typeof target === "string" ? undefined : target.size)

/** How a blob is read from a byte on. */
export interface Options extends StreamOptions {
  /** Where to begin; it has been fed to the hash up to there. */
  readonly from: number
  readonly hash: Verify.Hash
  /** How many pieces are fetched at a time. */
  readonly ranges?: number | undefined
  /** Whether its bytes go to a file, and nowhere else. */
  readonly toFile?: boolean | undefined
}

/** A blob that is read. */
export interface Content {
  /** Hashed as they come, and unverified. */
  readonly bytes: Stream.Stream<Uint8Array, Exclude<ReadError, DigestMismatch>, RegistryClient>
  /** Fails when the whole is not what it must be. */
  readonly check: Effect.Effect<void, DigestMismatch>
  /** Whether any of it has come from a mirror. */
  readonly mirrored: () => boolean
}

/** The rest of a blob. */
export const open = (repository: Repository, target: Target, options: Options): Content => {
  const { foreign, from, hash, progress, ranges = 1, toFile = false } = options
  const digest = digestOf(target)
  const size = sizeOf(target)
  const mirrors = new Set<HttpClientResponse>()
  let facts: object = Request.blobFacts(repository, digest)
  let at = from
  let coded = false
  const asking = askOf(repository, target, foreign)
  const ask: Part.Ask = toFile ? (range, accepts) => refilled(asking(range, accepts)) : asking
  const watching = {
    moved: (count: number) => {
      at += count
      if (progress !== undefined) MutableRef.set(progress, at)
    },
    opened: (answer: Body.Answer) => {
      facts = Body.facts(answer)
      coded ||= Body.isCoded(answer)
      if (Mirrors.isFrom(answer.response)) mirrors.add(answer.response)
    }
  }
  const read =
    from > 0 && size === from
      ? Stream.empty
      : ranges > 1 && size !== undefined
        ? Pieces.stream({ ...watching, ask, from, size, ranges })
        : Reading.stream({
            ...watching,
            from,
            // a range would be one of the coded body
            open: (at) => (at === 0 || coded ? Part.whole(ask, size, at) : Part.rest(ask, at, size))
          })
  // some of it is handed out already: the next call goes past these mirrors
  const distrust = Effect.suspend(() => Effect.forEach(mirrors, Mirrors.distrust, { discard: true }))
  const bytes = read.pipe(
    Stream.mapChunks((chunk) => {
      for (const piece of chunk) hash.update(piece)
      return chunk
    }),
    Stream.tapError(() => distrust)
  )
  const check = Effect.suspend(() => {
    const actual = hash.digest()
    if (actual === digest) return Effect.void
    return Effect.zipRight(distrust, new DigestMismatch({ ...facts, expected: digest, actual }))
  })
  return { bytes, check, mirrored: () => mirrors.size > 0 }
}

/** Lets what comes be filled again once it is written, unless a middleware sees it first: that may keep it. */
const refilled = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(RegistryMiddleware.RegistryMiddleware, (middleware) =>
    middleware === RegistryMiddleware.none ? Effect.provideService(self, ScopedTransport.Refilled, true) : self
  )

/** Where a blob is asked for. */
const askOf = (
  repository: Repository,
  target: Target,
  foreign: boolean | undefined,
  options?: ExecuteOptions
): Part.Ask => {
  const registry = Part.ask(repository, digestOf(target), "blobs.get", options)
  return foreign === true && typeof target !== "string" ? Elsewhere.orElse(registry, repository, target) : registry
}

/** A whole blob in memory, verified, of at most so many bytes. */
export const held = (
  repository: Repository,
  target: Target,
  limit: number,
  options?: Pick<StreamOptions, "foreign">
): Effect.Effect<Uint8Array, ReadError, RegistryClient> => {
  const digest = digestOf(target)
  const size = sizeOf(target)
  const opened = Part.whole(askOf(repository, target, options?.foreign, { hold: () => limit }), size)
  const read = Effect.flatMap(RegistryClient, (client) =>
    Call.using(
      Effect.map(opened, ({ answer }) => answer),
      (answer) =>
        Effect.flatMap(Body.collect(answer, limit), (bytes) =>
          client.provide(Verify.bytes(bytes, { digest, size }, Body.facts(answer)))
        )
    )
  )
  return Effect.zipRight(Verify.algorithm(digest, Request.blobFacts(repository, digest)), read).pipe(
    // beyond the descriptor's size it is not too large but another one
    Effect.catchTag("ResponseTooLarge", ({ _tag, limit, ...facts }) =>
      Effect.fail(
        size === undefined
          ? new ResponseTooLarge({ ...facts, limit })
          : new SizeMismatch({ ...facts, expected: size, actual: size + 1 })
      )
    )
  )
}

/** A part of a blob, of which only place and length can be checked. */
export const part = (
  repository: Repository,
  digest: Digest,
  range: Extent.Range
): Stream.Stream<
  Uint8Array,
  BlobUnknown | NameUnknown | RangeNotSatisfiable | SizeMismatch | CallError,
  RegistryClient
> =>
  Stream.suspend(() => {
    let extent: { readonly start: number; readonly end: number } | undefined
    const first = Effect.tap(Part.range(repository, digest, range), (part) => Effect.sync(() => (extent = part)))
    const ask = Part.ask(repository, digest, "blobs.range")
    return Reading.stream({
      // where the last bytes begin, the answer tells
      from: "start" in range ? range.start : 0,
      open: (
        at
      ): Part.Opening<Reading.Part | undefined, BlobUnknown | NameUnknown | RangeNotSatisfiable | SizeMismatch> =>
        extent === undefined ? first : Part.rest(ask, at, undefined, extent.end - 1)
    }).pipe(
      Stream.mapError((error) => {
        if (error._tag !== "SizeMismatch" || extent === undefined) return error
        const { actual, expected } = error
        return new SizeMismatch({ ...error, expected: expected - extent.start, actual: actual - extent.start })
      })
    )
  })

/** Content that the descriptor itself holds, when it is what the descriptor says. */
export const embedded = (target: Target) =>
  typeof target === "string" ? Effect.succeedNone : Descriptor.embedded(target)
