import * as Stream from "effect/Stream"

/** Bytes without the first `skipped`, and then no more than `most`. */
export const slice = <E, R>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  skipped: number,
  most = Number.POSITIVE_INFINITY
): Stream.Stream<Uint8Array, E, R> => {
  if (skipped === 0 && most === Number.POSITIVE_INFINITY) return bytes
  return Stream.suspend(() => {
    let at = 0
    return bytes.pipe(
      Stream.map((piece) => {
        const part = piece.subarray(Math.max(0, skipped - at), Math.max(0, skipped + most - at))
        at += piece.length
        return part
      }),
      Stream.takeUntil(() => at >= skipped + most),
      Stream.filter((piece) => piece.length > 0)
    )
  })
}
