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
 * A stream that fails instead of ending when it was not what it must be. Its bytes have then been handed out already:
 * whoever keeps them must wait for the end. Stops at the first byte too many.
 */
export const stream = <E, R>(
  content: Stream.Stream<Uint8Array, E, R>,
  expected: Expected,
  facts: object
): Effect.Effect<Stream.Stream<Uint8Array, E | DigestMismatch | SizeMismatch, R>, DigestMismatch> =>
  Effect.gen(function* () {
    const chosen = yield* algorithm(expected.digest, facts)
    const hash = (yield* Hasher.Hasher).make(chosen)
    const end = Effect.suspend(() => {
      const actual = Digest.make(chosen, hash.digest())
      return actual === expected.digest
        ? Effect.void
        : new DigestMismatch({ ...facts, expected: expected.digest, actual })
    })
    const hashed = Stream.mapChunks(content, (chunk) => {
      Chunk.forEach(chunk, (piece) => hash.update(piece))
      return chunk
    })
    const measured = expected.size === undefined ? hashed : sized(hashed, expected.size, facts)
    return Stream.concat(measured, Stream.drain(Stream.fromEffect(end)))
  })

/** A stream that fails unless it holds as many bytes as it must. */
export const sized = <E, R>(
  content: Stream.Stream<Uint8Array, E, R>,
  size: number,
  facts: object
): Stream.Stream<Uint8Array, E | SizeMismatch, R> =>
  Stream.suspend(() => {
    let actual = 0
    const fault = Effect.suspend(() => new SizeMismatch({ ...facts, expected: size, actual }))
    return content.pipe(
      Stream.mapChunksEffect((chunk) => {
        Chunk.forEach(chunk, (piece) => {
          actual += piece.length
        })
        return actual > size ? fault : Effect.succeed(chunk)
      }),
      Stream.concat(Stream.drain(Stream.fromEffect(Effect.suspend(() => (actual < size ? fault : Effect.void)))))
    )
  })
