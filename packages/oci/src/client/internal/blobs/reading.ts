import type * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { isRetryable, SizeMismatch, type Timeout, type TransportError } from "../../RegistryError.js"
import * as Body from "../body.js"
import * as Mirrors from "../hosts/mirrors.js"

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

/** A break after this many bytes, or milliseconds, is one of a line that works. */
const enough = { bytes: 1024 * 1024, millis: 60_000 }

/** How many breaks with less than that between them are put up with, and how many at all. */
const most = { strikes: 4, breaks: 1000 }

/** In milliseconds: before going on where nothing much has come since the last time. It doubles with each strike. */
const base = 250

/** Counts the breaks of one reading, and says how long to wait after each; nothing when it is time to give up. */
const patience = () => {
  let mark: { readonly at: number; readonly time: number } | undefined
  let strikes = 0
  let breaks = 0
  return (at: number, now: number, random: number): number | undefined => {
    // the first break is no sign of anything
    const moved =
      mark === undefined || at - mark.at >= enough.bytes || (at > mark.at && now - mark.time >= enough.millis)
    strikes = moved ? 0 : strikes + 1
    mark = { at, time: now }
    if (strikes > most.strikes || ++breaks > most.breaks) return undefined
    return strikes === 0 ? 0 : base * 2 ** (strikes - 1) * (0.5 + random / 2)
  }
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
      const wait = patience()
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
          const [now, random] = yield* Effect.all([Clock.currentTimeMillis, Random.next])
          const millis = wait(at, now, random)
          if (millis === undefined) return yield* Effect.fail(Option.some(error))
          yield* Effect.logDebug(`goes on at byte ${at}: ${error.message}`).pipe(
            Effect.annotateLogs({ package: "effect-oci", operation: answer.operation.name })
          )
          // what is read of a blob may be from several places, and the next one may be better
          yield* Mirrors.distrust(answer.response)
          if (scope !== undefined) yield* Scope.close(scope, Exit.void)
          pull = undefined
          if (millis > 0) yield* Effect.sleep(millis)
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
      return Stream.fromPull(Effect.succeed(next))
    })
  )

/** Bytes without the first `skipped`, and then no more than `most`. */
export const slice = <E, R>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  skipped: number,
  most = Number.POSITIVE_INFINITY
): Stream.Stream<Uint8Array, E, R> => {
  if (skipped === 0 && most === Number.POSITIVE_INFINITY) return bytes
  return Stream.suspend(() => {
    let at = 0
    return bytes.pipe(
      Stream.map((piece) => {
        const part = piece.subarray(Math.max(0, skipped - at), Math.max(0, skipped + most - at))
        at += piece.length
        return part
      }),
      Stream.takeUntil(() => at >= skipped + most),
      Stream.filter((piece) => piece.length > 0)
    )
  })
}
