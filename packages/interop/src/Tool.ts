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

/** A package of Debian or Ubuntu, named like its program. A service that it has is not started, unless systemd does that. */
const debian = (name: string, version = Process.run(name, "--version")): Tool => {
  const root = process.getuid?.() === 0 ? [] : ["sudo", "--non-interactive"]
  const apt = (...args: ReadonlyArray<string>) =>
    Process.run("env", ...root, "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get", ...args)
  return {
    name,
    program: name,
    version: version.pipe(
      // the first word with a dot between digits
      Effect.map((said) => /\b\d+\.\d\S*/.exec(said)?.[0] ?? ""),
      Effect.mapError(() => new ToolMissing({ tool: name }))
    ),
    install: Effect.zipRight(apt("update"), apt("install", "--yes", "--no-install-recommends", name))
  }
}

const bin = fileURLToPath(new URL("../../../.tools/bin", import.meta.url))

/** A program that Go builds from a package, in exactly this version, into a folder of the repository that git ignores. */
const go = (name: string, source: string, version: string): Tool => {
  const program = `${bin}/${source.slice(source.lastIndexOf("/") + 1)}`
  return {
    name,
    program,
    version: Process.run("go", "version", "-m", program).pipe(
      Effect.filterOrFail(
        (said) => {
          const [, path = "", module = ""] = said.split("\n")
          return path === `\tpath\t${source}` && module.startsWith("\tmod\t") && module.includes(`\t${version}\t`)
        },
        () => undefined
      ),
      Effect.mapBoth({ onFailure: () => new ToolMissing({ tool: name }), onSuccess: () => version })
    ),
    install: Process.output(
      Command.make("go", "install", `${source}@${version}`).pipe(Command.env({ GOBIN: bin, GOFLAGS: "" }))
    )
  }
}

export const dockerRegistry: Tool = debian("docker-registry")

export const distribution: Tool = go("distribution", "github.com/distribution/distribution/v3/cmd/registry", "v3.1.2")

export const skopeo: Tool = debian("skopeo")

export const chromium: Tool = debian("chromium")

export const openssl: Tool = debian("openssl", Process.run("openssl", "version"))

/** It says its version where others report errors. */
export const nginx: Tool = debian("nginx", Process.run("sh", "-c", "nginx -v 2>&1"))

export const squid: Tool = debian("squid")

export const crane: Tool = go("crane", "github.com/google/go-containerregistry/cmd/crane", "v0.22.1")

export const oras: Tool = go("oras", "oras.land/oras/cmd/oras", "v1.3.6")

export const regctl: Tool = go("regctl", "github.com/regclient/regclient/cmd/regctl", "v0.11.7")

export const conformance: Tool = go(
  "conformance",
  "github.com/opencontainers/distribution-spec/conformance",
  "v0.0.0-20260831232431-97274622c111"
)

export const all: ReadonlyArray<Tool> = [
  dockerRegistry,
  distribution,
  skopeo,
  chromium,
  openssl,
  nginx,
  squid,
  crane,
  oras,
  regctl,
  conformance
]

/** How a tool is called, once it is known to be here. */
export const program = (tool: Tool): Effect.Effect<string, ToolMissing, CommandExecutor> =>
  Effect.as(tool.version, tool.program)
