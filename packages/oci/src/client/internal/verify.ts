import * as Channel from "effect/Channel"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Digest from "../../spec/Digest.js"
import * as Hasher from "../../spec/Hasher.js"
import { DigestMismatch, SizeMismatch } from "../RegistryError.js"

/** What content must be. Without a size, only its digest counts. */
export interface Expected {
  readonly digest: Digest.Digest
  readonly size?: number | undefined
}

/** The algorithm to verify with; content of a digest that cannot be computed is not handed out. */
export const algorithm = (digest: Digest.Digest, facts: object): Effect.Effect<Digest.Algorithm, DigestMismatch> =>
  Option.match(Digest.verifiable(digest), {
    onNone: () => new DigestMismatch({ ...facts, expected: digest }),
    onSome: Effect.succeed
  })

/** Bytes in memory, once they are what they must be. */
export const bytes = (
  content: Uint8Array,
  expected: Expected,
  facts: object
): Effect.Effect<Uint8Array, DigestMismatch | SizeMismatch> =>
  Effect.gen(function* () {
    const chosen = yield* algorithm(expected.digest, facts)
    if (expected.size !== undefined && content.length !== expected.size) {
      return yield* new SizeMismatch({ ...facts, expected: expected.size, actual: content.length })
    }
    const actual = yield* Hasher.digest(content, chosen)
    if (actual !== expected.digest) return yield* new DigestMismatch({ ...facts, expected: expected.digest, actual })
    return content
  })

/**
 * A stream whose last chunk is withheld until all of it has been checked: whoever it goes to never gets the whole of
 * something wrong.
 */
export const withholding = <E, R, E2>(
  content: Stream.Stream<Uint8Array, E, R>,
  check: Effect.Effect<void, E2>
): Stream.Stream<Uint8Array, E | E2, R> =>
  Stream.suspend(() => {
    let withheld = Chunk.empty<Uint8Array>()
    return content.pipe(
      Stream.mapChunks((chunk) => {
        const before = withheld
        withheld = chunk
        return before
      }),
      Stream.concat(Stream.unwrap(Effect.map(check, () => Stream.fromChunk(withheld))))
    )
  })

/** A hash that is to become a digest. */
export interface Hash {
  readonly update: (bytes: Uint8Array) => void
  /** The digest of all that was fed. Nothing may be fed after it. */
  readonly digest: () => Digest.Digest
}

export const hash = (digest: Digest.Digest, facts: object): Effect.Effect<Hash, DigestMismatch> =>
  Effect.zipWith(algorithm(digest, facts), Hasher.Hasher, (algorithm, hasher) => {
    const hash = hasher.make(algorithm)
    return { update: hash.update, digest: () => Digest.make(algorithm, hash.digest()) }
  })

/**
 * A stream that fails unless it holds as many bytes as it must: at the first byte too many, and before all that it must have
 * has been handed out.
 */
export const sized = <E, R>(
  content: Stream.Stream<Uint8Array, E, R>,
  size: number,
  facts: object
): Stream.Stream<Uint8Array, E | SizeMismatch, R> => {
  type Chunks = Chunk.Chunk<Uint8Array>
  const fault = (actual: number) => Channel.fail(new SizeMismatch({ ...facts, expected: size, actual }))
  // no effect for a chunk: in each one the context would be put in place anew
  const after = (
    count: number,
    withheld: Chunks
  ): Channel.Channel<Chunks, Chunks, E | SizeMismatch, E, unknown, unknown> =>
    Channel.readWithCause({
      onInput: (chunk: Chunks) => {
        let actual = count
        for (const { length } of chunk) actual += length
        if (actual > size) return fault(actual)
        // whether more comes is not known yet; what comes after it is empty
        return actual === size
          ? after(actual, Chunk.appendAll(withheld, chunk))
          : Channel.zipRight(Channel.write(chunk), after(actual, withheld))
      },
      onFailure: Channel.failCause,
      onDone: () => (count < size ? fault(count) : Channel.write(withheld))
    })
  return Stream.pipeThroughChannel(content, after(0, Chunk.empty()))
}
