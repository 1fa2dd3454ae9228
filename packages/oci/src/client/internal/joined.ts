/** One piece of many; a single one stays as it is. */
export const joined = (pieces: ReadonlyArray<Uint8Array>): Uint8Array => {
  const [first = new Uint8Array(), ...more] = pieces
  if (more.length === 0) return first
  let total = 0
  for (const { length } of pieces) total += length
  const all = new Uint8Array(total)
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}
