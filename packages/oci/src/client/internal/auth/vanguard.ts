import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"

/** So many go ahead at a time, about as many as a transport has connections. */
const many = 16

interface Vanguard {
  size: number
  readonly heard: Deferred.Deferred<void>
}

/**
 * Where nothing is known, the first requests go ahead and a crowd behind them waits for what the first answer tells: each
 * of a thousand first requests would be refused otherwise. What comes after the first answer does not wait.
 */
export const make = (
  isHeard: (key: string) => boolean,
  hear: (key: string) => void
): (<A, E>(key: string, ahead: Effect.Effect<A, E>, behind: Effect.Effect<A, E>) => Effect.Effect<A, E>) => {
  const all = new Map<string, Vanguard>()
  return (key, ahead, behind) =>
    Effect.suspend(() => {
      if (isHeard(key)) return ahead
      const known = all.get(key)
      if (known !== undefined && known.size >= many) return Effect.zipRight(Deferred.await(known.heard), behind)
      const own = known ?? { size: 0, heard: Deferred.unsafeMake<void>(FiberId.none) }
      own.size++
      all.set(key, own)
      return Effect.onExit(ahead, (exit) => {
        own.size--
        if (!Exit.isInterrupted(exit)) hear(key)
        // who left without an answer has told nothing, unless nobody else is there to tell
        else if (own.size > 0) return Effect.void
        if (all.get(key) === own) all.delete(key)
        return Deferred.succeed(own.heard, undefined)
      })
    })
}
