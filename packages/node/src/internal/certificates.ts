import * as fs from "node:fs/promises"
import * as os from "node:os"
import * as path from "node:path"
import * as tls from "node:tls"
import * as Effect from "effect/Effect"
import type * as RegistryHosts from "effect-oci/RegistryHosts"
import * as RegistryName from "effect-oci/RegistryName"

/** In PEM. */
export interface Tls {
  /** Authorities to trust beside those that Node trusts. */
  readonly ca?: string | ReadonlyArray<string> | undefined
  /** A certificate that says who we are, and its key. */
  readonly cert?: string | ReadonlyArray<string> | undefined
  readonly key?: string | ReadonlyArray<string> | undefined
  readonly passphrase?: string | undefined
}

/** Where containers' tools look, in their order. */
export const directories = (): ReadonlyArray<string> => [
  path.join(os.homedir(), ".config/containers/certs.d"),
  "/etc/containers/certs.d",
  "/etc/docker/certs.d"
]

class CertificateError extends Error {
  readonly code = "ERR_TLS_CERTIFICATES"
}

/** What Node trusts by itself, `NODE_EXTRA_CA_CERTS` among it. Newer versions of it can be asked. */
const trusted = (): Promise<ReadonlyArray<string>> => {
  const ask: unknown = Reflect.get(tls, "getCACertificates")
  if (typeof ask === "function") return Promise.resolve(ask())
  const extra = process.env.NODE_EXTRA_CA_CERTS
  if (extra === undefined || extra === "") return Promise.resolve(tls.rootCertificates)
  return fs.readFile(extra, "utf8").then(
    (pem) => [...tls.rootCertificates, pem],
    () => tls.rootCertificates
  )
}

const list = (pem: string | ReadonlyArray<string> | undefined): Array<string> =>
  pem === undefined ? [] : typeof pem === "string" ? [pem] : [...pem]

/** Made once for all connections: it takes as long as a few requests. */
const secureContext = async ({ ca, cert, key, passphrase }: Tls): Promise<tls.SecureContext> =>
  tls.createSecureContext({
    ...(list(ca).length === 0 ? {} : { ca: [...(await trusted()), ...list(ca)] }),
    ...(list(cert).length === 0 ? {} : { cert: list(cert) }),
    ...(list(key).length === 0 ? {} : { key: list(key) }),
    ...(passphrase === undefined ? {} : { passphrase })
  })

/** The files of a directory, or nothing where there is none, or none for our eyes. */
const files = (directory: string): Promise<ReadonlyArray<string> | undefined> =>
  fs.readdir(directory).then(
    (names) => names.sort(),
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ENOTDIR" || error.code === "EACCES") return undefined
      throw error
    }
  )

/** `*.crt` are authorities; `*.cert` is a certificate of ours, and beside it lies its `*.key`. */
const read = async (directory: string): Promise<Tls | undefined> => {
  const names = await files(directory)
  if (names === undefined) return undefined
  const ending = (end: string) => names.filter((name) => name.endsWith(end)).map((name) => name.slice(0, -end.length))
  const [certs, keys] = [ending(".cert"), ending(".key")]
  for (const name of certs)
    if (!keys.includes(name)) throw new Error(`${directory} has ${name}.cert without ${name}.key`)
  for (const name of keys)
    if (!certs.includes(name)) throw new Error(`${directory} has ${name}.key without ${name}.cert`)
  const all = (names: ReadonlyArray<string>, end: string) =>
    Promise.all(names.map((name) => fs.readFile(path.join(directory, name + end), "utf8")))
  return { ca: await all(ending(".crt"), ".crt"), cert: await all(certs, ".cert"), key: await all(certs, ".key") }
}

/** The names under which a host's certificates may lie: as URLs write it, as references do, and with its port. */
const namesOf = (host: string): ReadonlyArray<string> => {
  const registry = RegistryName.parse(`https://${host}`)
  const names = registry._tag === "Right" ? [registry.right.authority, host] : [host]
  return [...new Set(names.flatMap((name) => (/:\d+$/.test(name) ? [name] : [name, `${name}:443`])))]
}

/** What RegistryHosts names, read. */
const readNamed = async ({ ca = [], client = [] }: RegistryHosts.Tls): Promise<Tls> => {
  const all = (files: ReadonlyArray<string>) => Promise.all(files.map((file) => fs.readFile(file, "utf8")))
  return {
    ca: await all(ca),
    cert: await all(client.map(({ cert }) => cert)),
    key: await all(client.map(({ cert, key }) => key ?? cert))
  }
}

/**
 * What a host's connections are made with, and nothing where Node's own settings do: what is given for it, else what the
 * policy names, else the first directory that has it.
 */
export interface Find {
  (host: string, named: RegistryHosts.Tls | undefined): Effect.Effect<tls.SecureContext | undefined, Error>
}

export const make = (given: { readonly [host: string]: Tls }, directories: ReadonlyArray<string>): Find => {
  const own = new Map(Object.entries(given).map(([host, settings]) => [host.toLowerCase(), settings]))
  const settingsOf = async (host: string, named: RegistryHosts.Tls | undefined): Promise<Tls | undefined> => {
    const names = namesOf(host)
    const found = names.map((name) => own.get(name)).find((settings) => settings !== undefined)
    if (found !== undefined) return found
    if (named !== undefined) return readNamed(named)
    for (const directory of directories.flatMap((parent) => names.map((name) => path.join(parent, name)))) {
      const settings = await read(directory)
      if (settings !== undefined) return settings
    }
    return undefined
  }
  return (host, named) =>
    Effect.tryPromise({
      try: async () => {
        const settings = await settingsOf(host, named)
        return settings === undefined ? undefined : await secureContext(settings)
      },
      catch: (cause) =>
        new CertificateError(`certificates for ${host}: ${cause instanceof Error ? cause.message : String(cause)}`)
    })
}
