import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Blobs from "effect-oci/Blobs"
import { play, refusal } from "../scripted.js"
import { answer, blob, broken, content, failing, repository, text, v2 } from "./given.js"

const line = `GET ${v2}/blobs/${blob.digest}`
const read = (range: Blobs.Range) => text(Blobs.range(repository, blob.digest, range))
const part = (contentRange: string, body: string | ReadonlyArray<string>) =>
  answer(206, contentRange === "" ? {} : { "content-range": contentRange }, body)

describe("Blobs.range", () => {
  const asked: ReadonlyArray<readonly [range: Blobs.Range, header: string, contentRange: string, body: string]> = [
    [{ start: 2, end: 4 }, "bytes=2-4", "bytes 2-4/10", "234"],
    [{ start: 2, end: 4 }, "bytes=2-4", "bytes 2-4/*", "234"],
    [{ start: 0, end: 0 }, "bytes=0-0", "bytes 0-0/10", "0"],
    [{ start: 7 }, "bytes=7-", "bytes 7-9/10", "789"],
    [{ start: 7 }, "bytes=7-", "bytes 7-9/*", "789"],
    [{ start: 7, end: 99 }, "bytes=7-99", "bytes 7-9/10", "789"],
    [{ last: 3 }, "bytes=-3", "bytes 7-9/10", "789"],
    [{ last: 3 }, "bytes=-3", " bytes 7-9/* ", "789"],
    [{ last: 99 }, "bytes=-99", "bytes 0-9/10", content]
  ]
  for (const [range, header, contentRange, body] of asked) {
    it.effect(`P18 asks with ${header} and takes ${contentRange.trim()}`, () =>
      play([[line, part(contentRange, body)]], (sent) =>
        Effect.gen(function* () {
          assert.strictEqual(yield* read(range), body)
          assert.strictEqual(sent[0]?.headers.range, header)
        })
      )
    )
  }

  const others: ReadonlyArray<readonly [range: Blobs.Range, contentRange: string]> = [
    [{ start: 2, end: 4 }, ""],
    [{ start: 2, end: 4 }, "bytes 3-5/10"],
    [{ start: 2, end: 4 }, "bytes 2-3/10"],
    [{ start: 2, end: 4 }, "bytes 2-5/10"],
    [{ start: 2, end: 4 }, "bytes 2-5/*"],
    [{ start: 2, end: 4 }, "bytes 3-4/*"],
    [{ start: 2, end: 4 }, "bytes 2-4/4"],
    [{ start: 2, end: 4 }, "bytes 2-4/2"],
    [{ start: 2, end: 4 }, "bytes 4-2/10"],
    [{ start: 2, end: 4 }, "bytes */10"],
    [{ start: 2, end: 4 }, "items 2-4/10"],
    [{ start: 2, end: 4 }, "bytes 2-4"],
    [{ start: 2, end: 4 }, "bytes 2-4/10, bytes 6-7/10"],
    [{ start: 2 }, "bytes 0-9/10"],
    [{ start: 2 }, "bytes 2-8/10"],
    [{ last: 3 }, "bytes 0-2/10"],
    [{ last: 3 }, "bytes 6-9/*"]
  ]
  for (const [range, contentRange] of others) {
    it.effect(`P18 does not take “${contentRange}” for ${JSON.stringify(range)}`, () =>
      play([[line, part(contentRange, "234")]], (sent) =>
        Effect.gen(function* () {
          assert.include((yield* failing("UnexpectedResponse", read(range))).message, "another part")
          assert.strictEqual(sent[0]?.taken, 0)
        })
      )
    )
  }

  it.effect("P16 P17 fails when a part is shorter or longer than it says", () =>
    play(
      [
        [line, part("bytes 2-4/10", "23")],
        [line, answer(416, { "content-range": "bytes */4" })],
        [line, part("bytes 2-4/10", ["234", "5", "never read"])]
      ],
      (sent) =>
        Effect.gen(function* () {
          const short = yield* failing("SizeMismatch", read({ start: 2, end: 4 }))
          assert.deepStrictEqual([short.expected, short.actual], [3, 2])
          yield* failing("SizeMismatch", read({ start: 2, end: 4 }))
          assert.strictEqual(sent[2]?.taken, 4)
        })
    )
  )

  it.effect("P17 goes on with the rest of the part when the connection breaks", () =>
    play(
      [
        [line, broken(206, { "content-range": "bytes 7-9/10" }, "7")],
        [line, part("bytes 8-9/10", "89")]
      ],
      (sent) =>
        Effect.gen(function* () {
          assert.strictEqual(yield* read({ last: 3 }), "789")
          assert.deepStrictEqual(
            sent.map(({ headers }) => headers.range),
            ["bytes=-3", "bytes=8-9"]
          )
        })
    )
  )

  it.effect.prop(
    "P19 takes the part out of a whole blob, in whatever pieces it comes",
    {
      cuts: FastCheck.array(FastCheck.nat(10), { maxLength: 5 }),
      range: FastCheck.oneof(
        FastCheck.tuple(FastCheck.nat(9), FastCheck.nat(12)).map(([start, more]) => ({ start, end: start + more })),
        FastCheck.nat(9).map((start) => ({ start })),
        FastCheck.integer({ min: 1, max: 12 }).map((last) => ({ last }))
      )
    },
    ({ cuts, range }) => {
      const at = [0, ...cuts.sort((a, b) => a - b), 10]
      const pieces = at.slice(1).map((end, n) => content.slice(at[n], end))
      const wanted =
        "last" in range ? content.slice(-range.last) : content.slice(range.start, "end" in range ? range.end + 1 : 10)
      return play([[line, answer(200, { "content-length": "10" }, pieces)]], () =>
        Effect.gen(function* () {
          assert.strictEqual(yield* read(range), wanted)
        })
      )
    },
    { fastCheck: { numRuns: 50 } }
  )

  it.effect("P19 gives up a whole blob after the part", () =>
    play([[line, answer(200, { "content-length": "10" }, ["01", "23", "45", "6789"])]], (sent) =>
      Effect.gen(function* () {
        assert.strictEqual(yield* read({ start: 1, end: 2 }), "12")
        assert.strictEqual(sent[0]?.answer, "given up")
        assert.isBelow(sent[0]?.taken ?? 99, 7)
      })
    )
  )

  it.effect("P19 fails when a whole blob is shorter than it says", () =>
    play(
      [
        [line, answer(200, { "content-length": "10" }, "0123")],
        [line, answer(416, { "content-range": "bytes */4" })]
      ],
      () =>
        Effect.gen(function* () {
          const { actual, expected } = yield* failing("SizeMismatch", read({ start: 2, end: 8 }))
          assert.deepStrictEqual([expected, actual], [7, 2])
        })
    )
  )

  it.effect("P19 has no part that a whole blob has not", () =>
    play([[line, answer(200, { "content-length": "10" }, content)]], (sent) =>
      Effect.gen(function* () {
        yield* failing("RangeNotSatisfiable", read({ start: 10 }))
        assert.strictEqual(sent[0]?.taken, 0)
      })
    )
  )

  it.effect("P19 does not take a part out of a whole blob of unknown size", () =>
    play([[line, answer(200, {}, content)]], () => failing("UnexpectedResponse", read({ start: 2 })))
  )

  it.effect("P20 tells that there is no such part", () =>
    play([[line, answer(416, { "content-range": "bytes */10" })]], () =>
      failing("RangeNotSatisfiable", read({ start: 10 }))
    )
  )

  it.effect("code-1 tells that there is no such blob", () =>
    play([[line, refusal(404, "BLOB_UNKNOWN")]], () => failing("BlobUnknown", read({ start: 1 })))
  )

  const impossible: ReadonlyArray<Blobs.Range> = [
    { start: -1 },
    { start: 0.5 },
    { start: Number.NaN },
    { start: 2 ** 53 },
    { start: 4, end: 3 },
    { start: 4, end: 4.5 },
    { start: 4, end: Number.POSITIVE_INFINITY },
    { last: 0 },
    { last: -1 }
  ]
  for (const range of impossible) {
    const shown = "last" in range ? `the last ${range.last}` : `${range.start} to ${range.end ?? "the end"}`
    it.effect(`does not ask for ${shown}`, () => play([], () => failing("RangeNotSatisfiable", read(range))))
  }
})
