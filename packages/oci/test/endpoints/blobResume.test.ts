import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as MutableRef from "effect/MutableRef"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Blobs from "effect-oci/Blobs"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import { chance, elapsing } from "../client/elapsing.js"
import { broken as breaking, stalled } from "../client/support.js"
import { play, type Sent, type Step } from "../scripted.js"
import { answer, blob, broken, content, describeBytes, failing, repository, text, v2 } from "./given.js"

const { digest } = blob
const line = `GET ${v2}/blobs/${digest}`
const read = (target: Blobs.Target = blob) => text(Blobs.stream(repository, target))
const rest = (from: number, body = content.slice(from), size: number | "*" = 10): Step => [
  line,
  answer(206, { "content-range": `bytes ${from}-9/${size}` }, body)
]
const ranges = (sent: ReadonlyArray<Sent>) => sent.map(({ headers }) => headers.range)

describe("a blob whose reading breaks off", () => {
  it.effect("P17 goes on at the byte where it broke, as one verified blob", () =>
    play(
      [
        [line, broken(200, { "content-length": "10" }, "01234")],
        [line, broken(206, { "content-range": "bytes 5-9/10" }, "567")],
        rest(8)
      ],
      (sent) =>
        Effect.gen(function* () {
          assert.strictEqual(yield* elapsing(read()), content)
          assert.deepStrictEqual(ranges(sent), [undefined, "bytes=5-", "bytes=8-"])
        })
    )
  )

  it.effect("P17 goes on when it was asked for by its digest alone", () =>
    play([[line, broken(200, {}, "01234")], rest(5)], () =>
      Effect.map(read(digest), (found) => assert.strictEqual(found, content))
    )
  )

  it.effect("P17 an end too soon is a break where the size is known", () =>
    play([[line, answer(200, {}, "01234")], rest(5)], () =>
      Effect.map(read(), (found) => assert.strictEqual(found, content))
    )
  )

  it.effect.prop(
    "P17 wherever it breaks, each byte is handed out once and in order",
    [FastCheck.uniqueArray(FastCheck.integer({ min: 1, max: 9 }), { maxLength: 4 })],
    ([cuts]) => {
      const at = [0, ...cuts.sort((a, b) => a - b)]
      const steps = at.map((from, n): Step => {
        const headers = from === 0 ? { "content-length": "10" } : { "content-range": `bytes ${from}-9/10` }
        const body = content.slice(from, at[n + 1])
        const status = from === 0 ? 200 : 206
        return [line, at[n + 1] === undefined ? answer(status, headers, body) : broken(status, headers, body)]
      })
      return play(steps, () => Effect.map(elapsing(read()), (found) => assert.strictEqual(found, content)))
    },
    { fastCheck: { numRuns: 50 } }
  )

  it.effect("P17 a connection that is lost after the last byte has done its work", () =>
    play([[line, broken(200, {}, content)]], () => Effect.map(read(), (found) => assert.strictEqual(found, content)))
  )

  it.effect("P28 does not hand out the last of what was put together wrong", () =>
    play([[line, broken(200, { "content-length": "10" }, "01234")], rest(5, "5678x")], () =>
      Effect.gen(function* () {
        const seen: Array<number> = []
        yield* failing(
          "DigestMismatch",
          Stream.runForEach(Blobs.stream(repository, blob), ({ length }) => Effect.sync(() => seen.push(length)))
        )
        assert.deepStrictEqual(seen, [5])
      })
    )
  )

  it.effect("P18 takes a part whose whole is not told", () =>
    play([[line, broken(200, { "content-length": "10" }, "01234")], rest(5, "56789", "*")], () =>
      Effect.map(read(), (found) => assert.strictEqual(found, content))
    )
  )

  const wrong: ReadonlyArray<readonly [contentRange: string, tag: "UnexpectedResponse" | "SizeMismatch"]> = [
    ["", "UnexpectedResponse"],
    ["bytes 4-9/10", "UnexpectedResponse"],
    ["bytes 6-9/10", "UnexpectedResponse"],
    ["bytes 5-8/10", "UnexpectedResponse"],
    ["bytes 5-8/*", "UnexpectedResponse"],
    ["bytes 5-9/9", "SizeMismatch"],
    ["bytes 5-10/11", "SizeMismatch"],
    ["items 5-9/10", "UnexpectedResponse"]
  ]
  for (const [contentRange, tag] of wrong) {
    it.effect(`P18 does not go on with “${contentRange}” for the bytes from 5`, () =>
      play(
        [
          [line, broken(200, { "content-length": "10" }, "01234")],
          [line, answer(206, contentRange === "" ? {} : { "content-range": contentRange }, "56789")]
        ],
        (sent) =>
          Effect.gen(function* () {
            yield* failing(tag, read())
            assert.strictEqual(sent[1]?.taken, 0)
          })
      )
    )
  }

  it.effect("P19 passes over what is there when the whole comes again", () =>
    play(
      [
        [line, broken(200, { "content-length": "10" }, "01234")],
        [line, answer(200, { "content-length": "10" }, ["012", "3456", "789"])]
      ],
      () => Effect.map(read(), (found) => assert.strictEqual(found, content))
    )
  )

  it.effect("P14 P19 does not take another whole", () =>
    play(
      [
        [line, broken(200, {}, "01234")],
        [line, answer(200, { "content-length": "11" }, "x")]
      ],
      (sent) =>
        Effect.gen(function* () {
          yield* failing("SizeMismatch", read())
          assert.strictEqual(sent[1]?.taken, 0)
        })
    )
  )

  it.effect("P20 416 after the last byte of a blob of unknown size is its end", () =>
    play(
      [
        [line, broken(200, {}, content)],
        [line, answer(416, { "content-range": "bytes */10" })]
      ],
      () => Effect.map(read(digest), (found) => assert.strictEqual(found, content))
    )
  )

  it.effect("P20 416 before the end: a range that ends is asked for, and then the whole", () =>
    play(
      [
        [line, broken(200, { "content-length": "10" }, "01234")],
        [line, answer(416)],
        [line, answer(416)],
        [line, answer(200, { "content-length": "10" }, content)]
      ],
      (sent) =>
        Effect.gen(function* () {
          assert.strictEqual(yield* read(), content)
          assert.deepStrictEqual(ranges(sent), [undefined, "bytes=5-", "bytes=5-9", undefined])
        })
    )
  )

  it.effect("P16 stops when the rest is longer than it may be", () =>
    play([[line, broken(200, { "content-length": "10" }, "01234")], rest(5, "56789x")], () =>
      failing("SizeMismatch", read())
    )
  )

  it.effect("P22 gives up when nothing much comes between the breaks, and waits longer each time", () =>
    play(
      [0, 1, 2, 3, 4, 5].map(
        (from): Step => [
          line,
          broken(
            from === 0 ? 200 : 206,
            from === 0 ? { "content-length": "10" } : { "content-range": `bytes ${from}-9/10` },
            content.slice(from, from + 1)
          )
        ]
      ),
      () =>
        Effect.gen(function* () {
          const error = yield* elapsing(failing("TransportError", read())).pipe(chance(1))
          assert.include(error.message, "terminated")
          // at once after the first break, then a wait for each
          assert.strictEqual(yield* Effect.clockWith((clock) => clock.currentTimeMillis), 250 + 500 + 1000 + 2000)
        })
    )
  )

  const mebibyte = 1024 * 1024
  const large = new Uint8Array(12 * mebibyte).map((_, at) => at % 251)
  const largeBlob = describeBytes(large, "application/octet-stream")
  const largeLine = `GET ${v2}/blobs/${largeBlob.digest}`
  /** Answers that break after so much each. */
  const breaks = (length: number): ReadonlyArray<Step> =>
    Array.from({ length: Math.ceil(large.length / length) }, (_, n): Step => {
      const from = n * length
      const whole = from + length >= large.length
      const piece = large.subarray(from, from + length)
      const left = [piece]
      const body = new ReadableStream<Uint8Array>({
        pull: (controller) => {
          const next = left.shift()
          if (next !== undefined) controller.enqueue(next)
          else if (whole) controller.close()
          else controller.error(new Error("other side closed"))
        }
      })
      const headers: Record<string, string> =
        n === 0 ? {} : { "content-range": `bytes ${from}-${large.length - 1}/${large.length}` }
      return [largeLine, new Response(body, { status: n === 0 ? 200 : 206, headers })]
    })

  it.effect("P22 goes on for as long as a mebibyte comes between the breaks, at once", () =>
    play(breaks(mebibyte), () =>
      Effect.gen(function* () {
        const progress = MutableRef.make(0)
        yield* Stream.runDrain(Blobs.stream(repository, largeBlob, { progress }))
        assert.strictEqual(MutableRef.get(progress), large.length)
      })
    )
  )

  it.effect("P22 P25 goes on where little comes, but a minute passes between the breaks", () =>
    play(
      Array.from(
        { length: 10 },
        (_, from): Step => [
          line,
          from === 9
            ? answer(206, { "content-range": "bytes 9-9/10" }, "9")
            : () =>
                new Response(
                  stalled(content.slice(from, from + 1), () => {}),
                  {
                    status: from === 0 ? 200 : 206,
                    headers: from === 0 ? {} : { "content-range": `bytes ${from}-9/10` }
                  }
                )
        ]
      ),
      () => Effect.map(elapsing(read()), (found) => assert.strictEqual(found, content))
    )
  )

  it.effect("P25 S55 a pause of a minute is a break, and its connection is given up", () => {
    const asked = Deferred.unsafeMake<void>(FiberId.none)
    const paused = () => new Response(stalled("01234", () => Deferred.unsafeDone(asked, Effect.void)))
    return play([[line, paused], rest(5)], (sent) =>
      Effect.gen(function* () {
        const reading = yield* Effect.fork(read())
        yield* Deferred.await(asked)
        yield* TestClock.adjust("59 seconds")
        assert.strictEqual(sent.length, 1)
        yield* TestClock.adjust("61 seconds")
        assert.strictEqual(yield* reading, content)
        assert.strictEqual(sent[0]?.answer, "given up")
      })
    )
  })

  it.effect("P26 goes on when a slow reader has been left alone", () => {
    const first = new Response(breaking("01234"), { headers: { "content-length": "10" } })
    return play([[line, first], rest(5)], (sent) =>
      Effect.gen(function* () {
        const [got, go] = [yield* Queue.unbounded<number>(), yield* Queue.unbounded<void>()]
        const reading = yield* Blobs.stream(repository, blob).pipe(
          Stream.runForEach(({ length }) => Effect.zipRight(got.offer(length), go.take)),
          Effect.fork
        )
        assert.strictEqual(yield* got.take, 5)
        yield* TestClock.adjust("1 hour")
        yield* go.offer(undefined)
        yield* got.take
        yield* go.offer(undefined)
        yield* reading
        assert.deepStrictEqual(ranges(sent), [undefined, "bytes=5-"])
      })
    )
  })

  it.effect("P27 is left in peace when its reader has gone", () =>
    play([[line, answer(200, { "content-length": "10" }, ["01234", "56789"])]], (sent) =>
      Effect.gen(function* () {
        const fiber = yield* Blobs.stream(repository, digest).pipe(
          Stream.runForEach(() => Effect.never),
          Effect.fork
        )
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(sent[0]?.answer, "given up")
      })
    )
  )

  it.effect("P2 asks the registry anew, since where it led to may have expired", () => {
    const at = (name: string) => `https://cdn.test/${name}?signature=x`
    return play(
      [
        [line, answer(307, { location: at("1") })],
        [`GET ${at("1")}`, broken(200, { "content-length": "10" }, "01234")],
        [line, answer(307, { location: at("2") })],
        [`GET ${at("2")}`, answer(206, { "content-range": "bytes 5-9/10" }, "56789")]
      ],
      (sent) =>
        Effect.gen(function* () {
          assert.strictEqual(yield* read(), content)
          assert.deepStrictEqual(ranges(sent), [undefined, undefined, "bytes=5-", "bytes=5-"])
        })
    )
  })

  it.effect("P17 S48 goes on at the next mirror, and then at the source", () => {
    const hosts = RegistryHosts.fromRecord({
      "registry.test": { mirrors: [{ location: "one.test" }, { location: "two.test" }] }
    })
    const path = `/v2/org/app/blobs/${digest}`
    return play(
      [
        [`GET https://one.test${path}`, broken(200, { "content-length": "10" }, "012")],
        [`GET https://two.test${path}`, broken(206, { "content-range": "bytes 3-9/10" }, "34")],
        rest(5)
      ],
      () => Effect.map(elapsing(read()), (found) => assert.strictEqual(found, content)).pipe(Effect.provide(hosts))
    )
  })

  it.effect("fails as the registry says when it does not go on", () =>
    play(
      [
        [line, broken(200, { "content-length": "10" }, "01234")],
        [line, answer(404)]
      ],
      () => failing("BlobUnknown", read())
    )
  )

  it.effect("P24 a coded body goes on from the whole", () =>
    play(
      [
        [line, broken(200, { "content-encoding": "gzip" }, "01234")],
        [line, answer(200, {}, content)]
      ],
      (sent) =>
        Effect.gen(function* () {
          assert.strictEqual(yield* read(), content)
          assert.deepStrictEqual(ranges(sent), [undefined, undefined])
        })
    )
  )
})
