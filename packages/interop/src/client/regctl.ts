import * as Effect from "effect/Effect"
import { type Client, lines, type Run } from "../Client.js"
import * as Process from "../Process.js"
import * as Tool from "../Tool.js"

/** Runs it on the registry of a reference, in plain text. */
const run = (reference: string, ...args: ReadonlyArray<string>): Run<string> =>
  Effect.flatMap(Tool.program(Tool.regctl), (program) =>
    Process.run(program, `--host=reg=${reference.split("/", 1)[0]},tls=disabled`, ...args)
  )

const copy = (reference: string, ...args: ReadonlyArray<string>) => run(reference, "image", "copy", ...args)

export const regctl: Client = {
  tool: Tool.regctl,
  push: (folder, target) => copy(target, `ocidir://${folder}:1`, target),
  pull: (source, folder) => copy(source, source, `ocidir://${folder}:1`),
  pullWithReferrers: (source, folder) => copy(source, "--referrers", source, `ocidir://${folder}:1`),
  copy: (source, target) => copy(source, source, target),
  tags: (repository) => Effect.map(run(repository, "tag", "ls", repository), lines),
  repositories: (host) => Effect.map(run(host, "repo", "ls", host), lines),
  manifest: (source) => run(source, "manifest", "get", "--format=raw-body", source),
  config: (source) => run(source, "image", "config", source),
  attach: (subject, artifactType, file) =>
    run(subject, "artifact", "put", `--artifact-type=${artifactType}`, `--subject=${subject}`, `--file=${file}`),
  discover: (subject) =>
    Effect.map(
      run(subject, "artifact", "list", "--format={{range .Descriptors}}{{println .Digest}}{{end}}", subject),
      lines
    ),
  delete: (source) => run(source, "manifest", "delete", source)
}
