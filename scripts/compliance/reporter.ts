/** Writes docs/compliance.md when every test of every project has run and passed. */
import * as fs from "node:fs"
import * as path from "node:path"
import type { Reporter, TestCase, TestModule, TestSuite } from "vitest/node"
import { root } from "../packages.js"
import { compose, type Held } from "./document.js"

/** A folder with a configuration of its own is tested by another command. */
const files: ReadonlyArray<string> = [
  "docs",
  ...fs.readdirSync(path.join(root, "packages")).map((name) => `packages/${name}`)
]
  .map((folder) => path.join(root, folder))
  .filter((folder) => fs.existsSync(path.join(folder, "test")) && !fs.existsSync(path.join(folder, "vitest.config.ts")))
  .map((folder) => path.join(folder, "test"))
  .flatMap((folder) =>
    fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) => path.join(folder, file))
  )
  .filter((file) => file.endsWith(".test.ts"))

const titlesOf = (test: TestCase | TestSuite): ReadonlyArray<string> =>
  test.parent.type === "module" ? [test.name] : [...titlesOf(test.parent), test.name]

export default class ComplianceReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, errors: ReadonlyArray<unknown>, reason: string): void {
    const ran = new Set(modules.map(({ moduleId }) => path.normalize(moduleId)))
    if (reason !== "passed" || errors.length > 0 || !files.every((file) => ran.has(file))) return
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const left = tests.filter((test) => test.result().state !== "passed")
    if (left.length > 0) {
      console.log(`docs/compliance.md is as it was: ${left.length} tests did not run`)
      return
    }
    const held = tests
      .map(
        (test): Held => ({
          file: path.relative(root, test.module.moduleId).split(path.sep).join("/"),
          titles: titlesOf(test)
        })
      )
      // what the embedded registry does is no behaviour of the client
      .filter(({ file }) => !file.startsWith("packages/registry/"))
    const { text, unknown } = compose(held)
    fs.writeFileSync(path.join(root, "docs/compliance.md"), text)
    if (unknown.length > 0) {
      console.error(`Numbers that scripts/compliance does not know: ${unknown.join(", ")}`)
      process.exitCode = 1
    }
  }
}
