import type { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Service, Settings } from "../../RegistryHosts.js"
import { HostsInvalid } from "./invalid.js"
import * as HostTable from "./table.js"
import * as TomlFile from "./tomlFile.js"

const pull = Schema.optional(Schema.Literal("all", "digest-only", "tag-only"))
const boolean = Schema.optional(Schema.Boolean)
const text = Schema.optional(Schema.String)

const Registry = Schema.Struct({
  prefix: text,
  location: text,
  insecure: boolean,
  blocked: boolean,
  "mirror-by-digest-only": boolean,
  "pull-from-mirror": Schema.optional(Schema.Unknown),
  mirror: Schema.optional(
    Schema.Array(Schema.Struct({ location: Schema.String, insecure: boolean, "pull-from-mirror": pull }))
  )
})

const File = Schema.Struct({
  "unqualified-search-registries": Schema.optional(Schema.Array(Schema.String)),
  aliases: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.String })),
  registry: Schema.optional(Schema.Array(Registry)),
  registries: Schema.optional(Schema.Unknown)
})

/** What the files said so far: a later one replaces whole registries, aliases and the list of those to search. */
interface Said {
  readonly entries: Map<string, HostTable.Entry>
  readonly aliases: Map<string, string>
  search: ReadonlyArray<string>
}

const settings = (registry: typeof Registry.Type, prefix: string): Settings => ({
  location: registry.location === undefined || registry.location === prefix ? undefined : registry.location,
  insecure: registry.insecure,
  blocked: registry.blocked,
  mirrors: registry.mirror?.map((mirror) => ({
    location: mirror.location,
    insecure: mirror.insecure,
    pull: registry["mirror-by-digest-only"] === true ? "digest-only" : mirror["pull-from-mirror"]
  }))
})

const add = (said: Said, source: TomlFile.Source) =>
  Effect.gen(function* () {
    const file = yield* TomlFile.decode(File)(source)
    const fault = (about: string, reason: string) => TomlFile.fault(source, about, reason)
    if (file.registries !== undefined) {
      return yield* fault("[registries", "version 1 of the format is not read: write [[registry]] tables")
    }
    const here = new Map<string, typeof Registry.Type>()
    for (const registry of file.registry ?? []) {
      const prefix = registry.prefix ?? registry.location
      if (prefix === undefined) return yield* fault("[[registry]]", "a registry has neither prefix nor location")
      const before = here.get(prefix)
      if (
        before !== undefined &&
        (before.insecure === true || before.blocked === true) !==
          (registry.insecure === true || registry.blocked === true)
      ) {
        return yield* fault(prefix, `“${prefix}” is there twice, insecure or blocked in one place only`)
      }
      here.set(prefix, registry)
      const mirrored = registry.mirror?.some((mirror) => mirror["pull-from-mirror"] !== undefined) === true
      if (registry["pull-from-mirror"] !== undefined) {
        return yield* fault("pull-from-mirror", "pull-from-mirror belongs to a mirror, not to a registry")
      }
      if (mirrored && registry["mirror-by-digest-only"] === true) {
        return yield* fault(
          "pull-from-mirror",
          "pull-from-mirror and mirror-by-digest-only are said of the same mirrors"
        )
      }
      said.entries.set(
        prefix,
        yield* TomlFile.blaming(source, prefix, HostTable.entry(prefix, settings(registry, prefix)))
      )
    }
    for (const [name, value] of Object.entries(file.aliases ?? {})) said.aliases.set(name, value)
    said.search = file["unqualified-search-registries"] ?? said.search
  })

/** The files, as containers' tools find them: the user's own one hides the system's, with its drop-ins. */
const files: Effect.Effect<
  { readonly main: string; readonly required: boolean; readonly folders: ReadonlyArray<string> },
  HostsInvalid | ConfigError,
  FileSystem | Path
> = Effect.gen(function* () {
  const path = yield* Path
  const given = yield* Config.option(Config.nonEmptyString("CONTAINERS_REGISTRIES_CONF"))
  const home = yield* Config.option(Config.nonEmptyString("HOME"))
  const system = "/etc/containers/registries.conf"
  const own = Option.map(home, (home) => path.join(home, ".config", "containers", "registries.conf"))
  const folders = [`${system}.d`, ...Option.toArray(Option.map(own, (file) => `${file}.d`))]
  if (Option.isSome(given)) return { main: given.value, required: true, folders }
  if (Option.isSome(own) && Option.isSome(yield* TomlFile.read(own.value))) {
    return { main: own.value, required: true, folders: [`${own.value}.d`] }
  }
  return { main: system, required: false, folders }
})

/** Hosts as the files have them, from now on: what changes later is not seen. */
export const load: Effect.Effect<Service, HostsInvalid | ConfigError, FileSystem | Path> = Effect.gen(function* () {
  const path = yield* Path
  const { folders, main, required } = yield* files
  const said: Said = { entries: new Map(), aliases: new Map(), search: [] }
  const first = yield* TomlFile.read(main)
  if (required && Option.isNone(first)) return yield* new HostsInvalid({ file: main, reason: "there is no such file" })
  if (Option.isSome(first)) yield* add(said, first.value)
  for (const folder of folders) {
    for (const name of yield* TomlFile.names(folder)) {
      if (!name.endsWith(".conf")) continue
      const source = yield* TomlFile.read(path.join(folder, name))
      if (Option.isSome(source)) yield* add(said, source.value)
    }
  }
  const { aliases, entries, search } = said
  return { ...HostTable.make([...entries.values()]), shortNames: { aliases, search } }
})
