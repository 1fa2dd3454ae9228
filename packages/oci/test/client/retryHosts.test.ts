import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as RegistryObserver from "effect-oci/RegistryObserver"
import * as RegistryRetry from "effect-oci/RegistryRetry"
import * as Repository from "effect-oci/Repository"
import * as Tags from "effect-oci/Tags"
import { refusal } from "../scripted.js"
import { chance, elapsing } from "./elapsing.js"
import { repository } from "./support.js"

const list = Tags.list(repository)

const listElsewhere = Tags.list(Either.getOrThrow(Repository.parse("other.test/org/app")))

const noTags = (headers: Record<string, string> = {}) => Response.json({ tags: [] }, { headers })

const later = (seconds: number, status = 429) => refusal(status, "", "", { "retry-after": String(seconds) })

const reset = "reset"

/** Registries that are not what they were a moment ago, and when each request came to them. */
const changing = (answer: (request: number, host: string) => Response | typeof reset) => {
  const asked: Array<{ readonly at: number; readonly host: string }> = []
  const client = HttpClient.make((request, { host }) =>
    Effect.gen(function* () {
      const at = yield* Clock.currentTimeMillis
      const given = answer(asked.push({ at, host }), host)
      yield* Effect.yieldNow()
      if (given !== reset) return HttpClientResponse.fromWeb(request, given)
      const cause = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" })
      return yield* new HttpClientError.RequestError({ request, reason: "Transport", cause })
    })
  )
  const layer = RegistryClient.layer.pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, client)))
  return { asked, layer, times: () => asked.map(({ at }) => at) }
}

const once = Effect.provide(RegistryRetry.layer({ tries: 1 }))

describe("what calls to a host share", () => {
  describe("a Retry-After", () => {
    for (const status of [429, 503]) {
      it.effect(`T3 of ${status} makes every call to that host wait, and to no other`, () => {
        const { asked, layer } = changing((request) => (request === 1 ? later(10, status) : noTags()))
        return Effect.gen(function* () {
          const first = yield* Effect.fork(list)
          yield* TestClock.adjust("1 second")
          const others = yield* Effect.fork(Effect.all([list, listElsewhere, list], { concurrency: "unbounded" }))
          yield* TestClock.adjust("1 second")
          yield* elapsing(Effect.zip(Fiber.join(first), Fiber.join(others)))
          assert.deepStrictEqual(asked, [
            { at: 0, host: "registry.test" },
            { at: 1000, host: "other.test" },
            { at: 10_000, host: "registry.test" },
            { at: 10_000, host: "registry.test" },
            { at: 10_000, host: "registry.test" }
          ])
        }).pipe(Effect.provide(layer), chance(0))
      })
    }

    it.effect("is over for each of them a little later, by chance", () => {
      const { layer, times } = changing((request) => (request === 1 ? later(10) : noTags()))
      return Effect.gen(function* () {
        yield* Effect.flip(once(list))
        yield* elapsing(list)
        assert.deepStrictEqual(times(), [0, 10_500])
      }).pipe(Effect.provide(layer), chance(0.5))
    })

    it.effect("concerns one client", () => {
      const one = changing(() => later(10))
      const other = changing(() => noTags())
      return Effect.gen(function* () {
        yield* Effect.flip(once(list)).pipe(Effect.provide(one.layer))
        yield* Effect.provide(list, other.layer)
        assert.deepStrictEqual(other.times(), [0])
      })
    })

    it.effect(
      "T11 that others were told, and that is more than a call may wait, ends it before anything is sent",
      () => {
        const { layer, times } = changing(() => later(10))
        return Effect.gen(function* () {
          yield* Effect.flip(once(list))
          const error = yield* Effect.flip(Effect.provide(list, RegistryRetry.layer({ total: "9 seconds" })))
          assert(error._tag === "TooManyRequests")
          assert.deepStrictEqual([error.retryAfter, error.attempts], [10, 0])
          assert.deepStrictEqual(times(), [0])
        }).pipe(Effect.provide(layer))
      }
    )

    it.effect("S17 that is too long is the affair of one call", () => {
      const { layer, times } = changing((request) => (request === 1 ? later(3600) : noTags()))
      return Effect.gen(function* () {
        yield* Effect.flip(list)
        yield* list
        assert.deepStrictEqual(times(), [0, 0])
      }).pipe(Effect.provide(layer))
    })

    it.effect("T12 is waited for by nobody who was interrupted", () => {
      const { layer, times } = changing((request) => (request === 1 ? later(10) : noTags()))
      return Effect.gen(function* () {
        yield* Effect.flip(once(list))
        const waiting = yield* Effect.fork(list)
        yield* TestClock.adjust("1 second")
        assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(waiting)))
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(times(), [0])
      }).pipe(Effect.provide(layer))
    })
  })

  describe("failures in a row", () => {
    it.effect("slow all calls from the third on, more and more", () => {
      const { layer, times } = changing(() => reset)
      return Effect.gen(function* () {
        for (const _ of [1, 2, 3, 4, 5, 6]) yield* elapsing(Effect.flip(once(list)))
        assert.deepStrictEqual(times(), [0, 0, 0, 250, 750, 1750])
      }).pipe(Effect.provide(layer), chance(0))
    })

    it.effect("are not those of bodies that broke off on their way", () => {
      const { layer, times } = changing((request) => (request <= 6 ? reset : noTags()))
      const send = Effect.flatMap(RegistryClient.RegistryClient, (client) =>
        client.execute(
          { name: "uploads.finish", registry: repository.registry, repository },
          HttpClientRequest.put("/v2/org/app/blobs/uploads/1", {
            body: HttpBody.stream(Stream.make(new Uint8Array(1)))
          })
        )
      ).pipe(Effect.scoped)
      return Effect.gen(function* () {
        for (const _ of [1, 2, 3, 4, 5, 6]) yield* elapsing(Effect.flip(send))
        yield* elapsing(list)
        assert.deepStrictEqual(times(), [0, 0, 0, 0, 0, 0, 0])
      }).pipe(Effect.provide(layer), chance(0))
    })

    it.effect("are one failure when they were under way together", () => {
      const { layer, times } = changing((request) => (request <= 50 ? reset : noTags()))
      return Effect.gen(function* () {
        yield* Effect.replicateEffect(Effect.flip(once(list)), 50, { concurrency: "unbounded" })
        yield* elapsing(list)
        assert.deepStrictEqual(times().slice(49), [0, 250])
      }).pipe(Effect.provide(layer), chance(0))
    })

    for (const [what, answer, tag] of [
      ["breaks every connection", reset, "TransportError"],
      ["answers 503", 503, "RegistryUnavailable"]
    ] as const) {
      it.effect(`count for all who wait: a host that ${what} keeps many calls no longer than one`, () => {
        const { layer, times } = changing(() => (answer === reset ? reset : refusal(answer, "", "")))
        return Effect.gen(function* () {
          const calls = Effect.replicateEffect(Effect.flip(list), 6, { concurrency: "unbounded" })
          for (const { _tag, attempts } of yield* elapsing(calls)) {
            assert.strictEqual(_tag, tag)
            assert(attempts !== undefined)
            assert.isAtLeast(attempts, 1)
            assert.isAtMost(attempts, 5)
          }
          // a call alone waits 3750 ms at most
          assert.isAtMost(yield* Clock.currentTimeMillis, 8000)
          assert.isAtMost(Math.max(...times()), 4500)
        }).pipe(Effect.provide(layer))
      })
    }

    it.effect("count for nobody once the host has answered", () => {
      const { layer } = changing((request) => (request === 5 ? noTags() : reset))
      return Effect.gen(function* () {
        const patient = yield* Effect.fork(
          Effect.flip(list).pipe(Effect.provide(RegistryRetry.layer({ base: "10 seconds" })))
        )
        yield* TestClock.adjust(0)
        for (const _ of [2, 3, 4, 5]) yield* elapsing(Effect.exit(once(list)))
        assert.strictEqual((yield* elapsing(Fiber.join(patient))).attempts, 5)
      }).pipe(Effect.provide(layer), chance(0))
    })

    for (const [successes, wait] of [
      [2, 500],
      [3, 0]
    ] as const) {
      it.effect(`are ${wait === 0 ? "" : "not "}forgotten after ${successes} successes`, () => {
        const answers = [reset, reset, reset, ...Array.from({ length: successes }, () => "ok"), reset, "ok"]
        const { layer, times } = changing((request) => (answers[request - 1] === "ok" ? noTags() : reset))
        return Effect.gen(function* () {
          for (const _ of answers) yield* elapsing(Effect.exit(once(list)))
          const [before = 0, last = 0] = times().slice(-2)
          assert.strictEqual(last - before, wait)
        }).pipe(Effect.provide(layer), chance(0))
      })
    }
  })

  describe("the budget for retries", () => {
    it.effect("keeps a crowd from hammering a dead host", () => {
      const { asked, layer } = changing(() => reset)
      return Effect.gen(function* () {
        yield* Effect.replicateEffect(Effect.flip(list), 300, { concurrency: "unbounded" })
        // one each, and five hundred
        assert.strictEqual(asked.length, 800)
        yield* Effect.flip(list)
        assert.strictEqual(asked.length, 801)
        yield* TestClock.adjust("6 minutes")
        yield* Effect.flip(list)
        assert.strictEqual(asked.length, 806)
      }).pipe(Effect.provide(layer), Effect.provide(RegistryRetry.layer({ base: 0 })))
    })

    it.effect("is not spent by retries that help", () => {
      const { asked, layer } = changing((request) => (request % 2 === 1 ? reset : noTags()))
      return Effect.gen(function* () {
        yield* Effect.replicateEffect(list, 600)
        assert.strictEqual(asked.length, 1200)
      }).pipe(Effect.provide(layer), Effect.provide(RegistryRetry.layer({ base: 0 })))
    })
  })

  describe("rate limits", () => {
    const low = { "ratelimit-limit": "100", "ratelimit-remaining": "4", "ratelimit-reset": "50" }
    const told: ReadonlyArray<readonly [what: string, headers: Record<string, string>, wait: number]> = [
      ["nothing left, until it is more", { ...low, "ratelimit-remaining": "0" }, 50_000],
      ["little left, so that it lasts", low, 10_000],
      [
        "nothing left in a window that ends nobody knows when",
        { "ratelimit-limit": "100;w=600", "ratelimit-remaining": "0;w=600" },
        6000
      ],
      ["no more than a minute", { "ratelimit-remaining": "0", "ratelimit-reset": "3600" }, 60_000],
      ["not with enough left", { ...low, "ratelimit-remaining": "11" }, 0],
      ["not without a time", { "ratelimit-limit": "100", "ratelimit-remaining": "0" }, 0]
    ]
    for (const [what, headers, wait] of told) {
      it.effect(`P42 T1 by option all calls wait: ${what}`, () => {
        const { layer, times } = changing((request) => noTags(request === 1 ? headers : {}))
        return Effect.gen(function* () {
          yield* list
          yield* elapsing(list)
          assert.deepStrictEqual(times(), [0, wait])
        }).pipe(Effect.provide(layer), Effect.provide(RegistryRetry.layer({ pace: true })), chance(0))
      })
    }

    it.effect("P42 nobody waits by default", () => {
      const { layer, times } = changing(() => noTags({ ...low, "ratelimit-remaining": "0" }))
      return Effect.gen(function* () {
        yield* list
        yield* list
        assert.deepStrictEqual(times(), [0, 0])
      }).pipe(Effect.provide(layer))
    })
  })
})

describe("retries", () => {
  it.effect("do not multiply: what was tried five times within a call is not tried again around it", () => {
    const { asked, layer } = changing((_, host) => (host === "token.test" ? reset : noTags()))
    const asking: RegistryAuth.Service = ({ exchange }, next) =>
      HttpClient.transform(next, (send) =>
        Effect.zipRight(exchange.execute(HttpClientRequest.get("https://token.test/")), send)
      )
    return Effect.gen(function* () {
      const error = yield* elapsing(Effect.flip(list))
      assert(error._tag === "TransportError")
      assert.deepStrictEqual([error.attempts, asked.length, error.url], [5, 5, "https://token.test/"])
    }).pipe(Effect.provide(layer), Effect.provide(Layer.succeed(RegistryAuth.RegistryAuth, asking)))
  })

  it.effect("T8 E16 are made of a token that breaks off as of other answers", () => {
    const { asked, layer } = changing((request, host) => {
      if (host !== "token.test") return noTags()
      const body = new ReadableStream({ start: (controller) => controller.error(new Error("cut")) })
      return request === 1 ? new Response(body) : Response.json({ token: "t" })
    })
    const asking: RegistryAuth.Service = ({ exchange }, next) =>
      HttpClient.transform(next, (send) =>
        Effect.zipRight(exchange.execute(HttpClientRequest.post("https://token.test/")), send)
      )
    return Effect.gen(function* () {
      yield* elapsing(list)
      assert.deepStrictEqual(
        asked.map(({ host }) => host),
        ["token.test", "token.test", "registry.test"]
      )
    }).pipe(Effect.provide(layer), Effect.provide(Layer.succeed(RegistryAuth.RegistryAuth, asking)))
  })

  it.effect("are seen: an attempt each by observers, a line in the log at Debug, an event of the span", () => {
    const { layer } = changing((request) => (request === 1 ? later(2) : request === 2 ? reset : noTags()))
    const attempts: Array<number> = []
    const lines: Array<string> = []
    const observer = RegistryObserver.layer({ exchange: ({ attempt }) => Effect.sync(() => attempts.push(attempt)) })
    const logger = Logger.make(({ message }) => {
      const line = String(message)
      if (line.startsWith("again")) lines.push(line)
    })
    const events: Array<readonly [name: string, attributes: unknown]> = []
    const traced = Effect.useSpan("test", (span) => {
      const event = span.event.bind(span)
      const watched = Object.assign(span, {
        event: (...args: Parameters<typeof event>) => {
          if (args[0] === "oci.retry") events.push([args[0], args[2]])
          return event(...args)
        }
      })
      return Effect.flatMap(RegistryClient.RegistryClient, (client) =>
        Effect.scoped(
          client.execute(
            { name: "tags.list", registry: repository.registry, repository },
            HttpClientRequest.get("/v2/org/app/tags/list")
          )
        )
      ).pipe(Effect.withParentSpan(watched))
    })
    return Effect.gen(function* () {
      yield* elapsing(traced)
      assert.deepStrictEqual(attempts, [1, 2, 3])
      assert.deepStrictEqual(lines, [
        "again in 2000 ms, since attempt 1 answered 429",
        "again in 250 ms, since attempt 2 was a TransportError"
      ])
      assert.deepStrictEqual(events, [
        ["oci.retry", { "oci.retry.attempt": 1, "oci.retry.wait": 2000, "oci.retry.reason": "answered 429" }],
        ["oci.retry", { "oci.retry.attempt": 2, "oci.retry.wait": 250, "oci.retry.reason": "was a TransportError" }]
      ])
    }).pipe(
      Effect.provide([
        layer,
        observer,
        Logger.replace(Logger.defaultLogger, logger),
        Logger.minimumLogLevel(LogLevel.Debug)
      ]),
      chance(0)
    )
  })
})
