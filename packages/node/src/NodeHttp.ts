/**
 * The transport that suits registries on Node: undici, with a bounded pool for each origin, proxies from the environment,
 * and connections that outlive a `HEAD`.
 */
import type { SecureContextOptions } from "node:tls"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Undici from "@effect/platform-node/Undici"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

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
  /** In PEM: the certificate authorities to trust instead of Node's own list, and a certificate that says who we are. */
  readonly tls?: Pick<SecureContextOptions, "ca" | "cert" | "key" | "passphrase"> | undefined
  readonly proxy?: Proxy | undefined
}

/** Undici gives up a connection after each `HEAD`, since some servers send a body; then it is given up all the same. */
const keepAfterHead: Undici.Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) =>
  dispatch(options.method === "HEAD" ? { ...options, reset: false } : options, handler)

const environment = (name: string): string => process.env[name.toLowerCase()] ?? process.env[name] ?? ""

/** Nobody reaches our loopback through a proxy; Go's clients know that, undici does not. */
const loopback = "localhost,127.0.0.1,[::1]"

const agent = ({ connections = 16, connectTimeout = "10 seconds", keepAlive = "4 seconds", proxy, tls }: Options) => {
  const timeout = Duration.toMillis(connectTimeout)
  const except = proxy?.except ?? environment("NO_PROXY")
  return new Undici.EnvHttpProxyAgent({
    connections,
    keepAliveTimeout: Duration.toMillis(keepAlive),
    connect: { ...tls, timeout },
    proxyTls: { timeout },
    requestTls: { ...tls, timeout },
    httpProxy: proxy?.http ?? environment("HTTP_PROXY"),
    httpsProxy: proxy?.https ?? environment("HTTPS_PROXY"),
    noProxy: except.trim() === "*" ? "*" : `${except},${loopback}`
  })
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
  Effect.acquireRelease(
    Effect.try(() => agent(options)),
    (dispatcher) => Effect.promise(() => dispatcher.destroy())
  ).pipe(
    Effect.map((dispatcher) => NodeHttpClient.makeUndici(dispatcher.compose(keepAfterHead))),
    Effect.catchAll(() => Effect.succeed(unreachable))
  )

/** The transport as `make` builds it. */
export const layerWith = (options: Options): Layer.Layer<HttpClient.HttpClient> =>
  Layer.scoped(HttpClient.HttpClient, make(options))

/** The transport with its defaults. */
export const layer: Layer.Layer<HttpClient.HttpClient> = layerWith({})
