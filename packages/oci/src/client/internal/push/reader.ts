import * as Cause from "effect/Cause"
import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Incremental } from "../../../spec/Hasher.js"
import type { BlobSource } from "../../BlobSource.js"
import { SizeMismatch, SourceNotReplayable } from "../../RegistryError.js"
import { joined } from "../joined.js"
import * as Source from "./source.js"

type ReadError<E> = Source.SourceFailed<E> | SizeMismatch | SourceNotReplayable

/** A source that is being read, and where it is closed. */
interface Opened<E, R> {
  readonly scope: Scope.CloseableScope
  readonly pull: Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<Source.SourceFailed<E>>, R>
}

export interface Options<E, R> {
  readonly source: BlobSource<E, R>
  readonly size: number | undefined
  /** Gets each byte once, in their order, whatever is read again. */
  readonly hash: Incremental | undefined
  readonly facts: object
}

/**
 * Reads a source chunk by chunk. What was read last is held, so that part of it can be had again from a source that cannot
 * be read twice; to go further back, the source is opened anew.
 */
export class Reader<E, R> {
  private readonly options: Options<E, R>
  private opened: Opened<E, R> | undefined
  /** What was read last, where it begins, and whether nothing comes after it. */
  private held: Uint8Array = new Uint8Array()
  private heldAt = 0
  private ended = false
  private hashed = 0

  constructor(options: Options<E, R>) {
    this.options = options
  }

  /** As many bytes from there on, or what there is. */
  read(offset: number, length: number): Effect.Effect<Uint8Array, ReadError<E>, R> {
    return Effect.gen(this, function* () {
      const near = this.opened !== undefined && offset >= this.heldAt && offset <= this.heldAt + this.held.length
      if (!near) yield* this.seek(offset)
      const pieces = [this.held.subarray(offset - this.heldAt)]
      let total = pieces[0]?.length ?? 0
      while (total < length && !this.ended) {
        for (const bytes of yield* this.next(offset + total)) {
          pieces.push(bytes)
          total += bytes.length
        }
      }
      this.held = joined(pieces.filter((piece) => piece.length > 0))
      this.heldAt = offset
      return this.held.subarray(0, length)
    })
  }

  /** Closes what is open. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    const { opened } = this
    this.opened = undefined
    return opened === undefined ? Effect.void : Scope.close(opened.scope, Exit.void)
  })

  /** The next pieces, of which the first is at this place. */
  private next(at: number): Effect.Effect<Iterable<Uint8Array>, ReadError<E>, R> {
    const { facts, hash, size } = this.options
    return Effect.matchCauseEffect(this.opened?.pull ?? Effect.fail(Option.none()), {
      onFailure: (cause): Effect.Effect<Iterable<Uint8Array>, ReadError<E>> => {
        const failure = Cause.flipCauseOption(cause)
        if (failure._tag === "Some") return Effect.failCause(failure.value)
        this.ended = true
        return size !== undefined && at < size
          ? new SizeMismatch({ ...facts, expected: size, actual: at })
          : Effect.succeed([])
      },
      onSuccess: (chunk) => {
        let end = at
        for (const bytes of chunk) {
          if (hash !== undefined && end + bytes.length > this.hashed) {
            hash.update(bytes.subarray(this.hashed - end))
            this.hashed = end + bytes.length
          }
          end += bytes.length
        }
        return size !== undefined && end > size
          ? new SizeMismatch({ ...facts, expected: size, actual: end })
          : Effect.succeed(chunk)
      }
    })
  }

  /** Opens the source anew, or for the first time, and reads to that place. */
  private seek(offset: number): Effect.Effect<void, ReadError<E>, R> {
    return Effect.gen(this, function* () {
      const { facts, hash, source } = this.options
      const once = source.once === true
      if (once && this.opened !== undefined) return yield* new SourceNotReplayable(facts)
      yield* this.close
      let at = once ? 0 : hash === undefined ? offset : Math.min(offset, this.hashed)
      yield* Effect.uninterruptible(this.open(at))
      const pieces: Array<Uint8Array> = []
      while (at < offset && !this.ended) {
        for (const bytes of yield* this.next(at)) {
          if (at + bytes.length > offset) pieces.push(bytes.subarray(Math.max(0, offset - at)))
          at += bytes.length
        }
      }
      if (at < offset) return yield* new SizeMismatch({ ...facts, expected: offset, actual: at })
      this.held = joined(pieces)
      this.heldAt = offset
    })
  }

  private open(at: number): Effect.Effect<void, never, R> {
    return Effect.gen(this, function* () {
      const scope = yield* Scope.make()
      const pull = yield* Scope.extend(Stream.toPull(Source.from(this.options.source, at)), scope)
      this.opened = { scope, pull }
      this.ended = false
    })
  }
}
