import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Script from "@effect-oci/registry/Script"
import * as Config from "effect/Config"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as Blobs from "effect-oci/Blobs"
import * as Credentials from "effect-oci/Credentials"
import { CredentialsInvalid } from "effect-oci/RegistryError"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as RegistryObserver from "effect-oci/RegistryObserver"
import * as Repository from "effect-oci/Repository"
import * as Tags from "effect-oci/Tags"
import * as Files from "./credentialFiles.js"
import { environment, found, registryOf } from "./credentialFiles.js"
import { digest, repository } from "./support.js"

describe("Credentials", () => {
  it.effect("are none by default", () =>
    Effect.map(found("ghcr.io"), (credential) => assert.strictEqual(credential, "none"))
  )

  describe("fromRecord", () => {
    const layer = Credentials.fromRecord({
      "ghcr.io": { username: "me", password: "1" },
      "registry.test:5000": { username: "you", password: Redacted.make("2") },
      "token.test": { token: "3" },
      "secret.test": { token: Redacted.make("4") },
      "https://index.docker.io/v1/": { username: "hub", password: "5" },
      "http://plain.test": { token: "6" },
      "quay.io/org": { identityToken: "7" },
      "docker.io/org": { username: "part", password: "8" }
    })
    const table: ReadonlyArray<readonly [registry: string, credential: string]> = [
      ["ghcr.io", "me:1"],
      ["GHCR.io", "me:1"],
      ["https://ghcr.io", "me:1"],
      ["registry.test:5000", "you:2"],
      ["registry.test", "none"],
      ["registry.test:5001", "none"],
      ["a.ghcr.io", "none"],
      ["io.ghcr.io", "none"],
      ["token.test", "token 3"],
      ["secret.test", "token 4"],
      ["docker.io", "hub:5"],
      ["index.docker.io", "hub:5"],
      ["registry-1.docker.io", "hub:5"],
      ["registry.hub.docker.com", "hub:5"],
      ["https://docker.io", "hub:5"],
      ["plain.test", "token 6"],
      ["quay.io", "none"],
      ["quay.io/org/app", "identity 7"],
      ["quay.io/organisation/app", "none"],
      ["docker.io/org/app", "part:8"],
      ["docker.io/library/app", "hub:5"],
      ["constructor.test", "none"]
    ]
    for (const [registry, credential] of table) {
      it.effect(`A59 gives ${registry} ${credential === "none" ? "nothing" : "its own"}`, () =>
        Effect.map(Effect.provide(found(registry), layer), (given) => assert.strictEqual(given, credential))
      )
    }

    it.effect("refuses a registry that is none", () =>
      Effect.map(
        Effect.flip(Effect.provide(found("ghcr.io"), Credentials.fromRecord({ "no host": { token: "3" } }))),
        ({ _tag, message }) => {
          assert.strictEqual(_tag, "InvalidReference")
          assert.include(message, "no host")
        }
      )
    )
  })

  for (const key of ["quay.io/Org", "quay.io/org//app", "https://quay.io/org", "quay.io/"]) {
    it.effect(`A60 ${key === "quay.io/" ? "takes" : "refuses"} the key ${key}`, () =>
      Effect.map(
        Effect.either(Effect.provide(found("quay.io"), Credentials.fromRecord({ [key]: { token: "3" } }))),
        ({ _tag }) => assert.strictEqual(_tag, key === "quay.io/" ? "Right" : "Left")
      )
    )
  }

  it.effect("basic is a user name and password for one registry", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* found("ghcr.io"), "me:secret")
      assert.strictEqual(yield* found("docker.io"), "none")
    }).pipe(Effect.provide(Credentials.basic("ghcr.io", "me", "secret")))
  )

  it.effect("token is a token for one registry", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* found("ghcr.io"), "token secret")
      assert.strictEqual(yield* found("docker.io"), "none")
    }).pipe(Effect.provide(Credentials.token("ghcr.io", Redacted.make("secret"))))
  )

  it.scoped("S43 show no secret, however they are printed", () =>
    Effect.gen(function* () {
      const home = yield* Files.make({
        ".docker/config.json": {
          auths: {
            "d.test": { auth: Files.base64("me:secret") },
            "e.test": { identitytoken: "secret" },
            "f.test": { registrytoken: "secret" }
          },
          HttpHeaders: { "X-Team": "secret" }
        }
      })
      yield* Effect.gen(function* () {
        const credentials = yield* Credentials.Credentials
        const names = ["a.test", "b.test", "c.test", "d.test", "e.test", "f.test"]
        const all = yield* Effect.forEach(names, (name) => credentials.lookup(registryOf(name)))
        assert.deepStrictEqual(all.filter(Option.isNone), [])
        const headers = yield* credentials.headers?.(registryOf("a.test")) ?? Effect.succeed({})
        for (const one of [all, headers, credentials]) {
          for (const shown of [String(one), JSON.stringify(one), inspect(one, { depth: 10, showHidden: true })]) {
            assert.notInclude(shown, "secret")
            assert.notInclude(shown, Files.base64("me:secret"))
          }
        }
        yield* Effect.logError("all", all, headers)
      }).pipe(
        Script.withoutLeaks(["secret", Files.base64("me:secret")]),
        Effect.provide(
          Credentials.orElse(
            Credentials.fromRecord({
              "a.test": { username: "me", password: "secret" },
              "b.test": { token: "secret" },
              "c.test": { identityToken: "secret" }
            }),
            home.layer(Credentials.dockerConfig)
          )
        )
      )
    })
  )

  it.effect("anonymous has nothing, whatever there is around", () =>
    Effect.map(Effect.provide(found("ghcr.io"), Credentials.anonymous), (credential) =>
      assert.strictEqual(credential, "none")
    ).pipe(Effect.provide(Credentials.basic("ghcr.io", "me", "secret")))
  )

  describe("layerConfig", () => {
    const variables = environment({ REGISTRY: "ghcr.io", NAME: "me", SECRET: "s3cret" })
    const registry = Config.string("REGISTRY")
    const secret = Config.redacted("SECRET")
    const entries: ReadonlyArray<readonly [entry: Credentials.ConfigEntry, credential: string]> = [
      [{ registry, username: Config.string("NAME"), password: secret }, "me:s3cret"],
      [{ registry, username: "you", password: secret }, "you:s3cret"],
      [{ registry, token: secret }, "token s3cret"],
      [{ registry: "ghcr.io", identityToken: secret }, "identity s3cret"]
    ]
    for (const [entry, credential] of entries) {
      it.effect(`reads ${credential} from the environment`, () =>
        Effect.map(found("ghcr.io"), (given) => assert.strictEqual(given, credential)).pipe(
          Effect.provide(Layer.provide(Credentials.layerConfig(entry), variables))
        )
      )
    }

    it.effect("says which variable is missing", () =>
      Effect.map(
        Effect.flip(
          Effect.provide(
            found("ghcr.io"),
            Layer.provide(Credentials.layerConfig({ registry, token: Config.redacted("NO_SUCH") }), variables)
          )
        ),
        (error) => assert.include(String(error), "NO_SUCH")
      )
    )
  })

  /** A source that says how often it was asked, and waits until it may answer. */
  const counting = (answer: Effect.Effect<void, CredentialsInvalid> = Effect.void) => {
    const asked: Array<string> = []
    const layer = Layer.succeed(Credentials.Credentials, {
      lookup: (registry, repository) =>
        Effect.suspend(() => {
          asked.push(`${registry}${repository === undefined ? "" : `/${repository.name}`}`)
          return Effect.as(
            answer,
            Option.some<Credentials.Credential>({ _tag: "Token", token: Redacted.make(String(asked.length)) })
          )
        })
    })
    return { asked, layer }
  }

  const broken = new CredentialsInvalid({ reason: "broken" })

  describe("orElse", () => {
    const first = Credentials.fromRecord({ "a.test": { token: "1" }, "b.test": { token: "2" } })
    const second = Credentials.fromRecord({ "b.test": { token: "3" }, "c.test": { token: "4" } })
    const names = ["a.test", "b.test", "c.test", "d.test"]
    for (const [form, layer] of [
      ["of two", Credentials.orElse(first, second)],
      ["in a pipe", first.pipe(Credentials.orElse(second))]
    ] as const) {
      it.effect(`${form} takes the first that there is`, () =>
        Effect.map(
          Effect.provide(
            Effect.forEach(names, (name) => found(name)),
            layer
          ),
          (all) => assert.deepStrictEqual(all, ["token 1", "token 2", "token 4", "none"])
        )
      )
    }

    it.effect("asks the second only when the first has nothing", () => {
      const { asked, layer } = counting()
      return Effect.gen(function* () {
        yield* found("a.test")
        assert.deepStrictEqual(asked, [])
        yield* found("d.test")
        assert.deepStrictEqual(asked, ["d.test"])
      }).pipe(Effect.provide(Credentials.orElse(first, layer)))
    })

    it.effect("A63 fails when the first cannot be asked", () => {
      const { asked, layer } = counting()
      return Effect.gen(function* () {
        assert.strictEqual((yield* Effect.flip(found("a.test"))).reason, "broken")
        assert.deepStrictEqual(asked, [])
      }).pipe(Effect.provide(Credentials.orElse(counting(broken).layer, layer)))
    })
  })

  it.effect("A66 forHost is for one registry alone", () => {
    const { asked, layer } = counting()
    return Effect.gen(function* () {
      assert.strictEqual(yield* found("ghcr.io/org/app"), "token 1")
      assert.strictEqual(yield* found("https://ghcr.io"), "token 2")
      assert.strictEqual(yield* found("mirror.test"), "none")
      assert.strictEqual(yield* found("ghcr.io:5000"), "none")
      assert.deepStrictEqual(asked, ["ghcr.io/org/app", "ghcr.io"])
    }).pipe(Effect.provide(layer.pipe(Credentials.forHost("ghcr.io"))))
  })

  it.effect("A66 a mirror gets its own credentials, and never those of what it mirrors", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* found("mirror.test/docker.io/library/mongo"), "none")
      assert.strictEqual(yield* found("docker.io.mirror.test"), "none")
    }).pipe(Effect.provide(Credentials.basic("docker.io", "me", "secret")))
  )

  it.effect("forHost refuses a registry that is none", () =>
    Effect.map(
      Effect.flip(Effect.provide(found("ghcr.io"), Credentials.forHost(Credentials.anonymous, "no host"))),
      ({ _tag }) => assert.strictEqual(_tag, "InvalidReference")
    )
  )

  describe("cached", () => {
    it.effect("A16 asks the source again when the time is over, or at once when asked to", () => {
      const { layer } = counting()
      return Effect.gen(function* () {
        assert.strictEqual(yield* found("a.test"), "token 1")
        yield* TestClock.adjust("59 seconds")
        assert.strictEqual(yield* found("a.test"), "token 1")
        assert.strictEqual(yield* found("a.test/org/app"), "token 2")
        assert.strictEqual(yield* found("a.test", true), "token 3")
        assert.strictEqual(yield* found("a.test"), "token 3")
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* found("a.test"), "token 4")
      }).pipe(Effect.provide(Credentials.cached(layer, "1 minute")))
    })

    it.effect("asks once for many, even when the one who asked goes away", () =>
      Effect.gen(function* () {
        const gate = yield* Deferred.make<void>()
        const { asked, layer } = counting(Deferred.await(gate))
        yield* Effect.gen(function* () {
          const leader = yield* Effect.fork(found("a.test"))
          yield* Effect.yieldNow()
          const many = yield* Effect.fork(
            Effect.forEach(Array.from({ length: 50 }), () => found("a.test", true), { concurrency: "unbounded" })
          )
          yield* TestClock.adjust("1 seconds")
          assert.strictEqual(asked.length, 1)
          yield* Fiber.interrupt(leader)
          yield* TestClock.adjust("1 seconds")
          assert.strictEqual(asked.length, 2)
          yield* Deferred.succeed(gate, undefined)
          assert.deepStrictEqual([...new Set(yield* Fiber.join(many))], ["token 2"])
          assert.strictEqual(asked.length, 2)
        }).pipe(Effect.provide(Credentials.cached(layer, "1 minute")))
      })
    )

    it.effect("shares a failure with those who waited, and does not keep it", () =>
      Effect.gen(function* () {
        const gate = yield* Deferred.make<void, CredentialsInvalid>()
        const { asked, layer } = counting(Deferred.await(gate))
        yield* Effect.gen(function* () {
          const many = yield* Effect.fork(
            Effect.forEach(Array.from({ length: 50 }), () => Effect.flip(found("a.test")), { concurrency: "unbounded" })
          )
          yield* TestClock.adjust("1 seconds")
          yield* Deferred.fail(gate, broken)
          assert.strictEqual((yield* Fiber.join(many)).length, 50)
          assert.strictEqual(asked.length, 1)
          yield* Effect.flip(found("a.test"))
          assert.strictEqual(asked.length, 2)
        }).pipe(Effect.provide(Credentials.cached(layer, "1 minute")))
      })
    )
  })

  describe("headers", () => {
    const wanting = Layer.succeed(Credentials.Credentials, {
      lookup: () => Effect.succeedNone,
      headers: (registry) =>
        Effect.succeed({
          "X-Team": Redacted.make(`s3cret of ${registry}`),
          "User-Agent": Redacted.make("mine"),
          Accept: Redacted.make("mine")
        })
    })
    const list = Tags.list(repository)

    it.effect("go to the registry, but cannot change what the client has to say", () =>
      list.pipe(
        Effect.provide(wanting),
        Effect.provide(
          Script.layerTest(
            Script.expect("GET", "/v2/org/app/tags/list", {
              headers: { "x-team": "s3cret of registry.test", "user-agent": /^effect-oci/, accept: /json/ }
            }).answer(200, { body: '{"tags":[]}' })
          )
        )
      )
    )

    it.effect("S43 stay at the registry, and are not seen", () => {
      const elsewhere = Script.on("https://cdn.test")
      const seen: Array<unknown> = []
      return Blobs.get(repository, digest).pipe(
        Effect.provide(wanting),
        Effect.provide(RegistryObserver.layer({ exchange: (exchange) => Effect.sync(() => void seen.push(exchange)) })),
        Script.withoutLeaks(["s3cret"]),
        Effect.tap(() => {
          assert.strictEqual(seen.length, 2)
          assert.notInclude(inspect(seen, { depth: 10 }), "s3cret")
        }),
        Effect.provide(
          Script.layerTest(
            Script.secret("s3cret", { onlyTo: ["https://registry.test"] }),
            Script.expect("GET", `/v2/org/app/blobs/${digest}`).answer(307, {
              headers: { location: "https://cdn.test/x" }
            }),
            elsewhere.expect("GET", "/x", { headers: { "x-team": undefined } }).answer(200, { body: "{}" })
          )
        )
      )
    })

    const plain = Effect.flatMap(Repository.parse("http://registry.test/org/app"), (repository) =>
      Tags.list(repository)
    )
    const step = (team: string | undefined) =>
      Script.layerTest(
        Script.on("http://registry.test")
          .expect("GET", "/v2/org/app/tags/list", { headers: { "x-team": team } })
          .answer(200, { body: '{"tags":[]}' })
      )

    it.effect("S51 do not go over plain http", () =>
      plain.pipe(Effect.provide(wanting), Effect.provide(step(undefined)))
    )

    it.effect("S51 go over plain http where credentials may", () =>
      plain.pipe(
        Effect.provide([wanting, RegistryHosts.layer({ scheme: "http" })]),
        Effect.provide(step("s3cret of registry.test"))
      )
    )

    it.effect("are those of both sources, and the first one's where both want the same", () =>
      Effect.gen(function* () {
        const { headers } = yield* Credentials.Credentials
        assert(headers !== undefined)
        const all = yield* headers(registryOf("a.test"))
        assert.deepStrictEqual(
          Object.entries(all).map(([name, value]) => [name, Redacted.value(value)]),
          [
            ["X-Team", "one"],
            ["X-Two", "two"]
          ]
        )
        assert.deepStrictEqual(yield* headers(registryOf("b.test")), {})
      }).pipe(
        Effect.provide(
          Credentials.orElse(
            Layer.succeed(Credentials.Credentials, {
              lookup: () => Effect.succeedNone,
              headers: () => Effect.succeed({ "X-Team": Redacted.make("one") })
            }),
            Layer.succeed(Credentials.Credentials, {
              lookup: () => Effect.succeedNone,
              headers: () => Effect.succeed({ "X-Team": Redacted.make("two"), "X-Two": Redacted.make("two") })
            })
          ).pipe(Credentials.forHost("a.test"))
        )
      )
    )

    it.scoped("of Docker's file are sent, but for those that are not a file's to say", () =>
      Effect.gen(function* () {
        const home = yield* Files.make({
          ".docker/config.json": {
            HttpHeaders: {
              "X-Meta-Team": "s3cret",
              "X-Number": 1,
              "bad name": "x",
              Authorization: "Basic x",
              Host: "evil.test",
              "Content-Length": "7",
              Cookie: "a=b"
            }
          }
        })
        yield* Effect.gen(function* () {
          const { headers } = yield* Credentials.Credentials
          assert(headers !== undefined)
          assert.deepStrictEqual(Object.keys(yield* headers(registryOf("a.test"))), ["x-meta-team"])
          yield* list
        }).pipe(
          Effect.provide(home.layer(Credentials.dockerConfig)),
          Effect.provide(
            Script.layerTest(
              Script.expect("GET", "/v2/org/app/tags/list", {
                headers: { "x-meta-team": "s3cret", authorization: undefined, cookie: undefined }
              }).answer(200, { body: '{"tags":[]}' })
            )
          )
        )
      })
    )

    it.scoped("of a file that cannot be read are none, and it is no matter to who asks for no credential", () =>
      Effect.gen(function* () {
        const home = yield* Files.make({ ".docker/config.json": "{" })
        const answer = Script.expect("GET", "/v2/org/app/tags/list").answer(200, { body: '{"tags":[]}' })
        yield* list.pipe(Effect.provide(home.layer(Credentials.dockerConfig)), Effect.provide(Script.layerTest(answer)))
      })
    )
  })
})
