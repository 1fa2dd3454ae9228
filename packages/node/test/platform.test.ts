import type * as http from "node:http"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as UrlParams from "@effect/platform/UrlParams"
import { assert, describe, it } from "@effect/vitest"
import * as NodeHttp from "@effect-oci/node/NodeHttp"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { bytes, type Loopback, serve } from "./support.js"

const large = Buffer.alloc(4 * 1024 * 1024, "x")

/** Says what it is sent, answers at length, or not at all. */
const server = serve((request, response) => {
  if (request.url === "/large") response.end(large)
  else if (request.url === "/form")
    response.setHeader("content-type", "application/x-www-form-urlencoded").end("a=1&b=2")
  else if (request.url === "/cookies") response.setHeader("set-cookie", ["a=1", "b=2"]).end("{}")
  else if (request.url === "/echo") echo(request, response)
  else if (request.url !== "/silence") response.setHeader("content-length", 7).end(`{"a":1}`)
})

const echo = (request: http.IncomingMessage, response: http.ServerResponse) => {
  let size = 0
  request.on("data", (data: Buffer) => (size += data.length))
  request.on("end", () => response.end(JSON.stringify({ size, type: request.headers["content-type"] ?? null })))
}

const using = <A, E, R>(use: (client: HttpClient.HttpClient, server: Loopback) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const found = yield* server
    const prepend = HttpClient.mapRequest(HttpClientRequest.prependUrl(`http://${found.host}`))
    return yield* use(prepend(yield* NodeHttp.make({ connections: 1 })), found)
  })

/** As any client of the platform: what RegistryClient needs goes another way, which all other tests take. */
describe("NodeHttp as an HttpClient", () => {
  it.scopedLive("reads a body as what is asked for, again and again", () =>
    using((client) =>
      Effect.gen(function* () {
        const response = yield* client.get("/json")
        assert.deepStrictEqual(yield* response.json, { a: 1 })
        assert.strictEqual(yield* response.text, `{"a":1}`)
        assert.strictEqual((yield* response.arrayBuffer).byteLength, 7)
        assert.strictEqual((yield* Effect.flip(Stream.runDrain(response.stream))).reason, "Decode")
        const form = yield* client.get("/form")
        assert.deepStrictEqual(UrlParams.toRecord(yield* form.urlParamsBody), { a: "1", b: "2" })
        assert.strictEqual((yield* form.formData).get("b"), "2")
        const cookies = yield* client.get("/cookies")
        assert.deepStrictEqual(Object.keys(cookies.cookies.cookies), ["a", "b"])
        assert.strictEqual(cookies.headers["set-cookie"], "a=1, b=2")
      })
    )
  )

  it.scopedLive("sends bytes, streams and forms", () =>
    using((client) =>
      Effect.gen(function* () {
        const size = (body: HttpBody.HttpBody) =>
          Effect.flatMap(client.post("/echo", { body }), (response) => response.json)
        assert.deepStrictEqual(yield* size(HttpBody.uint8Array(new Uint8Array(10))), {
          size: 10,
          type: "application/octet-stream"
        })
        assert.deepStrictEqual(yield* size(HttpBody.stream(bytes(3_000_000), "a/b")), { size: 3_000_000, type: "a/b" })
        assert.deepStrictEqual(yield* size(HttpBody.empty), { size: 0, type: null })
        const form = new FormData()
        form.set("a", "1")
        assert.match(JSON.stringify(yield* size(HttpBody.formData(form))), /multipart\/form-data/)
      })
    )
  )

  it.scopedLive("streams in the pieces that the socket gives", () =>
    using((client) =>
      Effect.gen(function* () {
        const response = yield* client.get("/large")
        const chunks = yield* Stream.runCollect(Stream.chunks(response.stream))
        const sizes = Chunk.toReadonlyArray(Chunk.flatten(chunks)).map(({ length }) => length)
        assert.strictEqual(
          sizes.reduce((sum, size) => sum + size, 0),
          large.length
        )
        assert.isAtMost(Math.max(...sizes), 262_144)
      })
    )
  )

  it.scopedLive("goes on over its one connection when small answers stay unread", () =>
    using((client, { connections }) =>
      Effect.gen(function* () {
        yield* Effect.repeatN(client.get("/json"), 20)
        assert.strictEqual(connections(), 1)
      })
    )
  )

  it.scopedLive("gives a large answer up with its scope, its stream or its reader", () =>
    using((client, { idle }) =>
      Effect.gen(function* () {
        yield* Effect.scoped(HttpClient.withScope(client).get("/large"))
        yield* idle
        yield* Stream.runDrain(Stream.take((yield* client.get("/large")).stream, 1))
        yield* idle
        const fiber = yield* Effect.fork(client.get("/silence"))
        yield* Effect.sleep("50 millis")
        yield* Fiber.interrupt(fiber)
        yield* idle
      })
    )
  )

  it.scopedLive("says which URL and which header cannot be sent", () =>
    using((client) =>
      Effect.gen(function* () {
        const header = yield* Effect.flip(client.get("/json", { headers: { a: "b\r\nc: d" } }))
        assert(header._tag === "RequestError")
        assert.strictEqual(header.reason, "Transport")
      })
    )
  )
})
