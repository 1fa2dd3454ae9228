import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Script from "@effect-oci/registry/Script"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as Credentials from "effect-oci/Credentials"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as RegistryRetry from "effect-oci/RegistryRetry"
import * as Repository from "effect-oci/Repository"
import * as Tags from "effect-oci/Tags"
import {
  asks,
  basicOf,
  bearer,
  carries,
  grants,
  list,
  listed,
  me,
  mine,
  playing,
  pull,
  service,
  signsIn,
  tagsPath,
  tokenFor
} from "./support.js"

const same = Script.on("https://registry.test")

const challenged = same.expect("GET", tagsPath, carries(undefined)).answer(401, asks(bearer(pull)))

const lets = (token = "T") => same.expect("GET", tagsPath, carries(`Bearer ${token}`)).answer(200, listed)

const asked = (authorization?: string) => service.expect("GET", tokenFor(pull), carries(authorization))

const identity = (token: string) =>
  Layer.succeed(Credentials.Credentials, {
    lookup: () => Effect.succeedSome<Credentials.Credential>({ _tag: "IdentityToken", token: Redacted.make(token) })
  })

const refreshing = (token: string, scope = pull) =>
  `grant_type=refresh_token&service=reg&client_id=effect-oci&${new URLSearchParams({ scope, refresh_token: token })}`

const posted = (token: string) =>
  service.expect("POST", "/token", { body: refreshing(token), headers: { authorization: undefined } })

describe("RegistryAuth, tokens", () => {
  const usable: ReadonlyArray<readonly [title: string, answer: object]> = [
    ["A21 access_token alone", { access_token: "T", expires_in: 300 }],
    ["A21 both, and they are equal", { token: "T", access_token: "T" }],
    ["A21 both, and token counts", { token: "T", access_token: "other" }],
    ["A21 an empty token beside access_token", { token: "", access_token: "T" }],
    ["A26 a token that is no JWT", { token: "T" }],
    ["A23 issued_at in the year 1", { token: "T", issued_at: "0001-01-01T00:00:00Z" }],
    ["A23 issued_at in the future", { token: "T", issued_at: "2999-01-01T00:00:00Z" }],
    ["A23 issued_at that is no date", { token: "T", issued_at: { a: 1 } }]
  ]
  for (const [title, json] of usable) {
    it.effect(`${title} is taken, and kept`, () =>
      Effect.zipRight(list, list).pipe(playing(challenged, asked().answer(200, { json }), lets().times(2)))
    )
  }

  const lives: ReadonlyArray<readonly [expires: unknown, seconds: number]> = [
    [undefined, 60],
    [0, 60],
    [1, 60],
    [-5, 60],
    [null, 60],
    ["soon", 60],
    ["300", 300],
    [300, 300],
    [3600, 3600],
    [1e12, 86_400],
    ["999999999999", 86_400]
  ]
  for (const [expires, seconds] of lives) {
    it.effect(
      `A22 expires_in ${JSON.stringify(expires)} counts as ${seconds} seconds, renewed 5 before their end`,
      () =>
        Effect.gen(function* () {
          yield* list
          yield* TestClock.adjust(`${seconds - 6} seconds`)
          yield* list
          yield* TestClock.adjust("2 seconds")
          yield* list
        }).pipe(
          playing(
            challenged,
            asked().answer(200, { json: { token: "T", expires_in: expires } }),
            lets().times(2),
            asked().answer(200, grants("T2")),
            lets("T2")
          )
        )
    )
  }

  const unusable: ReadonlyArray<readonly [what: string, answer: Script.AnswerOptions, reason: string]> = [
    ["an empty object", { json: {} }, "its service answered without one"],
    ["an empty token", { json: { token: "" } }, "its service answered without one"],
    ["null", { json: { token: null } }, "its service answered without one"],
    ["a number", { json: { token: 123 } }, "its service answered without one"],
    ["errors", { json: { errors: [{ code: "DENIED" }] } }, "its service answered without one"],
    ["a list", { json: ["T"] }, "its service answered something else than a JSON object"],
    ["HTML", { body: "<html></html>" }, "its service answered something else than a JSON object"],
    ["nothing", {}, "its service answered something else than a JSON object"],
    [
      "JSON that nests too deep",
      { body: "[".repeat(100_000) },
      "its service answered something else than a JSON object"
    ],
    ["S21 CR and LF", { json: { token: "T\r\nx: y" } }, "it is not printable ASCII"],
    ["S21 letters beyond ASCII", { json: { token: "Tö" } }, "it is not printable ASCII"],
    ["S21 a space", { json: { token: "T T" } }, "it is not printable ASCII"]
  ]
  for (const [what, answer, reason] of unusable) {
    it.effect(`A25 ${what} is no token`, () =>
      Effect.map(Effect.flip(list), (error) => {
        assert(error._tag === "TokenInvalid")
        assert.deepStrictEqual(
          [error.reason, error.url, error.status],
          [reason, "https://auth.registry.test/token", 200]
        )
      }).pipe(playing(challenged, asked().answer(200, answer)))
    )
  }

  for (const [status, code, tag] of [
    [401, "UNAUTHORIZED", "Unauthorized"],
    [403, "DENIED", "Denied"]
  ] as const) {
    it.effect(`A27 a token service that answers ${status} is quoted, with its address`, () =>
      Effect.map(Effect.flip(list), (error) => {
        assert(error._tag === tag)
        assert.deepStrictEqual(
          [error.status, error.registry, error.repository, error.url, error.errors[0]?.code],
          [status, "registry.test", "org/app", "https://auth.registry.test/token", code]
        )
        assert.include(error.message, "requested access to the resource is denied")
      }).pipe(
        playing(challenged, asked().answer(status, Script.refusal(code, "requested access to the resource is denied")))
      )
    )
  }

  it.effect("A27 A57 without credentials it is said what to do", () =>
    Effect.map(Effect.flip(list), ({ message }) =>
      assert.include(message, "Provide Credentials, and check that the repository exists")
    ).pipe(playing(challenged, asked().answer(401)))
  )

  it.effect("A28 a wrong password is an error, and nobody is asked without it", () =>
    Effect.map(Effect.flip(list), (error) => {
      assert(error._tag === "Unauthorized")
      assert.isTrue(error.authenticated)
      assert.include(error.message, "the credentials were refused")
      assert.include(error.message, "incorrect username or password")
    }).pipe(
      Effect.provide(me),
      playing(challenged, asked(mine).answer(401, { json: { details: "incorrect username or password" } }))
    )
  )

  const transient: ReadonlyArray<readonly [what: string, answer: (step: Script.Expectation) => Script.Step]> = [
    ["429", (step) => step.answer(429, { headers: { "retry-after": "1" } })],
    ["500", (step) => step.answer(500)],
    ["503", (step) => step.answer(503)],
    ["a reset", (step) => step.answer(Script.reset)]
  ]
  const once: RegistryRetry.Service = (_, next) =>
    HttpClient.transformResponse(next, (sent) =>
      Effect.matchEffect(sent, {
        onFailure: () => sent,
        onSuccess: (response) => (response.status >= 429 ? sent : Effect.succeed(response))
      })
    )
  for (const [what, answer] of transient) {
    it.effect(`A29 ${what} of a token service is retried as any other`, () =>
      list.pipe(
        Effect.provideService(RegistryRetry.RegistryRetry, once),
        playing(challenged, answer(asked()), asked().answer(200, grants()), lets())
      )
    )
  }

  it.effect("A29 an outage of a token service is one, and says of whom", () =>
    Effect.map(Effect.flip(list), (error) => {
      assert(error._tag === "RegistryUnavailable")
      assert.strictEqual(error.url, "https://auth.registry.test/token")
    }).pipe(Effect.provide(RegistryRetry.layerNone), playing(challenged, asked().answer(503)))
  )

  for (const location of ["https://evil.test/token", "http://169.254.169.254/", "/elsewhere"]) {
    it.effect(`A30 a token service that redirects to ${location} is not followed`, () =>
      Effect.map(Effect.flip(list), (error) => {
        assert(error._tag === "TokenInvalid")
        assert.strictEqual(error.reason, "its service redirects, which is not followed")
      }).pipe(Effect.provide(me), playing(challenged, asked(mine).answer(302, { headers: { location } })))
    )
  }

  describe("refresh tokens", () => {
    it.effect("A31 an identity token goes by POST, scopes in one field", () =>
      Effect.zipRight(list, list).pipe(
        Effect.provide(identity("id3ntity")),
        playing(
          challenged,
          posted("id3ntity").answer(200, { json: { access_token: "T", expires_in: 300 } }),
          lets().times(2)
        )
      )
    )

    it.effect("A31 a refresh token that comes back is used from then on, for its credential", () =>
      Effect.gen(function* () {
        yield* list
        yield* TestClock.adjust("10 minutes")
        yield* list
      }).pipe(
        Effect.provide(identity("id3ntity")),
        playing(
          challenged,
          posted("id3ntity").answer(200, grants("T", { refresh_token: "n3xt" })),
          lets(),
          posted("n3xt").answer(200, grants("T2")),
          lets("T2")
        )
      )
    )

    it.effect("A31 one that does not work any more is forgotten", () =>
      Effect.gen(function* () {
        yield* list
        yield* TestClock.adjust("10 minutes")
        yield* list
      }).pipe(
        Effect.provide(identity("id3ntity")),
        playing(
          challenged,
          posted("id3ntity").answer(200, grants("T", { refresh_token: "n3xt" })),
          lets(),
          posted("n3xt").answer(400, { json: { error: "invalid_grant" } }),
          posted("id3ntity").answer(200, grants("T2")),
          lets("T2")
        )
      )
    )

    it.effect("A31 A41 one that was given to me is not used for you", () =>
      Effect.gen(function* () {
        yield* Effect.provide(list, me)
        yield* Effect.provide(list, Credentials.basic("registry.test", "you", "0ther"))
      }).pipe(
        playing(
          challenged,
          asked(mine).answer(200, grants("T", { refresh_token: "n3xt" })),
          lets(),
          asked(basicOf("you", "0ther")).answer(200, grants("T2")),
          lets("T2")
        )
      )
    )

    for (const [what, status, answer] of [
      ["404", 404, {}],
      ["405", 405, {}],
      ["415", 415, {}],
      ["400", 400, {}],
      ["401", 401, {}],
      ["403", 403, {}],
      ["HTML with 200", 200, { body: "<html></html>" }]
    ] as const) {
      it.effect(`A32 a service that answers a POST with ${what} is asked by GET with the password`, () =>
        Effect.gen(function* () {
          yield* list
          yield* TestClock.adjust("10 minutes")
          yield* list
        }).pipe(
          Effect.provide(me),
          playing(
            challenged,
            asked(mine).answer(200, grants("T", { refresh_token: "n3xt" })),
            lets(),
            posted("n3xt").answer(status, answer),
            asked(mine).answer(200, grants("T2")),
            lets("T2")
          )
        )
      )
    }

    it.effect("A32 that a service takes no POST is remembered", () =>
      Effect.gen(function* () {
        yield* list
        yield* TestClock.adjust("10 minutes")
        yield* list
        yield* TestClock.adjust("10 minutes")
        yield* list
      }).pipe(
        Effect.provide(me),
        playing(
          challenged,
          asked(mine).answer(200, grants("T", { refresh_token: "n3xt" })),
          lets(),
          posted("n3xt").answer(405),
          asked(mine).answer(200, grants("T2", { refresh_token: "n3xt" })),
          lets("T2"),
          asked(mine).answer(200, grants("T3")),
          lets("T3")
        )
      )
    )

    it.effect("A32 with nothing but an identity token it is an error", () =>
      Effect.map(Effect.flip(list), (error) => {
        assert(error._tag === "TokenInvalid")
        assert.deepStrictEqual([error.reason, error.method], ["its service answered with status 404", "POST"])
      }).pipe(Effect.provide(identity("id3ntity")), playing(challenged, posted("id3ntity").answer(404)))
    )

    it.effect("A28 an identity token that is refused is an error that says so", () =>
      Effect.map(Effect.flip(list), (error) => {
        assert(error._tag === "Unauthorized")
        assert.isTrue(error.authenticated)
      }).pipe(
        Effect.provide(identity("id3ntity")),
        playing(challenged, posted("id3ntity").answer(400, { json: { error: "invalid_grant" } }))
      )
    )

    it.effect("A50 a refresh token as the password of the user of zeros goes by POST when GET does not work", () => {
      const zeros = "00000000-0000-0000-0000-000000000000"
      return Effect.gen(function* () {
        yield* list
        yield* TestClock.adjust("10 minutes")
        yield* list
      }).pipe(
        Effect.provide(Credentials.basic("registry.test", zeros, "r3fresh")),
        playing(
          challenged,
          asked(basicOf(zeros, "r3fresh")).answer(404),
          posted("r3fresh").answer(200, { json: { access_token: "T", expires_in: 300 } }),
          lets(),
          posted("r3fresh").answer(200, { json: { access_token: "T2" } }),
          lets("T2")
        )
      )
    })
  })

  it.effect("A33 a password goes by GET, and no refresh token is asked for", () =>
    list.pipe(
      Effect.provide(me),
      playing(
        challenged,
        service.expect("GET", tokenFor(pull), { headers: { authorization: mine }, body: "" }).answer(200, grants()),
        lets()
      )
    )
  )

  for (const status of [404, 405]) {
    it.effect(`A33 not even a service that answers ${status} gets the password by POST`, () =>
      Effect.map(Effect.flip(list), ({ _tag }) => assert.strictEqual(_tag, "TokenInvalid")).pipe(
        Effect.provide(me),
        playing(challenged, asked(mine).answer(status))
      )
    )
  }

  describe("A40 one fetch for many", () => {
    const fifty = Effect.all(
      Array.from({ length: 50 }, () => list),
      { concurrency: "unbounded" }
    )

    it.effect("A40 of fifty requests at once sixteen are refused, and all wait for one token", () =>
      Effect.map(fifty, (all) => assert.strictEqual(all.length, 50)).pipe(
        playing(
          Script.unordered(challenged.times(16), lets().times(50)),
          asked().answer(200, { ...grants(), after: "1 second" })
        ),
        (self) =>
          Effect.gen(function* () {
            const fiber = yield* Effect.fork(self)
            yield* TestClock.adjust("1 second")
            yield* Fiber.join(fiber)
          })
      )
    )

    it.effect("who waits behind others goes ahead when they all leave", () =>
      Effect.gen(function* () {
        const ahead = yield* Effect.fork(
          Effect.all(
            Array.from({ length: 16 }, () => list),
            { concurrency: "unbounded" }
          )
        )
        yield* Effect.repeatN(Effect.yieldNow(), 200)
        const behind = yield* Effect.fork(list)
        yield* Effect.repeatN(Effect.yieldNow(), 200)
        assert.strictEqual((yield* Script.requests).length, 16)
        yield* Fiber.interrupt(ahead)
        assert.deepStrictEqual(yield* Fiber.join(behind), ["1.2"])
      }).pipe(
        playing(
          same.expect("GET", tagsPath).answer(Script.stall).times(16),
          same.expect("GET", tagsPath).answer(200, listed)
        )
      )
    )

    it.effect("a registry that asked nobody has no requests wait for each other", () =>
      Effect.gen(function* () {
        yield* list
        const all = yield* Effect.fork(
          Effect.all(
            Array.from({ length: 50 }, () => list),
            { concurrency: "unbounded" }
          )
        )
        yield* Effect.repeatN(Effect.yieldNow(), 500)
        assert.strictEqual((yield* Script.requests).length, 51)
        yield* Fiber.interrupt(all)
      }).pipe(
        playing(
          same.expect("GET", tagsPath).answer(200, listed),
          same.expect("GET", tagsPath).answer(Script.stall).times(50)
        )
      )
    )

    it.effect("A40 who began it may leave: the others get it", () =>
      Effect.gen(function* () {
        const gate = yield* Script.hold
        yield* Effect.gen(function* () {
          const first = yield* Effect.fork(list)
          yield* gate.arrived
          const second = yield* Effect.fork(list)
          yield* Effect.repeatN(Effect.yieldNow(), 200)
          yield* Fiber.interrupt(first)
          yield* gate.release
          assert.deepStrictEqual(yield* Fiber.join(second), ["1.2"])
        }).pipe(playing(challenged.times(2), lets(), asked().answer(200, { ...grants(), after: gate })))
      })
    )

    it.effect("A40 T12 it is given up when nobody waits any more, and begun again for the next", () =>
      Effect.gen(function* () {
        yield* Effect.gen(function* () {
          const first = yield* Effect.fork(list)
          yield* Effect.repeatN(Effect.yieldNow(), 200)
          yield* Fiber.interrupt(first)
          yield* Effect.repeatN(Effect.yieldNow(), 200)
          const [, ask] = yield* Script.requests
          assert.strictEqual(ask?.answer, "cancelled")
          yield* list
        }).pipe(playing(challenged.times(2), lets(), asked().answer(Script.stall), asked().answer(200, grants())))
      })
    )

    it.effect("A40 a failure reaches all that wait, and is not kept", () =>
      Effect.gen(function* () {
        const failed = yield* Effect.fork(Effect.all([list, list, list].map(Effect.flip), { concurrency: "unbounded" }))
        yield* TestClock.adjust("1 second")
        const tags = (yield* Fiber.join(failed)).map(({ _tag }) => _tag)
        assert.deepStrictEqual(tags, ["Denied", "Denied", "Denied"])
        yield* list
      }).pipe(
        playing(challenged.times(4), lets(), asked().answer(403, { after: "1 second" }), asked().answer(200, grants()))
      )
    )

    it.effect("A40 fifty that were refused with one token wait for one other", () =>
      Effect.gen(function* () {
        yield* list
        yield* TestClock.adjust("2 minutes")
        yield* fifty
      }).pipe(
        playing(
          challenged,
          lets(),
          Script.unordered(
            same
              .expect("GET", tagsPath, carries("Bearer T"))
              .answer(401, asks(bearer(pull)))
              .times(50),
            lets("T2").times(50)
          ),
          asked().answer(200, grants()),
          asked().answer(200, grants("T2"))
        )
      )
    )

    it.effect("A40 a 401 to a token that was just fetched does not fetch another", () =>
      Effect.zipRight(list, list).pipe(
        playing(...signsIn(), same.expect("GET", tagsPath, carries("Bearer T")).answer(401, asks(bearer(pull))), lets())
      )
    )

    it.effect("A40 unless the registry says that it is invalid", () =>
      Effect.zipRight(list, list).pipe(
        playing(
          ...signsIn(),
          same.expect("GET", tagsPath, carries("Bearer T")).answer(401, asks(bearer(pull, ',error="invalid_token"'))),
          asked().answer(200, grants("T2")),
          lets("T2")
        )
      )
    )
  })

  describe("A41 tokens are not mixed", () => {
    it.effect("A41 of two users on one host", () =>
      Effect.gen(function* () {
        const you = Credentials.basic("registry.test", "you", "0ther")
        yield* Effect.provide(list, me)
        yield* Effect.provide(list, you)
        yield* list
        yield* Effect.provide(list, me)
      }).pipe(
        playing(
          challenged,
          asked(mine).answer(200, grants("mine")),
          lets("mine"),
          asked(basicOf("you", "0ther")).answer(200, grants("yours")),
          lets("yours"),
          asked(undefined).answer(200, grants("anyone")),
          lets("anyone"),
          lets("mine")
        )
      )
    )

    it.effect("A41 of one user whose source makes the credential anew each time", () =>
      Effect.zipRight(list, list).pipe(
        Effect.provideService(Credentials.Credentials, {
          lookup: () =>
            Effect.sync(() =>
              Option.some<Credentials.Credential>({ _tag: "Basic", username: "me", password: Redacted.make("s3cret") })
            )
        }),
        playing(challenged, asked(mine).answer(200, grants()), lets().times(2))
      )
    )

    it.effect("A41 of two realms of one host", () =>
      Effect.gen(function* () {
        yield* list
        yield* TestClock.adjust("2 minutes")
        yield* list
        yield* list
      }).pipe(
        playing(
          ...signsIn(),
          same
            .expect("GET", tagsPath, carries("Bearer T"))
            .answer(401, asks(`Bearer realm="https://tokens.registry.test/new",service="reg",scope="${pull}"`)),
          Script.on("https://tokens.registry.test")
            .expect("GET", tokenFor(pull).replace("/token", "/new"))
            .answer(200, grants("T2")),
          lets("T2").times(2)
        )
      )
    )

    it.effect("A41 of http and https on one host", () =>
      Effect.gen(function* () {
        const plain = Either.getOrThrow(Repository.parse("http://registry.test/org/app"))
        yield* list
        yield* Tags.list(plain)
      }).pipe(
        playing(
          ...signsIn(),
          Script.on("http://registry.test").expect("GET", tagsPath, carries(undefined)).answer(200, listed)
        )
      )
    )

    it.effect("A41 of two repositories", () =>
      Effect.gen(function* () {
        yield* list
        yield* Tags.list(Either.getOrThrow(Repository.parse("registry.test/org/other")))
      }).pipe(
        playing(
          ...signsIn(),
          service.expect("GET", tokenFor("repository:org/other:pull")).answer(200, grants("T2")),
          same.expect("GET", "/v2/org/other/tags/list", carries("Bearer T2")).answer(200, listed)
        )
      )
    )
  })

  describe("S1 a token service that does not end", () => {
    it.effect("S1 is given up at 128 KiB: the answer is too large", () =>
      Effect.map(Effect.flip(list), (error) => {
        assert(error._tag === "ResponseTooLarge")
        assert.strictEqual(error.limit, 128 * 1024)
      }).pipe(
        playing(challenged, asked().answer(200, { body: Array.from({ length: 100 }, () => " ".repeat(16 * 1024)) }))
      )
    )

    it.effect("S1 is given up at its length: the answer is too large", () =>
      Effect.map(Effect.flip(list), ({ _tag }) => assert.strictEqual(_tag, "ResponseTooLarge")).pipe(
        playing(challenged, asked().answer(200, { body: `{"token":"${"T".repeat(140_000)}"}` }))
      )
    )

    it.effect("S55 is given up in time when it trickles", () =>
      Effect.gen(function* () {
        const fiber = yield* Effect.fork(Effect.flip(list))
        yield* TestClock.adjust("5 minutes")
        const error = yield* Fiber.join(fiber)
        assert(error._tag === "Timeout")
        assert.strictEqual(error.phase, "total")
      }).pipe(playing(challenged, asked().answer(200, { body: Script.trickle(`{"token":"T"}`, "30 seconds") })))
    )

    it.effect("S55 is given up in time when it says nothing", () =>
      Effect.gen(function* () {
        const fiber = yield* Effect.fork(Effect.flip(list))
        yield* TestClock.adjust("5 minutes")
        const error = yield* Fiber.join(fiber)
        assert(error._tag === "Timeout")
        assert.strictEqual(error.url, "https://auth.registry.test/token")
      }).pipe(Effect.provide(RegistryRetry.layerNone), playing(challenged, asked().answer(Script.stall)))
    )
  })

  it.effect(
    "memory is bounded: a token of long ago is fetched again",
    () => {
      const fetched: Array<string> = []
      const registry = HttpClient.make((request, url) =>
        Effect.sync(() => {
          const scope = url.searchParams.get("scope")
          if (scope !== null) fetched.push(scope)
          const { authorization } = request.headers
          const asks = scope === null && authorization === undefined
          const body = asks ? "" : JSON.stringify(scope === null ? listed.json : { token: "T", expires_in: 300 })
          const headers = { "content-length": String(body.length), ...(asks ? { "www-authenticate": bearer() } : {}) }
          return HttpClientResponse.fromWeb(request, new Response(body, { status: asks ? 401 : 200, headers }))
        })
      )
      const tags = (at: number) => Tags.list(Either.getOrThrow(Repository.parse(`registry.test/org/r${at}`)))
      return Effect.gen(function* () {
        yield* Effect.forEach([0, 0], tags)
        assert.strictEqual(fetched.length, 1)
        yield* Effect.forEach(
          Array.from({ length: 500 }, (_, at) => at + 1),
          tags
        )
        assert.strictEqual(fetched.length, 501)
        yield* Effect.forEach([500, 0], tags)
        assert.deepStrictEqual(fetched.slice(501), ["repository:org/r0:pull"])
      }).pipe(Effect.provide(Layer.provide(RegistryClient.layer, Layer.succeed(HttpClient.HttpClient, registry))))
    },
    60_000
  )
})
