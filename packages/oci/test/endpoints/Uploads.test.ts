import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Credentials from "effect-oci/Credentials"
import * as OriginPolicy from "effect-oci/OriginPolicy"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import * as RegistryName from "effect-oci/RegistryName"
import * as Repository from "effect-oci/Repository"
import * as Uploads from "effect-oci/Uploads"
import { play, refusal } from "../scripted.js"
import { answer, blob, content, decode, encode, failing, repository, sha256, sha512, v2 } from "./given.js"

const { digest } = blob
const escaped = encodeURIComponent(digest)
const startLine = `POST ${v2}/blobs/uploads/`
const upload = `${v2}/blobs/uploads/1`

const session = (offset = 0, location = upload): Uploads.UploadSession => ({
  _tag: "UploadSession",
  repository,
  location: Redacted.make(location),
  offset
})

const at = ({ location }: Uploads.UploadSession) => Redacted.value(location)

describe("Uploads.start", () => {
  it.effect("U1 posts nothing to the path with its slash, and begins at 0 whatever the Range says", () =>
    play([[startLine, answer(202, { location: "/v2/org/app/blobs/uploads/1", range: "0-0" })]], (sent) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* Uploads.start(repository), { ...session(), minChunk: undefined })
        assert.strictEqual(sent[0]?.body.length, 0)
      })
    )
  )

  const locations: ReadonlyArray<readonly [name: string, location: string, url: string]> = [
    ["absolute", `${v2}/blobs/uploads/1`, upload],
    ["with a path", "/v2/org/app/blobs/uploads/1", upload],
    ["relative", "1", upload],
    ["with a state", "1?_state=AbC%3D%3D", `${upload}?_state=AbC%3D%3D`],
    ["with a fragment (E18)", "1?_state=a#b", `${upload}?_state=a`],
    ["with a bare question mark (GHCR)", "/v2/org/app/blobs/upload/1?", `${v2}/blobs/upload/1?`],
    [
      "outside /v2/ (GAR)",
      "/artifacts-uploads/namespaces/p/repositories/r/uploads/AbC",
      "https://registry.test/artifacts-uploads/namespaces/p/repositories/r/uploads/AbC"
    ],
    ["U5 with the port that goes without saying", "https://registry.test:443/u", "https://registry.test/u"],
    ["in other letters", "HTTPS://Registry.TEST/u", "https://registry.test/u"]
  ]
  for (const [name, location, url] of locations) {
    it.effect(`U2 takes a Location ${name}`, () =>
      play([[startLine, answer(202, { location })]], () =>
        Effect.map(Uploads.start(repository), (found) => assert.strictEqual(at(found), url))
      )
    )
  }

  it.effect("U5 takes a Location without the port that was written out", () =>
    Effect.gen(function* () {
      const registry = yield* RegistryName.parse("registry.test:443")
      const written = new Repository.Repository({ registry, name: "a" })
      yield* play(
        [["POST https://registry.test:443/v2/a/blobs/uploads/", answer(202, { location: "https://registry.test/u" })]],
        () => Effect.map(Uploads.start(written), (found) => assert.strictEqual(at(found), "https://registry.test/u"))
      )
    })
  )

  it.effect("U4 does not guess where to go on", () =>
    play([[startLine, answer(202, { "docker-upload-uuid": "1" })]], () =>
      Effect.map(failing("UnexpectedResponse", Uploads.start(repository)), ({ message }) =>
        assert.include(message, "does not say where it goes on")
      )
    )
  )

  const unsafe: ReadonlyArray<readonly [name: string, location: string]> = [
    ["U4 that is empty", ""],
    ["U4 that is none", "https://["],
    ["U6 S13 on http", "http://registry.test/u"],
    ["U7 S15 on another host", "https://evil.test/u?_state=secret"],
    ["U7 S15 on another port", "https://registry.test:8443/u"],
    ["U7 S12 in the cloud's own network", "https://169.254.169.254/u"],
    ["S15 with a user name", "https://me@registry.test/u"],
    ["S15 of another kind", "ftp://registry.test/u"]
  ]
  for (const [name, location] of unsafe) {
    it.effect(`does not go on at a Location ${name}`, () =>
      play([[startLine, answer(202, { location })]], () =>
        Effect.gen(function* () {
          const error = yield* failing("UnsafeLocation", Uploads.start(repository))
          assert.strictEqual(error.kind, "location")
          assert.notInclude(error.message, "secret")
        })
      )
    )
  }

  it.effect("U7 S15 goes on at a host that is trusted, without credentials", () =>
    play(
      [
        [startLine, answer(202, { location: "https://storage.test/u?sig=a%20b~c" })],
        ["PATCH https://storage.test/u?sig=a%20b~c", answer(202)],
        [`PUT https://storage.test/u?sig=a%20b~c&digest=${escaped}`, answer(201)]
      ],
      (sent) =>
        Effect.gen(function* () {
          const begun = yield* Uploads.start(repository)
          yield* Uploads.finish(yield* Uploads.patch(begun, encode("01234")), digest, encode("56789"))
          assert.deepStrictEqual(
            sent.map(({ headers }) => headers.authorization !== undefined),
            [true, false, false]
          )
        }).pipe(
          Effect.provide(
            Layer.mergeAll(
              OriginPolicy.layerTrusting(["storage.test"]),
              RegistryAuth.layerBasic,
              Credentials.basic("registry.test", "me", "secret")
            )
          )
        )
    )
  )

  it.effect("U9 follows a redirect with the method that it has", () =>
    play(
      [
        [startLine, answer(308, { location: "/v2/org/app/blobs/uploads" })],
        [startLine.slice(0, -1), answer(202, { location: "uploads/1" })]
      ],
      () => Effect.map(Uploads.start(repository), (found) => assert.strictEqual(at(found), upload))
    )
  )

  const redirected = [
    ["U9 307 to another host", "UnsafeLocation", () => answer(307, { location: "https://evil.test/u" })],
    ["U9 303", "UnexpectedResponse", () => answer(303, { location: "/v2/org/app/blobs/uploads/1" })],
    ["U9 302", "UnexpectedResponse", () => answer(302, { location: "/v2/org/app/blobs/uploads/1" })],
    ["U9 301", "UnexpectedResponse", () => answer(301, { location: "/v2/org/app/blobs/uploads/1" })],
    ["U8 200", "UnexpectedResponse", () => answer(200, { location: "/v2/org/app/blobs/uploads/1" })],
    ["U8 201", "UnexpectedResponse", () => answer(201, { location: "/v2/org/app/blobs/uploads/1" })],
    ["U10 404 without a code", "NameUnknown", () => answer(404)],
    ["U10 403", "Denied", () => refusal(403, "DENIED")],
    ["U10 400", "UnexpectedResponse", () => answer(400)],
    ["U10 a dropped connection (ECR)", "TransportError", () => Effect.fail(new Error("socket hang up"))],
    ["U11 411", "UnexpectedResponse", () => answer(411)],
    ["U11 414", "UnexpectedResponse", () => answer(414)],
    ["U11 431", "UnexpectedResponse", () => answer(431)],
    ["code-4 in 400", "DigestInvalid", () => refusal(400, "DIGEST_INVALID")],
    ["code-8 in 404 (zot)", "NameInvalid", () => refusal(404, "NAME_INVALID")],
    ["code-9 in 400 (zot)", "NameUnknown", () => refusal(400, "NAME_UNKNOWN")],
    ["code-13 in 400", "Unsupported", () => refusal(400, "UNSUPPORTED")],
    ["501", "Unsupported", () => answer(501)]
  ] as const
  for (const [name, tag, answered] of redirected) {
    it.effect(`${name} is ${tag}`, () => play([[startLine, answered()]], () => failing(tag, Uploads.start(repository))))
  }

  it.effect("U12 names every algorithm but sha256", () =>
    play(
      [
        [startLine, answer(202, { location: "1" })],
        [`${startLine}?digest-algorithm=sha512`, answer(202, { location: "1" })]
      ],
      () =>
        Effect.gen(function* () {
          yield* Uploads.start(repository, { algorithm: "sha256" })
          yield* Uploads.start(repository, { algorithm: "sha512" })
        })
    )
  )

  const minima: ReadonlyArray<readonly [header: string, minChunk: number | undefined]> = [
    ["1048576", 1_048_576],
    [" 5 ", 5],
    ["0", undefined],
    ["-5", undefined],
    ["abc", undefined],
    ["1e6", undefined],
    ["1048576, 1048576", undefined],
    ["1073741824", 1_073_741_824],
    ["1073741825", undefined],
    ["99999999999999", undefined]
  ]
  for (const [header, minChunk] of minima) {
    it.effect(`U13 S27 takes ${minChunk ?? "no minimum"} from “${header}”`, () =>
      play([[startLine, answer(202, { location: "1", "oci-chunk-min-length": header })]], () =>
        Effect.map(Uploads.start(repository), (found) => assert.strictEqual(found.minChunk, minChunk))
      )
    )
  }
})

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
