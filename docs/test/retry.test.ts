import { assert, describe, it } from "@effect/vitest"
import { Script } from "@effect-oci/registry"
import { Duration, Effect, Either, Fiber, Layer, TestClock } from "effect"
import { Reference, RegistryHosts, RegistryObserver, RegistryRetry, Tags } from "effect-oci"

const { repository } = Either.getOrThrow(Reference.parse("registry.test/org/app"))

const tags = Script.expect("GET", "/v2/org/app/tags/list")

describe("retries", () => {
  it.effect("are made by default", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(Tags.list(repository))
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual((yield* Fiber.join(fiber)).tags, ["1"])
    }).pipe(
      Effect.provide(
        Script.layerTest(
          tags.answer(429, { headers: { "retry-after": "5" } }),
          tags.answer(200, { json: { tags: ["1"] } })
        )
      )
    )
  )

  it.effect("are switched off for one call", () => {
    // #region once
    const once = Tags.list(repository).pipe(Effect.provide(RegistryRetry.layerNone))
    // #endregion
    return Effect.map(Effect.flip(once), ({ _tag }) => assert.strictEqual(_tag, "RegistryUnavailable")).pipe(
      Effect.provide(Script.layerTest(tags.answer(503)))
    )
  })

  it.effect("are made by a policy of one's own, and keep to rate limits by option", () => {
    // #region policy
    const patient = RegistryRetry.layer({ tries: 8, longest: "5 minutes", total: "20 minutes", pace: true })
    // #endregion
    return Effect.gen(function* () {
      yield* Tags.list(repository)
      const fiber = yield* Effect.fork(Tags.list(repository))
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* Script.requests).length, 1)
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
    }).pipe(
      Effect.provide(patient),
      Effect.provide(
        Script.layerTest(
          tags.answer(200, {
            headers: { "ratelimit-remaining": "0", "ratelimit-reset": "150" },
            json: { tags: ["1"] }
          }),
          tags.answer(200, { json: { tags: ["1"] } })
        )
      )
    )
  })

  it.effect("are counted, and limits can be watched", () => {
    const left: Array<number | undefined> = []
    // #region observe
    const watching = RegistryObserver.layer({
      exchange: ({ rateLimit }) => Effect.sync(() => left.push(rateLimit?.remaining))
    })
    // #endregion
    // #region limits
    const strict = RegistryHosts.layer({ limits: { idle: Duration.seconds(5), total: Duration.minutes(1) } })
    // #endregion
    return Effect.map(Tags.list(repository), () => assert.deepStrictEqual(left, [99])).pipe(
      Effect.provide(Layer.merge(watching, strict)),
      Effect.provide(
        Script.layerTest(tags.answer(200, { headers: { "ratelimit-remaining": "99" }, json: { tags: ["1"] } }))
      )
    )
  })
})
