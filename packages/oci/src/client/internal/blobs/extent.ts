/** A part of a blob, in bytes: from `start` to `end`, both included and `end` the last byte by default; or its `last` bytes. */
export type Range = { readonly start: number; readonly end?: number | undefined } | { readonly last: number }

/** A part whose place is known: its first and its last byte. */
export interface Extent {
  readonly start: number
  readonly end: number
}

const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0

export const isValid = (range: Range): boolean =>
  "last" in range
    ? isCount(range.last) && range.last > 0
    : isCount(range.start) && (range.end === undefined || (isCount(range.end) && range.end >= range.start))

export const header = (range: Range): string =>
  "last" in range ? `bytes=-${range.last}` : `bytes=${range.start}-${range.end ?? ""}`

/** The first and last byte of what was asked for, in a blob of a size; nothing when it has no such part. */
export const of = (range: Range, size: number): Extent | undefined => {
  const start = "last" in range ? Math.max(0, size - range.last) : range.start
  const end = "last" in range ? size - 1 : Math.min(range.end ?? size - 1, size - 1)
  return start <= end ? { start, end } : undefined
}

/** What a `Content-Range` says: a part, and the size of the whole where it is told. */
export const told = (text: string): (Extent & { readonly size: number | undefined }) | undefined => {
  const match = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/.exec(text.trim())
  if (match === null) return undefined
  const [, start, end, size] = match
  return { start: Number(start), end: Number(end), size: size === "*" ? undefined : Number(size) }
}

/** The size of the whole, as a 416 says it. */
export const sizeTold = (text: string): number | undefined => {
  const size = /^bytes \*\/(\d{1,16})$/.exec(text.trim())?.[1]
  return size === undefined ? undefined : Number(size)
}

/** Whether a part is the one that was asked for, as far as the size of the whole is known. */
export const answers = (range: Range, part: Extent & { readonly size: number | undefined }): boolean => {
  if (part.end < part.start) return false
  if (part.size !== undefined) {
    const wanted = of(range, part.size)
    return wanted?.start === part.start && wanted.end === part.end
  }
  return "last" in range
    ? part.end - part.start < range.last
    : part.start === range.start && (range.end === undefined || part.end <= range.end)
}
