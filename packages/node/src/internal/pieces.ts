/** In bytes: files are read in pieces of this size, since less costs more for each byte. */
export const size = 1024 * 1024

/** So many are kept for the next ones who read. */
const most = 16

const free: Array<Uint8Array<ArrayBuffer>> = []
const lent = new WeakSet<ArrayBufferLike>()

/** A piece to be filled. Memory of this size costs more to give and to collect than to fill. */
export const take = (): Uint8Array<ArrayBuffer> => {
  const piece = free.pop() ?? new Uint8Array(Buffer.allocUnsafeSlow(size).buffer)
  lent.add(piece.buffer)
  return piece
}

/** For who has sent a piece, or found nothing to fill it with. What is not given back is collected. */
export const giveBack = ({ buffer }: Uint8Array): void => {
  // nobody's piece but ours, and never twice
  if (buffer instanceof ArrayBuffer && lent.delete(buffer) && free.length < most) free.push(new Uint8Array(buffer))
}
