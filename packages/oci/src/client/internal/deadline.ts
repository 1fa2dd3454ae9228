import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { identity, type LazyArg } from "effect/Function"
import * as Runtime from "effect/Runtime"

/** The clock of those who brought none. Its sleep is a timer. */
export const live: Clock.Clock = Context.get(DefaultServices.liveServices, Clock.Clock)

/** The longest wait of a timer; one above it never ends. */
const longest = 2 ** 31 - 1

/** Calls back when the time is over; the result forgets it. */
const after = (limit: Duration.Duration, clock: Clock.Clock, over: () => void): (() => void) => {
  if (clock === live) {
    const millis = Duration.toMillis(limit)
    if (millis > longest) return () => {}
    const timer = setTimeout(over, millis)
    return () => clearTimeout(timer)
  }
  const sleeping = Effect.runFork(Effect.map(clock.sleep(limit), over))
  return () => sleeping.unsafeInterruptAsFork(sleeping.id())
}

/**
 * Fails when an effect takes longer than the limit; then it is interrupted, and its end is waited for. So does
 * `Effect.timeoutFail`, whose two fibers and race cost as much as a request: here it is one fiber and a timer. Since the
 * effect has a fiber of its own, it is also free to give it another context.
 */
export const withinIn = <A, E, E2, R>(
  self: Effect.Effect<A, E, R>,
  limit: Duration.Duration,
  late: LazyArg<E2>,
  surroundings: (context: Context.Context<never>) => Context.Context<R>
): Effect.Effect<A, E | E2> =>
  Effect.withFiberRuntime((parent, { runtimeFlags }) =>
    Effect.async((resume) => {
      const context = surroundings(parent.currentContext)
      const runtime = Runtime.make({ context, runtimeFlags, fiberRefs: parent.getFiberRefs() })
      // as an exit: a fiber that fails with nobody above it would be logged
      const child = Runtime.runFork(runtime, Effect.exit(self))
      let isLate = false
      const forget = after(limit, Context.get(parent.currentDefaultServices, Clock.Clock), () => {
        isLate = true
        child.unsafeInterruptAsFork(parent.id())
      })
      child.addObserver((exit) => {
        forget()
        resume(isLate ? Effect.failSync(late) : Exit.flatten(exit))
      })
      return Effect.suspend(() => {
        forget()
        return Fiber.interrupt(child)
      })
    })
  )

/** As `withinIn`, in the context that is there. */
export const within = <A, E, E2>(
  self: Effect.Effect<A, E>,
  limit: Duration.Duration,
  late: LazyArg<E2>
): Effect.Effect<A, E | E2> => withinIn(self, limit, late, identity)
