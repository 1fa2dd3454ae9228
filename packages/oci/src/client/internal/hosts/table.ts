import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import { type InvalidReference, invalid, splitScheme } from "../../../spec/internal/referenceText.js"
import * as RegistryName from "../../../spec/RegistryName.js"
import type { Repository } from "../../../spec/Repository.js"
import type { Host, Limits, Mirror, Service, Settings, Table } from "../../RegistryHosts.js"

export const defaultLimits: Limits = {
  manifest: 8 * 1024 * 1024,
  page: 8 * 1024 * 1024,
  blob: 32 * 1024 * 1024,
  error: 64 * 1024,
  redirects: 10,
  pages: 10_000,
  answer: Duration.seconds(60),
  idle: Duration.seconds(60),
  total: Duration.minutes(5)
}

const defaultChunk: Host["chunk"] = { min: 64 * 1024, max: 256 * 1024 * 1024 }

/** At least that much; so is what is no number. */
const atLeast = (least: number, n: number | undefined): number | undefined =>
  n === undefined ? undefined : n >= least ? n : least

/** A host by its settings alone, without its mirrors. */
export const host = (registry: RegistryName.RegistryName, settings: Settings = {}): Host => {
  const scheme = registry.scheme ?? settings.scheme ?? (registry.isLoopback ? "http" : "https")
  const prefix = (settings.prefix ?? "").replace(/^\/?/, "/").replace(/\/$/, "")
  const insecure = settings.insecure ?? false
  return {
    registry,
    baseUrl: `${scheme}://${registry.apiAuthority}${prefix}`,
    secure: scheme === "https" || settings.scheme === "http" || insecure || registry.isLoopback,
    insecure,
    tls: settings.tls,
    blocked: settings.blocked ?? false,
    namespace: false,
    mirrors: [],
    concurrency: atLeast(1, settings.concurrency),
    requestsPerSecond: atLeast(0.001, settings.requestsPerSecond),
    chunk: { min: settings.chunk?.min ?? defaultChunk.min, max: settings.chunk?.max ?? defaultChunk.max },
    capabilities: settings.capabilities ?? {},
    limits: { ...defaultLimits, ...settings.limits }
  }
}

/** A host, and which of its repositories are meant: all of them under no path. */
interface Place {
  readonly registry: RegistryName.RegistryName
  readonly path: string
}

/** Reads `[scheme://]host[:port][/namespace]`. */
const place = (text: string): Either.Either<Place, InvalidReference> => {
  const { prefix, rest } = splitScheme(text)
  const slash = rest.indexOf("/")
  const authority = slash === -1 ? rest : rest.slice(0, slash)
  const path = slash === -1 ? "" : rest.slice(slash + 1).replace(/\/$/, "")
  if (path !== "" && !/^[a-z0-9][a-z0-9._/-]*$/.test(path)) {
    return Either.left(invalid(text, "its path is none that a repository could have"))
  }
  return Either.map(
    Either.mapLeft(RegistryName.parse(prefix + authority), ({ reason }) => invalid(text, reason)),
    (registry) => ({ registry, path })
  )
}

/** One entry of a table, its names read. */
export interface Entry {
  /** `*` and nothing for all hosts, `.example.com` for those under it. */
  readonly suffix?: string | undefined
  readonly host?: string | undefined
  readonly path: string
  readonly settings: Settings
  readonly location: Place | undefined
  readonly mirrors: ReadonlyArray<{
    readonly place: Place
    readonly settings: NonNullable<Settings["mirrors"]>[number]
  }>
}

/** Reads the names of an entry. */
export const entry = (name: string, settings: Settings): Either.Either<Entry, InvalidReference> =>
  Either.gen(function* () {
    const location = settings.location === undefined ? undefined : yield* place(settings.location)
    const mirrors: Array<Entry["mirrors"][number]> = []
    for (const mirror of settings.mirrors ?? []) {
      mirrors.push({ place: yield* place(mirror.location), settings: mirror })
    }
    const common = { settings, location, mirrors }
    if (name === "*") return { ...common, suffix: "", path: "" }
    if (name.startsWith("*.")) {
      yield* RegistryName.parse(name.slice(2))
      return { ...common, suffix: name.slice(1).toLowerCase(), path: "" }
    }
    const { path, registry } = yield* place(name)
    return { ...common, host: registry.toString(), path }
  })

const within = (path: string, name: string): boolean => path === "" || name === path || name.startsWith(`${path}/`)

const covers = (entry: Entry, registry: RegistryName.RegistryName, name: string): boolean =>
  entry.suffix === undefined
    ? entry.host === registry.toString() && within(entry.path, name)
    : entry.suffix === "" || registry.authority.endsWith(entry.suffix)

/** The most particular first: named hosts with the longest path, then the longest wildcards. */
const order = (a: Entry, b: Entry): number =>
  Number(a.suffix !== undefined) - Number(b.suffix !== undefined) ||
  b.path.length - a.path.length ||
  (b.suffix ?? "").length - (a.suffix ?? "").length

/** `from` in front of a repository's name becomes `to`; either may be empty. */
const renaming = (from: string, to: string): Host["rename"] =>
  from === to
    ? undefined
    : (name) => [to, name.slice(from.length).replace(/^\//, "")].filter((part) => part !== "").join("/")

/** Makes each host once: it is kept for as long as the name it is looked up by. */
const kept = (make: Service["lookup"]): Service["lookup"] => {
  const known = new WeakMap<RegistryName.RegistryName | Repository, Host>()
  return (registry, repository) => {
    const key = repository ?? registry
    const before = known.get(key)
    if (before !== undefined) return before
    const host = make(registry, repository)
    known.set(key, host)
    return host
  }
}

/** The same settings for every host as a service. */
export const uniform = (settings?: Settings): Service => {
  const lookup = kept((registry) => host(registry, settings))
  return { lookup: (registry) => lookup(registry) }
}

/** Settings by host as a service. */
export const fromRecord = (record: Table): Either.Either<Service, InvalidReference> =>
  Either.map(Either.all(Object.entries(record).map(([name, settings]) => entry(name, settings))), make)

/** Entries as a service. */
export const make = (unsorted: ReadonlyArray<Entry>): Service => {
  const entries = unsorted.toSorted(order)

  // connections to a host are shared by all that it is asked for, and so is what they are made with
  const connections = new Map<string, Pick<Settings, "insecure" | "tls">>()
  const connect = (authority: string | undefined, { insecure, tls }: Pick<Settings, "insecure" | "tls">) => {
    if (authority === undefined || (insecure !== true && tls === undefined)) return
    const known = connections.get(authority)
    connections.set(authority, { insecure: known?.insecure === true || insecure, tls: known?.tls ?? tls })
  }
  for (const { host, location, mirrors, settings } of entries) {
    connect(location === undefined ? host : location.registry.toString(), settings)
    for (const mirror of mirrors) connect(mirror.place.registry.toString(), mirror.settings)
  }

  const find = (registry: RegistryName.RegistryName, name: string): Entry | undefined =>
    entries.find((entry) => covers(entry, registry, name))
  const at = (registry: RegistryName.RegistryName, settings: Settings | undefined): Host => {
    const connection = connections.get(registry.toString())
    if (connection === undefined) return host(registry, settings)
    const insecure = settings?.insecure === true || connection.insecure
    return host(registry, { ...settings, insecure, tls: settings?.tls ?? connection.tls })
  }
  const mirrorOf = ({ place, settings }: Entry["mirrors"][number], from: string): Mirror => {
    const own = find(place.registry, place.path)?.settings
    return {
      host: {
        ...at(place.registry, settings.prefix === undefined ? own : { ...own, prefix: settings.prefix }),
        namespace: settings.namespace ?? false,
        rename: renaming(from, place.path)
      },
      pull: settings.pull ?? "all"
    }
  }
  const make = (registry: RegistryName.RegistryName, name: string): Host => {
    const found = find(registry, name)
    if (found === undefined) return at(registry, undefined)
    const { location, path, settings } = found
    // a mirror for all hosts is none for itself
    const mirrors = found.mirrors.filter(
      ({ place }) => found.suffix === undefined || place.registry.toString() !== registry.toString()
    )
    const source =
      location === undefined
        ? at(registry, settings)
        : {
            ...at(location.registry, settings),
            namespace: settings.namespace ?? false,
            rename: renaming(path, location.path)
          }
    return mirrors.length === 0
      ? source
      : {
          ...source,
          mirrors: mirrors.map((mirror) => mirrorOf(mirror, path)).filter(({ host }) => !host.blocked)
        }
  }

  return { lookup: kept((registry, repository) => make(registry, repository?.name ?? "")) }
}
