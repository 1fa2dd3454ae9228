/** Positions of bytes: `start` is the first, `end` the one after the last. */
export interface Range {
  readonly start: number
  readonly end: number
}

const position = (text: string): number => (/^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN)

/**
 * What a `Range` header asks for. One of another unit, of several ranges or of a wrong form asks for nothing, as RFC 9110
 * allows (section 14.2), and the answer is the whole.
 */
export const requested = (header: string | undefined, size: number): Range | "unsatisfiable" | undefined => {
  if (header === undefined || !header.startsWith("bytes=")) return undefined
  const parts = header.slice("bytes=".length).split("-")
  const [first, last] = parts
  if (parts.length !== 2 || first === undefined || last === undefined) return undefined
  if (first === "") {
    const suffix = position(last)
    if (Number.isNaN(suffix)) return undefined
    return suffix === 0 || size === 0 ? "unsatisfiable" : { start: Math.max(0, size - suffix), end: size }
  }
  const start = position(first)
  const end = last === "" ? size : position(last) + 1
  if (Number.isNaN(start) || Number.isNaN(end)) return undefined
  return start >= size || start >= end ? "unsatisfiable" : { start, end: Math.min(end, size) }
}

/** The `Content-Range` of an uploaded chunk: `0-9`, both ends inclusive and no unit. */
export const ofChunk = (header: string): Range | undefined => {
  const [first, last, ...rest] = header.split("-")
  if (first === undefined || last === undefined || rest.length > 0) return undefined
  const start = position(first)
  const end = position(last) + 1
  return Number.isNaN(start) || Number.isNaN(end) || start >= end ? undefined : { start, end }
}
