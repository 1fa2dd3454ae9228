import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Credentials from "effect-oci/Credentials"
import * as RegistryName from "effect-oci/RegistryName"

/** What is found for a registry, with the secret read. */
const found = (registry: string) =>
  Effect.gen(function* () {
    const credentials = yield* Credentials.Credentials
    const credential = yield* credentials.lookup(Either.getOrThrow(RegistryName.parse(registry)))
    return Option.match(credential, {
      onNone: () => "none",
      onSome: (one) =>
        one._tag === "Basic" ? `${one.username}:${Redacted.value(one.password)}` : Redacted.value(one.token)
    })
  })

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
      "http://plain.test": { token: "6" }
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
      ["token.test", "3"],
      ["secret.test", "4"],
      ["docker.io", "hub:5"],
      ["index.docker.io", "hub:5"],
      ["registry-1.docker.io", "hub:5"],
      ["registry.hub.docker.com", "hub:5"],
      ["https://docker.io", "hub:5"],
      ["plain.test", "6"],
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

  it.effect("basic is a user name and password for one registry", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* found("ghcr.io"), "me:secret")
      assert.strictEqual(yield* found("docker.io"), "none")
    }).pipe(Effect.provide(Credentials.basic("ghcr.io", "me", "secret")))
  )

  it.effect("token is a token for one registry", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* found("ghcr.io"), "secret")
      assert.strictEqual(yield* found("docker.io"), "none")
    }).pipe(Effect.provide(Credentials.token("ghcr.io", Redacted.make("secret"))))
  )

  it.effect("S43 show no secret, however they are printed", () =>
    Effect.gen(function* () {
      const credentials = yield* Credentials.Credentials
      const both = yield* Effect.forEach(["a.test", "b.test"], (registry) =>
        credentials.lookup(Either.getOrThrow(RegistryName.parse(registry)))
      )
      for (const shown of [String(both), JSON.stringify(both), inspect(both, { depth: 10 })]) {
        assert.notInclude(shown, "secret")
      }
    }).pipe(
      Effect.provide(
        Credentials.fromRecord({ "a.test": { username: "me", password: "secret" }, "b.test": { token: "secret" } })
      )
    )
  )
})
