/**
 * The tools of others that speak to registries, by what the tests want of them. Content comes from and goes to OCI layouts,
 * byte for byte. References have the registry in them: `127.0.0.1:5000/org/app:1`.
 */
import type { CommandExecutor } from "@effect/platform/CommandExecutor"
import * as Effect from "effect/Effect"
import type { ParseError } from "effect/ParseResult"
import * as Process from "./Process.js"
import * as Tool from "./Tool.js"

/** What a tool is asked to do. */
export type Run<A> = Effect.Effect<A, Process.ProcessFailed | Tool.ToolMissing | ParseError, CommandExecutor>

/** How images are moved: `A` is what comes of it. */
export interface Moves<A> {
  /** Pushes what the layout in a folder names `1`. */
  readonly push: (folder: string, target: string) => A
  /** Adds to the layout in a folder, which may have nothing in it yet. */
  readonly pull: (source: string, folder: string) => A
  readonly copy: (source: string, target: string) => A
}

/** A tool that moves images, and with which arguments. */
export interface Mover {
  readonly tool: Tool.Tool
  readonly args: Moves<ReadonlyArray<string>>
}

export interface Client extends Mover, Moves<Run<unknown>> {
  /** As `pull`, with all that refers to it. */
  readonly pullWithReferrers?: (source: string, folder: string) => Run<unknown>
  readonly tags: (repository: string) => Run<ReadonlyArray<string>>
  readonly repositories?: (host: string) => Run<ReadonlyArray<string>>
  /** The bytes of a manifest, as text. */
  readonly manifest: (source: string) => Run<string>
  /** The configuration of an image, as JSON. */
  readonly config: (source: string) => Run<string>
  /** Pushes a file that refers to a manifest. */
  readonly attach?: (subject: string, artifactType: string, file: string) => Run<unknown>
  /** The digests of what refers to a manifest. */
  readonly discover?: (subject: string) => Run<ReadonlyArray<string>>
  readonly delete: (source: string) => Run<unknown>
  /** It leaves it to others to list, under a tag, what refers to a manifest where the registry does not. */
  readonly listsReferrers?: false
}

/** What was printed, line by line. */
export const lines = (printed: string): ReadonlyArray<string> => printed.split("\n").filter((line) => line !== "")

/** What a tool does with these arguments. */
export const mover = (tool: Tool.Tool, args: Moves<ReadonlyArray<string>>): Mover & Moves<Run<unknown>> => {
  const run = (words: ReadonlyArray<string>) =>
    Effect.flatMap(Tool.program(tool), (program) => Process.run(program, ...words))
  return {
    tool,
    args,
    push: (folder, target) => run(args.push(folder, target)),
    pull: (source, folder) => run(args.pull(source, folder)),
    copy: (source, target) => run(args.copy(source, target))
  }
}
