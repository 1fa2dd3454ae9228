import * as Effect from "effect/Effect"
import { type Client, lines, mover, type Run } from "../Client.js"
import * as Process from "../Process.js"
import * as Tool from "../Tool.js"

const run = (...args: ReadonlyArray<string>): Run<string> =>
  Effect.flatMap(Tool.program(Tool.crane), (program) => Process.run(program, ...args))

export const crane: Client = {
  ...mover(Tool.crane, {
    push: (folder, target) => ["push", folder, target],
    pull: (source, folder) => ["pull", "--format=oci", source, folder],
    copy: (source, target) => ["copy", source, target]
  }),
  tags: (repository) => Effect.map(run("ls", repository), lines),
  repositories: (host) => Effect.map(run("catalog", host), lines),
  manifest: (source) => run("manifest", source),
  config: (source) => run("config", source),
  delete: (source) => run("delete", source)
}
