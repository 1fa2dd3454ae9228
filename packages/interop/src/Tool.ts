/**
 * The programs of others that the tests need: where they are, and how they are had.
 */
import { fileURLToPath } from "node:url"
import * as Command from "@effect/platform/Command"
import type { CommandExecutor } from "@effect/platform/CommandExecutor"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Process from "./Process.js"

export interface Tool {
  readonly name: string
  /** How it is called. */
  readonly program: string
  /** Which version is here, if it is one that will do. */
  readonly version: Effect.Effect<string, ToolMissing, CommandExecutor>
  readonly install: Effect.Effect<unknown, Process.ProcessFailed, CommandExecutor>
}

/** A program that is not here, or not in the right version. */
export class ToolMissing extends Data.TaggedError("ToolMissing")<{ readonly tool: string }> {
  override get message(): string {
    return `${this.tool} is not on this machine: run pnpm tools`
  }
}

/** A package of Debian or Ubuntu, named like its program. */
const debian = (name: string): Tool => {
  const root = process.getuid?.() === 0 ? [] : ["sudo", "--non-interactive"]
  const apt = (...args: ReadonlyArray<string>) =>
    Process.run("env", ...root, "DEBIAN_FRONTEND=noninteractive", "apt-get", ...args)
  return {
    name,
    program: name,
    version: Process.run(name, "--version").pipe(
      // the last word of what it says
      Effect.map((said) => said.trim().split(" ").at(-1) ?? ""),
      Effect.mapError(() => new ToolMissing({ tool: name }))
    ),
    install: Effect.zipRight(apt("update"), apt("install", "--yes", "--no-install-recommends", name))
  }
}

const bin = fileURLToPath(new URL("../../../.tools/bin", import.meta.url))

/** A program that Go builds from a module, in exactly this version, into a folder of the repository that git ignores. */
const go = (name: string, module: string, version: string): Tool => ({
  name,
  program: `${bin}/${name}`,
  version: Process.run("go", "version", "-m", `${bin}/${name}`).pipe(
    Effect.filterOrFail(
      (said) => said.includes(`\t${module}\t${version}\t`),
      () => undefined
    ),
    Effect.mapBoth({ onFailure: () => new ToolMissing({ tool: name }), onSuccess: () => version })
  ),
  install: Process.output(
    Command.make("go", "install", `${module}@${version}`).pipe(Command.env({ GOBIN: bin, GOFLAGS: "" }))
  )
})

export const dockerRegistry: Tool = debian("docker-registry")

export const skopeo: Tool = debian("skopeo")

export const conformance: Tool = go(
  "conformance",
  "github.com/opencontainers/distribution-spec/conformance",
  "v0.0.0-20260831232431-97274622c111"
)

export const all: ReadonlyArray<Tool> = [dockerRegistry, skopeo, conformance]

/** How a tool is called, once it is known to be here. */
export const program = (tool: Tool): Effect.Effect<string, ToolMissing, CommandExecutor> =>
  Effect.as(tool.version, tool.program)
