/** What the library must hold, as ratios from one run. */
import { mebibyte } from "./data.js"
import { middle, type Result } from "./result.js"
import { loop, ours } from "./sides.js"
import { table } from "./table.js"

interface Bar {
  /** Parts of what a result is called. */
  readonly of: string
  /** At most so many times the loop's wall time. */
  readonly wall: number
  /** At most so many times the loop's processor time. */
  readonly cpu?: number
  /** At most so much memory, in MiB. */
  readonly memory?: number
  /** Whose wall time is longer. */
  readonly below: ReadonlyArray<string>
}

const bars: ReadonlyArray<Bar> = [
  { of: "pull 1x1GiB", wall: 1.05, cpu: 1.1, memory: 150, below: ["crane", "oras", "regctl", "skopeo"] },
  { of: "push 1x1GiB, distribution", wall: 1.05, below: ["skopeo", "crane", "oras"] },
  { of: "pull 20x32MiB", wall: 1.1, below: ["skopeo"] },
  { of: "push 20x32MiB", wall: 1.1, below: ["skopeo"] },
  { of: "pull 500x64KiB", wall: 1.25, below: ["skopeo"] },
  { of: "push 500x64KiB", wall: 1.25, below: ["skopeo"] }
]

const judge = ({ job, server, shape, taken }: Result): ReadonlyArray<ReadonlyArray<string>> => {
  const name = `${job} ${shape}, ${server}`
  const bar = bars.find(({ of }) => name.startsWith(of))
  const figure = (side: string, what: "cpu" | "memory" | "wall") => {
    const found = taken.find(({ name }) => name === side)
    return found === undefined ? Number.NaN : middle(found, what)
  }
  if (bar === undefined || Number.isNaN(figure(ours, "wall"))) return []
  const row = (what: string, value: number, most: number, holds = value <= most) =>
    Number.isNaN(value) ? [] : [[name, what, value.toFixed(2), most.toFixed(2), holds ? "yes" : "no"]]
  const ratio = (what: "cpu" | "wall", side: string) => figure(ours, what) / figure(side, what)
  return [
    ...row(`wall, of ${loop}`, ratio("wall", loop), bar.wall),
    ...(bar.cpu === undefined ? [] : row(`CPU, of ${loop}`, ratio("cpu", loop), bar.cpu)),
    ...(bar.memory === undefined ? [] : row("peak MiB", figure(ours, "memory") / mebibyte, bar.memory)),
    ...bar.below.flatMap((side) => row(`wall, of ${side}`, ratio("wall", side), 1, ratio("wall", side) < 1))
  ]
}

/** Which of the bars hold; undefined when no result has one. */
export const verdict = (results: ReadonlyArray<Result>): string | undefined => {
  const rows = results.flatMap(judge)
  return rows.length === 0 ? undefined : `\n### Bars\n\n${table(["", "what", "is", "at most", "holds"], rows)}`
}
