import * as Cause from "effect/Cause"
import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Pieces from "./pieces.js"

/** A socket that takes so much at once says only when it has sent it that it is ready for more. */
const sentAtOnce = 256 * 1024

type Pull = Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<unknown>>

/**
 * A stream as undici takes the body of a request: it asks for a piece when the one before is with the socket. Node's own
 * `Readable` reads ahead, and nobody knows of it when a piece has been sent and can be filled again.
 */
export class Streamed implements AsyncIterableIterator<Uint8Array> {
  readonly #runtime: Runtime.Runtime<never>
  readonly #scope: Scope.CloseableScope
  readonly #open: Effect.Effect<Pull>
  #pull: Pull | undefined
  #pieces: Iterator<Uint8Array> = [].values()
  #sent: Uint8Array | undefined
  #pulling: Fiber.RuntimeFiber<unknown, unknown> | undefined
  #over = false

  constructor(
    stream: Stream.Stream<Uint8Array, unknown>,
    runtime: Runtime.Runtime<never>,
    scope: Scope.CloseableScope
  ) {
    this.#runtime = runtime
    this.#scope = scope
    this.#open = Scope.extend(Stream.toPull(stream), scope)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#sent !== undefined && this.#sent.length >= sentAtOnce) Pieces.giveBack(this.#sent)
    this.#sent = undefined
    while (!this.#over) {
      const { done, value } = this.#pieces.next()
      if (done !== true) {
        this.#sent = value
        return { done: false, value }
      }
      const exit = await this.#pulled()
      if (Exit.isSuccess(exit)) {
        this.#pieces = exit.value[Symbol.iterator]()
        continue
      }
      this.destroy()
      const failure = Cause.flipCauseOption(exit.cause)
      if (failure._tag === "Some") throw Cause.squash(failure.value)
    }
    return { done: true, value: undefined }
  }

  /** Whoever wants no more of it says so. */
  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.destroy()
    return { done: true, value: undefined }
  }

  /** Ends the stream, wherever it is. */
  destroy(): void {
    if (this.#over) return
    this.#over = true
    this.#pulling?.unsafeInterruptAsFork(this.#pulling.id())
    Runtime.runFork(this.#runtime)(Scope.close(this.#scope, Exit.void))
  }

  #pulled(): Promise<Exit.Exit<Chunk.Chunk<Uint8Array>, Option.Option<unknown>>> {
    return new Promise((resolve) => {
      const pull = this.#pull ?? Effect.flatMap(this.#open, (pull) => (this.#pull = pull))
      const fiber = Runtime.runFork(this.#runtime)(Effect.exit(pull))
      this.#pulling = fiber
      fiber.addObserver((exit) => {
        this.#pulling = undefined
        resolve(Exit.flatten(exit))
      })
    })
  }
}

/** What is opened is closed when the stream has ended, or is not wanted any more. */
export const make = (stream: Stream.Stream<Uint8Array, unknown>): Effect.Effect<Streamed> =>
  Effect.flatMap(Effect.runtime<never>(), (runtime) =>
    Effect.map(Scope.make(), (scope) => new Streamed(stream, runtime, scope))
  )
