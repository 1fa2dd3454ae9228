/**
 * The tools of others that speak to registries, by what the tests want of them. Content comes from and goes to OCI layouts,
 * byte for byte. References have the registry in them: `127.0.0.1:5000/org/app:1`.
 */
import type { CommandExecutor } from "@effect/platform/CommandExecutor"
import type * as Effect from "effect/Effect"
import type { ParseError } from "effect/ParseResult"
import type { ProcessFailed } from "./Process.js"
import type { Tool, ToolMissing } from "./Tool.js"

/** What a tool is asked to do. */
export type Run<A> = Effect.Effect<A, ProcessFailed | ToolMissing | ParseError, CommandExecutor>

export interface Client {
  readonly tool: Tool
  /** Pushes what the layout in a folder names `1`. */
  readonly push: (folder: string, target: string) => Run<unknown>
  /** Adds to the layout in a folder, which may have nothing in it yet. */
  readonly pull: (source: string, folder: string) => Run<unknown>
  /** As `pull`, with all that refers to it. */
  readonly pullWithReferrers?: (source: string, folder: string) => Run<unknown>
  readonly copy: (source: string, target: string) => Run<unknown>
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
