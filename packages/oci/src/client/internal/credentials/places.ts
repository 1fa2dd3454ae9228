import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { RegistryName } from "../../../spec/RegistryName.js"
import type { Service } from "../../Credentials.js"
import type { CredentialsInvalid } from "../../RegistryError.js"
import * as Combine from "./combine.js"
import * as Environment from "./environment.js"
import * as File from "./file.js"
import type { Platform } from "./helper.js"
import * as Memo from "./memo.js"
import * as Regctl from "./regctl.js"
import * as Source from "./source.js"

const nothing: Service = { lookup: () => Effect.succeedNone }

/** The headers of files are the same for all registries, and wanted with each request: not every file is asked each time. */
const keepingHeaders = (service: Service): Service => {
  const { headers } = service
  if (headers === undefined) return service
  const kept = Memo.make<Effect.Effect.Success<ReturnType<typeof headers>>, CredentialsInvalid>("1 second")
  return {
    ...service,
    headers: (registry) =>
      kept.get(
        "",
        Effect.suspend(() => headers(registry))
      )
  }
}

const inOrder = (sources: ReadonlyArray<Service>): Service =>
  keepingHeaders(sources.length === 0 ? nothing : sources.reduce(Combine.orElse))

/** Docker's file: in `DOCKER_CONFIG`, or else in `.docker` at home. */
const dockerFile: Effect.Effect<Service, never, Platform> = Effect.gen(function* () {
  const path = yield* Path.Path
  const folder = yield* Environment.variable("DOCKER_CONFIG")
  if (folder !== undefined) return yield* Source.fromFile(path.join(folder, "config.json"))
  const home = yield* Environment.home
  return home === undefined ? nothing : yield* Source.fromFile(path.join(home, ".docker", "config.json"))
})

const dockerSources: Effect.Effect<ReadonlyArray<Service>, never, Platform> = Effect.gen(function* () {
  const name = "DOCKER_AUTH_CONFIG"
  const file = yield* dockerFile
  const text = yield* Environment.variable(name)
  return text === undefined ? [file] : [yield* Source.make({ name, text: Effect.succeedSome(text) }), file]
})

export const docker: Effect.Effect<Service, never, Platform> = Effect.map(dockerSources, (sources) => inOrder(sources))

/** Podman's first file: in its runtime folder, which goes away with the user's session. */
const runtimeFile: Effect.Effect<string | undefined, never, FileSystem.FileSystem | Path.Path> = Effect.gen(
  function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const folder = yield* Environment.variable("XDG_RUNTIME_DIR")
    if (folder !== undefined) return path.join(folder, "containers", "auth.json")
    // without the variable it is in a folder of the user's number, which Linux tells as the owner of our own process
    const process = yield* Effect.option(fs.stat("/proc/self"))
    const uid = Option.flatMap(process, ({ uid }) => uid)
    return Option.getOrUndefined(Option.map(uid, (uid) => `/run/containers/${uid}/auth.json`))
  }
)

/** Podman names Docker Hub as its users do. */
const address = ({ authority }: RegistryName): string => authority

/** The file that is named for Podman, which then counts alone; or else where it looks, before it looks at Docker's. */
const podmanFiles: Effect.Effect<
  { readonly alone: boolean; readonly sources: ReadonlyArray<Service> },
  never,
  Platform
> = Effect.gen(function* () {
  const path = yield* Path.Path
  const file = yield* Environment.variable("REGISTRY_AUTH_FILE")
  if (file !== undefined) return { alone: true, sources: [yield* Source.fromFile(file, address)] }
  const home = yield* Environment.home
  const config =
    (yield* Environment.variable("XDG_CONFIG_HOME")) ?? (home === undefined ? undefined : path.join(home, ".config"))
  const files = [
    yield* runtimeFile,
    config === undefined ? undefined : path.join(config, "containers", "auth.json")
  ].flatMap((file) => (file === undefined ? [] : [Source.fromFile(file, address)]))
  return { alone: false, sources: yield* Effect.all(files) }
})

export const podman: Effect.Effect<Service, never, Platform> = Effect.gen(function* () {
  const { alone, sources } = yield* podmanFiles
  return inOrder(alone ? sources : [...sources, yield* dockerFile])
})

export const keychain: Effect.Effect<Service, never, Platform> = Effect.gen(function* () {
  return inOrder([...(yield* dockerSources), ...(yield* podmanFiles).sources])
})

export const regctl: Effect.Effect<Service, never, Platform> = Effect.gen(function* () {
  const path = yield* Path.Path
  const home = yield* Environment.home
  const file =
    (yield* Environment.variable("REGCTL_CONFIG")) ??
    (home === undefined ? undefined : path.join(home, ".regctl", "config.json"))
  return file === undefined ? nothing : yield* Source.make({ name: file, text: File.read(file), read: Regctl.read })
})
