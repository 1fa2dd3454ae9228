/** What came of a comparison, and how it is shown. */
import * as Arr from "effect/Array"
import type { Cost } from "./cost.js"
import { mebibyte } from "./data.js"
import { median, type Taken } from "./rounds.js"
import type { Job } from "./sides.js"
import * as Table from "./table.js"

/** What sides took for a job. */
export interface Result {
  readonly job: Job
  readonly shape: string
  readonly server: string
  readonly taken: ReadonlyArray<Taken<Cost>>
}

export const middle = (taken: Taken<Cost>, what: keyof Cost): number => median(taken.rounds.map((cost) => cost[what]))

const ratioTo = (taken: Result["taken"], base: string, side: Taken<Cost>, what: "cpu" | "wall"): string => {
  const to = taken.find(({ name }) => name === base)
  return to === undefined ? "" : (middle(side, what) / middle(to, what)).toFixed(2)
}

/** A result as a table, with ratios to one of its sides. */
export const table = ({ job, server, shape, taken }: Result, base: string): string => {
  const ratio = (side: Taken<Cost>, what: "cpu" | "wall") => ratioTo(taken, base, side, what)
  const rows = taken.map((side) => {
    const walls = side.rounds.map(({ wall }) => wall)
    return [
      side.name,
      middle(side, "wall").toFixed(2),
      `${Math.min(...walls).toFixed(2)} to ${Math.max(...walls).toFixed(2)}`,
      ratio(side, "wall"),
      middle(side, "cpu").toFixed(2),
      ratio(side, "cpu"),
      middle(side, "server").toFixed(2),
      (middle(side, "memory") / mebibyte).toFixed(0)
    ]
  })
  const head = ["", "wall s", "range", `x ${base}`, "CPU s", `x ${base}`, "server CPU s", "peak MiB"]
  return `\n### ${job} ${shape}, ${server}\n\n${Table.table(head, rows)}`
}

/** Who did what at a glance: wall time, how many times that of one side it is, processor time and memory. */
export const summary = (results: ReadonlyArray<Result>, base: string): string => {
  const parts = Arr.groupBy(results, ({ job, server }) => `${job}, ${server}: s (x ${base}), CPU s, peak MiB`)
  const tables = Object.entries(parts).map(([title, results]) => {
    const names = Arr.dedupe(results.flatMap(({ taken }) => taken.map(({ name }) => name)))
    const rows = names.map((name) => [
      name,
      ...results.map(({ taken }) => {
        const side = taken.find((one) => one.name === name)
        if (side === undefined) return ""
        const [wall, cpu] = [middle(side, "wall").toFixed(2), middle(side, "cpu").toFixed(2)]
        const memory = (middle(side, "memory") / mebibyte).toFixed(0)
        return `${wall} (${ratioTo(taken, base, side, "wall")}), ${cpu}, ${memory}`
      })
    ])
    return `\n### ${title}\n\n${Table.table(["", ...results.map(({ shape }) => shape)], rows)}`
  })
  return tables.join("\n")
}
