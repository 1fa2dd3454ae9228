import type * as http from "node:http"
import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as NodeHttp from "@effect-oci/node/NodeHttp"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Blobs from "effect-oci/Blobs"
import * as Registry from "effect-oci/Registry"
import * as RegistryError from "effect-oci/RegistryError"
import * as RegistryName from "effect-oci/RegistryName"
import * as Repository from "effect-oci/Repository"
import * as Certificate from "./certificate.js"
import { client, digest, forwarding, type Loopback, repositoryAt, serve, serveBytes } from "./support.js"

/** Answers every request with a blob of two bytes. */
const blob: http.RequestListener = (_, response) => response.setHeader("content-length", 2).end("{}")

/** Puts variables into the environment until the scope ends. */
const environment = (variables: Readonly<Record<string, string>>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = Object.keys(variables).map((name) => [name, process.env[name]] as const)
      Object.assign(process.env, variables)
      return before
    }),
    (before) =>
      Effect.sync(() => {
        for (const [name, value] of before) {
          if (value === undefined) delete process.env[name]
          else process.env[name] = value
        }
      })
  )

const ping = (text: string) => Effect.flatMap(RegistryName.parse(text), Registry.ping)

describe("NodeHttp", () => {
  it.scopedLive(
    "E17 sends 200 HEADs one by one over a connection or two",
    () =>
      Effect.gen(function* () {
        const server = yield* serve(blob)
        const repository = yield* repositoryAt(server)
        yield* Effect.repeatN(Blobs.head(repository, digest), 199).pipe(Effect.provide(client(NodeHttp.layer)))
        assert.strictEqual(server.requests.length, 200)
        assert.isAtMost(server.connections(), 2)
      }),
    30_000
  )

  it.scopedLive("opens no more connections to an origin than it may", () =>
    Effect.gen(function* () {
      const server = yield* serve(blob)
      const repository = yield* repositoryAt(server)
      yield* Effect.all(
        Array.from({ length: 60 }, () => Blobs.head(repository, digest)),
        { concurrency: "unbounded" }
      ).pipe(Effect.provide(client(NodeHttp.layerWith({ connections: 3 }))))
      assert.strictEqual(server.requests.length, 60)
      assert.strictEqual(server.connections(), 3)
    })
  )

  it.scopedLive("closes its connections with the scope", () =>
    Effect.gen(function* () {
      const server = yield* serve(blob)
      const repository = yield* repositoryAt(server)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const transport = Layer.succeed(HttpClient.HttpClient, yield* NodeHttp.make({ keepAlive: "1 minute" }))
          yield* Effect.provide(Blobs.head(repository, digest), client(transport))
        })
      )
      yield* server.idle
      assert.strictEqual(server.connections(), 1)
    })
  )

  it.scopedLive("fails as the transport does when nobody listens", () =>
    Effect.gen(function* () {
      const server = yield* Effect.scoped(serve(blob))
      const repository = yield* repositoryAt(server)
      const error = yield* Effect.flip(Blobs.head(repository, digest)).pipe(Effect.provide(client(NodeHttp.layer)))
      assert(error._tag === "TransportError")
      assert.strictEqual(error.code, "ECONNREFUSED")
    })
  )

  it.scopedLive("trusts the authorities that it is told to, and no others then", () =>
    Effect.gen(function* () {
      const server = yield* serve(blob, { cert: Certificate.cert, key: Certificate.key })
      const name = `https://localhost:${server.host.split(":")[1]}`
      const stranger = yield* Effect.flip(ping(name)).pipe(Effect.provide(client(NodeHttp.layer)))
      assert(stranger._tag === "TransportError")
      assert.strictEqual(stranger.code, "DEPTH_ZERO_SELF_SIGNED_CERT")
      yield* ping(name).pipe(
        Effect.provide(client(NodeHttp.layerWith({ tls: { [name.slice(8)]: { ca: Certificate.cert } } })))
      )
      assert.strictEqual(server.requests.length, 1)
    })
  )

  describe("T21 proxies", () => {
    it.scopedLive("takes a tunnel through the proxy, to which alone its password goes", () =>
      Effect.gen(function* () {
        const registry = yield* serve(blob)
        const proxy = yield* forwarding(registry)
        const transport = NodeHttp.layerWith({ proxy: { http: `http://me:secret@${proxy.host}`, except: "" } })
        yield* ping("http://registry.test:5000").pipe(Effect.provide(client(transport)))
        assert.deepStrictEqual(
          proxy.requests.map(({ method, target }) => `${method} ${target}`),
          ["CONNECT registry.test:5000"]
        )
        assert.strictEqual(proxy.requests[0]?.headers["proxy-authorization"], `Basic ${btoa("me:secret")}`)
        assert.strictEqual(registry.requests[0]?.headers.host, "registry.test:5000")
        assert.isUndefined(registry.requests[0]?.headers["proxy-authorization"])
      })
    )

    for (const [status, retryable] of [
      [407, false],
      [403, false],
      [503, true]
    ] as const) {
      it.scopedLive(`a proxy that answers ${status} is a TransportError that says so`, () =>
        Effect.gen(function* () {
          const proxy = yield* serveBytes((socket) => socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`))
          const transport = NodeHttp.layerWith({ proxy: { http: `http://${proxy.host}` } })
          const error = yield* Effect.flip(ping("https://registry.test")).pipe(Effect.provide(client(transport)))
          assert(error._tag === "TransportError")
          assert.strictEqual(error.code, `ERR_PROXY_${status}`)
          assert.strictEqual(RegistryError.isRetryable(error), retryable)
        })
      )
    }

    it.scopedLive("T21 S49 leaves the names that it asks a proxy for to the proxy", () =>
      Effect.gen(function* () {
        const server: Loopback = yield* serve((request, response) =>
          request.url?.startsWith("/v2/") === true
            ? response.writeHead(307, { location: "http://cdn.test/blob" }).end()
            : response.setHeader("content-length", 2).end("{}")
        )
        const proxy = yield* forwarding(server)
        const transport = NodeHttp.layerWith({
          proxy: { http: `http://${proxy.host}`, except: "" },
          lookup: (hostname) => assert.fail(`${hostname} was looked up`)
        })
        const repository = yield* Repository.parse("http://registry.test/org/app")
        yield* Effect.provide(Blobs.get(repository, digest), client(transport))
        assert.deepStrictEqual(
          proxy.requests.map(({ target }) => target),
          ["registry.test:80", "cdn.test:80"]
        )
      })
    )

    it.scopedLive("finds the proxy, and who is reached without it, in the environment", () =>
      Effect.gen(function* () {
        const registry = yield* serve(blob)
        const proxy = yield* forwarding(registry)
        yield* environment({ http_proxy: `http://${proxy.host}`, no_proxy: "internal.invalid" })
        const failed = yield* Effect.gen(function* () {
          yield* ping("http://registry.test")
          return yield* Effect.flip(ping("http://sub.internal.invalid"))
        }).pipe(Effect.provide(client(NodeHttp.layer)))
        assert.deepStrictEqual(
          proxy.requests.map(({ target }) => target),
          ["registry.test:80"]
        )
        assert.strictEqual(failed._tag, "TransportError")
      })
    )

    for (const host of ["127.0.0.1", "localhost"]) {
      it.scopedLive(`reaches ${host} without a proxy`, () =>
        Effect.gen(function* () {
          const registry = yield* serve(blob)
          const transport = NodeHttp.layerWith({ proxy: { http: "http://proxy.invalid:3128" } })
          const port = registry.host.split(":")[1]
          yield* ping(`${host}:${port}`).pipe(Effect.provide(client(transport)))
          assert.strictEqual(registry.requests.length, 1)
        })
      )
    }

    it.scopedLive("uses no proxy at all when every host is excepted", () =>
      Effect.gen(function* () {
        const proxy = yield* forwarding(yield* serve(blob))
        const transport = NodeHttp.layerWith({ proxy: { http: `http://${proxy.host}`, except: "*" } })
        const error = yield* Effect.flip(ping("http://registry.invalid")).pipe(Effect.provide(client(transport)))
        assert.strictEqual(error._tag, "TransportError")
        assert.strictEqual(proxy.connections(), 0)
      })
    )

    for (const address of [
      "http://me:secret@",
      "ftp://me:secret@proxy.test",
      "http://me:secret%zz@proxy.test",
      "http://me:secret%ff@proxy.test",
      "http://secret%c3:me@proxy.test",
      "socks5://me:secret%ff@proxy.test"
    ]) {
      it.scopedLive(`fails each request for a proxy's address like ${address}, and does not show it`, () =>
        Effect.gen(function* () {
          const transport = NodeHttp.layerWith({ proxy: { http: address } })
          const error = yield* Effect.flip(ping("http://registry.test")).pipe(Effect.provide(client(transport)))
          assert(error._tag === "TransportError")
          assert.include(error.message, "proxy's address")
          assert.notInclude(String(error), "secret")
        })
      )
    }
  })
})
