import * as Effect from "effect/Effect"
import * as Digest from "effect-oci/Digest"
import type * as Hasher from "effect-oci/Hasher"
import type { Content } from "./content.js"

/** An upload session: what has arrived, hashed on its way. */
export class Upload {
  readonly id: string
  readonly repository: string
  /** One request at a time: two that wrote at once would mix their bytes. */
  readonly turn: Effect.Semaphore = Effect.unsafeMakeSemaphore(1)
  /** When it was last used, in milliseconds. */
  touched: number
  /** A chunk below the minimum came, so that nothing may follow it. */
  ended = false
  size = 0
  private readonly pieces: Array<Uint8Array> = []
  private readonly hasher: Hasher.Service
  private algorithm: Digest.Algorithm
  private hash: Hasher.Incremental

  constructor(options: {
    readonly id: string
    readonly repository: string
    readonly algorithm: Digest.Algorithm
    readonly hasher: Hasher.Service
    readonly now: number
  }) {
    this.id = options.id
    this.repository = options.repository
    this.algorithm = options.algorithm
    this.hasher = options.hasher
    this.touched = options.now
    this.hash = options.hasher.make(options.algorithm)
  }

  append(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.pieces.push(bytes)
    this.size += bytes.length
    this.hash.update(bytes)
  }

  /** Turns to another algorithm. What has arrived is hashed again; before the first byte it costs nothing. */
  hashWith(algorithm: Digest.Algorithm): void {
    if (algorithm === this.algorithm) return
    this.algorithm = algorithm
    this.hash = this.hasher.make(algorithm)
    for (const piece of this.pieces) this.hash.update(piece)
  }

  /** All of it, under the digest it really has. Ends the session: nothing can be appended to a finished hash. */
  content(): Content {
    return { digest: Digest.make(this.algorithm, this.hash.digest()), size: this.size, pieces: this.pieces }
  }
}
