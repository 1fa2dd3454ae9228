import * as Effect from "effect/Effect"
import { type Client, lines, type Run } from "../Client.js"
import * as Process from "../Process.js"
import * as Tool from "../Tool.js"

const run = (...args: ReadonlyArray<string>): Run<string> =>
  Effect.flatMap(Tool.program(Tool.crane), (program) => Process.run(program, ...args))

export const crane: Client = {
  tool: Tool.crane,
  push: (folder, target) => run("push", folder, target),
  pull: (source, folder) => run("pull", "--format=oci", source, folder),
  copy: (source, target) => run("copy", source, target),
  tags: (repository) => Effect.map(run("ls", repository), lines),
  repositories: (host) => Effect.map(run("catalog", host), lines),
  manifest: (source) => run("manifest", source),
  config: (source) => run("config", source),
  delete: (source) => run("delete", source)
}
