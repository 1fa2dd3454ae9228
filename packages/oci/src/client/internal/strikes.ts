import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/** So many failures in a row are waited after, and borne; and so many at all. */
const most = { inARow: 4, atAll: 1000 }

/** So much more, in bytes, makes up for all failures before. */
const enough = 1024 * 1024

/** Any more at all does, after so long without a failure. */
const calm = 60_000

/** In milliseconds: the first wait, and the longest, which a registry may ask for. */
const base = 250
const longest = 300_000

/** Counts the failures in a row of one transfer, and waits after each. What moves on is forgiven. */
export class Strikes {
  private count = 0
  private all = 0
  /** The furthest that the transfer has come: what was lost and is sent again is no progress. */
  private reached = 0
  private at = 0
  private readonly free: number

  /** The first failure in a row may be free: nothing is waited for then. */
  constructor(options?: { readonly firstIsFree: boolean }) {
    this.free = options?.firstIsFree === true ? 1 : 0
  }

  /** Waits before another attempt, or fails with this error when there have been too many. */
  readonly after = <E extends object>(error: E, offset: number): Effect.Effect<void, E> =>
    Effect.flatMap(Effect.all([Clock.currentTimeMillis, Random.next]), ([now, random]) => {
      const moved = offset - this.reached
      if (moved >= enough || (moved > 0 && now - this.at >= calm)) this.count = 0
      this.reached = Math.max(this.reached, offset)
      this.at = now
      const waits = ++this.count - this.free
      const told = "retryAfter" in error && typeof error.retryAfter === "number" ? error.retryAfter * 1000 : 0
      if (waits > most.inARow || ++this.all > most.atAll || told > longest) return Effect.fail(error)
      const wait = waits === 0 ? 0 : Math.ceil(base * 2 ** (waits - 1) * (0.5 + random / 2))
      return wait === 0 && told === 0 ? Effect.void : Effect.sleep(Math.max(told, wait))
    })
}
