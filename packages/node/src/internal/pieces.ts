import type { Readable } from "node:stream"

/** Memory that is filled again: of such sizes it costs more to give and to collect than to fill. */
interface Pool {
  /** Of a piece, in bytes. */
  readonly size: number
  /** So many are kept for the next ones who fill them. */
  readonly most: number
  readonly free: Array<ArrayBufferLike>
}

/** Files are read in pieces of this size, since less costs more for each byte. */
const files: Pool = { size: 1024 * 1024, most: 16, free: [] }

/** About as much as a fast server brings between two reads. */
const sockets: Pool = { size: 256 * 1024, most: 32, free: [] }

const take = ({ free, size }: Pool): Uint8Array => new Uint8Array(free.pop() ?? Buffer.allocUnsafeSlow(size).buffer)

const put = ({ free, most }: Pool, buffer: ArrayBufferLike): void => {
  if (free.length < most) free.push(buffer)
}

const lent = new WeakMap<ArrayBufferLike, Pool>()

/** A piece to be filled from a file. */
export const forFile = (): Uint8Array => {
  const piece = take(files)
  lent.set(piece.buffer, files)
  return piece
}

/** For who has used a piece, or found nothing to fill it with. What is not given back is collected. */
export const giveBack = ({ buffer }: Uint8Array): void => {
  const pool = lent.get(buffer)
  // nobody's piece but ours, and never twice
  if (pool !== undefined && lent.delete(buffer)) put(pool, buffer)
}

/** How many bytes a socket has brought into a piece. */
const filled = new WeakMap<ArrayBufferLike, number>()

/** Less is copied: whoever keeps it shall not keep a whole piece. In bytes. */
const little = 32 * 1024

/** How a socket reads: into pieces of ours, and on into its own stream. Node calls `callback` on the socket itself. */
export const onread = {
  buffer: (): Uint8Array => take(sockets),
  callback(this: Readable, length: number, { buffer }: Uint8Array): boolean {
    if (length < little) {
      const bytes = Buffer.from(new Uint8Array(buffer, 0, length))
      put(sockets, buffer)
      return this.push(bytes)
    }
    filled.set(buffer, length)
    return this.push(Buffer.from(buffer, 0, length))
  }
}

/**
 * Lets a chunk of a body be given back, unless another one may share its piece. It is to be called for all of them, in their order:
 * the first of a piece is alone when it ends where the socket stopped, and what follows it never is.
 */
export const lend = ({ buffer, byteOffset, length }: Uint8Array): void => {
  const end = filled.get(buffer)
  filled.delete(buffer)
  if (end === byteOffset + length) lent.set(buffer, sockets)
}
