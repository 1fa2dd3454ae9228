import * as Command from "@effect/platform/Command"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import type * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as RegistryStorage from "@effect-oci/registry/RegistryStorage"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Process from "../src/Process.js"
import * as Server from "../src/Server.js"
import * as Tool from "../src/Tool.js"

/** What the program has written down of a run. */
interface Results {
  readonly tests: number
  readonly failures: number
  readonly errors: number
  readonly skipped: number
  readonly disabled: number
  /** The cases that did not pass. */
  readonly others: ReadonlyArray<string>
  /** What each API and kind of content came to. */
  readonly summary: ReadonlyMap<string, string>
}

const results = (junit: string, yaml: string): Results => {
  const totals = /<testsuite [^>]*>/.exec(junit)?.[0] ?? ""
  const total = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(totals)?.[1] ?? 0)
  const cases = junit.matchAll(/<testcase name="([^"]*)"[^>]* status="([^"]*)"/g)
  return {
    tests: total("tests"),
    failures: total("failures"),
    errors: total("errors"),
    skipped: total("skipped"),
    disabled: total("disabled"),
    others: [...cases].flatMap(([, name, status]) => (status === "passed" ? [] : [`${status}: ${name}`])),
    summary: new Map(
      Array.from(
        yaml.slice(yaml.indexOf("\napis:")).matchAll(/^ {2}(\w[^:\n]*): (\w+)$/gm),
        ([, name = "", result = ""]) => [name, result]
      )
    )
  }
}

const users = { me: "s3cret: with a colon" }

interface Run {
  readonly version: string
  /** What this version of the specification does not have yet is disabled in the program. */
  readonly absent: ReadonlyArray<string>
  readonly auth?: RegistryServer.Auth
  /** Whether it keeps what it has on disk. */
  readonly disk?: boolean
}

const inFolder = Layer.unwrapScoped(
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return RegistryStorage.layerDisk(yield* fs.makeTempDirectoryScoped())
  })
)

/** Runs the specification's own tests against the embedded registry, over a socket. */
const conformance = ({ auth, disk, version }: Run) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped()
    yield* Command.make(yield* Tool.program(Tool.conformance)).pipe(
      Command.workingDirectory(folder),
      Command.env({
        OCI_REGISTRY: yield* Server.Host,
        OCI_TLS: "disabled",
        OCI_VERSION: version,
        OCI_DATA_SPARSE: "true",
        OCI_RESULTS_DIR: folder,
        ...(auth === undefined ? {} : { OCI_USERNAME: "me", OCI_PASSWORD: users.me })
      }),
      Process.output,
      // a test has failed; which one, the results say
      Effect.catchIf(
        ({ code }) => code === 1,
        () => Effect.void
      )
    )
    return results(yield* fs.readFileString(`${folder}/junit.xml`), yield* fs.readFileString(`${folder}/results.yaml`))
  }).pipe(
    Effect.scoped,
    Effect.provide(
      Layer.provide(Server.embeddedWith({ sparse: true, auth }), disk ? inFolder : RegistryStorage.layerMemory)
    ),
    Effect.provide(NodeContext.layer)
  )

const runs: ReadonlyArray<Run> = [
  { version: "1.1", absent: ["Blob upload cancel", "Manifest put with tag params", "Tag Param", "Tag Param sha512"] },
  { version: "dev", absent: [] },
  { version: "dev", absent: [], disk: true },
  { version: "dev", absent: [], auth: { type: "basic", users } },
  { version: "dev", absent: [], auth: { type: "token", users } }
]

describe("the specification's conformance tests on the embedded registry", () => {
  for (const run of runs) {
    const { absent, auth, disk, version } = run
    const signedIn = `${disk ? " on disk" : ""}${auth === undefined ? "" : ` and ${auth.type} authentication`}`
    it.live(`pass with OCI_VERSION=${version}${signedIn}, none left out`, () =>
      Effect.gen(function* () {
        const { disabled, errors, failures, others, skipped, summary, tests } = yield* conformance(run)
        yield* Console.log(
          `conformance ${version}${signedIn}: ${tests - failures - errors - skipped - disabled} cases passed, ${failures + errors} failed, ` +
            `${skipped} skipped, ${disabled} disabled`
        )
        assert.deepStrictEqual({ failures, errors, skipped }, { failures: 0, errors: 0, skipped: 0 }, others.join("\n"))
        assert.isAbove(tests, 850)
        assert.strictEqual(others.length, disabled)
        assert.deepStrictEqual(
          [...summary].filter(([, result]) => result !== "Pass"),
          absent.map((name) => [name, "Disabled"])
        )
        assert.isAbove(summary.size, 45)
      })
    )
  }
})
