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
    const taken = Effect.flatMap(restore(turns.semaphore.take(1)), () =>
      Effect.flatMap(Effect.exit(restore(self)), (exit) => Effect.zipRight(turns.semaphore.release(1), exit))
    )
    return Effect.flatMap(Effect.exit(taken), (exit) => {
      if (--turns.users === 0) all.delete(name)
      return exit
    })
  })
