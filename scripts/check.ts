/** Everything that can be known without running the code. One line per step; the output of those that fail. */
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import * as path from "node:path"
import { root } from "./packages.js"

// the slow ones first: two run at a time
const steps: ReadonlyArray<readonly [name: string, ...command: ReadonlyArray<string>]> = [
  ["types and Effect diagnostics", "tsx", "scripts/types.ts"],
  ["types of packages/oci without Node", "tsc", "--project", "packages/oci", "--noEmit"],
  ["regular expressions", "tsx", "scripts/regexps.ts"],
  ["bundles for the browser", "tsx", "scripts/bundle.ts"],
  ["format and lint", "biome", "check", "--error-on-warnings"],
  ["exports", "tsx", "scripts/codegen.ts", "--check"],
  ["quotes in documents", "tsx", "scripts/quotes.ts", "--check"]
]

const run = ([name, command = "", ...args]: (typeof steps)[number]): Promise<boolean> =>
  new Promise((resolve) => {
    const started = Date.now()
    const child = spawn(path.join(root, "node_modules/.bin", command), args, {
      cwd: root,
      shell: process.platform === "win32",
      stdio: ["ignore", "pipe", "pipe"]
    })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text))
    const end = (passed: boolean): void => {
      const seconds = `${((Date.now() - started) / 1000).toFixed(1)} s`
      const says = passed ? (output.trim().split("\n").pop() ?? "") : `\n${output.trimEnd()}\n`
      console.log(`${passed ? "ok  " : "FAIL"} ${seconds.padStart(7)}  ${name}${says === "" ? "" : `: ${says}`}`)
      resolve(passed)
    }
    child.on("error", (error) => {
      output += error.message
      end(false)
    })
    child.on("close", (code) => end(code === 0))
  })

const queue = steps.filter(([, , script = ""]) => !script.startsWith("scripts/") || existsSync(path.join(root, script)))
const total = queue.length
let passed = 0
const worker = async (): Promise<void> => {
  for (let step = queue.shift(); step !== undefined; step = queue.shift()) if (await run(step)) passed++
}
await Promise.all([worker(), worker()])
console.log(`${passed} of ${total} checks passed`)
process.exitCode = passed === total ? 0 : 1
