import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Blobs from "effect-oci/Blobs"
import * as Manifests from "effect-oci/Manifests"
import * as Registry from "effect-oci/Registry"
import type { RegistryClient } from "effect-oci/RegistryClient"
import { isRetryable, type RegistryError } from "effect-oci/RegistryError"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as RegistryRetry from "effect-oci/RegistryRetry"
import * as Tags from "effect-oci/Tags"
import * as Uploads from "effect-oci/Uploads"
import { play, refusal, type Step } from "../scripted.js"
import {
  blobUrl,
  broken,
  bytes,
  digest,
  endless,
  manifestUrl,
  origin,
  pieces,
  reference,
  registry,
  repository,
  stalled,
  tagsUrl
} from "./support.js"

const limited = (limits: Partial<RegistryHosts.Limits>) => Effect.provide(RegistryHosts.layer({ limits }))

const done = (deferred: Deferred.Deferred<void>) => Deferred.unsafeDone(deferred, Effect.void)

/** A call whose failure is looked at. */
type Failing = Effect.Effect<RegistryError, unknown, RegistryClient>

const octets = "application/octet-stream"

const declared = (body: BodyInit, length: number | string) =>
  new Response(body, { headers: { "content-length": String(length) } })

describe("limits", () => {
  describe("of what is held in memory", () => {
    const reads: { readonly [what: string]: readonly [request: string, refused: Failing] } = {
      manifest: [`GET ${manifestUrl}`, Effect.flip(Manifests.get(reference))],
      page: [`GET ${tagsUrl}`, Effect.flip(Tags.list(repository))],
      blob: [`GET ${blobUrl}`, Effect.flip(Blobs.get(repository, digest))]
    }

    for (const [what, [request, refused]] of Object.entries(reads)) {
      it.effect(`S2 a ${what} that announces more is not read at all`, () =>
        play([[request, () => declared(endless(), 1001)]], (sent) =>
          Effect.gen(function* () {
            const error = yield* refused
            assert(error._tag === "ResponseTooLarge")
            assert.strictEqual(error.limit, 1000)
            assert.deepStrictEqual([sent[0]?.taken, sent[0]?.answer], [0, "given up"])
          })
        ).pipe(limited({ [what]: 1000 }))
      )

      it.effect(`S2 P15 a ${what} without end is read no further`, () =>
        play([[request, () => new Response(endless())]], (sent) =>
          Effect.gen(function* () {
            const error = yield* refused
            assert(error._tag === "ResponseTooLarge")
            assert.strictEqual(sent[0]?.answer, "given up")
            assert.isAtMost(sent[0]?.taken ?? 0, 64 * 1024)
          })
        ).pipe(limited({ [what]: 40_000 }))
      )

      it.effect(`S3 a ${what} that announces more than there is memory`, () =>
        play([[request, () => declared("{}", Number.MAX_SAFE_INTEGER)]], () =>
          Effect.map(refused, ({ _tag }) => assert.strictEqual(_tag, "ResponseTooLarge"))
        )
      )
    }

    const small = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [] }
    const index = JSON.stringify(small)

    for (const length of [undefined, index.length]) {
      it.effect(`P15 content as large as its limit is taken, ${length === undefined ? "un" : ""}announced`, () =>
        play(
          [[`GET ${manifestUrl}`, () => (length === undefined ? new Response(index) : declared(index, length))]],
          () =>
            Effect.map(Manifests.get(reference), ({ descriptor }) => assert.strictEqual(descriptor.size, index.length))
        ).pipe(limited({ manifest: index.length }))
      )
    }

    it.effect("P15 an announced length that is none is not believed", () =>
      play(
        ["-1", "abc", "1e9", "", "99999999999999999999"].map(
          (length): Step => [`GET ${blobUrl}`, () => declared("{}", length)]
        ),
        () => Effect.repeatN(Blobs.get(repository, digest), 4)
      )
    )

    it.effect("E4 P24 the length of a coding is not believed", () =>
      play(
        [[`GET ${blobUrl}`, new Response("{}", { headers: { "content-length": "25", "content-encoding": "gzip" } })]],
        () => Blobs.get(repository, { digest, size: 2, mediaType: octets })
      )
    )
  })

  describe("of content of known size", () => {
    const described = (size: number) => ({ digest, size, mediaType: octets })

    it.effect("P14 another announced size is refused before anything is read", () =>
      play([[`GET ${blobUrl}`, () => declared(endless(), 3)]], (sent) =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(Blobs.get(repository, described(2)))
          assert(error._tag === "SizeMismatch")
          assert.deepStrictEqual([error.expected, error.actual, sent[0]?.taken], [2, 3, 0])
        })
      )
    )

    it.effect("P16 S2 one byte too many ends the reading of a blob", () =>
      play([[`GET ${blobUrl}`, () => new Response(endless())]], (sent) =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(Blobs.get(repository, described(2)))
          assert(error._tag === "SizeMismatch")
          assert.strictEqual(error.expected, 2)
          assert.strictEqual(error.actual, 3)
          assert.strictEqual(sent[0]?.taken, 16 * 1024)
        })
      )
    )

    it.effect("P16 S2 one byte too many ends the stream of a blob", () =>
      play([[`GET ${blobUrl}`, () => new Response(endless())]], (sent) =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(Stream.runDrain(Blobs.stream(repository, described(2))))
          assert.strictEqual(error._tag, "SizeMismatch")
          assert.strictEqual(sent[0]?.taken, 16 * 1024)
          assert.strictEqual(sent[0]?.answer, "given up")
        })
      )
    )

    it.effect("S3 a size beyond the limit costs neither memory nor a request", () =>
      play([], () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(Blobs.get(repository, described(Number.MAX_SAFE_INTEGER)))
          assert(error._tag === "ResponseTooLarge")
          assert.strictEqual(error.limit, RegistryHosts.defaultLimits.blob)
        })
      )
    )
  })

  describe("of time", () => {
    const waits: ReadonlyArray<
      readonly [what: string, wait: Duration.DurationInput, limits: Partial<RegistryHosts.Limits>]
    > = [
      ["60 seconds", "60 seconds", {}],
      ["what RegistryHosts says", "5 seconds", { answer: Duration.seconds(5) }]
    ]
    for (const [what, wait, limits] of waits) {
      it.effect(`an answer is waited for ${what}`, () =>
        play([[`GET ${tagsUrl}`, Effect.never]], () =>
          Effect.gen(function* () {
            const listing = yield* Effect.fork(Effect.flip(Tags.list(repository)))
            yield* TestClock.adjust(Duration.subtract(wait, "1 millis"))
            assert.isTrue(Option.isNone(yield* Fiber.poll(listing)))
            yield* TestClock.adjust("1 millis")
            const error = yield* listing
            assert(error._tag === "Timeout")
            assert.deepStrictEqual([error.phase, error.limit, error.url], ["answer", Duration.toMillis(wait), tagsUrl])
          })
        ).pipe(limited(limits))
      )
    }

    it.live("an answer is waited for as long by the clock of the machine, and the request is given up", () =>
      Effect.gen(function* () {
        const givenUp = yield* Deferred.make<void>()
        const silent = Effect.onInterrupt(Effect.never, () => Deferred.succeed(givenUp, undefined))
        yield* play([[`GET ${tagsUrl}`, silent]], () =>
          Effect.gen(function* () {
            const error = yield* Effect.flip(Tags.list(repository))
            assert(error._tag === "Timeout")
            assert.deepStrictEqual([error.phase, error.limit, error.url], ["answer", 20, tagsUrl])
          })
        ).pipe(limited({ answer: Duration.millis(20) }))
        assert.isTrue(yield* Deferred.isDone(givenUp))
      })
    )

    it.effect("T13 an upload that moves is not given up, one that stops is", () =>
      play([[`PUT ${origin}/up?digest=${encodeURIComponent(digest)}`, () => new Response(null, { status: 201 })]], () =>
        Effect.gen(function* () {
          const slow = Stream.make(bytes("{"), bytes("}")).pipe(
            Stream.tap(() => Effect.sleep("50 seconds")),
            Stream.rechunk(1)
          )
          const session = {
            _tag: "UploadSession",
            repository,
            location: Redacted.make(`${origin}/up`),
            offset: 0
          } as const
          const upload = yield* Effect.fork(Uploads.finish(session, digest, { size: 2, stream: slow }))
          yield* TestClock.adjust("100 seconds")
          assert.strictEqual((yield* upload).size, 2)
        })
      )
    )

    it.effect("T13 an upload whose source stops is given up", () =>
      play([[`PUT ${origin}/up?digest=${encodeURIComponent(digest)}`, () => new Response(null, { status: 201 })]], () =>
        Effect.gen(function* () {
          const session = {
            _tag: "UploadSession",
            repository,
            location: Redacted.make(`${origin}/up`),
            offset: 0
          } as const
          const source = { size: 2, stream: Stream.concat(Stream.make(bytes("{")), Stream.never) }
          const upload = yield* Effect.fork(Effect.flip(Uploads.finish(session, digest, source)))
          yield* TestClock.adjust("2 minutes")
          const error = yield* upload
          assert(error._tag === "Timeout")
          assert.strictEqual(error.phase, "answer")
        })
      )
    )

    const reads: ReadonlyArray<readonly [what: string, headers: Record<string, string>, call: Failing]> = [
      ["get", {}, Effect.flip(Blobs.get(repository, digest))],
      ["get of announced length", { "content-length": "2" }, Effect.flip(Blobs.get(repository, digest))]
    ]
    for (const [what, headers, call] of reads) {
      it.effect(`P25 S55 a body that pauses for a minute ends a ${what}`, () => {
        const asked = Deferred.unsafeMake<void>(FiberId.none)
        const answer = () =>
          new Response(
            stalled("{", () => done(asked)),
            { headers }
          )
        return play([[`GET ${blobUrl}`, answer]], (sent) =>
          Effect.gen(function* () {
            const reading = yield* Effect.fork(call)
            yield* Deferred.await(asked)
            yield* TestClock.adjust("59 seconds")
            assert.isTrue(Option.isNone(yield* Fiber.poll(reading)))
            yield* TestClock.adjust("61 seconds")
            const error = yield* reading
            assert(error._tag === "Timeout")
            assert.deepStrictEqual([error.phase, error.limit, error.url], ["body", 60_000, blobUrl])
            assert.strictEqual(sent[0]?.answer, "given up")
          })
        )
      })
    }

    it.effect("S55 a refusal whose body pauses is a refusal all the same", () => {
      const asked = Deferred.unsafeMake<void>(FiberId.none)
      const answer = () =>
        new Response(
          stalled("{", () => done(asked)),
          { status: 403 }
        )
      return play([[`GET ${blobUrl}`, answer]], () =>
        Effect.gen(function* () {
          const reading = yield* Effect.fork(Effect.flip(Blobs.get(repository, digest)))
          yield* Deferred.await(asked)
          yield* TestClock.adjust("2 minutes")
          assert.strictEqual((yield* reading)._tag, "Denied")
        })
      )
    })

    const held: { readonly [what: string]: readonly [request: string, call: Failing] } = {
      blob: [`GET ${blobUrl}`, Effect.flip(Blobs.get(repository, digest))],
      manifest: [`GET ${manifestUrl}`, Effect.flip(Manifests.get(reference))],
      page: [`GET ${tagsUrl}`, Effect.flip(Tags.list(repository))]
    }
    /** A body of which a byte comes every half minute. */
    const trickling = Effect.map(
      Stream.toReadableStreamEffect(
        Stream.repeatEffect(
          Effect.delay(
            Effect.sync(() => bytes(" ")),
            "30 seconds"
          )
        )
      ),
      (body) => new Response(body)
    )
    for (const [what, [request, call]] of Object.entries(held)) {
      it.effect(`S55 T13 a ${what} that trickles has five minutes, and no second try`, () =>
        play([[request, trickling]], (sent) =>
          Effect.gen(function* () {
            const reading = yield* Effect.fork(call)
            for (let minute = 0; minute < 11; minute++) yield* TestClock.adjust("27 seconds")
            assert.isTrue(Option.isNone(yield* Fiber.poll(reading)))
            yield* TestClock.adjust("3 seconds")
            const error = yield* reading
            assert(error._tag === "Timeout")
            assert.deepStrictEqual([error.phase, error.limit], ["total", 300_000])
            assert.include(error.message, "waited 300000 ms for the whole of the answer")
            assert.strictEqual(sent[0]?.answer, "given up")
          })
        ).pipe(Effect.provide(RegistryRetry.layer()))
      )
    }

    it.effect("T13 E7 a connection that the transport waited for in vain", () => {
      const message = "Connect Timeout Error (attempted address: registry.test:443, timeout: 7000ms)"
      const cause = Object.assign(new Error(message), { code: "UND_ERR_CONNECT_TIMEOUT" })
      return play([[`GET ${tagsUrl}`, Effect.fail(cause)]], () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(Tags.list(repository))
          assert(error._tag === "Timeout")
          assert.deepStrictEqual([error.phase, error.limit, isRetryable(error)], ["connect", 7000, true])
        })
      )
    })

    it.effect("P26 a slow reader is not a pause", () =>
      play([[`GET ${blobUrl}`, () => new Response(pieces("{", "}"))]], () =>
        Effect.gen(function* () {
          const [got, go] = [yield* Queue.unbounded<number>(), yield* Queue.unbounded<void>()]
          const reading = yield* Blobs.stream(repository, digest).pipe(
            Stream.tap(({ length }) => Effect.zipRight(got.offer(length), go.take)),
            Stream.runDrain,
            Effect.fork
          )
          for (const _ of [1, 2]) {
            assert.strictEqual(yield* got.take, 1)
            yield* TestClock.adjust("10 minutes")
            yield* go.offer(undefined)
          }
          yield* reading
        })
      )
    )
  })
})

describe("bodies", () => {
  const outcomes: ReadonlyArray<
    readonly [what: string, answer: () => Response, call: Effect.Effect<unknown, unknown, RegistryClient>, fate: string]
  > = [
    ["a success that is read", () => new Response("{}"), Blobs.get(repository, digest), "read"],
    ["a success that is only looked at", () => new Response("{}"), Registry.ping(registry), "read"],
    ["a large success that is only looked at", () => new Response(endless()), Registry.ping(registry), "given up"],
    ["a refusal", () => refusal(403, "DENIED"), Blobs.get(repository, digest), "read"],
    ["a large refusal", () => new Response(endless(), { status: 403 }), Blobs.get(repository, digest), "given up"],
    ["a status of no sense", () => new Response("x", { status: 299 }), Blobs.get(repository, digest), "read"],
    [
      "an unsafe redirect",
      () => new Response("x", { status: 307, headers: { location: "http://x.test" } }),
      Blobs.get(repository, digest),
      "read"
    ],
    ["content of another digest", () => new Response("no"), Blobs.get(repository, digest), "read"],
    ["content that breaks off", () => new Response(broken("{")), Blobs.get(repository, digest), "read"],
    ["a stream that is read", () => new Response("{}"), Stream.runDrain(Blobs.stream(repository, digest)), "read"],
    [
      "P27 a stream of which a piece is read",
      () => new Response(endless()),
      Stream.runHead(Blobs.stream(repository, digest)),
      "given up"
    ],
    [
      "a stream whose reader fails",
      () => new Response(endless()),
      Stream.runForEach(Blobs.stream(repository, digest), () => Effect.fail("enough")),
      "given up"
    ]
  ]
  for (const [what, answer, call, fate] of outcomes) {
    it.effect(`E17 T22 of ${what}`, () =>
      play([[`GET ${what.includes("looked at") ? `${origin}/v2/` : blobUrl}`, answer]], (sent) =>
        Effect.gen(function* () {
          yield* Effect.exit(call)
          assert.strictEqual(sent[0]?.answer, fate)
        })
      )
    )
  }

  describe("interruption", () => {
    const answering: ReadonlyArray<readonly [when: string, answer: (asked: () => void) => Step[1]]> = [
      ["while an answer is waited for", (asked) => Effect.zipRight(Effect.sync(asked), Effect.never)],
      ["while a body is read", (asked) => () => new Response(stalled("{", asked))],
      ["while a body of announced length is read", (asked) => () => declared(stalled("{", asked), 2)],
      ["while a refusal is read", (asked) => () => new Response(stalled("{", asked), { status: 403 })],
      [
        "while a redirect is read",
        (asked) => () => new Response(stalled("{", asked), { status: 307, headers: { location: "/x" } })
      ]
    ]
    const calls: { readonly [what: string]: Effect.Effect<unknown, unknown, RegistryClient> } = {
      "an endpoint": Blobs.get(repository, digest),
      "a stream": Stream.runDrain(Blobs.stream(repository, digest))
    }
    for (const [when, answer] of answering) {
      for (const [what, call] of Object.entries(calls)) {
        it.effect(`T12 of ${what} ${when} gives up the request`, () => {
          const asked = Deferred.unsafeMake<void>(FiberId.none)
          return play([[`GET ${blobUrl}`, answer(() => done(asked))]], (sent) =>
            Effect.gen(function* () {
              const running = yield* Effect.fork(call)
              yield* Deferred.await(asked)
              const exit = yield* Fiber.interrupt(running)
              assert.isTrue(Exit.isInterrupted(exit))
              assert.strictEqual(sent[0]?.answer, "given up")
            })
          )
        })
      }
    }

    it.effect("T12 of one of two calls leaves the other", () => {
      const asked = Deferred.unsafeMake<void>(FiberId.none)
      return play(
        [
          [`GET ${blobUrl}`, () => new Response(stalled("{", () => done(asked)))],
          [`GET ${tagsUrl}`, () => Response.json({ tags: ["a"] })]
        ],
        () =>
          Effect.gen(function* () {
            const running = yield* Effect.fork(Blobs.get(repository, digest))
            yield* Deferred.await(asked)
            yield* Fiber.interrupt(running)
            assert.deepStrictEqual((yield* Tags.list(repository)).tags, ["a"])
          })
      )
    })

    it.effect("T13 a timeout gives up the request", () =>
      play([[`GET ${tagsUrl}`, Effect.never]], (sent) =>
        Effect.gen(function* () {
          const listing = yield* Effect.fork(Effect.flip(Tags.list(repository)))
          yield* TestClock.adjust("60 seconds")
          yield* listing
          assert.strictEqual(sent[0]?.answer, "given up")
        })
      )
    )
  })
})
