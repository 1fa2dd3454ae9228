import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Uploads from "effect-oci/Uploads"
import { play, refusal } from "../scripted.js"
import { answer, at, blob, content, decode, encode, failing, session, sha256, sha512, upload, v2 } from "./given.js"

const { digest } = blob
const escaped = encodeURIComponent(digest)

describe("Uploads.finish", () => {
  const finishLine = `PUT ${upload}?digest=${escaped}`

  const locations: ReadonlyArray<readonly [location: string, line: string]> = [
    ["/u/1", "/u/1?digest="],
    ["/u/1?", "/u/1?digest="],
    ["/u/1?_state=a%20b~c%2B%3D/+", "/u/1?_state=a%20b~c%2B%3D/+&digest="],
    ["/u/1?a=b&", "/u/1?a=b&digest="]
  ]
  for (const [location, line] of locations) {
    it.effect(`U3 E6 adds the digest to ${location} as text`, () =>
      play([[`PUT https://registry.test${line}${escaped}`, answer(201)]], () =>
        Uploads.finish(session(0, `https://registry.test${location}`), digest, encode(content))
      )
    )
  }

  it.effect("U15 sends a whole blob, its length in front", () =>
    play([[finishLine, answer(201, { location: "/elsewhere", "docker-content-digest": digest })]], (sent) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* Uploads.finish(session(), digest, encode(content)), blob)
        const { body, headers } = sent[0] ?? assert.fail("nothing was sent")
        assert.strictEqual(decode(body), content)
        assert.strictEqual(headers["content-length"], "10")
        assert.strictEqual(headers["content-type"], "application/octet-stream")
        assert.isUndefined(headers["content-range"])
      })
    )
  )

  it.effect("U20 sends a stream with its length", () =>
    play([[finishLine, answer(201)]], (sent) =>
      Effect.gen(function* () {
        yield* Uploads.finish(session(), digest, { size: 10, stream: Stream.make(encode("01234"), encode("56789")) })
        assert.strictEqual(decode(sent[0]?.body), content)
        assert.strictEqual(sent[0]?.headers["content-length"], "10")
      })
    )
  )

  it.effect("U38 sends the last chunk with its place", () =>
    play([[finishLine, answer(201)]], (sent) =>
      Effect.gen(function* () {
        assert.strictEqual((yield* Uploads.finish(session(7), digest, encode("789"))).size, 10)
        assert.strictEqual(sent[0]?.headers["content-range"], "7-9")
      })
    )
  )

  it.effect("U38 ends without another chunk", () =>
    play([[finishLine, answer(204)]], (sent) =>
      Effect.gen(function* () {
        assert.strictEqual((yield* Uploads.finish(session(10), digest)).size, 10)
        assert.strictEqual(sent[0]?.body.length, 0)
        assert.isUndefined(sent[0]?.headers["content-range"])
      })
    )
  )

  it.effect("U17 fails when the registry stored something else", () =>
    play([[finishLine, answer(201, { "docker-content-digest": sha256("other") })]], () =>
      Effect.gen(function* () {
        const error = yield* failing("DigestMismatch", Uploads.finish(session(10), digest))
        assert.deepStrictEqual([error.expected, error.actual], [digest, sha256("other")])
      })
    )
  )

  for (const claim of ["", "nonsense", sha512("whatever")]) {
    it.effect(`U17 passes by a digest that says nothing: “${claim.slice(0, 8)}”`, () =>
      play([[finishLine, answer(201, { "docker-content-digest": claim })]], () => Uploads.finish(session(10), digest))
    )
  }

  const refused = [
    ["202", "UnexpectedResponse", () => answer(202)],
    ["code-4", "DigestInvalid", () => refusal(400, "DIGEST_INVALID")],
    ["code-3 (GHCR)", "BlobUploadUnknown", () => refusal(404, "BLOB_UPLOAD_UNKNOWN")],
    ["U44 code-2 of an empty blob (ECR)", "BlobUploadInvalid", () => refusal(400, "BLOB_UPLOAD_INVALID", "no parts")],
    ["U33 416", "RangeNotSatisfiable", () => answer(416, { range: "0-4" })],
    ["U23 504", "RegistryUnavailable", () => answer(504)],
    ["U24 500 with a code", "RegistryUnavailable", () => refusal(500, "BLOB_UPLOAD_INVALID")]
  ] as const
  for (const [name, tag, answered] of refused) {
    it.effect(`${name} is ${tag}`, () =>
      play([[finishLine, answered()]], () => failing(tag, Uploads.finish(session(10), digest)))
    )
  }
})

describe("Uploads.status", () => {
  const statusLine = `GET ${upload}`

  const answers: ReadonlyArray<readonly [status: number, range: string | undefined, before: number, offset: number]> = [
    [204, "0-99", 0, 100],
    [202, "0-99", 50, 100],
    [200, "bytes=0-99", 0, 100],
    [204, undefined, 50, 0],
    [204, "0--1", 50, 0],
    [204, "0-0", 0, 0],
    [204, "0-0", 1, 1]
  ]
  for (const [status, range, before, offset] of answers) {
    it.effect(`U34 stands at ${offset} after ${status} with ${range ?? "no Range"}, having been at ${before}`, () =>
      play([[statusLine, answer(status, range === undefined ? {} : { range })]], () =>
        Effect.map(Uploads.status(session(before)), (found) => assert.strictEqual(found.offset, offset))
      )
    )
  }

  it.effect("takes a new Location, judged like any other", () =>
    play(
      [
        [statusLine, answer(204, { location: "2?_state=b", range: "0-4" })],
        [statusLine, answer(204, { location: "https://evil.test/u" })]
      ],
      () =>
        Effect.gen(function* () {
          assert.strictEqual(at(yield* Uploads.status(session())), `${v2}/blobs/uploads/2?_state=b`)
          yield* failing("UnsafeLocation", Uploads.status(session()))
        })
    )
  )

  const gone = [
    ["404", () => answer(404)],
    ["code-2 in 400", () => refusal(400, "BLOB_UPLOAD_INVALID")],
    ["code-3 in 400", () => refusal(400, "BLOB_UPLOAD_UNKNOWN")]
  ] as const
  for (const [name, answered] of gone) {
    it.effect(`${name} is BlobUploadUnknown`, () =>
      play(
        [
          [statusLine, answered()],
          [`DELETE ${upload}`, answered()]
        ],
        () =>
          Effect.gen(function* () {
            yield* failing("BlobUploadUnknown", Uploads.status(session()))
            yield* failing("BlobUploadUnknown", Uploads.cancel(session()))
          })
      )
    )
  }

  it.effect("400 without a code is UnexpectedResponse (ggcr)", () =>
    play([[statusLine, answer(400)]], () => failing("UnexpectedResponse", Uploads.status(session())))
  )
})

describe("Uploads.cancel", () => {
  for (const status of [200, 202, 204]) {
    it.effect(`U50 takes ${status} for done`, () =>
      play([[`DELETE ${upload}`, answer(status)]], () => Uploads.cancel(session()))
    )
  }

  const refused = [
    ["405", "Unsupported", () => answer(405)],
    ["501", "Unsupported", () => answer(501)],
    ["401", "Unauthorized", () => answer(401)],
    ["500", "RegistryUnavailable", () => refusal(500, "BLOB_UPLOAD_UNKNOWN")]
  ] as const
  for (const [name, tag, answered] of refused) {
    it.effect(`U50 ${name} is ${tag}`, () =>
      play([[`DELETE ${upload}`, answered()]], () => failing(tag, Uploads.cancel(session())))
    )
  }
})
