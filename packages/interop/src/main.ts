/**
 * The tests against the outside world. All they write lies in a folder that is removed, and all they start ends with them.
 * What is not there counts as failed: a test that did not pass, whatever the reason, and a file that could not be run.
 */
import { fileURLToPath } from "node:url"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { startVitest } from "vitest/node"

const main = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  process.env.TMPDIR = yield* fs.makeTempDirectoryScoped({ prefix: "effect-oci-interop-" })
  const config = fileURLToPath(new URL("../vitest.config.ts", import.meta.url))
  const vitest = yield* Effect.acquireRelease(
    Effect.promise(() => startVitest("test", process.argv.slice(2), { config, watch: false })),
    (vitest) => Effect.promise(() => vitest.close())
  )
  const files = vitest.state.getTestModules()
  const tests = files.flatMap((file) => [...file.children.allTests()])
  const passed = tests.filter((test) => test.result().state === "passed").length
  const broken = files.filter((file) => file.errors().length > 0).length + vitest.state.getUnhandledErrors().length
  return { passed, failed: tests.length - passed + broken + (files.length === 0 ? 1 : 0) }
}).pipe(
  Effect.scoped,
  Effect.flatMap(({ failed, passed }) => {
    process.exitCode = failed === 0 ? 0 : 1
    return Console.log(`${passed} passed, ${failed} failed`)
  })
)

NodeRuntime.runMain(Effect.provide(main, NodeFileSystem.layer))
