import * as Effect from "effect/Effect"
import { type Client, lines, mover, type Run } from "../Client.js"
import * as Process from "../Process.js"
import * as Tool from "../Tool.js"

const run = (...args: ReadonlyArray<string>): Run<string> =>
  Effect.flatMap(Tool.program(Tool.oras), (program) => Process.run(program, ...args))

/** As many at a time as skopeo moves. */
const copy = ["cp", "--concurrency=6"]
const pull = [...copy, "--from-plain-http", "--to-oci-layout"]

export const oras: Client = {
  ...mover(Tool.oras, {
    push: (folder, target) => [...copy, "--from-oci-layout", "--to-plain-http", `${folder}:1`, target],
    pull: (source, folder) => [...pull, source, `${folder}:1`],
    copy: (source, target) => [...copy, "--from-plain-http", "--to-plain-http", source, target]
  }),
  pullWithReferrers: (source, folder) => run(...pull, "--recursive", source, `${folder}:1`),
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
