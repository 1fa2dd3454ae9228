/** Time for tests that wait often: it goes from one wait to the next, and each request tells when it came. */
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Number from "effect/Number"
import * as Random from "effect/Random"
import * as TestClock from "effect/TestClock"
import type { Answer, Sent, Step } from "../scripted.js"

/** Runs an effect to its end: whenever all wait, the clock is set to the end of the shortest wait. */
export const elapsing = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(self)
    const goOn: Effect.Effect<A, E> = Effect.gen(function* () {
      yield* TestClock.adjust(0)
      if ((yield* Fiber.poll(fiber))._tag === "Some") return yield* Fiber.join(fiber)
      const sleeps = [...(yield* TestClock.sleeps())]
      if (Arr.isNonEmptyArray(sleeps)) yield* TestClock.setTime(Arr.min(sleeps, Number.Order))
      return yield* goOn
    })
    return yield* goOn
  })

/** Chance always says the same, from 0 to 1. */
export const chance = (value: number) => Effect.withRandom(Random.fixed([value]))

/** Steps of one request that come at the times that are told then. */
export const timed = (request: string, ...answers: ReadonlyArray<Answer | ((sent: Sent) => Answer)>) => {
  const times: Array<number> = []
  const steps = answers.map(
    (answer): Step => [
      request,
      (sent) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          times.push(now)
          const given = typeof answer === "function" ? answer(sent) : answer
          return Effect.isEffect(given) ? given : Effect.succeed(given)
        })
    ]
  )
  return { times, steps }
}
