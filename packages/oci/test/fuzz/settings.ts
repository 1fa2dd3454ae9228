/**
 * How long and from where the fuzzing runs. `pnpm test` takes a few runs from a fixed seed; `FUZZ_RUNS` asks for more of each
 * property, and then a seed is drawn and printed, so that `FUZZ_SEED` can play the same again.
 */
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Runtime from "effect/Runtime"

const number = (text: string | undefined): number | undefined =>
  text !== undefined && /^-?\d{1,10}$/.test(text) ? Number(text) : undefined

const asked = number(process.env.FUZZ_RUNS)

const seed = number(process.env.FUZZ_SEED) ?? (asked === undefined ? 20_251 : Date.now() % 2 ** 31)

const numRuns = asked ?? 150

if (asked !== undefined) console.log(`FUZZ_SEED=${seed} FUZZ_RUNS=${numRuns}`)

/** What every property runs under: so many runs, and time enough for them on a machine that is busy. */
export const fuzz = { fastCheck: { seed, numRuns }, timeout: 60_000 + numRuns * 100 }

/**
 * A property of effects as one effect, whose services all its runs share: to set them up for each would take most of the
 * time. Of runs that are slow, a share is taken.
 */
export const everyRun = <A, E, R>(
  arbitrary: FastCheck.Arbitrary<A>,
  run: (value: A) => Effect.Effect<void, E, R>,
  share = 1
): Effect.Effect<void, never, R> =>
  Effect.flatMap(Effect.runtime<R>(), (runtime) =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(arbitrary, (value) => Runtime.runPromise(runtime)(run(value))),
        { seed, numRuns: Math.ceil(numRuns * share) }
      )
    )
  )
