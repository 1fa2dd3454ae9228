import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Script from "@effect-oci/registry/Script"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { execute, failures, get, play, registry } from "./scriptSupport.js"

describe("Script", () => {
  describe("time", () => {
    const clocked = Script.layer(
      Script.expect("GET", "/a").answer(200, {
        after: "1 minute",
        body: ["he", Script.delay("1 hour"), ...Script.trickle("llo", "1 day")]
      })
    )
    it.effect("passes before an answer and in its body, on the test's clock", () =>
      Effect.gen(function* () {
        const fiber = yield* Effect.fork(get("/a"))
        yield* TestClock.adjust("59 seconds")
        assert.strictEqual((yield* Script.requests)[0]?.answer, "none")
        yield* TestClock.adjust("1 second")
        assert.deepInclude((yield* Script.requests)[0], { answer: "open", sent: 2 })
        yield* TestClock.adjust("1 hour")
        for (const sent of [3, 4]) {
          yield* TestClock.adjust("1 day")
          assert.strictEqual((yield* Script.requests)[0]?.sent, sent)
        }
        yield* TestClock.adjust("1 day")
        assert.strictEqual((yield* Fiber.join(fiber)).text, "hello")
      }).pipe(Effect.provide(clocked))
    )
  })

  describe("a hold", () => {
    it.effect("keeps answers until it is released", () =>
      Effect.gen(function* () {
        const gate = yield* Script.hold
        yield* Effect.gen(function* () {
          const first = yield* Effect.fork(get("/a"))
          const second = yield* Effect.fork(get("/b"))
          yield* gate.arrived
          yield* gate.arrived
          assert.deepStrictEqual(
            (yield* Script.requests).map(({ answer }) => answer),
            ["none", "open"]
          )
          yield* gate.release
          assert.strictEqual((yield* Fiber.join(first)).text, "")
          assert.strictEqual((yield* Fiber.join(second)).text, "hello")
        }).pipe(
          Effect.provide(
            Script.layer(
              Script.expect("GET", "/a").answer(200, { after: gate }),
              Script.expect("GET", "/b").answer(200, { body: ["he", gate, "llo"] })
            )
          )
        )
      })
    )
  })

  describe("a connection", () => {
    const breaks: ReadonlyArray<readonly [name: string, cue: Script.Cue, code: string]> = [
      ["is closed", Script.cut, "UND_ERR_SOCKET"],
      ["is reset", Script.reset, "ECONNRESET"]
    ]
    for (const [name, cue, code] of breaks) {
      it.effect(`${name} in the place of an answer`, () =>
        Effect.gen(function* () {
          for (const target of ["/a", "/b"]) {
            const error = yield* Effect.flip(get(target))
            assert(error._tag === "RequestError")
            assert.strictEqual(error.reason, "Transport")
            assert.deepInclude(error.cause, { code })
          }
        }).pipe(
          Effect.provide(Script.layer(Script.expect("GET", "/a").answer(cue), Script.expect("GET", "/b").raw(cue)))
        )
      )

      it.effect(`E16 ${name} in a body`, () =>
        Effect.gen(function* () {
          const { stream } = yield* execute("/a")
          const seen: Array<number> = []
          const error = yield* Effect.flip(
            Stream.runForEach(stream, ({ length }) => Effect.sync(() => seen.push(length)))
          )
          assert.strictEqual(error.reason, "Decode")
          assert.deepInclude(error.cause, { code })
          assert.deepStrictEqual(seen, [2])
          assert.strictEqual((yield* Script.requests)[0]?.answer, "consumed")
        }).pipe(Effect.provide(Script.layer(Script.expect("GET", "/a").answer(200, { body: ["he", cue, "llo"] }))))
      )
    }

    it.effect("that stalls can be interrupted", () =>
      Effect.gen(function* () {
        for (const target of ["/a", "/b"]) {
          const fiber = yield* Effect.fork(get(target))
          yield* TestClock.adjust("1 day")
          assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
        }
        assert.deepStrictEqual(
          (yield* Script.requests).map(({ answer }) => answer),
          ["cancelled", "cancelled"]
        )
      }).pipe(
        Effect.provide(
          Script.layer(
            Script.expect("GET", "/a").answer(Script.stall),
            Script.expect("GET", "/b").answer(200, { body: ["he", Script.stall] })
          )
        )
      )
    )

    it.effect("that stalls ends with the scope of its request, for whoever reads", () =>
      Effect.gen(function* () {
        const reading =
          yield* Deferred.make<Fiber.Fiber<unknown, { readonly reason: string; readonly cause?: unknown }>>()
        yield* Effect.scoped(
          Effect.gen(function* () {
            const client = HttpClient.withScope(yield* HttpClient.HttpClient)
            const { stream } = yield* client.get(`${registry}/a`)
            yield* Deferred.succeed(reading, yield* Effect.fork(Stream.runDrain(stream)))
            yield* TestClock.adjust("1 day")
          })
        )
        const error = yield* Effect.flip(Fiber.join(yield* Deferred.await(reading)))
        assert.strictEqual(error.reason, "Decode")
        assert.deepInclude(error.cause, { code: "UND_ERR_ABORTED" })
        assert.strictEqual((yield* Script.requests)[0]?.answer, "cancelled")
      }).pipe(Effect.provide(Script.layer(Script.expect("GET", "/a").answer(200, { body: ["he", Script.stall] }))))
    )

    it.effect("has bytes of its own only over a socket", () =>
      Effect.gen(function* () {
        const raw = Script.expect("GET", "/a").raw("HTTP/1.1 200 OK\r\n\r\n")
        assert.include(failures(yield* play(get("/a"), raw))[0], "ScriptServer")
      })
    )
  })
})
