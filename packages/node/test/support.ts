import * as http from "node:http"
import * as https from "node:https"
import * as net from "node:net"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Undici from "@effect/platform-node/Undici"
import * as NodeHttp from "@effect-oci/node/NodeHttp"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Descriptor from "effect-oci/Descriptor"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as RegistryRetry from "effect-oci/RegistryRetry"
import * as Repository from "effect-oci/Repository"

/** A request as it came over the wire. */
export interface Seen {
  readonly method: string
  /** The target of the request line, byte for byte. */
  readonly target: string
  readonly headers: http.IncomingHttpHeaders
}

export interface Loopback {
  /** `127.0.0.1:port` */
  readonly host: string
  readonly requests: ReadonlyArray<Seen>
  /** How many connections there have been. */
  readonly connections: () => number
  /** Waits until no connection is open. */
  readonly idle: Effect.Effect<void>
}

const listening = (server: net.Server, requests: ReadonlyArray<Seen>): Effect.Effect<Loopback, never, Scope.Scope> =>
  Effect.gen(function* () {
    const open = new Set<net.Socket>()
    let connections = 0
    server.on("connection", (socket) => {
      connections++
      open.add(socket)
      socket.on("close", () => open.delete(socket))
      socket.on("error", () => {})
    })
    const port = yield* Effect.acquireRelease(
      Effect.async<number>((resume) => {
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          resume(
            address !== null && typeof address === "object" ? Effect.succeed(address.port) : Effect.dieMessage("?")
          )
        })
      }),
      () =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          for (const socket of open) socket.destroy()
        })
    )
    const idle = Effect.async<void>((resume) => {
      const check = () => {
        if (open.size === 0) return resume(Effect.void)
        for (const socket of open) socket.once("close", check)
      }
      check()
    })
    return { host: `127.0.0.1:${port}`, requests, connections: () => connections, idle }
  })

/** An HTTP server on a free port of this machine, closed with the scope; with a certificate it speaks TLS. */
export const serve = (
  handle: http.RequestListener,
  tls?: https.ServerOptions
): Effect.Effect<Loopback, never, Scope.Scope> =>
  Effect.suspend(() => {
    const requests: Array<Seen> = []
    const listener: http.RequestListener = (request, response) => {
      requests.push({ method: request.method ?? "", target: request.url ?? "", headers: request.headers })
      handle(request, response)
    }
    const server = tls === undefined ? http.createServer(listener) : https.createServer(tls, listener)
    return listening(server, requests)
  })

/** A server that answers what it is first sent with bytes of the test's choice. */
export const serveBytes = (answer: (socket: net.Socket) => void): Effect.Effect<Loopback, never, Scope.Scope> =>
  Effect.suspend(() =>
    listening(
      net.createServer((socket) => socket.once("data", () => answer(socket))),
      []
    )
  )

/** A proxy that tunnels to one server, whatever host it is asked for. */
export const forwarding = (target: Loopback): Effect.Effect<Loopback, never, Scope.Scope> =>
  Effect.suspend(() => {
    const requests: Array<Seen> = []
    const server = http.createServer()
    server.on("connect", (request: http.IncomingMessage, socket: net.Socket) => {
      requests.push({ method: "CONNECT", target: request.url ?? "", headers: request.headers })
      const onward = net.connect({ host: "127.0.0.1", port: Number(target.host.split(":")[1]) }, () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n")
        onward.pipe(socket).pipe(onward)
      })
      onward.on("error", () => socket.destroy())
      socket.on("close", () => onward.destroy())
    })
    return listening(server, requests)
  })

/** The digest of `{}`. */
export const { digest } = Descriptor.empty

type Transport = Layer.Layer<HttpClient.HttpClient>

/** Every transport that Node has, each with as many connections as it likes. */
export const transports: { readonly [name: string]: Transport } = {
  NodeHttp: NodeHttp.layer,
  "NodeHttpClient.layerUndici": NodeHttpClient.layerUndici,
  "NodeHttpClient.layer": NodeHttpClient.layer,
  FetchHttpClient: FetchHttpClient.layer
}

const oneSocket = () => new Undici.Agent({ connections: 1 })

/** The same, with one connection for each origin. */
export const narrow: { readonly [name: string]: Transport } = {
  NodeHttp: NodeHttp.layerWith({ connections: 1 }),
  "NodeHttpClient.layerUndici": Layer.provide(
    NodeHttpClient.layerUndiciWithoutDispatcher,
    Layer.scoped(
      NodeHttpClient.Dispatcher,
      Effect.acquireRelease(Effect.sync(oneSocket), (agent) => Effect.promise(() => agent.destroy()))
    )
  ),
  "NodeHttpClient.layer": Layer.provide(
    NodeHttpClient.layerWithoutAgent,
    NodeHttpClient.makeAgentLayer({ keepAlive: true, maxSockets: 1 })
  ),
  FetchHttpClient: Layer.provideMerge(
    FetchHttpClient.layer,
    Layer.scopedDiscard(
      Effect.acquireRelease(
        Effect.sync(() => {
          const before = Undici.getGlobalDispatcher()
          const agent = oneSocket()
          Undici.setGlobalDispatcher(agent)
          return { agent, before }
        }),
        ({ agent, before }) =>
          Effect.promise(() => {
            Undici.setGlobalDispatcher(before)
            return agent.destroy()
          })
      )
    )
  )
}

/** A client over a transport that makes each request once, and no request of its own to sign in. */
export const client = (
  transport: Transport,
  limits: Partial<RegistryHosts.Limits> = {}
): Layer.Layer<RegistryClient.RegistryClient> =>
  RegistryClient.layer.pipe(
    Layer.provide([transport, RegistryAuth.layerNone, RegistryRetry.layerNone, RegistryHosts.layer({ limits })])
  )

/** A repository of a server that answers in the place of a registry. */
export const repositoryAt = (server: Loopback) => Repository.parse(`${server.host}/org/app`)

/** So many bytes of no meaning, in pieces. */
export const bytes = (size: number, piece = 65_536): Stream.Stream<Uint8Array> =>
  Stream.unfold(size, (left) => {
    const next = Math.min(left, piece)
    return next === 0 ? Option.none() : Option.some([new Uint8Array(next), left - next])
  }).pipe(Stream.rechunk(1))
