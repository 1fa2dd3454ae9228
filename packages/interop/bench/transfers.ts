/** Images moved by this library and by others, side by side. */
import * as fs from "node:fs"
import * as Command from "@effect/platform/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Tool from "../src/Tool.js"
import * as Cost from "./cost.js"
import * as Data from "./data.js"
import * as Registries from "./registries.js"
import { median, rotate, type Taken } from "./rounds.js"
import * as Sides from "./sides.js"
import { table } from "./table.js"

/** Where a run has its things. */
export interface Place {
  /** In memory, when there is room. */
  readonly folder: string
  /** The folder of compiled programs. */
  readonly programs: string
}

export interface Plan {
  readonly shapes: ReadonlyArray<Data.Shape>
  readonly servers: ReadonlyArray<Tool.Tool>
  readonly jobs: ReadonlyArray<Sides.Job>
  readonly sides: ReadonlyArray<Sides.Side>
  readonly rounds: number
  readonly warmUp: number
}

export const shapes: ReadonlyArray<Data.Shape> = [
  { name: "1x1GiB", count: 1, size: Data.gibibyte },
  { name: "20x32MiB", count: 20, size: 32 * Data.mebibyte },
  { name: "500x64KiB", count: 500, size: 64 * Data.kibibyte }
]

/** A tenth of each. */
export const quick: ReadonlyArray<Data.Shape> = [
  { name: "1x102MiB", count: 1, size: 102 * Data.mebibyte },
  { name: "20x3MiB", count: 20, size: 3 * Data.mebibyte },
  { name: "50x64KiB", count: 50, size: 64 * Data.kibibyte }
]

export const servers: ReadonlyArray<Tool.Tool> = [Tool.dockerRegistry, Tool.distribution]

/** Nobody's logins, settings and memories: each run begins in a home of its own. */
const homeless = (command: Command.Command, home: string) => {
  fs.rmSync(home, { recursive: true, force: true })
  fs.mkdirSync(home)
  return Command.env(command, {
    HOME: home,
    TMPDIR: home,
    XDG_CACHE_HOME: home,
    XDG_CONFIG_HOME: home,
    XDG_DATA_HOME: home,
    XDG_RUNTIME_DIR: home,
    // skopeo remembers for root in /var/lib where it met blobs, and would not send them again
    _CONTAINERS_ROOTLESS_UID: "1"
  })
}

export interface Arena {
  readonly image: Data.Image
  readonly source: Registries.Registry
  readonly target: Registries.Registry
  readonly folder: string
}

/** Two registries, one of which has the image of a layout. */
export const arena = (server: Tool.Tool, image: Data.Image, { folder, programs }: Place) =>
  Effect.gen(function* () {
    const source = yield* Registries.start(server, `${folder}/source`)
    const target = yield* Registries.start(server, `${folder}/target`)
    yield* Effect.addFinalizer(() => Effect.zipRight(source.wipe, target.wipe))
    const seed = Command.make(process.execPath, `${programs}/hand.mjs`, "push", image.folder, source.reference)
    yield* Cost.of(seed, [])
    const arena: Arena = { image, source, target, folder }
    return arena
  })

/** Does a job once, looks whether all has come, and clears it away. */
export const once = (job: Sides.Job, side: Sides.Side, { folder, image, source, target }: Arena) => {
  const pulled = `${folder}/pulled`
  const [from, to] = {
    pull: [source.reference, pulled] as const,
    push: [image.folder, target.reference] as const,
    copy: [source.reference, target.reference] as const
  }[job]
  const clear = Effect.zipRight(
    target.wipe,
    Effect.sync(() => fs.rmSync(pulled, { recursive: true, force: true }))
  )
  const command = side.command(job, from, to)
  if (command === undefined) return Effect.dieMessage(`${side.name} cannot ${job}`)
  return Effect.gen(function* () {
    const cost = yield* Cost.of(homeless(command, `${folder}/home`), [source.pid, target.pid])
    yield* job === "pull" ? Registries.checkFolder(pulled, image) : Registries.checkRegistry(target, image)
    return cost
  }).pipe(Effect.zipLeft(clear))
}

const middle = (taken: Taken<Cost.Cost>, what: keyof Cost.Cost) => median(taken.rounds.map((cost) => cost[what]))

export const show = (all: ReadonlyArray<Taken<Cost.Cost>>): string => {
  const hand = all.find(({ name }) => name === Sides.hand)
  const ratio = (one: number, other: number | undefined) => (other === undefined ? "" : (one / other).toFixed(2))
  return table(
    ["", "wall s", "from", "to", "x hand", "CPU s", "x hand", "server CPU s", "peak MiB"],
    all.map((taken) => {
      const [wall, cpu] = [middle(taken, "wall"), middle(taken, "cpu")]
      const walls = taken.rounds.map(({ wall }) => wall)
      return [
        taken.name,
        wall.toFixed(2),
        Math.min(...walls).toFixed(2),
        Math.max(...walls).toFixed(2),
        ratio(wall, hand && middle(hand, "wall")),
        cpu.toFixed(2),
        ratio(cpu, hand && middle(hand, "cpu")),
        middle(taken, "server").toFixed(2),
        (middle(taken, "memory") / Data.mebibyte).toFixed(0)
      ]
    })
  )
}

export const run = (plan: Plan, place: Place) =>
  Effect.forEach(
    plan.shapes,
    (shape) =>
      Effect.gen(function* () {
        const layout = `${place.folder}/layout`
        const image = yield* Effect.acquireRelease(
          Effect.sync(() => Data.write(layout, shape)),
          () => Effect.sync(() => fs.rmSync(layout, { recursive: true, force: true }))
        )
        for (const server of plan.servers) {
          const version = yield* server.version
          yield* Effect.gen(function* () {
            const ready = yield* arena(server, image, place)
            for (const job of plan.jobs) {
              const sides = plan.sides.filter(({ command }) => command(job, "", "") !== undefined)
              const taken = yield* rotate(
                sides.map((side) => ({ name: side.name, run: once(job, side, ready) })),
                plan.rounds,
                plan.warmUp
              )
              yield* Console.log(`\n### ${job} ${shape.name}, ${server.name} ${version}\n\n${show(taken)}`)
            }
          }).pipe(Effect.scoped)
        }
      }).pipe(Effect.scoped),
    { discard: true }
  )
