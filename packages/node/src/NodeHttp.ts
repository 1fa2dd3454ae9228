/**
 * The transport that suits registries on Node: undici, with a bounded pool for each origin, proxies from the environment,
 * and connections that outlive a `HEAD`.
 */
import * as dns from "node:dns"
import type { LookupFunction } from "node:net"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as Undici from "@effect/platform-node/Undici"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Certificates from "./internal/certificates.js"
import * as Pieces from "./internal/pieces.js"
import * as Routes from "./internal/routes.js"
import * as Transport from "./internal/transport.js"

/** Where a proxy is found, by the scheme of the request; each is read from the environment when it is left out. */
export interface Proxy {
  /** For `http:` URLs, as `http://host:port`; by default `http_proxy` or `HTTP_PROXY`. */
  readonly http?: string | undefined
  /** For `https:` URLs; by default `https_proxy` or `HTTPS_PROXY`, and else the one for `http:`. */
  readonly https?: string | undefined
  /** Hosts that are reached without a proxy, separated by commas, or `*`; by default `no_proxy` or `NO_PROXY`. */
  readonly except?: string | undefined
}

export interface Options {
  /** The most connections to one origin at a time; 16 by default. Further requests wait for one of them. */
  readonly connections?: number | undefined
  /** How long opening a connection may take; 10 seconds by default. */
  readonly connectTimeout?: Duration.DurationInput | undefined
  /** How long a connection is kept for the next request, unless its server says so; 4 seconds by default. */
  readonly keepAlive?: Duration.DurationInput | undefined
  /** By host, as `registry.test:5000`. It comes before the files that `RegistryHosts` names, and these before `certificates`. */
  readonly tls?: { readonly [host: string]: Tls } | undefined
  /**
   * Directories with one for each host, as `registry.test:5000`, which hold `*.crt` (authorities to trust as well), and
   * `*.cert` with `*.key` (who we are). The first that has the host is read, when the host is first asked. By default where
   * containers' tools and Docker look: `~/.config/containers/certs.d`, `/etc/containers/certs.d` and `/etc/docker/certs.d`.
   */
  readonly certificates?: ReadonlyArray<string> | undefined
  readonly proxy?: Proxy | undefined
  /** How names are resolved; by default as `node:dns` does. */
  readonly lookup?: LookupFunction | undefined
}

/** What is particular to the connections to one host, in PEM. */
export type Tls = Certificates.Tls

const environment = (name: string): string => process.env[name.toLowerCase()] ?? process.env[name] ?? ""

/** Nobody reaches our loopback through a proxy; Go's clients know that, undici does not. */
const loopback = "localhost,127.0.0.1,[::1]"

/** Whether undici can make something of it; its user name and password are UTF-8, written as URLs write it. */
const isProxy = (address: string): boolean => {
  if (address === "") return true
  if (!URL.canParse(address)) return false
  const { password, protocol, username } = new URL(address)
  const decoded = Either.try(() => [username, password].map(decodeURIComponent))
  return /^(https?|socks5?):$/.test(protocol) && Either.isRight(decoded)
}

const agent = ({ connections = 16, connectTimeout = "10 seconds", keepAlive = "4 seconds", proxy }: Options) => {
  const timeout = Duration.toMillis(connectTimeout)
  const except = proxy?.except ?? environment("NO_PROXY")
  const httpProxy = proxy?.http ?? environment("HTTP_PROXY")
  const httpsProxy = proxy?.https ?? environment("HTTPS_PROXY")
  if (![httpProxy, httpsProxy].every(isProxy)) return undefined
  return ({ lookup, ...tls }: Routes.Setup): Undici.Dispatcher => {
    const finding = { timeout, ...(lookup === undefined ? {} : { lookup }) }
    const secure = Undici.buildConnector({ ...tls, ...finding })
    // what TLS decrypts comes 16 KiB at a time
    const plain = Undici.buildConnector({ ...finding, onread: Pieces.onread })
    const common = {
      connections,
      keepAliveTimeout: Duration.toMillis(keepAlive),
      connect: (options: Undici.buildConnector.Options, callback: Undici.buildConnector.Callback) =>
        (options.protocol === "https:" ? secure : plain)(options, callback)
    }
    if (httpProxy === "" && httpsProxy === "") return new Undici.Agent(common)
    return new Undici.EnvHttpProxyAgent({
      ...common,
      proxyTls: { timeout },
      requestTls: { ...tls, timeout },
      httpProxy,
      httpsProxy,
      noProxy: except.trim() === "*" ? "*" : `${except},${loopback}`
    })
  }
}

/** The address may hold a password, and so is not shown. */
const unreachable = HttpClient.make((request) =>
  Effect.fail(
    new HttpClientError.RequestError({
      request,
      reason: "Transport",
      cause: new Error("the proxy's address is not a URL")
    })
  )
)

/**
 * An `HttpClient` with connections of its own, which are closed with the scope. It follows no redirects. When the address
 * of a proxy is not a URL, every request fails.
 */
export const make = (options: Options = {}): Effect.Effect<HttpClient.HttpClient, never, Scope.Scope> =>
  Effect.suspend(() => {
    const connecting = agent(options)
    if (connecting === undefined) return Effect.succeed(unreachable)
    const routes = Routes.make({
      agent: connecting,
      certificates: Certificates.make(options.tls ?? {}, options.certificates ?? Certificates.directories()),
      lookup: options.lookup ?? dns.lookup
    })
    return Effect.map(routes, Transport.make)
  })

/** The transport as `make` builds it. */
export const layerWith = (options: Options): Layer.Layer<HttpClient.HttpClient> =>
  Layer.scoped(HttpClient.HttpClient, make(options))

/** The transport with its defaults. */
export const layer: Layer.Layer<HttpClient.HttpClient> = layerWith({})
