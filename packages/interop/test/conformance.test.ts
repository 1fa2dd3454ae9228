import * as Command from "@effect/platform/Command"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Process from "../src/Process.js"
import * as Tool from "../src/Tool.js"
import { embedded, Host } from "./servers.js"

/** What the program found, as it writes it down itself. */
interface Results {
  /** The cases by what became of them. */
  readonly cases: Readonly<Record<string, ReadonlyArray<string>>>
  /** The summary of each API and kind of content, such as `Blob chunked: Pass`. */
  readonly summary: ReadonlyArray<string>
}

/** Runs the specification's own tests against the registry. */
const conformance = (version: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped()
    const program = yield* Tool.program(Tool.conformance)
    yield* Command.make(program).pipe(
      Command.workingDirectory(folder),
      Command.env({
        OCI_REGISTRY: yield* Host,
        OCI_TLS: "disabled",
        OCI_VERSION: version,
        OCI_DATA_SPARSE: "true",
        OCI_RESULTS_DIR: folder
      }),
      Process.output,
      // it says by its exit code too that a test failed; which one, it says in its results
      Effect.catchIf(
        ({ code }) => code === 1,
        () => Effect.void
      )
    )
    const junit = yield* fs.readFileString(`${folder}/junit.xml`)
    const yaml = yield* fs.readFileString(`${folder}/results.yaml`)
    const cases = Array.from(junit.matchAll(/<testcase name="([^"]*)"[^>]* status="([^"]*)"/g), ([, name, status]) => ({
      name: name ?? "",
      status: status ?? ""
    }))
    const results: Results = {
      cases: Arr.groupBy(cases, ({ status }) => status) ,
      summary: yaml.slice(yaml.indexOf("\napis:")).split("\n")
    }
    yield* Console.log(results.summary.join("\n"), Object.entries(results.cases).map(([k, v]) => [k, v.length]), junit.slice(0, 200))
    return results
  }).pipe(Effect.scoped, Effect.provide([embedded({ sparse: true }), NodeContext.layer]))

describe("the specification's conformance tests", () => {
  for (const version of ["1.1", "dev"]) {
    it.live(`OCI_VERSION=${version}`, () => conformance(version))
  }
})
