import type { Host } from "../../RegistryHosts.js"
import type { UploadSession } from "../../Uploads.js"

/** Large enough for storage that wants parts of 5 MiB, small enough to be held. */
const preferred = 16 * 1024 * 1024

/** What a registry takes that refuses larger ones without a word of how much: a bit less than 4 MiB. */
const modest = 4 * 1024 * 1024 - 64 * 1024

/** How long chunks are: the registry's wishes count within the bounds that the settings have. */
export class Chunks {
  private readonly bounds: Host["chunk"]
  private cap = Number.POSITIVE_INFINITY

  constructor(bounds: Host["chunk"]) {
    this.bounds = bounds
  }

  /** The length of the next chunk, in bytes. */
  length({ maxChunk = Number.POSITIVE_INFINITY, minChunk = 0 }: Pick<UploadSession, "maxChunk" | "minChunk">): number {
    const wished = Math.min(Math.max(preferred, minChunk), maxChunk, this.cap)
    return Math.max(1, this.bounds.min, Math.min(wished, this.bounds.max))
  }

  /** Whether the registry wants chunks of a blob of this size. */
  wanted({ maxChunk }: UploadSession, size: number): boolean {
    return maxChunk !== undefined && maxChunk >= this.bounds.min && maxChunk < size
  }

  /** Whether its least length is more than we hold: then a blob goes as a whole. */
  excessive({ minChunk = 0 }: UploadSession): boolean {
    return minChunk > this.bounds.max
  }

  /** After a chunk of this length was too large. Answers whether there are smaller ones. */
  shrink(session: UploadSession, length: number): boolean {
    const before = this.length(session)
    this.cap = Math.min(length > modest ? modest : Math.floor(length / 2), this.cap)
    return this.length(session) < before
  }
}
