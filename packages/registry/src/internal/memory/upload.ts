import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Digest from "effect-oci/Digest"
import type * as Hasher from "effect-oci/Hasher"
import type * as Store from "../store.js"

/** An upload session whose bytes stay in the pieces they came in. */
export class Upload implements Store.Upload {
  readonly id = crypto.randomUUID()
  readonly turn = Effect.unsafeMakeSemaphore(1)
  readonly repository: string
  readonly keep = Effect.void
  readonly discard = Effect.void
  readonly commit: Store.Upload["commit"]
  readonly pieces: Array<Uint8Array> = []
  busy = false
  touched: number
  ended = false
  size = 0
  private readonly hasher: Hasher.Service
  private algorithm: Digest.Algorithm
  private hash: Hasher.Incremental

  constructor(options: {
    readonly repository: string
    readonly algorithm: Digest.Algorithm
    readonly hasher: Hasher.Service
    readonly now: number
    readonly commit: (digest: Digest.Digest, upload: Upload) => void
  }) {
    this.repository = options.repository
    this.algorithm = options.algorithm
    this.hasher = options.hasher
    this.touched = options.now
    this.hash = options.hasher.make(options.algorithm)
    this.commit = (digest) => Effect.sync(() => options.commit(digest, this))
  }

  touch(now: number): Effect.Effect<void> {
    return Effect.sync(() => {
      this.touched = now
    })
  }

  readonly end = Effect.sync(() => {
    this.ended = true
  })

  append<E>(body: Stream.Stream<Uint8Array, E>): Effect.Effect<void, E> {
    return Stream.runForEachChunk(body, (pieces) =>
      Effect.sync(() => {
        for (const piece of pieces) {
          if (piece.length === 0) continue
          this.pieces.push(piece)
          this.size += piece.length
          this.hash.update(piece)
        }
      })
    )
  }

  hashWith(algorithm: Digest.Algorithm): void {
    if (algorithm === this.algorithm) return
    this.algorithm = algorithm
    this.hash = this.hasher.make(algorithm)
    for (const piece of this.pieces) this.hash.update(piece)
  }

  readonly digest = Effect.sync(() => Digest.make(this.algorithm, this.hash.digest()))
}
