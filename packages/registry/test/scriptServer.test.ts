import * as net from "node:net"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as ScriptServer from "@effect-oci/registry/node/ScriptServer"
import * as Script from "@effect-oci/registry/Script"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { failures, registry } from "./scriptSupport.js"
import { send } from "./support.js"

const cdn = "https://cdn.test"

const transports = {
  undici: NodeHttpClient.layerUndici,
  "node:http": NodeHttpClient.layer,
  fetch: FetchHttpClient.layer
}

const over = (client: Layer.Layer<HttpClient.HttpClient>, ...lines: ReadonlyArray<Script.Line>) =>
  Effect.provide(Layer.provide(ScriptServer.layerHttpClient(...lines), client))

const undici = (...lines: ReadonlyArray<Script.Line>) => over(NodeHttpClient.layerUndici, ...lines)

/** Sends bytes and answers all that comes back until the other side closes. */
const talk = (address: string, bytes: string) =>
  Effect.async<string, NodeJS.ErrnoException>((resume) => {
    const { hostname, port } = new URL(address)
    const socket = net.connect({ host: hostname, port: Number(port) }, () => socket.write(bytes))
    let said = ""
    socket.on("data", (data) => {
      said += data.toString("latin1")
    })
    socket.on("end", () => resume(Effect.succeed(said)))
    socket.on("error", (error) => resume(Effect.fail(error)))
    return Effect.sync(() => socket.destroy())
  })

for (const [name, client] of Object.entries(transports)) {
  describe(`ScriptServer with ${name}`, () => {
    it.live("plays a script of several origins, which go by their own names", () =>
      Effect.gen(function* () {
        const first = yield* send("POST", "/v2/a?b=%20~c+%2B%3D", { origin: registry, body: "hello" })
        assert.strictEqual(first.headers.location, `${cdn}/x?sig=a%20b`)
        const response = yield* Effect.flatMap(HttpClient.HttpClient, (client) => client.get(`${cdn}/x?sig=a%20b`))
        assert.strictEqual(response.request.url, `${cdn}/x?sig=a%20b`)
        assert.strictEqual(yield* response.text, "one, two")
        const [post, get] = yield* Script.requests
        assert.deepInclude(post, { origin: registry, method: "POST", target: "/v2/a?b=%20~c+%2B%3D" })
        assert.deepStrictEqual(post?.body, new TextEncoder().encode("hello"))
        assert.deepInclude(get, { origin: cdn, target: "/x?sig=a%20b", answer: "consumed", sent: 8 })
        assert.notStrictEqual(post?.connection, get?.connection)
      }).pipe(
        over(
          client,
          Script.expect("POST", "/v2/a?b=%20~c+%2B%3D", { body: "hello" }).answer(201, {
            headers: { Location: `${cdn}/x?sig=a%20b` }
          }),
          Script.on(cdn)
            .expect("GET", "/x?sig=a%20b")
            .answer(200, { body: ["one, ", "", "two"] })
        )
      )
    )

    it.live("reads streamed bodies", () =>
      Effect.gen(function* () {
        const pieces = ["hello ", "world", "x".repeat(100_000)]
        const body = Stream.map(Stream.fromIterable(pieces), (piece) => new TextEncoder().encode(piece))
        yield* send("PUT", "/a", { origin: registry, body })
        assert.strictEqual((yield* send("PUT", "/a", { origin: registry, body })).text, `${pieces.join("").length}`)
        for (const { body } of yield* Script.requests) {
          assert.strictEqual(new TextDecoder().decode(body), pieces.join(""))
        }
      }).pipe(
        over(
          client,
          Script.expect("PUT", "/a")
            .answer(({ body }) => ({ status: 200, body: `${body.length}` }))
            .times(2)
        )
      )
    )

    const breaks: ReadonlyArray<readonly [name: string, step: Script.Step]> = [
      ["closed in chunks", Script.expect("GET", "/a").answer(200, { body: ["he", Script.cut] })],
      [
        "closed before its length",
        Script.expect("GET", "/a").answer(200, { headers: { "Content-Length": "5" }, body: ["he", Script.cut] })
      ],
      [
        "closed in raw bytes",
        Script.expect("GET", "/a").raw("HTTP/1.1 200 OK\r\nContent-Le", "ngth: 5\r\n\r\nhe", Script.cut)
      ],
      ["closed at once", Script.expect("GET", "/a").answer(Script.cut)],
      ["reset", Script.expect("GET", "/a").answer(Script.reset)],
      ["reset in its body", Script.expect("GET", "/a").answer(200, { body: ["he", Script.reset] })]
    ]
    for (const [how, step] of breaks) {
      it.live(`E16 an answer that is ${how} is an error`, () =>
        Effect.gen(function* () {
          yield* Effect.flip(send("GET", "/a", { origin: registry }))
        }).pipe(over(client, step))
      )
    }

    it.live("T13 a stall ends when the client gives up, and not before", () =>
      Effect.gen(function* () {
        const gate = yield* Script.hold
        yield* Effect.gen(function* () {
          for (const target of ["/a", "/b"]) {
            const fiber = yield* Effect.fork(send("GET", target, { origin: registry }))
            yield* gate.arrived
            assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
          }
        }).pipe(
          over(
            client,
            Script.expect("GET", "/a").raw(gate),
            Script.expect("GET", "/b").answer(200, { body: ["he", gate] })
          )
        )
      })
    )
  })
}

describe("ScriptServer", () => {
  it.live("answers early, before it reads the body", () =>
    Effect.gen(function* () {
      let drawn = 0
      const piece = new Uint8Array(65_536)
      const body = Stream.repeatEffect(
        Effect.sync(() => {
          drawn++
          return piece
        })
      ).pipe(Stream.rechunk(1), Stream.take(1000))
      assert.strictEqual((yield* send("PUT", "/a", { origin: registry, body })).status, 401)
      assert.isBelow(drawn, 1000)
    }).pipe(undici(Script.expect("PUT", "/a", { unread: true }).answer(401, { after: "20 millis" })))
  )

  it.live("hears and says everything byte for byte, several requests to a connection", () =>
    Effect.gen(function* () {
      const { address } = yield* Script.Script
      const said = yield* talk(
        address(registry),
        "GET /a HTTP/1.1\r\nhOsT: x\r\nX-Two: 1\r\nx-two:  2 \r\n\r\nGET /b HTTP/1.1\r\n\r\n"
      )
      assert.strictEqual(
        said,
        "HTTP/1.1 200 OK\r\nX-One: é\r\nx-ONE: 2\r\ncontent-length: 2\r\n\r\nhi" + "HTTP/1.1 404 Nope\nodd: yes\n\n"
      )
      const [first, second] = yield* Script.requests
      assert(first !== undefined && second !== undefined)
      assert.deepStrictEqual([first.connection, second.connection], [1, 1])
      assert.deepStrictEqual(first.rawHeaders, [
        ["hOsT", "x"],
        ["X-Two", "1"],
        ["x-two", "2"]
      ])
      assert.strictEqual(first.headers["x-two"], "1, 2")
    }).pipe(
      Effect.provide(
        ScriptServer.layer(
          Script.expect("GET", "/a").answer(200, {
            headers: [
              ["X-One", "é"],
              ["x-ONE", "2"]
            ],
            body: "hi"
          }),
          Script.expect("GET", "/b").raw("HTTP/1.1 404 Nope\nodd: yes\n\n", Script.cut)
        )
      )
    )
  )

  it.live("resets a connection with an RST", () =>
    Effect.gen(function* () {
      const { address } = yield* Script.Script
      const error = yield* Effect.flip(talk(address(registry), "GET /a HTTP/1.1\r\n\r\n"))
      assert.strictEqual(error.code, "ECONNRESET")
    }).pipe(Effect.provide(ScriptServer.layer(Script.expect("GET", "/a").answer(Script.reset))))
  )

  for (const side of ["request", "answer"]) {
    const header = { connection: "close" }
    it.live(`ends a connection that its ${side} closes`, () =>
      Effect.gen(function* () {
        const { address } = yield* Script.Script
        const said = yield* talk(
          address(registry),
          `GET /a HTTP/1.1\r\n${side === "request" ? "Connection: close\r\n" : ""}\r\n`
        )
        assert.include(said, "204 No Content")
      }).pipe(
        Effect.provide(
          ScriptServer.layer(Script.expect("GET", "/a").answer(204, side === "answer" ? { headers: header } : {}))
        )
      )
    )
  }

  it.live("T8 a wrong length keeps the client waiting", () =>
    Effect.gen(function* () {
      const gate = yield* Script.hold
      yield* Effect.gen(function* () {
        const fiber = yield* Effect.fork(send("GET", "/a", { origin: registry }))
        yield* gate.arrived
        assert.isNull(fiber.unsafePoll())
        yield* Fiber.interrupt(fiber)
      }).pipe(
        undici(Script.expect("GET", "/a").answer(200, { headers: { "content-length": "9" }, body: ["hello", gate] }))
      )
    })
  )

  it.live("lets time pass between the bytes of a body", () =>
    Effect.gen(function* () {
      const [elapsed, { text }] = yield* Effect.timed(send("GET", "/a", { origin: registry }))
      assert.strictEqual(text, "hello")
      assert.isAtLeast(Duration.toMillis(elapsed), 40)
    }).pipe(undici(Script.expect("GET", "/a").answer(200, { body: Script.trickle("hello", "10 millis") })))
  )

  it.live("fails a test that has an unexpected request, also to an origin that it does not know", () =>
    Effect.gen(function* () {
      const step = Script.expect("GET", "/a").answer(200)
      const exit = yield* Effect.exit(
        Effect.map(send("GET", "/b", { origin: registry }), ({ status, text }) =>
          assert.deepStrictEqual([status, text], [501, `GET ${registry}/b came instead of GET ${registry}/a`])
        ).pipe(undici(step))
      )
      assert.deepStrictEqual(failures(exit), [
        `not as the script has it:\n  - GET ${registry}/b came instead of GET ${registry}/a\n  - GET ${registry}/a never came`
      ])
      const other = yield* Effect.exit(send("GET", "/a?b", { origin: cdn }).pipe(undici(step)))
      assert.deepStrictEqual(failures(other), [
        `GET ${cdn}/a?b came, and nothing more is expected there`,
        `GET ${registry}/a never came`
      ])
    })
  )

  it.live("fails a test that leaves an answer open", () =>
    Effect.gen(function* () {
      const step = Script.expect("GET", "/a").answer(200, { body: ["he", Script.stall] })
      const exit = yield* Effect.exit(
        Effect.flatMap(HttpClient.HttpClient, (client) => client.get(`${registry}/a`)).pipe(
          Effect.flatMap((response) => Effect.as(Script.requests, response)),
          undici(step)
        )
      )
      assert.deepStrictEqual(failures(exit), [`the answer to GET ${registry}/a was neither read nor given up`])
    })
  )

  it.live("leaves a URL that is none to the transport", () =>
    Effect.gen(function* () {
      const client = yield* HttpClient.HttpClient
      const error = yield* Effect.flip(client.execute(HttpClientRequest.get("no url")))
      assert.strictEqual(error.reason, "InvalidUrl")
    }).pipe(undici())
  )
})
