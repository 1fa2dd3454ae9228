import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Blobs from "effect-oci/Blobs"
import * as RegistryMiddleware from "effect-oci/RegistryMiddleware"
import { client, digest, repositoryAt, serve, serveBytes, transports } from "../support.js"

const adding = (name: string, value: string) =>
  RegistryMiddleware.layer((_, next) => HttpClient.mapRequest(next, HttpClientRequest.setHeader(name, value)))

for (const [name, transport] of Object.entries(transports)) {
  describe(name, () => {
    it.scopedLive("E4 E22 S58 T20 sends who it is, no coding, no trace of ours", () =>
      Effect.gen(function* () {
        const server = yield* serve((_, response) => response.end("{}"))
        const repository = yield* repositoryAt(server)
        yield* Blobs.get(repository, digest).pipe(Effect.withSpan("ours"), Effect.provide(client(transport)))
        const headers = server.requests[0]?.headers ?? {}
        assert.match(headers["user-agent"] ?? "", /^effect-oci\//)
        assert.strictEqual(headers["accept-encoding"], "identity")
        assert.deepStrictEqual(
          Object.keys(headers).filter((header) => /^(b3|traceparent|tracestate|x-b3-.*|baggage)$/.test(header)),
          []
        )
      })
    )

    it.scopedLive("T27 keeps no cookies", () =>
      Effect.gen(function* () {
        const server = yield* serve((_, response) => response.setHeader("set-cookie", "sid=1; Path=/").end("{}"))
        const repository = yield* repositoryAt(server)
        yield* Effect.repeatN(Blobs.get(repository, digest), 2).pipe(Effect.provide(client(transport)))
        assert.deepStrictEqual(
          server.requests.map(({ headers }) => headers.cookie),
          [undefined, undefined, undefined]
        )
      })
    )

    for (const value of ["a\r\nx-injected: 1", "a\0", "\u20ac"]) {
      it.scopedLive(`E19 S21 refuses to send ${JSON.stringify(value)}`, () =>
        Effect.gen(function* () {
          const server = yield* serve((_, response) => response.end("{}"))
          const repository = yield* repositoryAt(server)
          const error = yield* Effect.flip(Blobs.get(repository, digest)).pipe(
            Effect.provide([client(transport), adding("x-mine", value)])
          )
          assert(error._tag === "TransportError")
          assert.strictEqual(error.code, "ERR_HEADER")
          assert.deepStrictEqual(server.requests, [])
        })
      )
    }

    it.scopedLive("T24 overlooks early hints", () =>
      Effect.gen(function* () {
        const server = yield* serveBytes((socket) =>
          socket.write(
            "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
          )
        )
        const repository = yield* repositoryAt(server)
        const bytes = yield* Blobs.get(repository, digest).pipe(Effect.provide(client(transport)))
        assert.strictEqual(bytes.length, 2)
      })
    )

    const nonsense: ReadonlyArray<readonly [name: string, answer: string]> = [
      ["T25 headers without end", `HTTP/1.1 200 OK\r\nX-Long: ${"a".repeat(200_000)}\r\n\r\n`],
      ["T26 two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"],
      ["T26 what is not HTTP", "SSH-2.0-OpenSSH_9.6\r\n"],
      ["T8 a connection that is closed at once", ""]
    ]
    for (const [what, answer] of nonsense) {
      it.scopedLive(`${what} is a TransportError`, () =>
        Effect.gen(function* () {
          const server = yield* serveBytes((socket) => socket.end(answer))
          const repository = yield* repositoryAt(server)
          const error = yield* Effect.flip(Blobs.get(repository, digest)).pipe(Effect.provide(client(transport)))
          assert.strictEqual(error._tag, "TransportError")
        })
      )
    }
  })
}
