import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import type { HttpMethod } from "@effect/platform/HttpMethod"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, effect, it } from "@effect/vitest"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { codes, send, startUpload } from "./support.js"

const seed = { "org/app:1": {} }
const manifest = "/v2/org/app/manifests/1"

const registry = (faults: RegistryServer.Faults, options: RegistryServer.Options = {}) =>
  RegistryServer.layerHttpClient({ seed, faults, ...options })

/** Every request meets this fault. */
const always = (kind: RegistryServer.Fault, options?: Partial<RegistryServer.Faults>) =>
  registry({ seed: 1, rate: 1, kinds: [kind], ...options })

const injected = Effect.flatMap(RegistryServer.RegistryServer, ({ faults }) => faults.injected)

const statuses = (count: number) =>
  Effect.replicateEffect(
    Effect.map(send("GET", manifest), ({ status }) => status),
    count
  )

/** What a connection that ends leaves: where it was noticed, and the code of its cause. */
const ending = (error: HttpClientError): readonly [reason: string, code: unknown] => [
  error.reason,
  Object(error.cause).code
]

describe("faults", () => {
  const answers = [
    [401, ["UNAUTHORIZED"]],
    [403, ["DENIED"]],
    [429, ["TOOMANYREQUESTS"]],
    [408, "Request Timeout\n"],
    [500, "Internal Server Error\n"],
    [502, "Bad Gateway\n"],
    [503, "Service Unavailable\n"],
    [504, "Gateway Timeout\n"]
  ] as const
  for (const [kind, said] of answers) {
    effect(`answer ${kind}, and do nothing`, () =>
      Effect.gen(function* () {
        const answer = yield* send("DELETE", manifest)
        assert.strictEqual(answer.status, kind)
        assert.deepStrictEqual(typeof said === "string" ? answer.text : codes(answer), said)
        assert.strictEqual((yield* send("GET", manifest)).status, 200)
      }).pipe(Effect.provide(always(kind, { limit: 1 })))
    )
  }

  effect("401 asks who it is, as the registry does", () =>
    Effect.gen(function* () {
      const { headers } = yield* send("GET", manifest)
      assert.strictEqual(headers["www-authenticate"], `Basic realm="registry"`)
    }).pipe(Effect.provide(always(401)))
  )

  effect("401 asks for a token where tokens are had", () =>
    Effect.gen(function* () {
      const { headers } = yield* send("GET", manifest)
      assert.strictEqual(
        headers["www-authenticate"],
        `Bearer realm="http://registry.test/token",service="registry",scope="repository:org/app:pull"`
      )
    }).pipe(
      Effect.provide(
        registry({ seed: 1, rate: 1, kinds: [401] }, { auth: { type: "token", users: {}, anonymousPull: true } })
      )
    )
  )

  effect("T3 429 says when to come again, in seconds or as a date", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2030, 0, 1, 12, 0, 0, 1))
      const answers = yield* Effect.replicateEffect(send("GET", manifest), 20)
      const said = new Set(answers.map(({ headers }) => headers["retry-after"]))
      // a date has no fractions of a second: never too early
      assert.deepStrictEqual([...said].sort(), ["90", "Tue, 01 Jan 2030 12:01:31 GMT"])
    }).pipe(Effect.provide(always(429, { retryAfter: "90 seconds" })))
  )

  effect("T8 reset a connection, before anything was done", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(send("DELETE", manifest))
      assert.deepStrictEqual(ending(error), ["Transport", "ECONNRESET"])
      assert.strictEqual((yield* send("GET", manifest)).status, 200)
    }).pipe(Effect.provide(always("reset", { limit: 1 })))
  )

  effect("E16 cut an answer in the middle of its body", () =>
    Effect.gen(function* () {
      const client = yield* HttpClient.HttpClient
      const response = yield* client.get(`http://registry.test${manifest}`)
      assert.strictEqual(response.status, 200)
      let size = 0
      const error = yield* response.stream.pipe(
        Stream.runForEach((bytes) => Effect.sync(() => (size += bytes.length))),
        Effect.flip
      )
      assert.deepStrictEqual(ending(error), ["Decode", "UND_ERR_SOCKET"])
      assert.strictEqual(size, Math.floor(Number(response.headers["content-length"]) / 2))
    }).pipe(Effect.provide(always("cut")))
  )

  for (const method of ["DELETE", "HEAD"] satisfies ReadonlyArray<HttpMethod>) {
    effect(`cut an answer to ${method} when all was done`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(send(method, manifest))
        assert.deepStrictEqual(ending(error), ["Transport", "UND_ERR_SOCKET"])
        assert.strictEqual((yield* send("GET", manifest)).status, method === "DELETE" ? 404 : 200)
      }).pipe(Effect.provide(always("cut", { limit: 1 })))
    )
  }

  effect("T13 stall in the middle of a body", () =>
    Effect.gen(function* () {
      const client = yield* HttpClient.HttpClient
      const response = yield* client.get(`http://registry.test${manifest}`)
      const read = yield* Effect.fork(Effect.timeoutOption(response.arrayBuffer, "1 hour"))
      yield* TestClock.adjust("1 hour")
      assert.isTrue(Option.isNone(yield* Fiber.join(read)))
    }).pipe(Effect.provide(always("stall")))
  )

  effect("T12 stall in the place of an answer, until it is given up", () =>
    Effect.gen(function* () {
      const sending = yield* Effect.fork(send("DELETE", manifest))
      yield* TestClock.adjust("1 hour")
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(sending)))
      assert.strictEqual((yield* send("GET", manifest)).status, 404)
    }).pipe(Effect.provide(always("stall", { limit: 1 })))
  )

  effect("slow an answer down", () =>
    Effect.gen(function* () {
      const sending = yield* Effect.fork(send("GET", manifest))
      yield* TestClock.adjust("4999 millis")
      assert.isTrue(Option.isNone(yield* Fiber.poll(sending)))
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(sending)).status, 200)
    }).pipe(Effect.provide(always("slow", { delay: "5 seconds" })))
  )

  for (const method of ["PATCH", "PUT", "GET"] satisfies ReadonlyArray<HttpMethod>) {
    effect(`lose the upload that a ${method} is about, and no other`, () =>
      Effect.gen(function* () {
        const [lost, kept] = [yield* startUpload("org/app"), yield* startUpload("org/app")]
        const answer = yield* send(method, `${lost}?digest=sha256:${"0".repeat(64)}`)
        assert.strictEqual(answer.status, 404)
        assert.deepStrictEqual(codes(answer), ["BLOB_UPLOAD_UNKNOWN"])
        assert.strictEqual((yield* send("GET", kept)).status, 204)
        assert.deepStrictEqual(yield* injected, { "lost upload": 1 })
      }).pipe(Effect.provide(always("lost upload", { limit: 1 })))
    )
  }

  effect("are the same with the same seed, and others with another", () =>
    Effect.gen(function* () {
      const run = (seed: number) =>
        Effect.provide(statuses(100), registry({ seed, rate: 0.3, kinds: [401, 403, 429, 500, 503] }))
      const [first, again, other] = [yield* run(7), yield* run(7), yield* run(8)]
      assert.deepStrictEqual(again, first)
      assert.notDeepEqual(other, first)
    })
  )

  effect("are as many as the rate says, of each kind alike, and counted", () =>
    Effect.gen(function* () {
      const answers = yield* statuses(1000)
      const count = (status: number) => answers.filter((answer) => answer === status).length
      const counts = yield* injected
      assert.deepStrictEqual({ 403: count(403), 500: count(500) }, { 403: counts[403], 500: counts[500] })
      assert.strictEqual(count(200), 1000 - count(403) - count(500))
      assert.closeTo(count(403), 100, 30)
      assert.closeTo(count(500), 100, 30)
    }).pipe(Effect.provide(registry({ seed: 3, rate: 0.2, kinds: [403, 500] })))
  )

  effect("end when there were enough", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* statuses(5), [500, 500, 500, 200, 200])
      assert.deepStrictEqual(yield* injected, { 500: 3 })
    }).pipe(Effect.provide(always(500, { limit: 3 })))
  )

  effect("are of all kinds, at a rate of one in ten, unless they are told otherwise", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(
        Effect.replicateEffect(
          Effect.ignore(Effect.timeoutOption(send("HEAD", "/v2/org/app/blobs/uploads/x"), "1 minute")),
          400
        )
      )
      yield* TestClock.adjust("1 day")
      yield* Fiber.join(fiber)
      const counts = yield* injected
      assert.strictEqual(Object.keys(counts).length, 13)
      assert.closeTo(
        Object.values(counts).reduce((sum, n) => sum + n, 0),
        40,
        20
      )
    }).pipe(Effect.provide(registry({ seed: 5 })))
  )

  describe("by endpoint", () => {
    const blob = `/v2/org/app/blobs/sha256:${"0".repeat(64)}`
    const requests = {
      "registry.ping": ["GET", "/v2/"],
      "auth.token": ["GET", "/token"],
      "catalog.list": ["GET", "/v2/_catalog"],
      "tags.list": ["GET", "/v2/org/app/tags/list"],
      "tags.delete": ["DELETE", manifest],
      "manifests.head": ["HEAD", manifest],
      "manifests.get": ["GET", manifest],
      "manifests.put": ["PUT", manifest],
      "manifests.delete": ["DELETE", `/v2/org/app/manifests/sha256:${"0".repeat(64)}`],
      "blobs.head": ["HEAD", blob],
      "blobs.get": ["GET", blob],
      "blobs.range": ["GET", blob, { range: "bytes=0-1" }],
      "blobs.delete": ["DELETE", blob],
      "referrers.list": ["GET", `/v2/org/app/referrers/sha256:${"0".repeat(64)}`],
      "uploads.start": ["POST", "/v2/org/app/blobs/uploads/"],
      "uploads.post": ["POST", "/v2/org/app/blobs/uploads/?digest=x"],
      "uploads.mount": ["POST", "/v2/org/app/blobs/uploads/?mount=x"],
      "uploads.status": ["GET", "/v2/org/app/blobs/uploads/x"],
      "uploads.patch": ["PATCH", "/v2/org/app/blobs/uploads/x"],
      "uploads.finish": ["PUT", "/v2/org/app/blobs/uploads/x?digest=x"],
      "uploads.cancel": ["DELETE", "/v2/org/app/blobs/uploads/x"]
    } as const satisfies Record<string, readonly [HttpMethod, string, Record<string, string>?]>

    for (const [name, [method, path, headers = {}]] of Object.entries<
      readonly [HttpMethod, string, Record<string, string>?]
    >(requests)) {
      effect(`${name} goes wrong, and nothing else`, () =>
        Effect.gen(function* () {
          assert.strictEqual((yield* send(method, path, { headers })).status, 504)
          for (const [other, [method, path, headers = {}]] of Object.entries<
            readonly [HttpMethod, string, Record<string, string>?]
          >(requests)) {
            if (other !== name) assert.notStrictEqual((yield* send(method, path, { headers })).status, 504, other)
          }
        }).pipe(
          Effect.provide(
            registry(
              { seed: 1, rate: { [name]: 1 }, kinds: [504] },
              { auth: { type: "token", users: { me: "secret" } } }
            )
          )
        )
      )
    }

    effect("a path that is none never does", () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* send("GET", "/favicon.ico")).status, 404)
      }).pipe(Effect.provide(always(500)))
    )
  })
})

describe("faults over a socket", () => {
  const clients = [
    ["undici", NodeHttpClient.layerUndici],
    ["node:http", NodeHttpClient.layer],
    ["fetch", FetchHttpClient.layer]
  ] as const
  for (const [name, client] of clients) {
    const served = (kind: RegistryServer.Fault) =>
      Layer.mergeAll(
        RegistryServer.layerHttp({ seed, faults: { seed: 1, rate: 1, kinds: [kind], limit: 1 } }).pipe(
          Layer.provideMerge(NodeHttpServer.layerTest)
        ),
        client
      )
    const origin = HttpServer.addressWith((address) =>
      Effect.succeed(`http://127.0.0.1:${address._tag === "TcpAddress" ? address.port : 0}`)
    )

    for (const [kind, path, reason] of [
      ["reset", manifest, "Transport"],
      ["cut", manifest, "Decode"],
      ["cut", "/v2/org/app/blobs/uploads/x", "Transport"]
    ] as const) {
      it.live(`E16, T8 ${name} sees a ${kind} of ${path}, and the next answer is whole`, () =>
        Effect.gen(function* () {
          const options = { origin: yield* origin }
          const method = path === manifest ? "GET" : "HEAD"
          const error = yield* Effect.flip(send(method, path, options))
          assert.strictEqual(error.reason, reason)
          assert.strictEqual((yield* send("GET", manifest, options)).status, 200)
          assert.deepStrictEqual(yield* injected, { [kind]: 1 })
        }).pipe(Effect.provide(served(kind)))
      )
    }

    for (const method of ["GET", "DELETE"] satisfies ReadonlyArray<HttpMethod>) {
      it.live(`T13 ${name} waits for the answer to a ${method} that stalls until it gives up`, () =>
        Effect.gen(function* () {
          const options = { origin: yield* origin }
          const answer = yield* Effect.timeoutOption(send(method, manifest, options), "200 millis")
          assert.isTrue(Option.isNone(answer))
          assert.strictEqual((yield* send("GET", manifest, options)).status, method === "GET" ? 200 : 404)
        }).pipe(Effect.provide(served("stall")))
      )
    }
  }
})

describe("faults of a web handler", () => {
  effect("end its bodies, for it has no connection to end", () =>
    Effect.gen(function* () {
      const { app } = yield* RegistryServer.RegistryServer
      const answer = yield* Effect.promise(() =>
        HttpApp.toWebHandler(app)(new Request(`http://registry.test${manifest}`))
      )
      const read = yield* Effect.exit(Effect.tryPromise(() => answer.arrayBuffer()))
      assert.isTrue(Exit.isFailure(read))
    }).pipe(Effect.provide(always("reset")))
  )
})
