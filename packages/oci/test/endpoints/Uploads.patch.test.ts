import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Uploads from "effect-oci/Uploads"
import { play, refusal } from "../scripted.js"
import { answer, at, decode, encode, failing, session, upload } from "./given.js"

describe("Uploads.patch", () => {
  const patchLine = `PATCH ${upload}`

  it.effect("U26 U35 sends chunk after chunk, each to the newest Location", () =>
    play(
      [
        [`PATCH ${upload}?_state=a`, answer(202, { location: "/v2/org/app/blobs/uploads/1?_state=b", range: "0-4" })],
        [`PATCH ${upload}?_state=b`, answer(202, { location: "1?_state=c", range: "0-7" })]
      ],
      (sent) =>
        Effect.gen(function* () {
          const first = yield* Uploads.patch(session(0, `${upload}?_state=a`), encode("01234"))
          assert.deepStrictEqual([first.offset, at(first)], [5, `${upload}?_state=b`])
          const second = yield* Uploads.patch(first, encode("567"))
          assert.deepStrictEqual([second.offset, at(second)], [8, `${upload}?_state=c`])
          const seen = sent.map(({ body, headers }) => [
            decode(body),
            headers["content-range"],
            headers["content-length"],
            headers["content-type"]
          ])
          assert.deepStrictEqual(seen, [
            ["01234", "0-4", "5", "application/octet-stream"],
            ["567", "5-7", "3", "application/octet-stream"]
          ])
        })
    )
  )

  for (const status of [200, 201, 202, 204]) {
    it.effect(`U27 takes ${status}, with neither Location nor Range`, () =>
      play([[patchLine, answer(status)]], () =>
        Effect.map(Uploads.patch(session(), encode("01234")), (found) =>
          assert.deepStrictEqual([found.offset, at(found)], [5, upload])
        )
      )
    )
  }

  it.effect("U20 sends a stream with its length", () =>
    play([[patchLine, answer(202)]], (sent) =>
      Effect.gen(function* () {
        const stream = Stream.make(encode("01"), encode("234"))
        const found = yield* Uploads.patch(session(3), { size: 5, stream })
        assert.strictEqual(found.offset, 8)
        assert.strictEqual(decode(sent[0]?.body), "01234")
        assert.strictEqual(sent[0]?.headers["content-length"], "5")
        assert.strictEqual(sent[0]?.headers["content-range"], "3-7")
      })
    )
  )

  it.effect("sends no empty chunk", () =>
    play([], () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* Uploads.patch(session(3), new Uint8Array()), session(3))
        assert.deepStrictEqual(yield* Uploads.patch(session(3), { size: 0, stream: Stream.empty }), session(3))
      })
    )
  )

  const ranges: ReadonlyArray<readonly [range: string, offset: number]> = [
    ["0-49", 50],
    ["bytes=0-49", 50],
    ["bytes 0-49", 50],
    [" 0-49 ", 50],
    ["0-9", 10],
    ["0-109", 110]
  ]
  for (const [range, offset] of ranges) {
    it.effect(`U32 goes on at ${offset} after a Range ${range.trim()}`, () =>
      play([[patchLine, answer(202, { range })]], () =>
        Effect.map(Uploads.patch(session(10), new Uint8Array(100)), (found) => assert.strictEqual(found.offset, offset))
      )
    )
  }

  for (const range of ["0-8", "0-110"]) {
    it.effect(`U32 does not believe a Range ${range} after a chunk 10-109`, () =>
      play([[patchLine, answer(202, { range })]], () =>
        failing("UnexpectedResponse", Uploads.patch(session(10), new Uint8Array(100)))
      )
    )
  }

  for (const range of ["0--1", "5-9", "abc", "", "0-99999999999999999"]) {
    it.effect(`U34 passes by a Range that says nothing: “${range}”`, () =>
      play([[patchLine, answer(202, { range })]], () =>
        Effect.map(Uploads.patch(session(10), new Uint8Array(100)), (found) => assert.strictEqual(found.offset, 110))
      )
    )
  }

  it.effect("U33 tells where to go on after a gap, if the registry does", () =>
    play(
      [
        [patchLine, answer(416, { range: "0-4", location: "2" })],
        [patchLine, answer(416)]
      ],
      () =>
        Effect.gen(function* () {
          assert.strictEqual(
            (yield* failing("RangeNotSatisfiable", Uploads.patch(session(7), encode("x")))).received,
            5
          )
          assert.isUndefined((yield* failing("RangeNotSatisfiable", Uploads.patch(session(7), encode("x")))).received)
        })
    )
  )

  it.effect("S15 does not go on at another host", () =>
    play([[patchLine, answer(202, { location: "https://evil.test/u" })]], () =>
      failing("UnsafeLocation", Uploads.patch(session(), encode("x")))
    )
  )

  it.effect("U19 fails when a source gives fewer or more bytes than it says", () =>
    play(
      [
        [patchLine, answer(202)],
        [patchLine, answer(202)]
      ],
      () =>
        Effect.gen(function* () {
          const chunk = (size: number) => ({ size, stream: Stream.make(encode("012"), encode("34")) })
          const less = yield* failing("SizeMismatch", Uploads.patch(session(), chunk(6)))
          assert.deepStrictEqual([less.expected, less.actual], [6, 5])
          const more = yield* failing("SizeMismatch", Uploads.patch(session(), chunk(4)))
          assert.deepStrictEqual([more.expected, more.actual], [4, 5])
        })
    )
  )

  it.effect("fails as its source fails", () =>
    play([[patchLine, answer(202)]], () =>
      Effect.gen(function* () {
        const stream = Stream.concat(Stream.make(encode("012")), Stream.fail({ _tag: "DiskGone" } as const))
        yield* failing("DiskGone", Uploads.patch(session(), { size: 5, stream }))
      })
    )
  )

  it.effect("dies as its source dies", () =>
    play([[patchLine, answer(202)]], () =>
      Effect.gen(function* () {
        const chunk = { size: 5, stream: Stream.dieMessage("a bug") }
        const cause = yield* Effect.sandbox(Uploads.patch(session(), chunk)).pipe(Effect.flip)
        assert.include(String(cause), "a bug")
      })
    )
  )

  it.effect("fails as the registry does when it refuses in the middle of a source", () =>
    play([[patchLine, Effect.fail(new Error("reset"))]], () =>
      failing("TransportError", Uploads.patch(session(), { size: 5, stream: Stream.make(encode("01234")) }))
    )
  )

  const large = "the request body is too large and exceeds the maximum permissible limit of 4.00MiB"
  const refused = [
    ["code-2 in 404 (distribution)", "BlobUploadInvalid", () => refusal(404, "BLOB_UPLOAD_INVALID")],
    ["code-2 in 416 (zot)", "RangeNotSatisfiable", () => refusal(416, "BLOB_UPLOAD_INVALID")],
    ["code-3 in 404", "BlobUploadUnknown", () => refusal(404, "BLOB_UPLOAD_UNKNOWN")],
    ["U35 404 without a code", "BlobUploadUnknown", () => answer(404)],
    [
      "U37 400 (Gitea)",
      "BlobUploadInvalid",
      () => refusal(400, "BLOB_UPLOAD_INVALID", "Stream uploads after first write")
    ],
    [
      "U30 13b REQUESTED_RANGE_NOT_SATISFIABLE of a large body (GHCR)",
      "PayloadTooLarge",
      () => refusal(416, "REQUESTED_RANGE_NOT_SATISFIABLE", large)
    ],
    [
      "13b REQUESTED_RANGE_NOT_SATISFIABLE",
      "RangeNotSatisfiable",
      () => refusal(416, "REQUESTED_RANGE_NOT_SATISFIABLE")
    ],
    ["13b RANGE_INVALID", "RangeNotSatisfiable", () => refusal(416, "RANGE_INVALID")],
    ["13b RANGE_INVALID in 400", "RangeNotSatisfiable", () => refusal(400, "RANGE_INVALID")],
    ["code-4 in 422", "DigestInvalid", () => answer(422)],
    ["code-10", "SizeInvalid", () => refusal(400, "SIZE_INVALID")],
    ["U21 U22 413 of a proxy", "PayloadTooLarge", () => answer(413, { "content-type": "text/html" }, "<html>")],
    ["U20 411", "UnexpectedResponse", () => answer(411)],
    ["U31 405", "UnexpectedResponse", () => answer(405)],
    ["U24 500", "RegistryUnavailable", () => answer(500)],
    ["401", "Unauthorized", () => answer(401)]
  ] as const
  for (const [name, tag, answered] of refused) {
    it.effect(`${name} is ${tag}`, () =>
      play([[patchLine, answered()]], () => failing(tag, Uploads.patch(session(), encode("01234"))))
    )
  }
})
