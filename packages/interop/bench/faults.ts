/** An image of one layer pushed and pulled through a proxy that breaks what goes through it. */
import * as fs from "node:fs"
import * as Command from "@effect/platform/Command"
import * as Effect from "effect/Effect"
import * as FaultProxy from "../src/FaultProxy.js"
import * as Tool from "../src/Tool.js"
import * as Cost from "./cost.js"
import * as Data from "./data.js"
import * as Registries from "./registries.js"
import type { Place } from "./transfers.js"

/** One with some of each kind. */
const seed = 1

/** What a transfer took. */
export interface Taken {
  readonly job: "push" | "pull"
  readonly faults: ReadonlyArray<FaultProxy.Fault>
  /** How often each byte went through the proxy, on average. */
  readonly times: number
  /** The most memory of the client, in bytes. */
  readonly memory: number
  /** In seconds. */
  readonly wall: number
  /** How many uploads the registry has not ended. */
  readonly sessions: number
}

export const memory = ({ memory }: Taken): string => `${(memory / Data.mebibyte).toFixed(0)} MiB of memory`

export const describe = (taken: Taken): string => {
  const { faults, job, sessions, times, wall } = taken
  const kinds = FaultProxy.kinds.map((kind) => `${faults.filter((fault) => fault === kind).length} ${kind}`)
  const moved = `each byte went ${times.toFixed(4)} times, ${memory(taken)}`
  return `${job} in ${wall.toFixed(1)} s through ${faults.length} faults (${kinds.join(", ")}): ${moved}, ${sessions} uploads left open`
}

/** Pushes a layer of that size through so many faults, pulls it through as many, and looks whether all has come. */
export const run = (size: number, count: number, place: Place) =>
  Effect.gen(function* () {
    const { programs } = place
    const folder = fs.mkdtempSync(`${place.folder}/faults-`)
    const image = Data.write(`${folder}/layout`, { name: "", count: 1, size })
    const storage = `${folder}/registry`
    const registry = yield* Registries.start(Tool.distribution, storage)
    const uploads = `${storage}/docker/registry/v2/repositories/bench/app/_uploads`
    const [host = "", ...path] = registry.reference.split("/")

    const moved = (job: Taken["job"], command: (reference: string) => ReadonlyArray<string>) =>
      Effect.gen(function* () {
        const proxy = yield* FaultProxy.make(host, FaultProxy.plan(seed, count, size))
        const args = command([proxy.host, ...path].join("/"))
        const cost = yield* Cost.of(
          Command.make(process.execPath, `${programs}/ours.mjs`, job, ...args, "--impatient"),
          []
        )
        const { faults, moved } = proxy.seen
        const { memory, wall } = cost
        const taken: Taken = {
          job,
          faults,
          times: moved / size,
          memory,
          wall,
          sessions: fs.readdirSync(uploads).length
        }
        return taken
      }).pipe(Effect.scoped)

    const pushed = yield* moved("push", (reference) => [image.folder, reference])
    yield* Registries.checkRegistry(registry, image)
    const pulled = yield* moved("pull", (reference) => [reference, `${folder}/pulled`])
    yield* Registries.checkFolder(`${folder}/pulled`, image)
    return [pushed, pulled] as const
  })
