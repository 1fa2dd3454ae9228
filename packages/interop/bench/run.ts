/**
 * What the library costs, beside hand-written code and the tools of others on the same machine at the same time:
 * docs/performance.md.
 *
 *   pnpm bench                         everything
 *   pnpm bench requests [--check]      small requests; with --check it fails below the share that a call must keep
 *   pnpm bench transfers [WORD ...]    images pulled, pushed and copied; words choose jobs, shapes, servers and sides
 *   pnpm bench flatness                the memory of one layer of 64 MiB, 1 GiB and 4 GiB
 *   pnpm bench progress                what counting costs
 *   pnpm bench ranges                  one layer of 1 GiB by several ranges at a time
 *   pnpm bench hashing                 how fast bytes are hashed, in Chromium and in Node
 *   pnpm bench faults                  the same through a proxy that breaks connections
 *   --quick                            less of it: a tenth of the transfers, and no layer of 4 GiB
 *   --rounds=N                         15 by default for requests, 3 for flatness, 5 for the others
 */
import { spawnSync } from "node:child_process"
import { parseArgs } from "node:util"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Tool from "../src/Tool.js"
import { verdict } from "./bars.js"
import { compile } from "./compile.js"
import { gibibyte, mebibyte } from "./data.js"
import * as Faults from "./faults.js"
import * as Hashing from "./hashing/hashing.js"
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

/** A place with room for three times so many bytes, and what stands there. */
const place = Effect.fn(function* (bytes: number) {
  const programs = yield* compile("programs/ours", "programs/hand", "programs/azure")
  const { folder, inMemory } = yield* Machine.place(3 * bytes)
  yield* Console.log(`\n${Machine.describe(inMemory)}`)
  return { folder, programs }
})

const transfers = Effect.gen(function* () {
  const { folder, programs } = yield* place((values.quick ? 0.2 : 1) * gibibyte)
  const sides = yield* Sides.all(programs)
  const shapes = values.quick ? Transfers.quick : Transfers.shapes
  const servers = values.quick ? [Tool.distribution] : Transfers.servers
  const known = [...Sides.jobs, ...[...sides, ...shapes, ...servers].map(({ name }) => name)]
  const unknown = words.find((word) => !known.includes(word))
  if (unknown !== undefined) return yield* Effect.dieMessage(`${unknown} is none of ${known.join(", ")}`)
  const versions = sides.flatMap(({ name, version }) => (version === undefined ? [] : [`${name} ${version}`]))
  yield* Console.log(versions.join(", "))
  const results = yield* Transfers.run(
    {
      sides: chosen(sides, ({ name }) => name),
      base: Sides.loop,
      shapes: chosen(shapes, ({ name }) => name),
      servers: chosen(servers, ({ name }) => name),
      jobs: chosen(Sides.jobs, (job) => job),
      rounds: Number(values.rounds ?? (values.quick ? 3 : 5)),
      warmUp: values.quick ? 0 : 1
    },
    { folder, programs }
  )
  const bars = verdict(results)
  if (bars !== undefined) yield* Console.log(bars)
})

const layer = (name: string, size: number) => ({ name: `1x${name}`, count: 1, size })

/** This library beside itself, with other options. */
const variants = (jobs: ReadonlyArray<Sides.Job>, options: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const [shape, size] = values.quick ? (["102MiB", 102 * mebibyte] as const) : (["1GiB", gibibyte] as const)
    const at = yield* place(size)
    yield* Transfers.run(
      {
        sides: [[], ...options.map((option) => [option])].map((given) => Sides.variant(at.programs, ...given)),
        base: Sides.ours,
        shapes: [layer(shape, size)],
        servers: [Tool.distribution],
        jobs,
        rounds: Number(values.rounds ?? 5),
        warmUp: 1
      },
      at
    )
  })

const progress = variants(["pull", "push"], ["--progress"])
const ranges = variants(["pull"], ["--ranges=2", "--ranges=4"])

const flatness = Effect.gen(function* () {
  const most = values.quick ? gibibyte : 4 * gibibyte
  const shapes = [layer("64MiB", 64 * mebibyte), layer("1GiB", gibibyte), layer("4GiB", 4 * gibibyte)]
  const at = yield* place(most)
  yield* Transfers.run(
    {
      sides: [Sides.variant(at.programs)],
      base: Sides.ours,
      shapes: shapes.filter(({ size }) => size <= most),
      servers: [Tool.distribution],
      jobs: ["pull", "push"],
      rounds: Number(values.rounds ?? 3),
      warmUp: 0
    },
    at
  )
})

const hashing = Hashing.run(Number(values.rounds ?? 5))

const faults = Effect.gen(function* () {
  const size = (values.quick ? 0.1 : 1) * gibibyte
  for (const taken of yield* Faults.run(size, 32, yield* place(size))) yield* Console.log(Faults.describe(taken))
})

const cases = { requests, transfers, flatness, progress, ranges, faults, hashing }
const wanted = Object.entries(cases).filter(([name]) => only === undefined || only === name)
if (wanted.length === 0) throw new Error(`${only} is none of ${Object.keys(cases).join(", ")}`)

Effect.forEach(wanted, ([, run]) => Effect.scoped(run), { discard: true }).pipe(
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain
)
