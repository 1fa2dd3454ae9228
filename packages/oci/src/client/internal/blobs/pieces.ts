import * as Stream from "effect/Stream"
import type { RegistryClient } from "../../RegistryClient.js"
import type { BlobUnknown, CallError, NameUnknown, SizeMismatch } from "../../RegistryError.js"
import type * as Body from "../body.js"
import * as Part from "./part.js"
import * as Reading from "./reading.js"

/** Of one piece, in bytes. As many as are fetched at a time are held in memory, and as many again that wait for their turn. */
const length = 4 * 1024 * 1024

export interface Pieces extends Pick<Reading.Reading<never, never>, "moved" | "opened"> {
  readonly ask: Part.Ask
  readonly from: number
  readonly size: number
  /** How many are fetched at a time. */
  readonly ranges: number
}

/**
 * The rest of a blob, fetched as several ranges at a time and handed out in order. Whether a registry knows ranges shows with
 * the first; where it does not, what comes after is one reading.
 */
export const stream = ({
  ask,
  from,
  moved,
  opened,
  ranges,
  size
}: Pieces): Stream.Stream<Uint8Array, BlobUnknown | NameUnknown | SizeMismatch | CallError, RegistryClient> =>
  Stream.suspend(() => {
    let knowsRanges = false
    const seen = (answer: Body.Answer) => {
      knowsRanges = answer.response.status === 206
      opened?.(answer)
    }
    const read = (start: number, last?: number) =>
      Reading.stream({ from: start, moved, opened: seen, open: (at) => Part.rest(ask, at, size, last) })
    const piece = (start: number) => Stream.runCollect(read(start, Math.min(start + length, size) - 1))
    const second = Math.min(from + length, size)
    const others = Stream.suspend(() => {
      if (second === size) return Stream.empty
      if (!knowsRanges) return read(second)
      return Stream.iterate(second, (start) => start + length).pipe(
        Stream.takeWhile((start) => start < size),
        Stream.rechunk(1),
        Stream.mapEffect(piece, { concurrency: ranges }),
        Stream.flattenChunks
      )
    })
    return Stream.concat(read(from, second - 1), others)
  })
