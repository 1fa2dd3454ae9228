import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"

interface Flight<A, E> {
  readonly outcome: Deferred.Deferred<A, E>
  fiber: Fiber.RuntimeFiber<unknown, unknown> | undefined
  waiting: number
}

/**
 * Runs what many ask for at the same time once, for all of them. It belongs to none: whoever is interrupted leaves, and
 * it is given up when the last one has left. Failures reach all that wait, and are not kept.
 */
export const make = <A, E>(): ((key: string, run: Effect.Effect<A, E>) => Effect.Effect<A, E>) => {
  const flights = new Map<string, Flight<A, E>>()
  return (key, run) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.suspend(() => {
        const known = flights.get(key)
        const flight: Flight<A, E> = known ?? {
          outcome: Deferred.unsafeMake(FiberId.none),
          fiber: undefined,
          waiting: 0
        }
        const land = () => {
          if (flights.get(key) === flight) flights.delete(key)
        }
        flight.waiting++
        flights.set(key, flight)
        const begin =
          known === undefined
            ? Effect.interruptible(run).pipe(
                Effect.onExit((exit) => Effect.zipRight(Effect.sync(land), Deferred.done(flight.outcome, exit))),
                // its failure is told to those who wait, and to nobody else
                Effect.ignore,
                Effect.forkDaemon,
                Effect.tap((fiber) => {
                  flight.fiber = fiber
                  return Effect.void
                })
              )
            : Effect.void
        const leave = Effect.suspend(() => {
          if (--flight.waiting > 0 || flight.fiber === undefined) return Effect.void
          land()
          return Fiber.interruptFork(flight.fiber)
        })
        return Effect.zipRight(begin, Effect.ensuring(restore(Deferred.await(flight.outcome)), leave))
      })
    )
}
