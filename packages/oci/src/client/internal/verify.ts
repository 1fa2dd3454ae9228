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
 * something wrong. Stops at the first byte too many.
 */
const checked = <E, R, E2>(
  content: Stream.Stream<Uint8Array, E, R>,
  size: number | undefined,
  facts: object,
  check: Effect.Effect<void, E2>
): Stream.Stream<Uint8Array, E | E2 | SizeMismatch, R> =>
  Stream.suspend(() => {
    let actual = 0
    let withheld = Chunk.empty<Uint8Array>()
    const fault = Effect.suspend(() => new SizeMismatch({ ...facts, expected: size ?? 0, actual }))
    const end = Effect.suspend(
      (): Effect.Effect<void, E2 | SizeMismatch> => (size !== undefined && actual < size ? fault : check)
    )
    return content.pipe(
      Stream.mapChunksEffect((chunk) => {
        for (const bytes of chunk) actual += bytes.length
        if (size !== undefined && actual > size) return fault
        const before = withheld
        withheld = chunk
        return Effect.succeed(before)
      }),
      Stream.concat(Stream.unwrap(Effect.map(end, () => Stream.fromChunk(withheld))))
    )
  })

/** A stream that fails, before its last chunk, when it is not what it must be. */
export const stream = <E, R>(
  content: Stream.Stream<Uint8Array, E, R>,
  expected: Expected,
  facts: object
): Effect.Effect<Stream.Stream<Uint8Array, E | DigestMismatch | SizeMismatch, R>, DigestMismatch> =>
  Effect.gen(function* () {
    const chosen = yield* algorithm(expected.digest, facts)
    const hash = (yield* Hasher.Hasher).make(chosen)
    const check = Effect.suspend(() => {
      const actual = Digest.make(chosen, hash.digest())
      return actual === expected.digest
        ? Effect.void
        : new DigestMismatch({ ...facts, expected: expected.digest, actual })
    })
    const hashed = Stream.mapChunks(content, (chunk) => {
      for (const bytes of chunk) hash.update(bytes)
      return chunk
    })
    return checked(hashed, expected.size, facts, check)
  })

/** A stream that fails, before its last chunk, unless it holds as many bytes as it must. */
export const sized = <E, R>(
  content: Stream.Stream<Uint8Array, E, R>,
  size: number,
  facts: object
): Stream.Stream<Uint8Array, E | SizeMismatch, R> => checked(content, size, facts, Effect.void)
