import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, effect, layer } from "@effect/vitest"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Hasher from "effect-oci/Hasher"
import * as Registry from "effect-oci/Registry"
import * as RegistryName from "effect-oci/RegistryName"
import { bytesOf, manifest, pushBlob, putManifest, send, startUpload } from "./support.js"

/** Any host of a request becomes the address of the server. */
const toServer = Layer.effect(
  HttpClient.HttpClient,
  Effect.gen(function* () {
    const { address } = yield* HttpServer.HttpServer
    assert(address._tag === "TcpAddress")
    return HttpClient.mapRequest(
      yield* HttpClient.HttpClient,
      HttpClientRequest.updateUrl((url) => url.replace("http://registry.test", `http://127.0.0.1:${address.port}`))
    )
  })
)

const webHandler = Layer.effect(
  FetchHttpClient.Fetch,
  Effect.map(RegistryServer.RegistryServer, ({ app }): typeof globalThis.fetch => {
    const handler = HttpApp.toWebHandler(app)
    return (input, init) => handler(new Request(input, init))
  })
)

const socket = <E>(client: Layer.Layer<HttpClient.HttpClient, E>) =>
  toServer.pipe(
    Layer.provide(client),
    Layer.provideMerge(RegistryServer.layerHttp()),
    Layer.provide(NodeHttpServer.layerTest)
  )

const transports: ReadonlyArray<
  readonly [name: string, transport: Layer.Layer<HttpClient.HttpClient | RegistryServer.RegistryServer, unknown>]
> = [
  ["in the process", RegistryServer.layerHttpClient()],
  [
    "as a web handler",
    FetchHttpClient.layer.pipe(Layer.provide(webHandler), Layer.provideMerge(RegistryServer.layer()))
  ],
  ["over a socket, undici", socket(NodeHttpClient.layerUndici)],
  ["over a socket, node:http", socket(NodeHttpClient.layer)],
  ["over a socket, fetch", socket(FetchHttpClient.layer)]
]

for (const [name, transport] of transports) {
  describe(`RegistryServer ${name}`, () => {
    layer(transport)((it) => {
      it.effect("streams blobs up and down", () =>
        Effect.gen(function* () {
          const pieces = Array.from({ length: 50 }, (_, n) => new Uint8Array(10_000).fill(n))
          const whole = Uint8Array.from(pieces.flatMap((piece) => Array.from(piece)))
          const digest = yield* Hasher.digest(whole)
          const location = yield* startUpload("org/app")
          const patch = yield* send("PATCH", location, { body: Stream.fromIterable(pieces) })
          assert.strictEqual(patch.headers.range, "0-499999")
          assert.strictEqual((yield* send("PUT", `${location}?digest=${digest}`)).status, 201)
          const answer = yield* send("GET", `/v2/org/app/blobs/${digest}`)
          assert.strictEqual(answer.headers["content-length"], "500000")
          assert.deepStrictEqual(answer.bytes, whole)
        })
      )

      it.effect("answers HEAD with the headers of GET", () =>
        Effect.gen(function* () {
          const digest = yield* pushBlob("org/app", "hello")
          const head = yield* send("HEAD", `/v2/org/app/blobs/${digest}`)
          assert.strictEqual(head.headers["content-length"], "5")
          assert.strictEqual(head.bytes.length, 0)
          const unknown = yield* send("HEAD", "/v2/org/app/manifests/none")
          assert.strictEqual(unknown.status, 404)
        })
      )

      it.effect("keeps special characters of a query", () =>
        Effect.gen(function* () {
          const path = `/v2/org/app/referrers/sha256:${"0".repeat(64)}?artifactType=a%2Bb%20c`
          const answer = yield* send("GET", path)
          assert.strictEqual(answer.headers["oci-filters-applied"], "artifactType")
        })
      )

      it.effect("answers requests without a body where one is expected", () =>
        Effect.gen(function* () {
          const digest = yield* Hasher.digest(new Uint8Array())
          const location = yield* startUpload("org/app")
          assert.strictEqual((yield* send("PATCH", location)).status, 202)
          assert.strictEqual((yield* send("PUT", `${location}?digest=${digest}`)).status, 201)
          assert.strictEqual((yield* send("PUT", "/v2/org/app/manifests/1")).status, 400)
        })
      )
    })
  })
}

describe("RegistryServer.layerHttpClient", () => {
  layer(RegistryServer.layerHttpClient())((it) => {
    it.effect("is reached by any host", () =>
      Effect.gen(function* () {
        for (const origin of ["https://ghcr.io", "http://127.0.0.1:5000", "https://[::1]"]) {
          assert.strictEqual((yield* send("GET", "/v2/", { origin })).status, 200)
        }
      })
    )

    it.effect("keeps its bytes when the sender fills its buffer again", () =>
      Effect.gen(function* () {
        const buffer = bytesOf("hello")
        const digest = yield* pushBlob("org/app", buffer)
        buffer.fill(0)
        assert.strictEqual((yield* send("GET", `/v2/org/app/blobs/${digest}`)).text, "hello")
      })
    )

    it.effect("fails as a transport does when a body breaks off, with its error as the cause", () =>
      Effect.gen(function* () {
        const location = yield* startUpload("org/app")
        const error = yield* Effect.flip(send("PATCH", location, { body: Stream.fail("disk is gone") }))
        assert(error._tag === "RequestError")
        assert.strictEqual(error.reason, "Transport")
        assert.strictEqual(error.cause, "disk is gone")
      })
    )

    it.effect("does not draw a body that it does not read", () =>
      Effect.gen(function* () {
        const body = Stream.fromEffect(Effect.dieMessage("it was drawn"))
        const answer = yield* send("PATCH", "/v2/org/app/blobs/uploads/none", { body })
        assert.strictEqual(answer.status, 404)
      })
    )

    it.effect("can be interrupted while a body comes, and the session goes on", () =>
      Effect.gen(function* () {
        const location = yield* startUpload("org/app")
        const started = yield* Deferred.make<void>()
        const body = Stream.concat(
          Stream.make(bytesOf("hel")),
          Stream.fromEffect(Effect.zipRight(Deferred.succeed(started, undefined), Effect.never))
        )
        const sending = yield* Effect.fork(send("PATCH", location, { body }))
        yield* Deferred.await(started)
        const exit = yield* Fiber.interrupt(sending)
        assert.isTrue(Exit.isInterrupted(exit))
        assert.strictEqual((yield* send("GET", location)).headers.range, "0-2")
        assert.strictEqual((yield* send("PATCH", location, { body: "lo" })).headers.range, "0-4")
      })
    )

    it.effect("refuses a body that it cannot stream", () =>
      Effect.gen(function* () {
        const client = yield* HttpClient.HttpClient
        const request = HttpClientRequest.bodyFormData(HttpClientRequest.post("http://a.test/v2/"), new FormData())
        const error = yield* Effect.flip(client.execute(request))
        assert.strictEqual(error.reason, "Encode")
      })
    )
  })

  effect("is a registry of its own each time", () =>
    Effect.gen(function* () {
      yield* pushBlob("org/app", "hello").pipe(Effect.provide(RegistryServer.layerHttpClient()))
      const answer = yield* send("GET", "/v2/org/app/tags/list").pipe(Effect.provide(RegistryServer.layerHttpClient()))
      assert.strictEqual(answer.status, 404)
    })
  )

  effect("hashes with the Hasher that it was made with, whatever the caller has", () =>
    Effect.gen(function* () {
      const broken: Hasher.Service = {
        make: () => assert.fail("the caller's hasher was used")
      }
      const digest = yield* Hasher.digest(bytesOf("hello"))
      const body = manifest({ blobs: [digest] })
      const { seed } = yield* RegistryServer.RegistryServer
      yield* Effect.gen(function* () {
        const blob = yield* send("POST", `/v2/org/app/blobs/uploads/?digest=${digest}`, { body: "hello" })
        assert.strictEqual(blob.status, 201)
        assert.strictEqual((yield* putManifest("org/app", "1", body)).status, 201)
        yield* seed({ "org/seeded": {} })
      }).pipe(Effect.provideService(Hasher.Hasher, broken))
    }).pipe(Effect.provide(RegistryServer.layerHttpClient()))
  )
})

describe("RegistryServer.layerTest", () => {
  effect("is a RegistryClient for the registry beside it", () =>
    Effect.gen(function* () {
      const registry = yield* RegistryName.parse("registry.test")
      assert.isTrue(yield* Registry.supports(registry))
      const { seed } = yield* RegistryServer.RegistryServer
      yield* seed({ "org/late:1": {} })
      assert.strictEqual((yield* send("HEAD", "/v2/org/late/manifests/1")).status, 200)
    }).pipe(Effect.provide(RegistryServer.layerTest()))
  )
})
