/**
 * What the library costs, beside hand-written code and the tools of others on the same machine at the same time:
 * docs/performance.md.
 *
 *   pnpm bench                         everything
 *   pnpm bench requests [--check]      small requests; with --check it fails below the share that a call must keep
 *   pnpm bench transfers [WORD ...]    images pulled, pushed and copied; words choose jobs, shapes, servers and sides
 *   --quick                            a tenth of the transfers
 *   --rounds=N                         15 by default for requests, 5 for the others
 */
import { spawnSync } from "node:child_process"
import { parseArgs } from "node:util"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { compile } from "./compile.js"
import { gibibyte } from "./data.js"
import * as Machine from "./machine.js"
import * as Sides from "./sides.js"
import * as Transfers from "./transfers.js"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    check: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    rounds: { type: "string" }
  }
})
const [only, ...words] = positionals

const requests = Effect.gen(function* () {
  const folder = yield* compile("requests", "server")
  const args = [
    ...(values.rounds === undefined ? [] : [`--rounds=${values.rounds}`]),
    ...(values.check ? ["--check"] : [])
  ]
  const { status } = spawnSync(process.execPath, [`${folder}/requests.mjs`, ...args], { stdio: "inherit" })
  if (status !== 0) process.exitCode = 1
})

/** Those that words name, or all when no word names one. */
const chosen = <A>(all: ReadonlyArray<A>, name: (one: A) => string): ReadonlyArray<A> => {
  const named = all.filter((one) => words.includes(name(one)))
  return named.length > 0 ? named : all
}

const transfers = Effect.gen(function* () {
  const programs = yield* compile("programs/ours", "programs/hand")
  const { folder, inMemory } = yield* Machine.place((values.quick ? 1 : 4) * gibibyte)
  const [sides, shapes, servers] = [
    yield* Sides.all(programs),
    values.quick ? Transfers.quick : Transfers.shapes,
    values.quick ? Transfers.servers.slice(-1) : Transfers.servers
  ]
  const known = [...Sides.jobs, ...[...sides, ...shapes, ...servers].map(({ name }) => name)]
  const unknown = words.find((word) => !known.includes(word))
  if (unknown !== undefined) return yield* Effect.dieMessage(`${unknown} is none of ${known.join(", ")}`)
  yield* Console.log(`\n${Machine.describe(inMemory)}`)
  yield* Transfers.run(
    {
      sides: chosen(sides, ({ name }) => name),
      shapes: chosen(shapes, ({ name }) => name),
      servers: chosen(servers, ({ name }) => name),
      jobs: chosen(Sides.jobs, (job) => job),
      rounds: Number(values.rounds ?? (values.quick ? 3 : 5)),
      warmUp: values.quick ? 0 : 1
    },
    { folder, programs }
  )
})

const cases = { requests, transfers }
const wanted = Object.entries(cases).filter(([name]) => only === undefined || only === name)
if (wanted.length === 0) throw new Error(`${only} is none of ${Object.keys(cases).join(", ")}`)

Effect.forEach(wanted, ([, run]) => Effect.scoped(run), { discard: true }).pipe(
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain
)
