import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Client, mover, type Run } from "../Client.js"
import * as Process from "../Process.js"
import * as Tool from "../Tool.js"

const insecure = "--insecure-policy"

export const run = (...args: ReadonlyArray<string>): Run<string> =>
  Effect.flatMap(Tool.program(Tool.skopeo), (program) => Process.run(program, insecure, ...args))

/** Copies with all that an index lists. */
const copying = ["copy", "--all", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false"]

export const copy = (from: string, to: string, ...options: ReadonlyArray<string>): Run<unknown> =>
  run(...copying, ...options, from, to)

const inspect = (source: string, ...options: ReadonlyArray<string>) =>
  run("inspect", "--raw", "--tls-verify=false", ...options, `docker://${source}`)

const Listed = Schema.parseJson(Schema.Struct({ Tags: Schema.Array(Schema.String) }))

export const skopeo: Client = {
  ...mover(Tool.skopeo, {
    push: (folder, target) => [insecure, ...copying, `oci:${folder}:1`, `docker://${target}`],
    pull: (source, folder) => [insecure, ...copying, `docker://${source}`, `oci:${folder}`],
    copy: (source, target) => [insecure, ...copying, `docker://${source}`, `docker://${target}`]
  }),
  tags: (repository) =>
    run("list-tags", "--tls-verify=false", `docker://${repository}`).pipe(
      Effect.flatMap(Schema.decode(Listed)),
      Effect.map(({ Tags }) => Tags)
    ),
  manifest: (source) => inspect(source),
  config: (source) => inspect(source, "--config"),
  delete: (source) => run("delete", "--tls-verify=false", `docker://${source}`),
  listsReferrers: false
}
