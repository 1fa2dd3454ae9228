import * as Data from "effect/Data"
import * as Either from "effect/Either"
import { type InvalidReference, invalid, looksLikeRegistry, splitScheme } from "./internal/referenceText.js"

export { InvalidReference } from "./internal/referenceText.js"

const hubAliases: ReadonlySet<string> = new Set([
  "docker.io",
  "index.docker.io",
  "registry-1.docker.io",
  "registry.hub.docker.com"
])

interface Fields {
  /** Lower case; an IPv6 address as URLs write it, but without brackets. Docker Hub is `docker.io` under all its names. */
  readonly host: string
  /** 0 to 65535; undefined when none was written. */
  readonly port?: number | undefined
  /** Only when it was written: which one to use otherwise is the client's policy. */
  readonly scheme?: "http" | "https" | undefined
}

/**
 * A registry: the host that stands in front of a repository's name. `parse` is the checked way to make one; the constructor
 * takes its fields as they are. Registries are equal by value, and one with a written scheme differs from one without.
 */
export class RegistryName extends Data.Class<Fields> {
  constructor(fields: Fields) {
    // Absent fields are keys too, so that `{ host }` and `{ host, port: undefined }` are equal.
    super({ host: fields.host, port: fields.port, scheme: fields.scheme })
  }

  /** Whether this is Docker Hub. */
  get official(): boolean {
    return this.host === "docker.io" && this.port === undefined
  }

  /** `host[:port]` as in a URL, an IPv6 address in brackets. */
  get authority(): string {
    const host = this.host.includes(":") ? `[${this.host}]` : this.host
    return this.port === undefined ? host : `${host}:${this.port}`
  }

  /** Where the registry's API is: Docker Hub's is at `registry-1.docker.io`, all others' at their `authority`. */
  get apiAuthority(): string {
    return this.official ? "registry-1.docker.io" : this.authority
  }

  /** Whether the host is this machine: `localhost`, `*.localhost`, 127.0.0.0/8 or `::1`, and nothing that resolves to it. */
  get isLoopback(): boolean {
    return (
      this.host === "localhost" ||
      this.host.endsWith(".localhost") ||
      this.host === "::1" ||
      /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(this.host)
    )
  }

  /** The name that `parse` reads back, without the scheme: the authority, in capitals where these alone tell it from a path. */
  override toString(): string {
    return looksLikeRegistry(this.authority) ? this.authority : this.authority.toUpperCase()
  }
}

/** Docker Hub, which short names such as `alpine` belong to. */
export const dockerHub: RegistryName = new RegistryName({ host: "docker.io" })

/**
 * Reads a registry: `ghcr.io`, `localhost:5000`, `[::1]:5000`, `http://10.0.0.1`. Capitals are lowered; an `http://` or
 * `https://` in front is kept, `oci://` and `docker://` are dropped, and so is a final slash and the API's root, as in
 * `https://index.docker.io/v1/`. A host needs a dot, a port or a capital letter unless it is `localhost`, has no
 * underscore and no final dot, and must be spelled as URLs spell it: `127.1`, which they read as 127.0.0.1, is refused.
 * Docker Hub over plain http is refused too.
 */
export const parse = (text: string): Either.Either<RegistryName, InvalidReference> => {
  const refuse = (reason: string) => Either.left(invalid(text, reason))
  if (text.length > 512) return refuse("it is longer than 512 characters")
  const { rest, scheme } = splitScheme(text)
  const authority = rest.replace(/\/(?:v[12]\/?)?$/, "")
  if (authority === "") return refuse("its registry is empty")
  if (authority.includes("/")) return refuse("its registry has a path, or a scheme other than http and https")
  if (!looksLikeRegistry(authority)) {
    return refuse("its registry has neither a dot nor a port, as in registry.example.com and registry:443")
  }
  // An IPv6 address has colons of its own, up to its bracket.
  const colon = authority.indexOf(":", authority.lastIndexOf("]") + 1)
  const digits = colon === -1 ? undefined : authority.slice(colon + 1)
  if (digits !== undefined && (!/^[0-9]{1,5}$/.test(digits) || Number(digits) > 65535)) {
    return refuse("its port is not a number from 0 to 65535")
  }
  const port = digits === undefined ? undefined : Number(digits)
  const host = canonicalHost(colon === -1 ? authority : authority.slice(0, colon))
  if (host === undefined) {
    return refuse("its host is no DNS name (letters, digits, hyphens, dots), IPv4 address or IPv6 address in brackets")
  }
  if (!hubAliases.has(host)) return Either.right(new RegistryName({ host, port, scheme }))
  if (scheme === "http") return refuse("Docker Hub speaks https only")
  return Either.right(
    port === undefined || port === 443
      ? new RegistryName({ host: dockerHub.host, scheme })
      : new RegistryName({ host, port, scheme })
  )
}

const isLabel = (label: string): boolean =>
  /^[A-Za-z0-9-]{1,63}$/.test(label) && !label.startsWith("-") && !label.endsWith("-")

const canonicalHost = (host: string): string | undefined => {
  const isIPv6 = /^\[[0-9A-Fa-f:]{2,39}\]$/.test(host)
  if (!isIPv6 && (host.length > 253 || !host.split(".").every(isLabel))) return undefined
  // What goes into a request is what the URL parser makes of the host, so it has the last word.
  const url = `http://${host}`
  if (!URL.canParse(url)) return undefined
  const { hostname } = new URL(url)
  if (isIPv6) return hostname.slice(1, -1)
  return hostname === host.toLowerCase() ? hostname : undefined
}
