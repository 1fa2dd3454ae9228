import * as Effect from "effect/Effect"
import { type Client, lines, mover, type Run } from "../Client.js"
import * as Process from "../Process.js"
import * as Tool from "../Tool.js"

/** The registry of a reference speaks in plain text. */
const host = (reference: string) => `--host=reg=${reference.split("/", 1)[0]},tls=disabled`

/** Runs it on the registry of a reference. */
const run = (reference: string, ...args: ReadonlyArray<string>): Run<string> =>
  Effect.flatMap(Tool.program(Tool.regctl), (program) => Process.run(program, host(reference), ...args))

export const regctl: Client = {
  ...mover(Tool.regctl, {
    push: (folder, target) => [host(target), "image", "copy", `ocidir://${folder}:1`, target],
    pull: (source, folder) => [host(source), "image", "copy", source, `ocidir://${folder}:1`],
    copy: (source, target) => [host(source), host(target), "image", "copy", source, target]
  }),
  pullWithReferrers: (source, folder) => run(source, "image", "copy", "--referrers", source, `ocidir://${folder}:1`),
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
