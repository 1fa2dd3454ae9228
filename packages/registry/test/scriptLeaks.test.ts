import { assert, describe, it } from "@effect/vitest"
import * as Script from "@effect-oci/registry/Script"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as HashSet from "effect/HashSet"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Redacted from "effect/Redacted"

const secret = "hunter2"

class Failed extends Data.TaggedError("Failed")<{ readonly detail: unknown }> {}

/** Where each effect gives the secret away. */
const leaks: ReadonlyArray<
  readonly [name: string, effect: Effect.Effect<unknown, unknown>, where: ReadonlyArray<string>]
> = [
  ["a log", Effect.logTrace(`the password is ${secret}`), ["a log of level TRACE"]],
  ["what is logged beside a message", Effect.logError("failed", { detail: [secret] }), ["a log of level ERROR"]],
  ["the cause of a log", Effect.logWarning("failed", Cause.die(new Error(secret))), ["a log of level WARN"]],
  ["an annotation of a log", Effect.log("hello").pipe(Effect.annotateLogs("token", secret)), ["a log of level INFO"]],
  ["the name of a span", Effect.void.pipe(Effect.withSpan(`GET /?${secret}`)), [`the span GET /?…`]],
  [
    "an attribute of a span",
    Effect.void.pipe(Effect.withSpan("a", { attributes: { url: { query: secret } } })),
    ["the span a"]
  ],
  ["the failure of a span", Effect.ignore(Effect.fail(new Error(secret)).pipe(Effect.withSpan("a"))), ["the span a"]],
  [
    "an event of a span",
    Effect.flatMap(Effect.currentSpan, (span) => Effect.sync(() => span.event("a", 0n, { secret }))).pipe(
      Effect.withSpan("a")
    ),
    ["the span a"]
  ],
  ["a value", Effect.succeed({ a: [secret] }), ["the value (JSON.stringify)", "the value (inspect)"]],
  ["a text", Effect.succeed(secret), ["the value (String)", "the value (JSON.stringify)", "the value (inspect)"]],
  [
    "a text in base64",
    Effect.succeed([`Basic ${btoa(`me:${secret}`)}`]),
    ["the value (String)", "the value (JSON.stringify)", "the value (inspect)"]
  ],
  ["a map", Effect.succeed(new Map([["a", new Set([secret])]])), ["the value (inspect)"]],
  ["the cause of an error", Effect.succeed(new Error("a", { cause: new Error(secret) })), ["the value (inspect)"]],
  ["a failure", Effect.fail(new Failed({ detail: secret })), ["the error (JSON.stringify)", "the error (inspect)"]],
  ["a defect", Effect.die(new Error(secret)), ["the error (String)", "the error (inspect)", "the error (Cause.pretty)"]]
]

const problems = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isFailure(exit)
    ? [...Cause.defects(exit.cause)].flatMap((defect) => (defect instanceof Script.Failure ? defect.problems : []))
    : []

describe("Script.withoutLeaks", () => {
  for (const [name, effect, where] of leaks) {
    it.effect(`S43 dies of a secret in ${name}`, () =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(Script.withoutLeaks(effect, ["other", secret]))
        assert.deepStrictEqual(
          problems(exit),
          where.map((place) => `the secret "hu…" is in ${place}`)
        )
      })
    )
  }

  const circular: { self?: unknown } = {}
  circular.self = circular

  const sound: ReadonlyArray<readonly [name: string, effect: Effect.Effect<unknown, unknown>]> = [
    ["nothing", Effect.void],
    ["what is redacted", Effect.succeed({ password: Redacted.make(secret) })],
    ["what is private", Effect.succeed(Object.defineProperty({}, "password", { value: secret }))],
    ["what refers to itself", Effect.succeed(circular)],
    ["what cannot be shown", Effect.succeed(Object.create(null))],
    ["a failure", Effect.fail(new Failed({ detail: "no" }))]
  ]
  for (const [name, effect] of sound) {
    it.effect(`leaves ${name} as it is`, () =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(effect.pipe(Script.withoutLeaks([secret])))
        assert.deepStrictEqual(exit, yield* Effect.exit(effect))
      })
    )
  }

  it.effect("lets other loggers hear what they would have heard", () =>
    Effect.gen(function* () {
      const heard: Array<unknown> = []
      const logger = Logger.make<unknown, void>(({ message }) => {
        heard.push(message)
      })
      yield* Effect.logDebug("a").pipe(
        Effect.zipRight(Effect.logInfo("b")),
        Script.withoutLeaks([secret]),
        Effect.locally(FiberRef.currentLoggers, HashSet.make(logger)),
        Logger.withMinimumLogLevel(LogLevel.Info)
      )
      assert.deepStrictEqual(heard, [["b"]])
    })
  )
})
