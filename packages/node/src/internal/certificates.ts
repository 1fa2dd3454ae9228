import * as fs from "node:fs/promises"
import * as os from "node:os"
import * as path from "node:path"
import * as tls from "node:tls"
import * as Effect from "effect/Effect"
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

const failure = (what: string) => (cause: unknown) =>
  new CertificateError(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`)

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
  for (const name of certs) if (!keys.includes(name)) throw new Error(`${name}.key is missing beside ${name}.cert`)
  for (const name of keys) if (!certs.includes(name)) throw new Error(`${name}.cert is missing beside ${name}.key`)
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

/** What a host's connections are made with; nothing where Node's own settings do. Looked for when it is first needed. */
export const make = (
  given: { readonly [host: string]: Tls },
  directories: ReadonlyArray<string>
): ((host: string) => Effect.Effect<tls.SecureContext | undefined, Error>) => {
  const own = new Map(Object.entries(given).map(([host, settings]) => [host.toLowerCase(), settings]))
  const made = new Map<string, tls.SecureContext>()
  const find = async (host: string): Promise<tls.SecureContext | undefined> => {
    const names = namesOf(host)
    for (const name of names) {
      const settings = own.get(name)
      if (settings !== undefined) return secureContext(settings)
    }
    for (const directory of directories) {
      for (const name of names) {
        const settings = await read(path.join(directory, name)).catch((cause: unknown) => {
          throw failure(path.join(directory, name))(cause)
        })
        if (settings !== undefined) return secureContext(settings)
      }
    }
    return undefined
  }
  return (host) =>
    Effect.suspend(() => {
      const known = made.get(host)
      if (known !== undefined) return Effect.succeed(known)
      return Effect.tap(
        Effect.tryPromise({ try: () => find(host), catch: failure(`the certificates for ${host}`) }),
        (found) => Effect.sync(() => found !== undefined && made.set(host, found))
      )
    })
}
