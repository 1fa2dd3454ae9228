import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { isRetryable, SizeMismatch, type Timeout, type TransportError } from "../../RegistryError.js"
import * as Body from "../body.js"
import * as Mirrors from "../hosts/mirrors.js"
import { Strikes } from "../strikes.js"

/** Bytes of a blob from one answer. */
export interface Part {
  readonly answer: Body.Answer
  readonly bytes: Stream.Stream<Uint8Array, TransportError | Timeout>
  /** Where the first of them lies in the blob. */
  readonly start: number
  /** Where the last of them ends, if that is known. */
  readonly end: number | undefined
}

/** What is read, and how far it has come. */
export interface Reading<E, R> {
  /** Asks for what there is from here on; for nothing when the registry says that there is no more. */
  readonly open: (at: number) => Effect.Effect<Part | undefined, E, R | Scope.Scope>
  /** The first byte that is wanted, unless the first part tells. */
  readonly from: number
  /** Told of bytes that have come. */
  readonly moved?: ((count: number) => void) | undefined
  /** Told of each answer that bytes come from. */
  readonly opened?: ((answer: Body.Answer) => void) | undefined
}

/**
 * Bytes that go on where they broke off: after a lost connection, a silence or an early end the rest is asked for anew, as
 * often as enough has come in between. What is read so is the blob as if it had come at once, and as unverified.
 */
export const stream = <E, R>({
  from,
  moved,
  open,
  opened
}: Reading<E, R>): Stream.Stream<Uint8Array, E | SizeMismatch | TransportError | Timeout, R> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      type Failure = E | SizeMismatch | TransportError | Timeout
      type Pull = Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<Failure>, R>
      const outer = yield* Effect.scope
      const strikes = new Strikes({ firstIsFree: true })
      let at = from
      let scope: Scope.CloseableScope | undefined
      let pull: Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<TransportError | Timeout>> | undefined
      let part: Part | undefined

      const start = Effect.gen(function* () {
        scope = yield* Scope.fork(outer, ExecutionStrategy.sequential)
        part = yield* Scope.extend(open(at), scope)
        if (part === undefined) return
        at = part.start
        opened?.(part.answer)
        pull = yield* Scope.extend(Stream.toPull(part.bytes), scope)
      }).pipe(Effect.mapError(Option.some))

      /** Leaves an answer that has no more to give, and goes on with another one. */
      const again = (answer: Body.Answer, error: SizeMismatch | TransportError | Timeout): Pull =>
        Effect.gen(function* () {
          yield* Effect.logDebug(`broken off at byte ${at}: ${error.message}`).pipe(
            Effect.annotateLogs({ package: "effect-oci", operation: answer.operation.name })
          )
          // what is read of a blob may be from several places, and the next one may be better
          yield* Mirrors.distrust(answer.response)
          if (scope !== undefined) yield* Scope.close(scope, Exit.void)
          pull = undefined
          yield* Effect.mapError(strikes.after(error, at), Option.some)
          return yield* next
        })

      const sizeMismatch = (answer: Body.Answer, end: number) =>
        new SizeMismatch({ ...Body.facts(answer), expected: end, actual: at })

      const stopped = (cause: Option.Option<TransportError | Timeout>): Pull => {
        if (part === undefined) return Effect.fail(cause)
        const { answer, end } = part
        // a connection that breaks after the last byte has done its work
        if (end !== undefined && at >= end) return Effect.fail(Option.none())
        if (Option.isSome(cause)) return isRetryable(cause.value) ? again(answer, cause.value) : Effect.fail(cause)
        return end === undefined ? Effect.fail(Option.none()) : again(answer, sizeMismatch(answer, end))
      }

      const next: Pull = Effect.suspend((): Pull => {
        if (pull === undefined) {
          const before = part
          return Effect.flatMap(start, () => {
            if (part !== undefined) return next
            // the registry has no more, though there should be
            return Effect.fail(
              before?.end === undefined ? Option.none() : Option.some(sizeMismatch(before.answer, before.end))
            )
          })
        }
        return Effect.matchEffect(pull, {
          onFailure: stopped,
          onSuccess: (chunk) => {
            let count = 0
            for (const bytes of chunk) count += bytes.length
            at += count
            if (part?.end !== undefined && at > part.end) {
              return Effect.fail(Option.some(sizeMismatch(part.answer, part.end)))
            }
            moved?.(count)
            return Effect.succeed(chunk)
          }
        })
      })
      return Stream.repeatEffectChunkOption(next)
    })
  )
