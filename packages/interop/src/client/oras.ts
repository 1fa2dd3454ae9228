import * as Effect from "effect/Effect"
import { type Client, lines, type Run } from "../Client.js"
import * as Process from "../Process.js"
import * as Tool from "../Tool.js"

const run = (...args: ReadonlyArray<string>): Run<string> =>
  Effect.flatMap(Tool.program(Tool.oras), (program) => Process.run(program, ...args))

const pull = (source: string, folder: string, ...options: ReadonlyArray<string>) =>
  run("cp", "--from-plain-http", "--to-oci-layout", ...options, source, `${folder}:1`)

export const oras: Client = {
  tool: Tool.oras,
  push: (folder, target) => run("cp", "--from-oci-layout", "--to-plain-http", `${folder}:1`, target),
  pull: (source, folder) => pull(source, folder),
  pullWithReferrers: (source, folder) => pull(source, folder, "--recursive"),
  copy: (source, target) => run("cp", "--from-plain-http", "--to-plain-http", source, target),
  tags: (repository) => Effect.map(run("repo", "tags", "--plain-http", repository), lines),
  repositories: (host) => Effect.map(run("repo", "ls", "--plain-http", host), lines),
  manifest: (source) => run("manifest", "fetch", "--plain-http", source),
  config: (source) => run("manifest", "fetch-config", "--plain-http", source),
  attach: (subject, artifactType, file) =>
    run("attach", "--plain-http", "--disable-path-validation", `--artifact-type=${artifactType}`, subject, file),
  discover: (subject) =>
    Effect.map(
      run(
        "discover",
        "--plain-http",
        "--format=go-template",
        "--template={{range .referrers}}{{println .digest}}{{end}}",
        subject
      ),
      lines
    ),
  delete: (source) => run("manifest", "delete", "--plain-http", "--force", source)
}
