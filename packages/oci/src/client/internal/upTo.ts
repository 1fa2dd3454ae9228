import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { joined } from "./joined.js"

/**
 * Reads up to `limit` bytes, and tells whether that was all; if not, the bytes are more than that by a chunk. What is beyond is not
 * read. `moved` hears how many there are, as they come.
 */
export const upTo = <E, R>(
  body: Stream.Stream<Uint8Array, E, R>,
  limit: number,
  moved: (total: number) => void = () => {}
): Effect.Effect<{ readonly bytes: Uint8Array; readonly whole: boolean }, E, R> =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    let total = 0
    return body.pipe(
      Stream.runForEachWhile((bytes) =>
        Effect.sync(() => {
          chunks.push(bytes)
          total += bytes.length
          moved(total)
          return total <= limit
        })
      ),
      Effect.map(() => ({ bytes: joined(chunks), whole: total <= limit }))
    )
  })
