/** One way of doing the same work. */
export interface Side {
  readonly name: string
  readonly run: () => Promise<unknown>
}

/** What the rounds of a side took, in milliseconds. */
export interface Taken {
  readonly name: string
  readonly wall: ReadonlyArray<number>
  /** Processor time of this process. */
  readonly cpu: ReadonlyArray<number>
}

const timed = async (work: () => Promise<unknown>) => {
  const before = process.cpuUsage()
  const begun = performance.now()
  await work()
  const wall = performance.now() - begun
  const { system, user } = process.cpuUsage(before)
  return { wall, cpu: (user + system) / 1000 }
}

/** Lets the sides take turns, each round beginning with another one: whatever else the machine does meets all of them. */
export const rotate = async (sides: ReadonlyArray<Side>, rounds: number, warmUp = 1): Promise<ReadonlyArray<Taken>> => {
  const all = sides.map(({ name, run }) => ({ name, run, wall: [] as number[], cpu: [] as number[] }))
  for (let round = 0; round < warmUp + rounds; round++) {
    const first = round % all.length
    for (const side of [...all.slice(first), ...all.slice(0, first)]) {
      const { cpu, wall } = await timed(side.run)
      if (round < warmUp) continue
      side.wall.push(wall)
      side.cpu.push(cpu)
    }
  }
  return all
}

export const median = (numbers: ReadonlyArray<number>): number =>
  [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN
