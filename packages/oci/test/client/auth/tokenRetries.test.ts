import { assert, describe, it } from "@effect/vitest"
import * as Script from "@effect-oci/registry/Script"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Credentials from "effect-oci/Credentials"
import { chance, elapsing } from "../elapsing.js"
import {
  asks,
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
  tagsPath,
  tokenFor
} from "./support.js"

const same = Script.on("https://registry.test")

const challenged = same.expect("GET", tagsPath, carries(undefined)).answer(401, asks(bearer(pull)))

const asked = service.expect("GET", tokenFor(pull), carries(mine))

const lets = same.expect("GET", tagsPath, carries("Bearer T")).answer(200, listed)

/** Where requests went, by host, in their order. */
const hosts = Effect.map(Script.requests, (all) => all.map(({ origin }) => new URL(origin).host))

const [registry, tokens] = ["registry.test", "auth.registry.test"]

describe("RegistryAuth, token services that fail", () => {
  it.effect("A29 T10 503 each time: it is asked five times, the registry once, and the error counts them", () =>
    Effect.gen(function* () {
      const error = yield* elapsing(Effect.flip(list))
      assert(error._tag === "RegistryUnavailable")
      assert.deepStrictEqual([error.attempts, error.status, error.url], [5, 503, "https://auth.registry.test/token"])
      assert.deepStrictEqual(yield* hosts, [registry, tokens, tokens, tokens, tokens, tokens])
    }).pipe(
      chance(1),
      Effect.provide(me),
      playing(challenged, asked.answer(503, Script.refusal("UNAVAILABLE")).times(5))
    )
  )

  it.effect("A29 T10 a connection that is reset each time counts in the same way", () =>
    Effect.gen(function* () {
      const error = yield* elapsing(Effect.flip(list))
      assert(error._tag === "TransportError")
      assert.strictEqual(error.attempts, 5)
      assert.deepStrictEqual(yield* hosts, [registry, tokens, tokens, tokens, tokens, tokens])
    }).pipe(chance(1), Effect.provide(me), playing(challenged, asked.answer(Script.reset).times(5)))
  )

  it.effect("A29 T10 429 with a time, then a token: two requests for it, and the call succeeds", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* elapsing(list), ["1.2"])
      assert.strictEqual(yield* Clock.currentTimeMillis, 2000)
      assert.deepStrictEqual(yield* hosts, [registry, tokens, tokens, registry])
    }).pipe(
      chance(1),
      Effect.provide(me),
      playing(challenged, asked.answer(429, { headers: { "retry-after": "2" } }), asked.answer(200, grants()), lets)
    )
  )

  it.effect("A29 T10 two resets, then a token: three requests for it, and the call succeeds", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* elapsing(list), ["1.2"])
      // 250 and 500 ms
      assert.strictEqual(yield* Clock.currentTimeMillis, 750)
      assert.deepStrictEqual(yield* hosts, [registry, tokens, tokens, tokens, registry])
    }).pipe(
      chance(1),
      Effect.provide(me),
      playing(challenged, asked.answer(Script.reset).times(2), asked.answer(200, grants()), lets)
    )
  )

  it.effect("A29 T10 of many that wait for one token each gets its failure, and none asks again", () =>
    Effect.gen(function* () {
      const errors = yield* elapsing(Effect.all([list, list, list].map(Effect.flip), { concurrency: "unbounded" }))
      assert.deepStrictEqual(
        errors.map(({ _tag, attempts }) => `${_tag} ${attempts}`),
        Array.from({ length: 3 }, () => "RegistryUnavailable 5")
      )
      assert.strictEqual((yield* hosts).filter((host) => host === tokens).length, 5)
    }).pipe(chance(1), Effect.provide(me), playing(challenged.times(3), asked.answer(503).times(5)))
  )

  it.effect("A29 T10 failures of both, one after the other, are each counted by themselves", () =>
    Effect.gen(function* () {
      const error = yield* elapsing(Effect.flip(list))
      assert(error._tag === "RegistryUnavailable")
      assert.deepStrictEqual([error.attempts, error.url], [5, `https://registry.test${tagsPath}`])
      assert.strictEqual((yield* hosts).filter((host) => host === tokens).length, 4)
    }).pipe(
      chance(1),
      Effect.provide(me),
      playing(
        challenged,
        asked.answer(503).times(3),
        asked.answer(200, grants()),
        same.expect("GET", tagsPath, carries("Bearer T")).answer(503).times(5)
      )
    )
  )

  it.effect("A29 T10 a service that is out of order is asked in no other way", () =>
    Effect.gen(function* () {
      const zeros = "00000000-0000-0000-0000-000000000000"
      const error = yield* elapsing(Effect.flip(list)).pipe(
        Effect.provide(Credentials.basic("registry.test", zeros, "r3fresh"))
      )
      assert.strictEqual(error._tag, "RegistryUnavailable")
      assert.deepStrictEqual(
        (yield* Script.requests).slice(1).map(({ method }) => method),
        ["GET", "GET", "GET", "GET", "GET"]
      )
    }).pipe(chance(1), playing(challenged, service.expect("GET", tokenFor(pull)).answer(503).times(5)))
  )
})
