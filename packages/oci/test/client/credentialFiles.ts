/** A home directory and a PATH for tests of credentials, on a real disk. */
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import type * as CommandExecutor from "@effect/platform/CommandExecutor"
import { SystemError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { type Credential, Credentials } from "effect-oci/Credentials"
import type { CredentialsInvalid } from "effect-oci/RegistryError"
import * as RegistryName from "effect-oci/RegistryName"
import * as Repository from "effect-oci/Repository"

export type Platform = FileSystem.FileSystem | Path.Path | CommandExecutor.CommandExecutor

export const environment = (variables: Readonly<Record<string, string>>): Layer.Layer<never> =>
  Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))

export interface Home {
  readonly folder: string
  readonly read: (file: string) => string
  readonly write: (file: string, content: unknown) => void
  /** A source as it is in this home; further variables can be set, in which `~` is the home. */
  readonly layer: <E>(
    source: Layer.Layer<Credentials, E, Platform>,
    variables?: Readonly<Record<string, string>>
  ) => Layer.Layer<Credentials, E>
}

/** A new home with these files; what is no text is written as JSON. Files in `bin` can be run, and are on the PATH. */
export const make = (files: Readonly<Record<string, unknown>> = {}): Effect.Effect<Home, never, Scope.Scope> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped()
    const write: Home["write"] = (file, content) => {
      const at = NodePath.join(folder, file)
      NodeFs.mkdirSync(NodePath.dirname(at), { recursive: true })
      NodeFs.writeFileSync(at, typeof content === "string" ? content : JSON.stringify(content))
      if (file.startsWith("bin/")) NodeFs.chmodSync(at, 0o755)
    }
    for (const [file, content] of Object.entries(files)) write(file, content)
    const expand = (variables: Readonly<Record<string, string>>) =>
      Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, value.replaceAll("~", folder)]))
    const layer: Home["layer"] = (source, variables = {}) =>
      source.pipe(
        Layer.provide(NodeContext.layer),
        Layer.provide(environment(expand({ HOME: "~", PATH: "~/bin", XDG_RUNTIME_DIR: "~/run", ...variables })))
      )
    const read: Home["read"] = (file) => NodeFs.readFileSync(NodePath.join(folder, file), "utf8")
    return { folder, read, write, layer }
  }).pipe(Effect.orDie, Effect.provide(NodeContext.layer))

/** What a file system without a disk says of a file. */
export const info: FileSystem.File.Info = {
  type: "File",
  mtime: Option.none(),
  atime: Option.none(),
  birthtime: Option.none(),
  dev: 0,
  ino: Option.none(),
  mode: 0o755,
  nlink: Option.none(),
  uid: Option.none(),
  gid: Option.none(),
  rdev: Option.none(),
  size: FileSystem.Size(0),
  blksize: Option.none(),
  blocks: Option.none()
}

export const notFound = new SystemError({ reason: "NotFound", module: "FileSystem", method: "stat" })

export const base64 = (text: string): string => Buffer.from(text, "utf8").toString("base64")

export const registryOf = (text: string) => Either.getOrThrow(RegistryName.parse(text))

/** A credential with its secret read: `me:secret`, `token secret`, `identity secret`, `none`. */
export const shown = (credential: Option.Option<Credential>): string =>
  Option.match(credential, {
    onNone: () => "none",
    onSome: (one) =>
      one._tag === "Basic"
        ? `${one.username}:${Redacted.value(one.password)}`
        : `${one._tag === "Token" ? "token" : "identity"} ${Redacted.value(one.token)}`
  })

/** What the credentials in place have for a registry, or for a repository. */
export const found = (text: string, fresh = false): Effect.Effect<string, CredentialsInvalid> =>
  Effect.gen(function* () {
    const credentials = yield* Credentials
    const registry = RegistryName.parse(text)
    const repository = Either.isRight(registry) ? undefined : Either.getOrThrow(Repository.parse(text))
    const name = Either.isRight(registry) ? registry.right : repository?.registry
    return shown(name === undefined ? Option.none() : yield* credentials.lookup(name, repository, { fresh }))
  })
