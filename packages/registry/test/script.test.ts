import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Script from "@effect-oci/registry/Script"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Manifests from "effect-oci/Manifests"
import * as Reference from "effect-oci/Reference"
import { execute, failures, get, play, registry } from "./scriptSupport.js"
import { send } from "./support.js"

describe("Script", () => {
  it.effect("is a RegistryClient on a script, in one layer", () =>
    Effect.gen(function* () {
      const reference = yield* Reference.parse("registry.test/org/app:9")
      const error = yield* Effect.flip(Manifests.get(reference))
      assert.strictEqual(error._tag, "ManifestUnknown")
    }).pipe(
      Effect.provide(
        Script.layerTest(
          Script.expect("GET", "/v2/org/app/manifests/9").answer(404, Script.refusal("MANIFEST_UNKNOWN"))
        )
      )
    )
  )

  describe("requests", () => {
    it.effect("are data: origin, method, raw target, headers and body", () =>
      Effect.gen(function* () {
        const headers = { "X-Name": "value" }
        yield* send("POST", "/v2/a?b=%20~c+%2B%3D", { origin: registry, headers, body: "hello" })
        yield* get("/x?sig=a%20b", {}, "https://cdn.test:8443")
        const [first, second] = yield* Script.requests
        assert(first !== undefined && second !== undefined)
        assert.strictEqual(first.origin, registry)
        assert.strictEqual(first.method, "POST")
        assert.strictEqual(first.target, "/v2/a?b=%20~c+%2B%3D")
        assert.strictEqual(first.headers["x-name"], "value")
        assert.strictEqual(new TextDecoder().decode(first.body), "hello")
        assert.strictEqual(first.answer, "consumed")
        assert.strictEqual(second.origin, "https://cdn.test:8443")
        assert.strictEqual(second.target, "/x?sig=a%20b")
      }).pipe(
        Effect.provide(
          Script.layer(
            Script.expect("POST", "/v2/a?b=%20~c+%2B%3D").answer(201),
            Script.on("https://CDN.test:8443").expect("GET", "/x?sig=a%20b").answer(200)
          )
        )
      )
    )

    const bodies: ReadonlyArray<readonly [name: string, match: Script.Match, fits: string, other: string]> = [
      ["a header by its value", { headers: { Accept: "a, b" } }, "a, b", "a, b, c"],
      ["a header by a pattern", { headers: { accept: /^a/ } }, "ab", "ba"],
      ["a body by its bytes", { body: new TextEncoder().encode("hello") }, "hello", "hell"],
      ["a body by its text", { body: "hello" }, "hello", "hellx"],
      ["a body by its JSON", { json: { a: 1, b: [2] } }, '{ "b": [2], "a": 1 }', '{"a": 1}'],
      ["a body that is no JSON", { json: {} }, "{}", "{"]
    ]
    for (const [name, match, fits, other] of bodies) {
      it.effect(`are matched with ${name}`, () =>
        Effect.gen(function* () {
          const lines = [Script.expect("PUT", "/a", match).answer(201)]
          const put = (text: string) => {
            const headers = { accept: text }
            return send("PUT", "/a", { origin: registry, headers, body: text })
          }
          assert.deepStrictEqual(failures(yield* play(put(fits), ...lines)), [])
          const [message] = failures(yield* play(put(other), ...lines))
          assert.include(message, `PUT ${registry}/a came with the ${match.headers ? "header" : "body"}`)
        })
      )
    }

    it.effect("may be told to have no such header", () =>
      Effect.gen(function* () {
        const lines = [Script.expect("GET", "/a", { headers: { authorization: undefined } }).answer(200)]
        assert.deepStrictEqual(failures(yield* play(get("/a"), ...lines)), [])
        const [message] = failures(yield* play(get("/a", { authorization: "Basic x" }), ...lines))
        assert.include(message, 'with the header authorization "Basic x" instead of nothing')
      })
    )

    it.effect("keep their bytes when the sender fills its buffer again", () =>
      Effect.gen(function* () {
        const buffer = Uint8Array.of(0)
        const body = Stream.map(Stream.rechunk(Stream.make(1, 2, 3), 1), (n) => buffer.fill(n))
        yield* send("PUT", "/a", { origin: registry, body })
        assert.deepStrictEqual((yield* Script.requests)[0]?.body, Uint8Array.of(1, 2, 3))
      }).pipe(Effect.provide(Script.layer(Script.expect("PUT", "/a").answer(201))))
    )

    it.effect("fail as a transport does when their body breaks off", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(send("PUT", "/a", { origin: registry, body: Stream.fail("disk is gone") }))
        assert(error._tag === "RequestError")
        assert.strictEqual(error.reason, "Transport")
        assert.strictEqual(error.cause, "disk is gone")
      }).pipe(Effect.provide(Script.layer(Script.expect("PUT", "/a").answer(201))))
    )

    it.effect("are answered before their body is drawn, where the script says so", () =>
      Effect.gen(function* () {
        const body = Stream.fromEffect(Effect.dieMessage("it was drawn"))
        assert.strictEqual((yield* send("PUT", "/a", { origin: registry, body })).status, 401)
      }).pipe(Effect.provide(Script.layer(Script.expect("PUT", "/a", { unread: true }).answer(401))))
    )

    it.effect("are refused with a body that is neither bytes nor a stream", () =>
      Effect.gen(function* () {
        const client = yield* HttpClient.HttpClient
        const request = HttpClientRequest.setBody(
          HttpClientRequest.put(`${registry}/a`),
          HttpBody.formData(new FormData())
        )
        const error = yield* Effect.flip(client.execute(request))
        assert.strictEqual(error.reason, "Encode")
      }).pipe(Effect.provide(Script.layer(Script.expect("PUT", "/a").answer(201))))
    )
  })

  describe("steps", () => {
    it.effect("come one after the other at each origin", () =>
      Effect.gen(function* () {
        yield* get("/1", {}, "https://cdn.test")
        yield* get("/1")
        yield* get("/2")
      }).pipe(
        Effect.provide(
          Script.layer(
            Script.expect("GET", "/1").answer(200),
            Script.expect("GET", "/2").answer(200),
            Script.on("https://cdn.test").expect("GET", "/1").answer(200)
          )
        )
      )
    )

    it.effect("come again as often as they say", () =>
      Effect.gen(function* () {
        const statuses = yield* Effect.forEach([1, 2, 3], () => get("/a"))
        assert.deepStrictEqual(
          statuses.map(({ status }) => status),
          [503, 503, 200]
        )
      }).pipe(
        Effect.provide(
          Script.layer(Script.expect("GET", "/a").answer(503).times(2), Script.expect("GET", "/a").answer(200))
        )
      )
    )

    it.effect("come in any order where they may, and the next ones after all of them", () =>
      Effect.gen(function* () {
        const lines = [
          Script.unordered(
            Script.expect("GET", "/1").answer(200),
            Script.expect("GET", "/2").answer(200).times(2),
            Script.on("https://cdn.test").expect("GET", "/3").answer(200)
          ),
          Script.expect("GET", "/4").answer(200)
        ]
        const inOrder = (...targets: ReadonlyArray<string>) => {
          const ask = (target: string) => get(target, {}, target === "/3" ? "https://cdn.test" : registry)
          return Effect.map(play(Effect.forEach(targets, ask), ...lines), failures)
        }
        assert.deepStrictEqual(yield* inOrder("/2", "/3", "/1", "/2", "/4"), [])
        assert.deepStrictEqual(
          (yield* inOrder("/2", "/4"))[0],
          `GET ${registry}/4 came instead of one of GET ${registry}/1, GET ${registry}/2`
        )
      })
    )

    it.effect("work their answers out from the request, in an effect or without", () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* send("PUT", "/a", { origin: registry, body: "hello" })).text, "hello")
        assert.strictEqual((yield* get("/b")).text, "GET /b")
      }).pipe(
        Effect.provide(
          Script.layer(
            Script.expect("PUT", "/a").answer(({ body }) => ({ status: 200, body })),
            Script.expect("GET", "/b").answer(({ method, target }) =>
              Effect.succeed({ status: 200, body: `${method} ${target}` })
            )
          )
        )
      )
    )
  })

  describe("answers", () => {
    it.effect("have headers, repeated ones joined, cookies apart", () =>
      Effect.gen(function* () {
        const { cookies, headers } = yield* execute("/a")
        assert.strictEqual(headers["www-authenticate"], "Basic, Bearer")
        assert.strictEqual(headers.link, "<1>, <2>")
        assert.deepStrictEqual(Object.keys(cookies.cookies), ["a", "b"])
      }).pipe(
        Effect.provide(
          Script.layer(
            Script.expect("GET", "/a").answer(200, {
              headers: [
                ["WWW-Authenticate", "Basic"],
                ["Link", "<1>"],
                ["www-authenticate", "Bearer"],
                ["Link", "<2>"],
                ["Set-Cookie", "a=1"],
                ["Set-Cookie", "b=2"]
              ]
            })
          )
        )
      )
    )

    const read = Effect.flatMap(HttpClient.HttpClient, (client) => client.get(`${registry}/a`))
    const one = (options: Script.AnswerOptions) =>
      Effect.provide(Script.layer(Script.expect("GET", "/a").answer(200, options)))

    it.effect("have text, JSON, bytes and pieces as a body", () =>
      Effect.gen(function* () {
        const text = yield* read.pipe(
          Effect.flatMap((response) => Effect.zip(response.text, Effect.succeed(response.headers["content-length"]))),
          one({ body: "hello" })
        )
        assert.deepStrictEqual(text, ["hello", "5"])
        const json = yield* read.pipe(
          Effect.flatMap((response) => Effect.zip(response.json, Effect.succeed(response.headers["content-type"]))),
          one({ json: { a: [1] } })
        )
        assert.deepStrictEqual(json, [{ a: [1] }, "application/json"])
        const bytes = yield* read.pipe(
          Effect.flatMap(({ arrayBuffer }) => arrayBuffer),
          one({ body: ["he", Uint8Array.of(108), "lo"] })
        )
        assert.strictEqual(new TextDecoder().decode(bytes), "hello")
        const form = yield* read.pipe(
          Effect.flatMap(({ formData }) => formData),
          one({ body: "a=1+2", headers: { "content-type": "application/x-www-form-urlencoded" } })
        )
        assert.strictEqual(form.get("a"), "1 2")
      })
    )

    it.effect("fail to be JSON when they are none", () =>
      Effect.gen(function* () {
        const error = yield* read.pipe(
          Effect.flatMap(({ json }) => json),
          Effect.flip,
          one({ body: "{" })
        )
        assert.strictEqual(error.reason, "Decode")
      })
    )

    it.effect("have a body once as a stream, and as text as often as it is read", () =>
      Effect.gen(function* () {
        const { stream } = yield* execute("/a")
        yield* Stream.runDrain(stream)
        assert.strictEqual((yield* Effect.flip(Stream.runDrain(stream))).reason, "Decode")
        const { text } = yield* execute("/a")
        assert.strictEqual(yield* text, yield* text)
      }).pipe(Effect.provide(Script.layer(Script.expect("GET", "/a").answer(200, { body: "hello" }).times(2))))
    )

    it.effect("can be shown without being read", () =>
      Effect.gen(function* () {
        const response = yield* execute("/a")
        assert.include(JSON.stringify(response), '"status":200')
        assert.deepStrictEqual(yield* response.json, {})
      }).pipe(Effect.provide(Script.layer(Script.expect("GET", "/a").answer(200, { json: {} }))))
    )

    it.effect("to HEAD say what GET would, without its body", () =>
      Effect.gen(function* () {
        const { headers, text } = yield* execute("/a", "HEAD")
        assert.strictEqual(headers["content-length"], "5")
        assert.strictEqual(yield* text, "")
        assert.notProperty((yield* execute("/b", "HEAD")).headers, "content-length")
      }).pipe(
        Effect.provide(
          Script.layer(
            Script.expect("HEAD", "/a").answer(200, { body: "hello" }),
            Script.expect("HEAD", "/b").answer(404)
          )
        )
      )
    )

    it.effect("are endless, drawn only as far as they are read", () =>
      Effect.gen(function* () {
        const { stream } = yield* execute("/a")
        yield* Stream.runDrain(Stream.take(stream, 3))
        const [request] = yield* Script.requests
        assert.deepInclude(request, { answer: "cancelled", sent: 30 })
      }).pipe(
        Effect.provide(
          Script.layer(
            Script.expect("GET", "/a").answer(200, {
              body: {
                *[Symbol.iterator]() {
                  while (true) yield new Uint8Array(10)
                }
              }
            })
          )
        )
      )
    )
  })
})
