/** What a run stands on. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as Effect from "effect/Effect"
import { gibibyte } from "./data.js"

/** A folder of this run, in memory when there is room for so many bytes, so that the disk's mood stays out. */
export const place = (room: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const memory = "/dev/shm"
      const free = fs.existsSync(memory) ? fs.statfsSync(memory) : { bavail: 0, bsize: 0 }
      // some is left to those who run
      const inMemory = free.bavail * free.bsize >= room && os.freemem() >= room + 2 * gibibyte
      return { inMemory, folder: fs.mkdtempSync(`${inMemory ? memory : os.tmpdir()}/effect-oci-bench-`) }
    }),
    ({ folder }) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
  )

/** The machine, in a line. */
export const describe = (inMemory: boolean): string =>
  [
    `${os.cpus().length} cores that clients and servers share (${os.cpus()[0]?.model ?? os.arch()})`,
    `${(os.totalmem() / gibibyte).toFixed(0)} GiB of memory`,
    `${os.type()} ${os.release().split("-")[0]}`,
    `Node ${process.versions.node}`,
    `storage and files ${inMemory ? "in memory" : "on disk"}`
  ].join(", ")
