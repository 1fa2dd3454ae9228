import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Digest from "../../../spec/Digest.js"
import type * as Hasher from "../../../spec/Hasher.js"
import type { BlobSource } from "../../BlobSource.js"
import { SizeMismatch } from "../../RegistryError.js"
import { slice } from "../slice.js"
import { upTo } from "../upTo.js"

/** What went wrong in a source, told from what goes wrong at the registry: a source may be another registry. */
export class SourceFailed<out E> {
  readonly _tag = "SourceFailed"
  readonly error: E
  constructor(error: E) {
    this.error = error
  }
}

/** What a source has after so many bytes. */
export const from = <E, R>(source: BlobSource<E, R>, offset: number): Stream.Stream<Uint8Array, SourceFailed<E>, R> => {
  const stream = offset === 0 || source.from === undefined ? slice(source.stream, offset) : source.from(offset)
  return Stream.mapError(stream, (error) => new SourceFailed(error))
}

/** How many bytes a source says it has. */
export const sizeOf = <E, R>(source: BlobSource<E, R>): Effect.Effect<number | undefined, SourceFailed<E>, R> => {
  const { size } = source
  return Effect.isEffect(size) ? Effect.mapError(size, (error) => new SourceFailed(error)) : Effect.succeed(size)
}

/** All of a source in one piece, for one that says that it is small: one that has more is not read on. */
export const collect = <E, R>(
  source: BlobSource<E, R>,
  size: number,
  facts: object
): Effect.Effect<Uint8Array, SourceFailed<E> | SizeMismatch, R> =>
  Effect.suspend(() => {
    const sized = (bytes: Uint8Array) =>
      bytes.length === size
        ? Effect.succeed(bytes)
        : new SizeMismatch({ ...facts, expected: size, actual: bytes.length })
    if (source.load !== undefined) {
      return Effect.matchEffect(source.load, {
        onFailure: (error) => Effect.fail(new SourceFailed(error)),
        onSuccess: sized
      })
    }
    return Effect.flatMap(upTo(from(source, 0), size), ({ bytes }) => sized(bytes))
  })

/** Reads a source to its end for its digest and size. */
export const measured = <E, R>(
  source: BlobSource<E, R>,
  algorithm: Digest.Algorithm,
  hasher: Hasher.Service
): Effect.Effect<{ readonly digest: Digest.Digest; readonly size: number }, SourceFailed<E>, R> =>
  Effect.suspend(() => {
    const hash = hasher.make(algorithm)
    let size = 0
    return from(source, 0).pipe(
      Stream.runForEachChunk((chunk) =>
        Effect.sync(() => {
          for (const bytes of chunk) {
            hash.update(bytes)
            size += bytes.length
          }
        })
      ),
      Effect.map(() => ({ digest: Digest.make(algorithm, hash.digest()), size }))
    )
  })
