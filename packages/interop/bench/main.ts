/**
 * What the library costs, beside hand-written code on the same machine at the same time: docs/performance.md.
 *
 *   pnpm bench                      everything
 *   pnpm bench requests [--check]   small requests; with --check it fails below the share that a call must keep
 *   pnpm bench pull                 a large blob
 *   --rounds=N                      15 by default, 5 for the blob
 */
import { parseArgs } from "node:util"
import { pull } from "./pull.js"
import { requests } from "./requests.js"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { check: { type: "boolean", default: false }, rounds: { type: "string" } }
})
const rounds = (usual: number) => Number(values.rounds ?? usual)
const wanted = (name: string) => positionals.length === 0 || positionals.includes(name)

if (wanted("requests") && !(await requests(rounds(15))) && values.check) process.exitCode = 1
if (wanted("pull")) await pull(rounds(5))
