import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"

interface Waiting<A, E> {
  readonly change: A
  done: Either.Either<void, E> | undefined
}

interface Batch<A, E> {
  readonly turn: Effect.Semaphore
  waiting: Array<Waiting<A, E>>
  users: number
}

/** Changes that wait, by what they are to. */
export type All<A, E> = Map<string, Batch<A, E>>

/**
 * Makes a change when those before it are made, and with it all that wait by then. Whoever has the turn works for the others
 * too; when that fails for a reason of its `own`, or is interrupted, another of them takes over.
 */
export const together = <A, E, R>(
  all: All<A, E>,
  key: string,
  change: A,
  make: (changes: ReadonlyArray<A>) => Effect.Effect<void, E, R>,
  own: (error: E) => boolean
): Effect.Effect<void, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const batch: Batch<A, E> = all.get(key) ?? { turn: Effect.unsafeMakeSemaphore(1), waiting: [], users: 0 }
      all.set(key, batch)
      const self: Waiting<A, E> = { change, done: undefined }
      batch.users++
      batch.waiting.push(self)
      return { batch, self }
    }),
    ({ self, batch }) =>
      batch.turn.withPermits(1)(
        Effect.suspend((): Effect.Effect<void, E, R> => {
          if (self.done !== undefined) return self.done
          const taken = batch.waiting
          batch.waiting = []
          return Effect.onExit(make(taken.map(({ change }) => change)), (exit) =>
            Effect.sync(() => {
              const result = Exit.isSuccess(exit) ? Either.void : failureOf(exit)
              if (result === undefined || (Either.isLeft(result) && own(result.left))) {
                batch.waiting = [...taken.filter((one) => one !== self), ...batch.waiting]
              } else {
                for (const one of taken) one.done = result
              }
            })
          )
        })
      ),
    ({ self, batch }) =>
      Effect.sync(() => {
        batch.waiting = batch.waiting.filter((one) => one !== self)
        if (--batch.users === 0) all.delete(key)
      })
  )

const failureOf = <E>(exit: Exit.Failure<void, E>): Either.Either<never, E> | undefined =>
  exit.cause._tag === "Fail" ? Either.left(exit.cause.error) : undefined
