/**
 * The tests against the outside world. All they write lies in a folder that is removed, and all they start ends with them.
 * What is not there counts as failed: a test that did not pass, whatever the reason, and a file that could not be run.
 * A run of all of them that passes prints who works with whom, and keeps it in docs/interop.md; another says last what failed.
 */
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { startVitest, type TestModule } from "vitest/node"
import * as Matrix from "./Matrix.js"
import * as Server from "./Server.js"
import * as Tool from "./Tool.js"

const selected = process.argv.slice(2)
const document = fileURLToPath(new URL("../../../docs/interop.md", import.meta.url))

const nameOf = ({ moduleId }: TestModule): string => path.basename(moduleId)

/** Runs the files that are named, or all. */
const tests = Effect.gen(function* () {
  const config = fileURLToPath(new URL("../vitest.config.ts", import.meta.url))
  const vitest = yield* Effect.acquireRelease(
    Effect.promise(() => startVitest("test", selected, { config, watch: false })),
    (vitest) => Effect.promise(() => vitest.close())
  )
  const modules = vitest.state.getTestModules()
  const tests = modules.flatMap((module) => [...module.children.allTests()])
  const unfinished = tests.flatMap((test) => {
    const { state } = test.result()
    return state === "passed" ? [] : [`${nameOf(test.module)} > ${test.fullName} (${state})`]
  })
  const broken = [
    ...(modules.length === 0 ? ["no test has such a name"] : []),
    ...modules.flatMap((module) => module.errors().map(({ message }) => `${nameOf(module)}: ${message}`)),
    ...vitest.state.getUnhandledErrors().map(String)
  ]
  return {
    passed: tests.length - unfinished.length,
    failures: [...unfinished, ...broken],
    cells: Matrix.cells(modules)
  }
})

/** Plain numbers, of what is here. */
const versions = Effect.forEach(Tool.all, ({ name, version }) =>
  version.pipe(
    Effect.map((version) => [[name, version.replace("v", "").replace("+ds1", "")] as const]),
    Effect.orElseSucceed(() => [])
  )
).pipe(Effect.map((named) => new Map(named.flat())))

const main = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "effect-oci-interop-" })
  process.env.TMPDIR = folder
  // nobody's logins and settings
  process.env.HOME = folder
  const { cells, failures, passed } = yield* tests
  if (failures.length > 0) yield* Console.log(["Not passed:", ...failures].join("\n  "))
  else if (selected.length === 0) {
    const text = Matrix.document(cells, Server.all, yield* versions)
    yield* Console.log(text)
    yield* fs.writeFileString(document, text)
  }
  yield* Console.log(`${passed} passed, ${failures.length} failed`)
  process.exitCode = failures.length === 0 ? 0 : 1
}).pipe(Effect.scoped, Effect.provide(NodeContext.layer))

NodeRuntime.runMain(main)
