/**
 * How the tools of others sign in, and use a login: all in files of the test, by what each is told of them.
 */
import * as Command from "@effect/platform/Command"
import * as Effect from "effect/Effect"
import type { Account } from "./Accounts.js"
import type { Run } from "./Client.js"
import * as Process from "./Process.js"
import * as Tool from "./Tool.js"

/** Where a tool finds logins. */
export interface Place {
  /** A file as Docker's config.json or Podman's auth.json is. It is called config.json if it is Docker's. */
  readonly file: string
  /** The folder of the file. */
  readonly folder: string
  /** Where programs are found; credential helpers too. */
  readonly path?: string
}

export interface Login {
  readonly tool: Tool.Tool
  readonly login: (host: string, account: Account, place: Place) => Run<unknown>
  /** Asks for something that a registry shows only to those who signed in: the tags of a repository. */
  readonly use: (repository: string, place: Place) => Run<unknown>
}

const runWith =
  (tool: Tool.Tool, environment: (place: Place) => Record<string, string>) =>
  (place: Place, ...args: ReadonlyArray<string>): Run<string> =>
    Effect.flatMap(Tool.program(tool), (program) =>
      Process.output(
        Command.make(program, ...args).pipe(
          Command.env({ PATH: place.path ?? process.env.PATH, ...environment(place) })
        )
      )
    )

const user = ({ password, username }: Account) => ["--username", username, "--password", password]

const runSkopeo = runWith(Tool.skopeo, () => ({}))

export const skopeo: Login = {
  tool: Tool.skopeo,
  login: (host, account, place) =>
    runSkopeo(place, "login", `--authfile=${place.file}`, "--tls-verify=false", ...user(account), host),
  use: (repository, place) =>
    runSkopeo(place, "list-tags", `--authfile=${place.file}`, "--tls-verify=false", `docker://${repository}`)
}

const runCrane = runWith(Tool.crane, ({ file, folder }) => ({ DOCKER_CONFIG: folder, REGISTRY_AUTH_FILE: file }))

/** It signs in to Docker's file alone. */
export const crane: Login = {
  tool: Tool.crane,
  login: (host, account, place) => runCrane(place, "auth", "login", ...user(account), host),
  use: (repository, place) => runCrane(place, "ls", repository)
}

const runOras = runWith(Tool.oras, () => ({}))

export const oras: Login = {
  tool: Tool.oras,
  login: (host, account, place) =>
    runOras(place, "login", `--registry-config=${place.file}`, "--plain-http", ...user(account), host),
  use: (repository, place) =>
    runOras(place, "repo", "tags", `--registry-config=${place.file}`, "--plain-http", repository)
}

const runRegctl = runWith(Tool.regctl, ({ folder }) => ({
  DOCKER_CONFIG: folder,
  REGCTL_CONFIG: `${folder}/regctl.json`
}))

/** It signs in to a file of its own, and uses Docker's too. */
export const regctl: Login = {
  tool: Tool.regctl,
  login: (host, account, place) =>
    Effect.zipRight(
      runRegctl(place, "registry", "set", "--tls=disabled", "--skip-check", host),
      runRegctl(place, "registry", "login", "--user", account.username, "--pass", account.password, host)
    ),
  use: (repository, place) =>
    runRegctl(place, `--host=reg=${repository.split("/", 1)[0]},tls=disabled`, "tag", "ls", repository)
}
