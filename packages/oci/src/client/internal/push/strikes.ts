import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/** So many failures in a row are borne. */
const most = 4

/** So much more at the registry, in bytes, makes up for all failures before. */
const enough = 1024 * 1024

/** Any more at all does, after so long without a failure. */
const calm = 60_000

/** In milliseconds: the first wait, and the longest, which a registry may ask for. */
const base = 250
const longest = 300_000

/** Counts the failures in a row of one upload, and waits after each. What moves on is forgiven. */
export class Strikes {
  private count = 0
  /** The most that the registry has had: what was lost and sent again is no progress. */
  private reached = 0
  private at = 0

  /** Waits before another attempt, or fails with this error when there have been too many. */
  readonly after = <E extends object>(error: E, offset: number): Effect.Effect<void, E> =>
    Effect.flatMap(Effect.all([Clock.currentTimeMillis, Random.next]), ([now, random]) => {
      const moved = offset - this.reached
      if (moved >= enough || (moved > 0 && now - this.at >= calm)) this.count = 0
      this.reached = Math.max(this.reached, offset)
      this.at = now
      this.count++
      const told = "retryAfter" in error && typeof error.retryAfter === "number" ? error.retryAfter * 1000 : 0
      if (this.count > most || told > longest) return Effect.fail(error)
      return Effect.sleep(Math.max(told, Math.ceil(base * 2 ** (this.count - 1) * (0.5 + random / 2))))
    })
}
