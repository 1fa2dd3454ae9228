import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Script from "@effect-oci/registry/Script"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { get as ask, failures, play, registry } from "./scriptSupport.js"
import { send } from "./support.js"

const cdn = "https://cdn.test"

type Test = Effect.Effect<unknown, unknown, HttpClient.HttpClient | Script.Script>

const get = (url: string, headers?: Record<string, string>) => {
  const { origin } = new URL(url)
  return ask(url.slice(origin.length), headers, origin)
}

const a = Script.expect("GET", "/a").answer(200, { body: "hello" })
const b = Script.expect("GET", "/b").answer(200)
const elsewhere = Script.on(cdn).expect("GET", "/a").answer(200)

/** Tests that are not as their script, and what they are told, one after the other. */
const wrong: ReadonlyArray<
  readonly [name: string, test: Test, lines: ReadonlyArray<Script.Line>, messages: ReadonlyArray<string>]
> = [
  [
    "a request too many",
    Effect.zip(get(`${registry}/a`), get(`${registry}/a`)),
    [a],
    [`GET ${registry}/a came, and nothing more is expected there`]
  ],
  [
    "a request to an origin that the script does not know",
    get("http://registry.test/a"),
    [],
    ["GET http://registry.test/a came, and nothing more is expected there"]
  ],
  [
    "another request than the next",
    get(`${registry}/b?x=%20`),
    [a],
    [`GET ${registry}/b?x=%20 came instead of GET ${registry}/a`, `GET ${registry}/a never came`]
  ],
  [
    "another method than the next",
    send("PUT", "/a", { origin: registry }),
    [a],
    [`PUT ${registry}/a came instead of GET ${registry}/a`, `GET ${registry}/a never came`]
  ],
  [
    "other headers than the next",
    get(`${registry}/a`, { accept: "a" }),
    [Script.expect("GET", "/a", { headers: { Accept: "b", "user-agent": /^effect/ } }).answer(200)],
    [
      `GET ${registry}/a came with the header Accept "a" instead of "b" and with the header user-agent nothing instead of /^effect/`,
      `GET ${registry}/a never came`
    ]
  ],
  [
    "another body",
    send("PUT", "/a", { origin: registry, body: "x".repeat(300) }),
    [Script.expect("PUT", "/a", { body: "hello" }).answer(201)],
    [`PUT ${registry}/a came with the body "${"x".repeat(200)}"… (300 bytes) instead of "hello"`]
  ],
  [
    "a step that is not used",
    Effect.void,
    [a, elsewhere],
    [`not as the script has it:\n  - GET ${registry}/a never came\n  - GET ${cdn}/a never came`]
  ],
  ["a step that is used too seldom", get(`${registry}/a`), [a.times(3)], [`GET ${registry}/a came 1 of 3 times`]],
  [
    "a body that is neither read nor given up",
    Effect.flatMap(HttpClient.HttpClient, (client) => client.get(`${registry}/a`)),
    [a],
    [`the answer to GET ${registry}/a was neither read nor given up`]
  ],
  [
    "an unexpected request that the program survives",
    Effect.catchAllCause(get(`${registry}/b`), () => Effect.void),
    [],
    [`GET ${registry}/b came, and nothing more is expected there`]
  ],
  [
    "an unexpected request of a daemon",
    Effect.flatMap(Effect.forkDaemon(get(`${registry}/b`)), (fiber) => fiber.await),
    [],
    [`GET ${registry}/b came, and nothing more is expected there`]
  ]
]

describe("Script", () => {
  describe("fails a test that has", () => {
    for (const [name, test, lines, messages] of wrong) {
      it.effect(name, () =>
        Effect.map(play(test, ...lines), (exit) => assert.deepStrictEqual(failures(exit), messages))
      )
    }
  })

  it.effect("comes after the failure of the test itself", () =>
    Effect.gen(function* () {
      const exit = yield* play(Effect.fail("the digest is wrong"), a)
      assert(Exit.isFailure(exit))
      assert.deepStrictEqual(
        Cause.prettyErrors(exit.cause).map(({ message }) => message),
        ["the digest is wrong", `GET ${registry}/a never came`]
      )
    })
  )

  it.effect("tells when an answer could not be worked out", () =>
    Effect.gen(function* () {
      const step = Script.expect("GET", "/a").answer(() => assert.fail("it asks too early"))
      const [message] = failures(yield* play(Effect.exit(get(`${registry}/a`)), step))
      assert.include(message, `answering GET ${registry}/a failed: AssertionError: it asks too early`)
    })
  )

  it.effect("can be verified at any time, with a typed failure", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* Effect.flip(Script.verify)).problems, [`GET ${registry}/b never came`])
      yield* get(`${registry}/b`)
      yield* Script.verify
    }).pipe(Effect.provide(Script.layer(b)))
  )

  it.effect("is satisfied with a body that is given up", () =>
    Effect.gen(function* () {
      const client = yield* HttpClient.HttpClient
      yield* Effect.scoped(HttpClient.withScope(client).get(`${registry}/a`))
      const { stream } = yield* client.get(`${registry}/a`)
      yield* Stream.runDrain(Stream.take(stream, 1))
      assert.deepStrictEqual(
        (yield* Script.requests).map(({ answer }) => answer),
        ["cancelled", "cancelled"]
      )
    }).pipe(Effect.provide(Script.layer(a.times(2))))
  )

  it.effect("begins anew each time that its layer is built", () =>
    Effect.gen(function* () {
      const layer = Script.layer(b)
      yield* Effect.provide(get(`${registry}/b`), layer)
      yield* Effect.provide(get(`${registry}/b`), layer)
    })
  )
})

describe("Script.secret", () => {
  const secret = Script.secret("p@ss word", { onlyTo: [registry] })
  const ways: ReadonlyArray<readonly [name: string, send: Test, where: string]> = [
    ["in a header", get(`${cdn}/a`, { "x-token": "p@ss word" }), "the header x-token"],
    [
      "in Basic credentials",
      get(`${cdn}/a`, { authorization: `Basic ${btoa("me:p@ss word")}` }),
      "the header authorization"
    ],
    ["in a query", get(`${cdn}/a?password=p%40ss%20word`), "the target"],
    ["in a form", send("POST", "/a", { origin: cdn, body: "password=p%40ss+word" }), "the body"]
  ]
  for (const [name, test, where] of ways) {
    it.effect(`S1 must not go to another origin ${name}`, () =>
      Effect.gen(function* () {
        const open = Script.unordered(
          ...["/a", "/a?password=p%40ss%20word"].map((target) => Script.on(cdn).expect("GET", target).answer(200)),
          Script.on(cdn).expect("POST", "/a").answer(200)
        )
        const message = `the secret "p@…" went to ${cdn} in ${where} of `
        const said = failures(yield* play(test, secret, open)).join()
        assert.include(said, message)
        assert.notInclude(said, "p@ss word")
      })
    )
  }

  it.effect("may go where it belongs", () =>
    Effect.gen(function* () {
      yield* get(`${registry}/b`, { authorization: `Basic ${btoa("me:p@ss word")}` })
      yield* get(`${cdn}/a`)
    }).pipe(Effect.provide(Script.layer(secret, b, elsewhere)))
  )
})
