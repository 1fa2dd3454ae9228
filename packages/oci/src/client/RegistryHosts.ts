/**
 * What is particular to a registry's host: its scheme, a path in front of `/v2/`, its mirrors, how much is asked of it at a
 * time, and how much of its answers we take.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Rec from "effect/Record"
import type { Reference } from "../spec/Reference.js"
import type * as RegistryName from "../spec/RegistryName.js"
import type { InvalidReference } from "../spec/RegistryName.js"
import type { Repository } from "../spec/Repository.js"
import * as HostsToml from "./internal/hosts/hostsToml.js"
import { HostsInvalid } from "./internal/hosts/invalid.js"
import * as RegistriesConf from "./internal/hosts/registriesConf.js"
import * as Names from "./internal/hosts/shortNames.js"
import * as HostTable from "./internal/hosts/table.js"

export { HostsInvalid }

/** Bounds on what a registry may make us hold, follow or wait for. */
export interface Limits {
  /** The largest manifest, in bytes. The specification asks for 4 MB at least; 8 MiB by default. */
  readonly manifest: number
  /** The largest page of tags, repositories or referrers, in bytes; 8 MiB by default. */
  readonly page: number
  /** The largest blob that `Blobs.get` holds in memory, in bytes; 32 MiB by default. `Blobs.stream` has no such limit. */
  readonly blob: number
  /** How much of a refusal's body is read, in bytes; 64 KiB by default. */
  readonly error: number
  /** How many redirects one request follows; 10 by default. */
  readonly redirects: number
  /** How many pages one listing reads; 10,000 by default. */
  readonly pages: number
  /** How long an answer may take from the last byte sent; 60 seconds by default. */
  readonly answer: Duration.Duration
  /** How long a body may pause; 60 seconds by default. */
  readonly idle: Duration.Duration
  /** How long a body that is held in memory may take as a whole; 5 minutes by default. What is streamed has no such limit. */
  readonly total: Duration.Duration
}

/** What a registry can do, as far as it is known before it was asked. What is left out is found out. */
export interface Capabilities {
  /** Whether it has the referrers API (end-12). */
  readonly referrers?: boolean | undefined
  /** Whether it takes several tags with one manifest (end-7b). */
  readonly multiTag?: boolean | undefined
  /** Whether it takes blobs in chunks (end-5). */
  readonly chunks?: boolean | undefined
  /** Whether it takes a blob with one POST (end-4b). `Blobs.push` does not try it on its own. */
  readonly singlePost?: boolean | undefined
}

/** Files for connections to a host, for transports that can use them. */
export interface Tls {
  /** Certificate authorities in PEM files, beside those of the system. */
  readonly ca?: ReadonlyArray<string> | undefined
  /** Certificates that say who we are, in PEM files; the key may be in the same file. */
  readonly client?: ReadonlyArray<{ readonly cert: string; readonly key?: string | undefined }> | undefined
}

/** A host that has copies of what is on another one. What else concerns it stands under its own name. */
export interface MirrorSettings {
  /** `mirror.test:5000`, or `mirror.test/hub` where repositories lie under a path of their own; may begin with a scheme. */
  readonly location: string
  /**
   * What is asked of it: `all` by default; `digest-only` for blobs and manifests by digest, so that tags mean what the
   * source says; `tag-only` for manifests by tag, and blobs. Lists are asked only of mirrors for `all`.
   */
  readonly pull?: "all" | "digest-only" | "tag-only" | undefined
  /** Whether it is told whose copies are meant (`ns`): for a proxy of many registries. Default: false. */
  readonly namespace?: boolean | undefined
  /** As `prefix` of a host, for this mirror alone. */
  readonly prefix?: string | undefined
  /** As `insecure` and `tls` of its host. */
  readonly insecure?: boolean | undefined
  readonly tls?: Tls | undefined
}

/** One host's settings; what is left out stays at its default. */
export interface Settings {
  /** `https`, but for loopback hosts. A scheme written in a reference comes first. */
  readonly scheme?: "http" | "https" | undefined
  /**
   * Takes whatever certificate this host shows, on transports that can; default: false. Credentials may then also go to it
   * by http, where `scheme` or a reference asks for that. It holds for no other host: not for a token service, nor for where
   * blobs are stored.
   */
  readonly insecure?: boolean | undefined
  readonly tls?: Tls | undefined
  /** What stands before `/v2/` in every path, such as `/artifactory/api/docker/local`. */
  readonly prefix?: string | undefined
  /** Where its repositories are instead, with the credentials of there: `internal.test:5000/copies`. */
  readonly location?: string | undefined
  /** Whether that place is told, on pulls, whose repositories are meant (`ns`): a proxy of many. Default: false. */
  readonly namespace?: boolean | undefined
  /** Hosts to pull from before this one, in their order. Nothing is pushed to them, and they get none of its credentials. */
  readonly mirrors?: ReadonlyArray<MirrorSettings> | undefined
  /** Requests to it fail with `PolicyViolation` before anything is sent. Default: false. */
  readonly blocked?: boolean | undefined
  /** How many requests may be under way, each until its answer's body is done; at least 1. Default: no limit. */
  readonly concurrency?: number | undefined
  /** How many requests are begun in a second, evenly; at least 0.001. Default: no limit. */
  readonly requestsPerSecond?: number | undefined
  /** Bounds of a chunk of an upload, in bytes, whatever the registry asks for; 64 KiB and 256 MiB by default. */
  readonly chunk?: { readonly min?: number | undefined; readonly max?: number | undefined } | undefined
  readonly capabilities?: Capabilities | undefined
  readonly limits?: Partial<Limits> | undefined
}

/**
 * Settings by host, the most particular name first: `registry.test:5000/org` (a namespace or a repository),
 * `registry.test:5000`, `*.test` (hosts under it), `*` (all others). One entry counts, not the sum of several.
 */
export interface Table {
  readonly [registry: string]: Settings
}

/** Where requests to a registry go, and what is to be kept in mind there. */
export interface Host {
  /** The registry that is asked, by whose name credentials are looked up: another one where `location` says so. */
  readonly registry: RegistryName.RegistryName
  /** Scheme, host, port and prefix, without a slash at the end: `https://registry-1.docker.io`. */
  readonly baseUrl: string
  /** What a repository is called there, when it is called otherwise. */
  readonly rename?: ((repository: string) => string) | undefined
  /** Whether credentials may be sent: https, loopback, or plain http that these settings ask for. */
  readonly secure: boolean
  /** Whether its certificate goes unchecked. The same for all that is asked of a host. */
  readonly insecure: boolean
  readonly tls: Tls | undefined
  readonly blocked: boolean
  /** Whether it is told, on pulls, whose repositories are meant (`ns`). */
  readonly namespace: boolean
  /** Where else pulls go, in this order and before it. */
  readonly mirrors: ReadonlyArray<Mirror>
  readonly concurrency: number | undefined
  readonly requestsPerSecond: number | undefined
  readonly chunk: { readonly min: number; readonly max: number }
  readonly capabilities: Capabilities
  readonly limits: Limits
}

export interface Mirror {
  /** It has no mirrors of its own. */
  readonly host: Host
  readonly pull: "all" | "digest-only" | "tag-only"
}

/** What names without a registry mean to the containers of this machine. */
export interface ShortNames {
  /** `alpine` is `docker.io/library/alpine`. */
  readonly aliases: ReadonlyMap<string, string>
  /** The registries to look for all others on, in this order. */
  readonly search: ReadonlyArray<string>
}

export interface Service {
  /** The host of a registry, or of one of its repositories where they differ. */
  readonly lookup: (registry: RegistryName.RegistryName, repository?: Repository | undefined) => Host
  /** What names without a registry mean; nothing where nobody said. */
  readonly shortNames?: ShortNames | undefined
}

export const defaultLimits: Limits = HostTable.defaultLimits

/** A host as the settings have it, for a lookup of one's own. Its mirrors are not in it: `fromRecord` knows those. */
export const make: (registry: RegistryName.RegistryName, settings?: Omit<Settings, "mirrors" | "location">) => Host =
  HostTable.host

/** The hosts' settings. By default https everywhere but on loopback, no prefix, no mirrors, and the default limits. */
export class RegistryHosts extends Context.Reference<RegistryHosts>()("effect-oci/RegistryHosts", {
  defaultValue: (): Service => HostTable.uniform()
}) {}

/** Where requests to a registry, or to one of its repositories, go by the settings in place. */
export const of = (registry: RegistryName.RegistryName, repository?: Repository | undefined): Effect.Effect<Host> =>
  Effect.map(RegistryHosts, (hosts) => hosts.lookup(registry, repository))

/** Settings by host: `{ "registry.test:5000": { scheme: "http" }, "*": { limits: { manifest: 1e6 } } }`. */
export const fromRecord = (record: Table): Layer.Layer<RegistryHosts, InvalidReference> =>
  Layer.effect(RegistryHosts, HostTable.fromRecord(record))

/** Settings by host from Effect's Config: `{ "registry.test": { prefix: Config.string("PREFIX") } }`. */
export const layerConfig = (config: {
  readonly [registry: string]: Config.Config.Wrap<Settings>
}): Layer.Layer<RegistryHosts, InvalidReference | ConfigError> =>
  Layer.effect(
    RegistryHosts,
    Effect.flatMap(Config.all(Rec.map(config, (settings) => Config.unwrap<Settings>(settings))), HostTable.fromRecord)
  )

/** The same settings for every host. */
export const layer = (settings: Omit<Settings, "mirrors" | "location">): Layer.Layer<RegistryHosts> =>
  Layer.succeed(RegistryHosts, HostTable.uniform(settings))

/**
 * The settings of containers' `registries.conf`, version 2, with its drop-ins: the file that `CONTAINERS_REGISTRIES_CONF`
 * names, else the user's, else the system's. They are read once, when the layer is built. A file that cannot be used fails
 * the layer; one that is not there says nothing.
 */
export const registriesConf: Layer.Layer<RegistryHosts, HostsInvalid | ConfigError, FileSystem | Path> = Layer.effect(
  RegistryHosts,
  RegistriesConf.load
)

/**
 * The settings of containerd's `hosts.toml` files, one in a folder for each host. They are read once, when the layer is
 * built. A file that cannot be used fails the layer. Pushes go to the host itself, or to the file's `server`.
 */
export const hostsToml = (
  directory = "/etc/containerd/certs.d"
): Layer.Layer<RegistryHosts, HostsInvalid, FileSystem | Path> => Layer.effect(RegistryHosts, HostsToml.load(directory))

/**
 * The references that a text may mean, most likely first, by the short names of the `registriesConf` in place: its alias, or
 * itself on each of the registries that are searched. One with a registry means just itself; one without is refused where
 * nothing is said about such names. Whoever asks for them in turn trusts all of these registries.
 */
export const candidates = (text: string): Effect.Effect<ReadonlyArray<Reference>, InvalidReference> =>
  Effect.flatMap(RegistryHosts, ({ shortNames }) => Names.candidates(text, shortNames))
