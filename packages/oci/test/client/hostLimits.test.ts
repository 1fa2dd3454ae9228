import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as TestServices from "effect/TestServices"
import * as Blobs from "effect-oci/Blobs"
import * as Manifests from "effect-oci/Manifests"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as RegistryName from "effect-oci/RegistryName"
import * as Repository from "effect-oci/Repository"
import { play, refusal } from "../scripted.js"
import { blobUrl, digest, manifestUrl, pieces, reference, repository } from "./support.js"

const on = (host: string) =>
  new Repository.Repository({ registry: Either.getOrThrow(RegistryName.parse(host)), name: "org/app" })

/** Lets time go by, a second at a time, until a fiber has ended. Reading a body takes turns that the clock knows nothing of. */
const passing = <A, E>(fiber: Fiber.Fiber<A, E>, seconds = 60): Effect.Effect<A, E> =>
  Effect.flatMap(Effect.zipRight(TestClock.adjust("1 second"), Fiber.poll(fiber)), (end) =>
    end._tag === "Some" || seconds === 0 ? Fiber.join(fiber) : passing(fiber, seconds - 1)
  )

/** A transport that answers each request after a while, and counts them by host. */
const slow = (pause: Effect.Effect<void> = Effect.sleep("1 second")) =>
  Effect.sync(() => {
    const under = new Map<string, number>()
    let most = 0
    const begun: Array<readonly [what: string, at: number]> = []
    const client = HttpClient.make((request, url) =>
      Effect.acquireUseRelease(
        Effect.map(Clock.currentTimeMillis, (now) => {
          begun.push([`${request.method} ${url.pathname.split("/")[4]}`, now])
          const count = (under.get(url.host) ?? 0) + 1
          under.set(url.host, count)
          most = Math.max(most, count)
        }),
        () => Effect.map(pause, () => HttpClientResponse.fromWeb(request, new Response("{}"))),
        () => Effect.sync(() => void under.set(url.host, (under.get(url.host) ?? 1) - 1))
      )
    )
    const layer = RegistryClient.layer.pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, client)))
    return { layer, most: () => most, begun }
  })

const get = (repository: Repository.Repository) => Blobs.get(repository, digest)

describe("concurrency", () => {
  it.effect("P54 of a host is bounded, of others not", () =>
    Effect.gen(function* () {
      const { begun, layer, most } = yield* slow()
      const hosts = RegistryHosts.fromRecord({ "a.test": { concurrency: 2 } })
      yield* Effect.gen(function* () {
        const bounded = yield* Effect.fork(
          Effect.all(
            Array.from({ length: 6 }, () => get(on("a.test"))),
            { concurrency: "unbounded" }
          )
        )
        yield* passing(bounded)
        assert.strictEqual(most(), 2)
        assert.deepStrictEqual(
          begun.map(([, at]) => at),
          [0, 0, 1000, 1000, 2000, 2000]
        )
        const free = yield* Effect.fork(
          Effect.all(
            Array.from({ length: 6 }, () => get(on("b.test"))),
            { concurrency: "unbounded" }
          )
        )
        yield* passing(free)
        assert.strictEqual(most(), 6)
      }).pipe(Effect.provide(layer), Effect.provide(hosts))
    })
  )

  it.effect("a slot is held until the body is done", () =>
    play(
      [
        [`GET ${blobUrl}`, new Response(pieces("{", "}"))],
        [`GET ${blobUrl}`, new Response("{}")]
      ],
      (sent) =>
        Effect.gen(function* () {
          const second = yield* Stream.runFoldEffect(
            Blobs.stream(repository, digest),
            undefined,
            (fiber: Fiber.RuntimeFiber<unknown, unknown> | undefined) =>
              Effect.gen(function* () {
                // the last piece comes when the body is done
                if (fiber !== undefined) return fiber
                const forked = yield* Effect.forkDaemon(Blobs.get(repository, digest))
                yield* Effect.yieldNow()
                yield* TestClock.adjust("1 second")
                assert.strictEqual(sent.length, 1)
                return forked
              })
          )
          if (second !== undefined) yield* Fiber.join(second)
          assert.strictEqual(sent.length, 2)
        }).pipe(Effect.provide(RegistryHosts.layer({ concurrency: 1 })))
    )
  )

  it.effect("small requests come before blobs", () =>
    Effect.gen(function* () {
      const { begun, layer } = yield* slow()
      yield* Effect.gen(function* () {
        const fibers = yield* Effect.forEach(
          [get(repository), get(repository), get(repository), Effect.ignore(Manifests.exists(reference))],
          (effect) => Effect.zipLeft(Effect.fork(effect), Effect.yieldNow())
        )
        yield* Effect.forEach(fibers, (fiber) => passing(fiber))
        assert.deepStrictEqual(
          begun.map(([what]) => what),
          ["GET blobs", "HEAD manifests", "GET blobs", "GET blobs"]
        )
      }).pipe(Effect.provide(layer), Effect.provide(RegistryHosts.layer({ concurrency: 1 })))
    })
  )

  it.effect("who is given up while it waits, or while it is served, leaves its place", () =>
    Effect.gen(function* () {
      const { begun, layer } = yield* slow()
      yield* Effect.gen(function* () {
        const served = yield* Effect.fork(get(repository))
        yield* Effect.yieldNow()
        const waiting = yield* Effect.fork(get(repository))
        const last = yield* Effect.fork(get(repository))
        yield* TestClock.adjust("10 millis")
        yield* Fiber.interrupt(waiting)
        yield* Fiber.interrupt(served)
        yield* passing(last)
        assert.strictEqual(begun.length, 2)
      }).pipe(Effect.provide(layer), Effect.provide(RegistryHosts.layer({ concurrency: 1 })))
    })
  )

  it.effect("T18 a mirror's slot is given back before the source's is taken", () =>
    play(
      [
        [`GET https://registry.test/v2/copies/org/app/blobs/${digest}`, refusal(404, "BLOB_UNKNOWN")],
        [`GET ${blobUrl}`, new Response("{}")]
      ],
      () =>
        get(repository).pipe(
          Effect.provide(
            RegistryHosts.fromRecord({
              "registry.test": { concurrency: 1, mirrors: [{ location: "registry.test/copies" }] }
            })
          )
        )
    )
  )
})

describe("RegistryClient.together", () => {
  const copies = (
    pairs: ReadonlyArray<readonly [string, string]>,
    limits: Readonly<Record<string, number>>,
    give: number
  ) =>
    Effect.gen(function* () {
      const { layer } = yield* slow(Effect.repeatN(Effect.yieldNow(), 3))
      const hosts = RegistryHosts.fromRecord(
        Object.fromEntries(Object.entries(limits).map(([host, concurrency]) => [host, { concurrency }]))
      )
      return yield* Effect.gen(function* () {
        const fibers = yield* Effect.forEach(pairs, ([from, to]) =>
          Effect.fork(
            // a body of one host is held open while the other is asked, as a copy does
            Stream.runForEach(Blobs.stream(on(from), digest), () => get(on(to))).pipe(
              RegistryClient.together([on(from), on(to)])
            )
          )
        )
        yield* Effect.yieldNow()
        yield* Effect.forEach(fibers.slice(0, give), Fiber.interrupt)
        return yield* Fiber.joinAll(fibers.slice(give)).pipe(
          Effect.as(true),
          Effect.raceFirst(TestServices.provideLive(Effect.as(Effect.sleep("10 seconds"), false)))
        )
      }).pipe(Effect.provide(layer), Effect.provide(hosts))
    })

  it.effect("lets two copies pass each other, and one stay at its host", () =>
    Effect.gen(function* () {
      const pairs = [
        ["a.test", "b.test"],
        ["b.test", "a.test"],
        ["a.test", "a.test"]
      ] as const
      assert.isTrue(yield* copies(pairs, { "a.test": 1, "b.test": 1 }, 0))
    })
  )

  const host = FastCheck.constantFrom("a.test", "b.test", "c.test", "d.test")
  it.effect.prop(
    "never lets copies wait for each other, whoever they are between and whoever is given up",
    [
      FastCheck.array(FastCheck.tuple(host, host), { minLength: 1, maxLength: 12 }),
      FastCheck.record({
        "a.test": FastCheck.integer({ min: 1, max: 3 }),
        "b.test": FastCheck.integer({ min: 1, max: 3 }),
        "c.test": FastCheck.integer({ min: 1, max: 3 })
      }),
      FastCheck.nat(10)
    ],
    ([pairs, limits, give]) =>
      Effect.gen(function* () {
        assert.isTrue(yield* copies(pairs, limits, Math.min(give, pairs.length)))
      }),
    { fastCheck: { numRuns: 8 } }
  )
})

describe("requests per second", () => {
  it.effect("are spread evenly, and who is given up takes no turn", () =>
    Effect.gen(function* () {
      const { begun, layer } = yield* slow()
      yield* Effect.gen(function* () {
        const fibers = yield* Effect.forEach([1, 2, 3, 4], () =>
          Effect.zipLeft(Effect.fork(get(repository)), Effect.yieldNow())
        )
        yield* TestClock.adjust("100 millis")
        const [, , third] = fibers
        if (third !== undefined) yield* Fiber.interrupt(third)
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(
          begun.map(([, at]) => at),
          [0, 500, 1000]
        )
        const later = yield* Effect.fork(get(repository))
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(later)
        assert.strictEqual(begun[3]?.[1], 10_100)
      }).pipe(Effect.provide(layer), Effect.provide(RegistryHosts.layer({ requestsPerSecond: 2 })))
    })
  )
})

describe("a host that is blocked", () => {
  it.effect("is not asked: the call fails before anything is sent", () =>
    play([], () =>
      Effect.map(Effect.flip(get(repository)), (error) => {
        assert.strictEqual(error._tag, "PolicyViolation")
        assert.include(error.message, "registry.test/org/app")
        assert.include(error.message, "RegistryHosts blocks this registry")
      }).pipe(Effect.provide(RegistryHosts.layer({ blocked: true })))
    )
  )

  it.effect("may be a part of one", () =>
    play([[`HEAD ${manifestUrl}`, new Response(null, { status: 404 })]], () =>
      Effect.gen(function* () {
        yield* Manifests.exists(reference)
        const other = new Repository.Repository({ registry: repository.registry, name: "bad/app" })
        assert.strictEqual((yield* Effect.flip(get(other)))._tag, "PolicyViolation")
      }).pipe(Effect.provide(RegistryHosts.fromRecord({ "registry.test/bad": { blocked: true } })))
    )
  )
})
