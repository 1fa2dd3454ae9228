/**
 * Answers of a stranger to every endpoint: each call ends, with a result that is right for what was served or a failure
 * that its type declares, with no body left open and no credential at another origin.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as TestServices from "effect/TestServices"
import * as Credentials from "effect-oci/Credentials"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as RegistryError from "effect-oci/RegistryError"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as RegistryObserver from "effect-oci/RegistryObserver"
import * as RegistryRetry from "effect-oci/RegistryRetry"
import { script, secret } from "./answers.js"
import { assertPrintable } from "./arbitraries.js"
import { type Call, calls } from "./calls.js"
import { everyRun, fuzz } from "./settings.js"
import * as Wire from "./wire.js"

const policies = Layer.mergeAll(
  Credentials.basic("registry.test", "me", "open sesame"),
  RegistryAuth.layer,
  RegistryRetry.layer({ tries: 3, base: 0, longest: 0 }),
  RegistryHosts.layer({
    limits: { manifest: 20_000, page: 20_000, blob: 20_000, error: 4096, pages: 5, redirects: 3 }
  }),
  RegistryObserver.layer({ warning: ({ text }) => Effect.sync(() => assertPrintable(text)) })
)

/** The end of a call: at once, or once time passes because nothing else does. */
const end = <A, E>(fiber: Fiber.RuntimeFiber<A, E>, wire: Wire.Wire): Effect.Effect<Exit.Exit<A, E>> => {
  const hangs = Effect.zipRight(TestServices.provideLive(Effect.sleep("20 seconds")), Effect.dieMessage("it hangs"))
  const orHangs = Effect.raceFirst(hangs)
  return Effect.gen(function* () {
    yield* orHangs(Effect.race(Fiber.await(fiber), wire.stalled))
    for (let hour = 0; hour < 24 && Option.isNone(yield* Fiber.poll(fiber)); hour++) yield* TestClock.adjust("1 hour")
    return yield* orHangs(Fiber.await(fiber))
  })
}

const assertFailure = ({ tags }: Call, cause: Cause.Cause<unknown>): void => {
  const failure = Option.getOrUndefined(Cause.failureOption(cause))
  if (!RegistryError.isRegistryError(failure) || !Cause.isFailType(cause)) {
    assert.fail(Cause.pretty(cause, { renderErrorCause: true }))
  }
  assert.include(tags, failure._tag)
  assertPrintable(failure.message)
  assert.notInclude(failure.message, secret)
  assert.isString(JSON.stringify(failure))
}

const assertExchange = ({ authorization, body, method, url }: Wire.Exchange): void => {
  const { hostname, origin, protocol } = new URL(url)
  assert.notStrictEqual(body, "held", `${method} ${url} is left open`)
  assert.strictEqual(protocol, "https:")
  assert.notMatch(hostname, /^(localhost|127\.|\[::1\]|10\.)/)
  if (origin === "https://registry.test") return
  assert.isUndefined(authorization, url)
  assert.oneOf(method, ["GET", "HEAD"])
}

const play = (call: Call, answers: Parameters<typeof Wire.make>[0]) =>
  Effect.gen(function* () {
    const wire = yield* Wire.make(answers)
    const client = Effect.provideService(RegistryClient.make, HttpClient.HttpClient, wire.client)
    const running = Effect.provideServiceEffect(call.run(wire.exchanges), RegistryClient.RegistryClient, client)
    const fiber = yield* Effect.fork(running)
    const exit = yield* end(fiber, wire)
    if (Exit.isFailure(exit)) assertFailure(call, exit.cause)
    wire.exchanges.forEach(assertExchange)
  })

describe("fuzzed responses", () => {
  for (const [module, all] of Object.entries(calls)) {
    const runs = FastCheck.constantFrom(...all).chain((call) =>
      FastCheck.tuple(FastCheck.constant(call), script(call.expected))
    )
    it.effect(
      `every call of ${module} ends, right or with an error of its type`,
      () =>
        Effect.provide(
          everyRun(runs, ([call, answers]) => play(call, answers), 1 / 6),
          policies
        ),
      fuzz
    )
  }
})
