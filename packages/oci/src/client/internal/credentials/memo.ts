import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

interface Slot<A, E> {
  readonly lock: Effect.Semaphore
  /** How many attempts have ended. */
  attempts: number
  /** What the last of them gave, and whether it was made past what is kept. */
  last: { readonly exit: Exit.Exit<A, E>; readonly fresh: boolean; readonly until: number } | undefined
}

/** Answers of a source, kept for a while. */
export interface Memo<A, E> {
  /** The answer for a key: the one that is kept, or what the source gives now. `fresh` asks the source in any case. */
  readonly get: (key: string, source: Effect.Effect<A, E>, fresh?: boolean) => Effect.Effect<A, E>
  readonly clear: Effect.Effect<void>
}

/** How many answers are kept; the oldest goes first. */
const capacity = 1000

/**
 * Keeps answers for some time. However many fibers want the same one, the source is asked once at a time, and all who
 * waited meanwhile share the outcome, also a failure; later ones ask anew after a failure. Whoever asks may be interrupted:
 * the next in line goes on.
 */
export const make = <A, E>(timeToLive: Duration.DurationInput): Memo<A, E> => {
  const slots = new Map<string, Slot<A, E>>()
  const millis = Duration.toMillis(timeToLive)
  const slotOf = (key: string): Slot<A, E> => {
    const known = slots.get(key)
    if (known !== undefined) return known
    const slot: Slot<A, E> = { lock: Effect.unsafeMakeSemaphore(1), attempts: 0, last: undefined }
    const oldest = slots.size < capacity ? undefined : slots.keys().next().value
    if (oldest !== undefined) slots.delete(oldest)
    slots.set(key, slot)
    return slot
  }
  return {
    get: (key, source, fresh = false) =>
      Effect.clockWith((clock) => {
        const slot = slotOf(key)
        const { attempts, last } = slot
        if (!fresh && last !== undefined && clock.unsafeCurrentTimeMillis() < last.until) return last.exit
        const ask = Effect.onExit(source, (exit) =>
          Effect.sync(() => {
            if (Exit.isInterrupted(exit)) return
            slot.attempts++
            slot.last = { exit, fresh, until: Exit.isSuccess(exit) ? clock.unsafeCurrentTimeMillis() + millis : 0 }
          })
        )
        return slot.lock.withPermits(1)(
          Effect.suspend(() =>
            slot.attempts !== attempts && slot.last !== undefined && (slot.last.fresh || !fresh) ? slot.last.exit : ask
          )
        )
      }),
    clear: Effect.sync(() => slots.clear())
  }
}
