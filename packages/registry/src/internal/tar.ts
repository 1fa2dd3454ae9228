const encoder = new TextEncoder()

const block = 512

const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, "0")}\0`

/** A tar archive of one file, the same bytes each time: mode 644, root's, from the epoch. `name` has at most 100 bytes. */
export const file = (name: string, content: Uint8Array): Uint8Array => {
  const padded = Math.ceil(content.length / block) * block
  const archive = new Uint8Array(block + padded + 2 * block)
  const header = archive.subarray(0, block)
  const write = (offset: number, text: string) => header.set(encoder.encode(text), offset)
  write(0, name)
  write(100, octal(0o644, 7))
  write(108, octal(0, 7))
  write(116, octal(0, 7))
  write(124, octal(content.length, 11))
  write(136, octal(0, 11))
  write(148, " ".repeat(8))
  write(156, "0")
  write(257, "ustar\x0000")
  // The checksum counts its own field as spaces.
  write(
    148,
    `${octal(
      header.reduce((sum, byte) => sum + byte, 0),
      6
    )} `
  )
  archive.set(content, block)
  return archive
}
