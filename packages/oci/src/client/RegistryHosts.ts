/**
 * What is particular to a registry's host: its scheme, a path in front of `/v2/`, and how much of its answers we take.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { InvalidReference } from "../spec/RegistryName.js"
import * as RegistryName from "../spec/RegistryName.js"

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
}

/** One host's settings; what is left out stays at its default. */
export interface Settings {
  /** `https`, but for loopback hosts. A scheme written in a reference comes first. */
  readonly scheme?: "http" | "https" | undefined
  /** What stands before `/v2/` in every path, such as `/artifactory/api/docker/local`. */
  readonly prefix?: string | undefined
  /** Takes any certificate of this host, where the transport can, as NodeHttp does. It says nothing of other hosts. */
  readonly insecure?: boolean | undefined
  readonly limits?: Partial<Limits> | undefined
}

/** Where requests to a registry go, and their limits. */
export interface Host {
  /** Scheme, host, port and prefix, without a slash at the end: `https://registry-1.docker.io`. */
  readonly baseUrl: string
  /** Whether credentials may be sent: https, loopback, or plain http that these settings ask for. */
  readonly secure: boolean
  /** Whether any certificate is taken; not by default. */
  readonly insecure?: boolean | undefined
  readonly limits: Limits
}

export interface Service {
  readonly lookup: (registry: RegistryName.RegistryName) => Host
}

export const defaultLimits: Limits = {
  manifest: 8 * 1024 * 1024,
  page: 8 * 1024 * 1024,
  blob: 32 * 1024 * 1024,
  error: 64 * 1024,
  redirects: 10,
  pages: 10_000,
  answer: Duration.seconds(60),
  idle: Duration.seconds(60)
}

const resolve = (registry: RegistryName.RegistryName, settings: Settings = {}): Host => {
  const scheme = registry.scheme ?? settings.scheme ?? (registry.isLoopback ? "http" : "https")
  const prefix = (settings.prefix ?? "").replace(/^\/?/, "/").replace(/\/$/, "")
  return {
    baseUrl: `${scheme}://${registry.apiAuthority}${prefix}`,
    secure: scheme === "https" || settings.scheme === "http" || registry.isLoopback,
    insecure: settings.insecure === true,
    limits: { ...defaultLimits, ...settings.limits }
  }
}

/** The hosts' settings. By default https everywhere but on loopback, no prefix, and the default limits. */
export class RegistryHosts extends Context.Reference<RegistryHosts>()("effect-oci/RegistryHosts", {
  defaultValue: (): Service => ({ lookup: (registry) => resolve(registry) })
}) {}

/** Where requests to a registry go, by the settings in place. */
export const of = (registry: RegistryName.RegistryName): Effect.Effect<Host> =>
  Effect.map(RegistryHosts, (hosts) => hosts.lookup(registry))

/**
 * Settings by host: `{ "registry.test:5000": { scheme: "http" }, "*": { limits: { manifest: 1e6 } } }`. `*` stands for
 * all hosts that are not named.
 */
export const fromRecord = (record: {
  readonly [registry: string]: Settings
}): Layer.Layer<RegistryHosts, InvalidReference> =>
  Layer.effect(
    RegistryHosts,
    Effect.gen(function* () {
      const { "*": others, ...named } = record
      const byName = new Map<string, Settings>()
      for (const [text, settings] of Object.entries(named)) {
        const name = yield* RegistryName.parse(text)
        byName.set(name.toString(), settings)
      }
      return { lookup: (registry) => resolve(registry, byName.get(registry.toString()) ?? others) }
    })
  )

/** The same settings for every host. */
export const layer = (settings: Settings): Layer.Layer<RegistryHosts> =>
  Layer.succeed(RegistryHosts, { lookup: (registry) => resolve(registry, settings) })
