import type { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as RegistryName from "../../../spec/RegistryName.js"
import type { MirrorSettings, Service, Settings, Tls } from "../../RegistryHosts.js"
import type { HostsInvalid } from "./invalid.js"
import * as HostTable from "./table.js"
import * as TomlFile from "./tomlFile.js"

const Files = Schema.Union(Schema.String, Schema.Array(Schema.String))

const common = {
  capabilities: Schema.optional(Schema.Array(Schema.Literal("pull", "resolve", "push"))),
  skip_verify: Schema.optional(Schema.Boolean),
  override_path: Schema.optional(Schema.Boolean),
  ca: Schema.optional(Files),
  client: Schema.optional(
    Schema.Union(Schema.String, Schema.Array(Schema.Union(Schema.String, Schema.Tuple(Schema.String, Schema.String))))
  ),
  header: Schema.optional(Schema.Unknown)
}

const Server = Schema.Struct(common)

const File = Schema.Struct({
  ...common,
  server: Schema.optional(Schema.String),
  host: Schema.optional(Schema.Record({ key: Schema.String, value: Server }))
})

/** A URL of the file, taken apart as requests to it are built. */
interface Place {
  readonly registry: RegistryName.RegistryName
  readonly scheme: "http" | "https"
  readonly prefix: string
  /** What stands before the names of repositories. */
  readonly namespace: string
}

const place = (source: TomlFile.Source, url: string, override: boolean) =>
  Effect.gen(function* () {
    const [, scheme = "https", authority = "", path = ""] = /^(?:(https?):\/\/)?([^/]*)(\/.*)?$/.exec(url) ?? []
    const registry = yield* TomlFile.blaming(source, url, RegistryName.parse(authority))
    const parts = path.split("/").filter((part) => part !== "")
    const root = parts.lastIndexOf("v2")
    if (override && root === -1) {
      return yield* TomlFile.fault(source, url, "override_path asks for an API that is not under /v2/")
    }
    const before = override || root === parts.length - 1 ? parts.slice(0, Math.max(root, 0)) : parts
    const found: Place = {
      registry,
      scheme: scheme === "http" ? "http" : "https",
      prefix: before.join("/"),
      namespace: override ? parts.slice(root + 1).join("/") : ""
    }
    return found
  })

const location = ({ namespace, registry, scheme }: Place): string =>
  `${scheme}://${registry}${namespace === "" ? "" : `/${namespace}`}`

const tls = ({ ca, client }: typeof Server.Type, absolute: (file: string) => string): Tls | undefined => {
  if (ca === undefined && client === undefined) return undefined
  const pairs = typeof client === "string" ? [client] : (client ?? [])
  return {
    ca: (typeof ca === "string" ? [ca] : (ca ?? [])).map(absolute),
    client: pairs.map((pair) =>
      typeof pair === "string" ? { cert: absolute(pair) } : { cert: absolute(pair[0]), key: absolute(pair[1]) }
    )
  }
}

const rule = ({ capabilities }: typeof Server.Type): MirrorSettings["pull"] | "none" => {
  if (capabilities === undefined || capabilities.length === 0) return "all"
  const [pull, resolve] = [capabilities.includes("pull"), capabilities.includes("resolve")]
  return pull ? (resolve ? "all" : "digest-only") : resolve ? "tag-only" : "none"
}

/** The settings of one file, for the host that its folder is named after. */
const settings = (source: TomlFile.Source, name: string, absolute: (file: string) => string) =>
  Effect.gen(function* () {
    const file = yield* TomlFile.decode(File)(source)
    const hosts = Object.entries(file.host ?? {})
    if ([file, ...hosts.map(([, host]) => host)].some(({ header }) => header !== undefined)) {
      return yield* TomlFile.fault(source, "header", "headers of a host's own are not sent: RegistryMiddleware can")
    }
    const own = name === "*" ? undefined : yield* TomlFile.blaming(source, name, RegistryName.parse(name))
    const isOwn = ({ namespace, registry }: Place) =>
      namespace === "" && own !== undefined && registry.toString() === own.toString()
    const at = ({ prefix, scheme }: Place) => ({ scheme, prefix })

    let all: Settings = { insecure: file.skip_verify, tls: tls(file, absolute) }
    if (file.server !== undefined) {
      const server = yield* place(source, file.server, file.override_path === true)
      all = { ...all, ...at(server), ...(isOwn(server) ? {} : { location: location(server), namespace: true }) }
    }
    const mirrors: Array<MirrorSettings> = []
    for (const [url, host] of hosts) {
      const found = yield* place(source, url, host.override_path === true)
      const files = tls(host, absolute)
      const pull = rule(host)
      if (isOwn(found)) {
        all = { ...all, ...at(found), insecure: host.skip_verify ?? all.insecure, tls: files ?? all.tls }
      } else if (pull !== "none") {
        const { prefix } = found
        mirrors.push({
          location: location(found),
          prefix,
          pull,
          namespace: true,
          insecure: host.skip_verify,
          tls: files
        })
      }
    }
    return { ...all, mirrors }
  })

/** The name of a host as that of a folder, which on some systems cannot hold a colon. */
const named = (folder: string): string => (folder === "_default" ? "*" : folder.replace(/_(\d{1,5})_$/, ":$1"))

/** Hosts as the folders have them, from now on: what changes later is not seen. */
export const load = (directory: string): Effect.Effect<Service, HostsInvalid, FileSystem | Path> =>
  Effect.gen(function* () {
    const path = yield* Path
    const entries: Array<HostTable.Entry> = []
    for (const folder of yield* TomlFile.names(directory)) {
      const source = yield* TomlFile.read(path.join(directory, folder, "hosts.toml"))
      if (Option.isNone(source)) continue
      const name = named(folder)
      const absolute = (file: string) => path.resolve(directory, folder, file)
      const said = yield* settings(source.value, name, absolute)
      entries.push(yield* TomlFile.blaming(source.value, name, HostTable.entry(name, said)))
    }
    return HostTable.make(entries)
  })
