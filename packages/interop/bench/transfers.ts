/** Images moved by this library and by others, side by side. */
import * as fs from "node:fs"
import * as Command from "@effect/platform/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Tool from "../src/Tool.js"
import * as Cost from "./cost.js"
import * as Data from "./data.js"
import * as Registries from "./registries.js"
import * as Result from "./result.js"
import { rotate } from "./rounds.js"
import type * as Sides from "./sides.js"

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
  /** The side that the others are compared with. */
  readonly base: string
  readonly rounds: number
  readonly warmUp: number
}

/** What starting costs. */
const start: Data.Shape = { name: "1x1KiB", count: 1, size: Data.kibibyte }

export const shapes: ReadonlyArray<Data.Shape> = [
  start,
  { name: "1x1GiB", count: 1, size: Data.gibibyte },
  { name: "20x32MiB", count: 20, size: 32 * Data.mebibyte },
  { name: "500x64KiB", count: 500, size: 64 * Data.kibibyte }
]

/** A tenth of each. */
export const quick: ReadonlyArray<Data.Shape> = [
  start,
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

/** Two registries, one of which has the image of a layout. */
export interface Arena {
  readonly image: Data.Image
  readonly source: Registries.Registry
  readonly target: Registries.Registry
  readonly folder: string
}

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

const image = (shape: Data.Shape, folder: string) =>
  Effect.acquireRelease(
    Effect.sync(() => Data.write(folder, shape)),
    () => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
  )

/** Does all that is planned, and prints what came of each job when it is done, and of all at the end. */
export const run = (plan: Plan, place: Place) =>
  Effect.gen(function* () {
    const results: Array<Result.Result> = []
    const compare = Effect.fn(function* (server: Tool.Tool, shape: Data.Shape, ready: Arena) {
      const version = yield* server.version
      for (const job of plan.jobs) {
        const sides = plan.sides.filter(({ command }) => command(job, "", "") !== undefined)
        const runs = sides.map((side) => ({ name: side.name, run: once(job, side, ready) }))
        const taken = yield* rotate(runs, plan.rounds, plan.warmUp)
        const result = { job, shape: shape.name, server: `${server.name} ${version.replace("v", "")}`, taken }
        results.push(result)
        yield* Console.log(Result.table(result, plan.base))
      }
    })
    for (const shape of plan.shapes) {
      yield* Effect.scoped(
        Effect.flatMap(image(shape, `${place.folder}/layout`), (image) =>
          Effect.forEach(plan.servers, (server) =>
            Effect.scoped(Effect.flatMap(arena(server, image, place), (ready) => compare(server, shape, ready)))
          )
        )
      )
    }
    yield* Console.log(Result.summary(results, plan.base))
    return results
  })
