import * as Effect from "effect/Effect"
import { globalValue } from "effect/GlobalValue"

interface Turns {
  readonly semaphore: Effect.Semaphore
  /** How many hold it or wait for it. */
  users: number
}

const all = globalValue("effect-oci/blobs/turns", () => new Map<string, Turns>())

/** Runs effects of one name one after the other. */
export const take = <A, E, R>(name: string, self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) => {
    const turns = all.get(name) ?? { semaphore: Effect.unsafeMakeSemaphore(1), users: 0 }
    turns.users++
    all.set(name, turns)
    return Effect.flatMap(Effect.exit(restore(turns.semaphore.withPermits(1)(self))), (exit) => {
      if (--turns.users === 0) all.delete(name)
      return exit
    })
  })
