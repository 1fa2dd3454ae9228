import { gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Runtime from "effect/Runtime"
import * as Stream from "effect/Stream"
import * as Blobs from "effect-oci/Blobs"
import * as Tags from "effect-oci/Tags"
import { client, digest, repositoryAt, serve, serveBytes, transports } from "../support.js"

const short = { answer: Duration.millis(100), idle: Duration.millis(100) }

const cut: ReadonlyArray<readonly [name: string, answer: string]> = [
  ["before its length", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}"],
  ["before its last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"],
  ["in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{}"]
]

for (const [name, transport] of Object.entries(transports)) {
  describe(name, () => {
    for (const [where, answer] of cut) {
      it.scopedLive(`E16 T8 a body cut ${where} is a TransportError`, () =>
        Effect.gen(function* () {
          const server = yield* serveBytes((socket) => socket.end(answer))
          const repository = yield* repositoryAt(server)
          const error = yield* Stream.runDrain(Blobs.stream(repository, digest)).pipe(
            Effect.flip,
            Effect.provide(client(transport))
          )
          assert.strictEqual(error._tag, "TransportError")
        })
      )
    }

    it.scopedLive("E7 T13 an answer that does not come is a Timeout", () =>
      Effect.gen(function* () {
        const server = yield* serve(() => {})
        const repository = yield* repositoryAt(server)
        const error = yield* Effect.flip(Blobs.get(repository, digest)).pipe(Effect.provide(client(transport, short)))
        assert(error._tag === "Timeout")
        assert.strictEqual(error.phase, "answer")
        yield* server.idle
      })
    )

    it.scopedLive("E7 T13 a body that stops is a Timeout", () =>
      Effect.gen(function* () {
        const server = yield* serve((_, response) => response.writeHead(200).write("{"))
        const repository = yield* repositoryAt(server)
        const error = yield* Effect.flip(Blobs.get(repository, digest)).pipe(
          Effect.provide(client(transport, { idle: short.idle }))
        )
        assert(error._tag === "Timeout")
        assert.strictEqual(error.phase, "body")
        yield* server.idle
      })
    )

    it.scopedLive("T12 an interrupted reader closes the connection", () =>
      Effect.gen(function* () {
        const runtime = yield* Effect.runtime()
        const begun = yield* Deferred.make<void>()
        const server = yield* serve((_, response) => {
          response.writeHead(200).write("{")
          Runtime.runSync(runtime, Deferred.succeed(begun, undefined))
        })
        const repository = yield* repositoryAt(server)
        const fiber = yield* Effect.fork(Effect.provide(Blobs.get(repository, digest), client(transport)))
        yield* Deferred.await(begun)
        yield* Fiber.interrupt(fiber)
        yield* server.idle
      })
    )

    it.scopedLive("E17 a reader that has enough closes the connection", () =>
      Effect.gen(function* () {
        const server = yield* serve((_, response) => {
          const more = () => {
            while (!response.destroyed && response.write(Buffer.alloc(65_536))) {}
          }
          response.on("drain", more)
          more()
        })
        const repository = yield* repositoryAt(server)
        const taken = Stream.runCount(Stream.take(Blobs.stream(repository, digest), 3))
        assert.strictEqual(yield* Effect.provide(taken, client(transport)), 3)
        yield* server.idle
      })
    )

    it.scopedLive("E4 what comes in a coding that nobody asked for is what it decodes to, or fails", () =>
      Effect.gen(function* () {
        const server = yield* serve((request, response) =>
          response
            .writeHead(200, { "content-encoding": "gzip", "content-type": "application/json" })
            .end(gzipSync(request.url?.endsWith("/list") ? JSON.stringify({ tags: ["a"] }) : "{}"))
        )
        const repository = yield* repositoryAt(server)
        const decodes = name === "FetchHttpClient"
        yield* Effect.gen(function* () {
          const blob = yield* Effect.either(Blobs.get(repository, digest))
          const tags = yield* Effect.either(Tags.list(repository))
          if (decodes) {
            assert(blob._tag === "Right" && tags._tag === "Right")
            assert.deepStrictEqual(tags.right.tags, ["a"])
          } else {
            assert(blob._tag === "Left" && tags._tag === "Left")
            assert.strictEqual(blob.left._tag, "DigestMismatch")
            assert.strictEqual(tags.left._tag, "UnexpectedResponse")
          }
        }).pipe(Effect.provide(client(transport)))
      })
    )
  })
}
