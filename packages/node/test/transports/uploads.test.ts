import type * as http from "node:http"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Uploads from "effect-oci/Uploads"
import { bytes, client, digest, type Loopback, repositoryAt, serve, serveBytes, transports } from "../support.js"

const MiB = 1024 * 1024

const unauthorized = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"

/** An upload under way on the server. */
const session = (server: Loopback) =>
  Effect.map(
    repositoryAt(server),
    (repository): Uploads.UploadSession => ({
      _tag: "UploadSession",
      repository,
      location: Redacted.make(`http://${server.host}/upload`),
      offset: 0
    })
  )

/** Reads the request to its end, and answers then. */
const taking =
  (seen: Array<number>): http.RequestListener =>
  (request, response) => {
    let size = 0
    request.on("data", (data: Buffer) => (size += data.length))
    request.on("end", () => {
      seen.push(size)
      response.writeHead(201, { location: "/blob" }).end()
    })
  }

for (const [name, transport] of Object.entries(transports)) {
  const isFetch = name === "FetchHttpClient"
  const isNodeHttp = name === "NodeHttpClient.layer"

  describe(name, () => {
    it.scopedLive("E23 U1 says that a new upload has nothing in it", () =>
      Effect.gen(function* () {
        const server = yield* serve((_, response) => response.writeHead(202, { location: "/upload" }).end())
        yield* Effect.provide(Uploads.start(yield* repositoryAt(server)), client(transport))
        assert.strictEqual(server.requests[0]?.headers["content-length"], "0")
      })
    )

    it.scopedLive("E3 U20 sends bytes in memory with their length", () =>
      Effect.gen(function* () {
        const seen: Array<number> = []
        const server = yield* serve(taking(seen))
        const upload = Uploads.finish(yield* session(server), digest, new Uint8Array(MiB))
        yield* Effect.provide(upload, client(transport))
        assert.deepStrictEqual(seen, [MiB])
        assert.strictEqual(server.requests[0]?.headers["content-length"], String(MiB))
      })
    )

    it.scopedLive(`E3 sends a stream ${isFetch ? "in chunks" : "with its length"}`, () =>
      Effect.gen(function* () {
        const seen: Array<number> = []
        const server = yield* serve(taking(seen))
        const source = { size: 3 * MiB, stream: bytes(3 * MiB) }
        yield* Uploads.finish(yield* session(server), digest, source).pipe(Effect.provide(client(transport)))
        assert.deepStrictEqual(seen, [3 * MiB])
        const headers = server.requests[0]?.headers ?? {}
        assert.strictEqual(headers["content-length"], isFetch ? undefined : String(3 * MiB))
        assert.strictEqual(headers["transfer-encoding"], isFetch ? "chunked" : undefined)
      })
    )

    for (const [what, size] of [
      ["short", MiB - 1],
      ["long", MiB + 1]
    ] as const) {
      it.scopedLive(`E12 U67 a source that is too ${what} is a SizeMismatch`, () =>
        Effect.gen(function* () {
          const seen: Array<number> = []
          const server = yield* serve(taking(seen))
          const error = yield* Uploads.finish(yield* session(server), digest, { size: MiB, stream: bytes(size) }).pipe(
            Effect.flip,
            Effect.provide(client(transport))
          )
          assert(error._tag === "SizeMismatch")
          assert.strictEqual(error.expected, MiB)
          yield* server.idle
          // when the byte too many comes, the registry may already have all that it was told of
          assert.deepStrictEqual(size < MiB ? seen : [], [])
        })
      )
    }

    it.scopedLive("U67 what fails in the source is what the upload fails with", () =>
      Effect.gen(function* () {
        const server = yield* serve(taking([]))
        const stream = Stream.concat(bytes(MiB), Stream.fail("the disk is gone" as const))
        const error = yield* Uploads.finish(yield* session(server), digest, { size: 2 * MiB, stream }).pipe(
          Effect.flip,
          Effect.provide(client(transport))
        )
        assert.strictEqual(error, "the disk is gone")
        yield* server.idle
      })
    )

    // node:http looks at an answer only when it has sent all
    it.scopedLive(`E12 an early 401 is ${isNodeHttp ? "not seen" : "seen at once"}`, () =>
      Effect.gen(function* () {
        const server = yield* serveBytes((socket) => socket.pause().write(unauthorized))
        const source = { size: 64 * MiB, stream: bytes(64 * MiB) }
        const error = yield* Uploads.finish(yield* session(server), digest, source).pipe(
          Effect.flip,
          Effect.provide(client(transport, isNodeHttp ? { answer: Duration.millis(200) } : {}))
        )
        assert.strictEqual(error._tag, isNodeHttp ? "Timeout" : "Unauthorized")
      })
    )

    it.scopedLive("E12 an early 401 on a connection that is closed then is that, or a TransportError", () =>
      Effect.gen(function* () {
        const server = yield* serveBytes((socket) => socket.end(unauthorized, () => socket.destroy()))
        const source = { size: 64 * MiB, stream: bytes(64 * MiB) }
        const error = yield* Uploads.finish(yield* session(server), digest, source).pipe(
          Effect.flip,
          Effect.provide(client(transport))
        )
        assert.include(["Unauthorized", "TransportError"], error._tag)
        yield* server.idle
      })
    )
  })
}
