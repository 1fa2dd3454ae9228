import * as Effect from "effect/Effect"

/** One way of doing the same work, and what doing it once takes. */
export interface Side<A, E = never, R = never> {
  readonly name: string
  readonly run: Effect.Effect<A, E, R>
}

/** What the rounds of a side took. */
export interface Taken<A> {
  readonly name: string
  readonly rounds: ReadonlyArray<A>
}

/** Lets the sides take turns, each round beginning with another one: whatever else the machine does meets all of them. */
export const rotate = <A, E, R>(
  sides: ReadonlyArray<Side<A, E, R>>,
  rounds: number,
  warmUp = 1
): Effect.Effect<ReadonlyArray<Taken<A>>, E, R> =>
  Effect.gen(function* () {
    const all = sides.map(({ name, run }) => ({ name, run, rounds: [] as A[] }))
    for (let round = 0; round < warmUp + rounds; round++) {
      const first = round % all.length
      for (const side of [...all.slice(first), ...all.slice(0, first)]) {
        const taken = yield* side.run
        if (round >= warmUp) side.rounds.push(taken)
      }
    }
    return all
  })

export const median = (numbers: ReadonlyArray<number>): number =>
  [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN
