import type { Digest } from "effect-oci/Digest"
import type { Range } from "./ranges.js"

/** A blob's bytes in the pieces they came in, held once for all repositories and never joined. */
export interface Content {
  readonly digest: Digest
  readonly size: number
  readonly pieces: ReadonlyArray<Uint8Array>
}

/** Views of the pieces that lie in a range. */
export const slice = ({ pieces }: Content, { end, start }: Range): ReadonlyArray<Uint8Array> => {
  const parts: Array<Uint8Array> = []
  let offset = 0
  for (const piece of pieces) {
    if (offset >= end) break
    const next = offset + piece.length
    if (next > start) parts.push(piece.subarray(Math.max(0, start - offset), Math.min(piece.length, end - offset)))
    offset = next
  }
  return parts
}
