import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Blobs from "effect-oci/Blobs"
import * as Descriptor from "effect-oci/Descriptor"
import * as MediaType from "effect-oci/MediaType"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import { play, refusal, type Step } from "../scripted.js"
import {
  answer,
  blob,
  content,
  decode,
  digestOf,
  encode,
  failing,
  notFound,
  repository,
  sha256,
  sha512,
  text,
  v2
} from "./given.js"

const { digest } = blob
const headLine = `HEAD ${v2}/blobs/${digest}`
const getLine = `GET ${v2}/blobs/${digest}`
const deleteLine = `DELETE ${v2}/blobs/${digest}`

const whole = (headers: Record<string, string> = {}): Step => [getLine, answer(200, headers, content)]

describe("Blobs.head", () => {
  it.effect("N13 asks by the digest as it is, and takes size and type from the headers", () =>
    play([[headLine, answer(200, { "content-length": "10", "content-type": "Text/Plain; charset=x" })]], () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* Blobs.head(repository, digest), { mediaType: "text/plain", digest, size: 10 })
      })
    )
  )

  it.effect("P40 calls a blob without a type a stream of octets", () =>
    play([[headLine, answer(200, { "content-length": "0" })]], () =>
      Effect.gen(function* () {
        const found = yield* Blobs.head(repository, digest)
        assert.deepStrictEqual(found, { mediaType: "application/octet-stream", digest, size: 0 })
      })
    )
  )

  const unsized: ReadonlyArray<readonly [name: string, answer: () => Response]> = [
    ["P39 without a Content-Length", () => answer(200)],
    ["P39 with a negative one", () => answer(200, { "content-length": "-1" })],
    ["P39 with one that is no number", () => answer(200, { "content-length": "abc" })],
    ["P39 with one beyond all numbers", () => answer(200, { "content-length": "9007199254740993" })],
    ["P24 of a coded body", () => answer(200, { "content-length": "10", "content-encoding": "gzip" })],
    ["P37 with 405", () => answer(405)],
    ["P37 with 501", () => answer(501)]
  ]
  for (const [name, answered] of unsized) {
    it.effect(`asks with GET after a HEAD ${name}, and leaves the body unread`, () =>
      play([[headLine, answered()], whole({ "content-length": "10" })], (sent) =>
        Effect.gen(function* () {
          assert.strictEqual((yield* Blobs.head(repository, digest)).size, 10)
          assert.strictEqual(sent[1]?.answer, "given up")
          assert.strictEqual(sent[1]?.taken, 0)
        })
      )
    )
  }

  it.effect("P39 fails when a GET does not tell the size either", () =>
    play([[headLine, answer(200)], whole()], () =>
      Effect.gen(function* () {
        const error = yield* failing("UnexpectedResponse", Blobs.head(repository, digest))
        assert.include(error.message, "does not say its size")
      })
    )
  )

  it.effect("P41 goes by the status alone, since a HEAD has no body", () =>
    play([[headLine, answer(412, { "content-length": "157", "content-type": "application/json" })]], () =>
      failing("PolicyViolation", Blobs.head(repository, digest))
    )
  )

  it.effect("P10 names the storage host that lacks the blob", () =>
    play(
      [
        [headLine, answer(307, { location: "https://storage.test/blob?sig=secret" })],
        ["HEAD https://storage.test/blob?sig=secret", answer(404)]
      ],
      () =>
        Effect.gen(function* () {
          const error = yield* failing("BlobUnknown", Blobs.head(repository, digest))
          assert.strictEqual(error.url, "https://storage.test/blob")
          assert.notInclude(error.message, "secret")
        })
    )
  )
})

describe("Blobs.exists", () => {
  const told: ReadonlyArray<readonly [name: string, steps: () => ReadonlyArray<Step>, exists: boolean]> = [
    ["200", () => [[headLine, answer(200)]], true],
    ["404", () => [[headLine, answer(404)]], false],
    ["405, then 200", () => [[headLine, answer(405)], whole()], true],
    [
      "501, then BLOB_UNKNOWN",
      () => [
        [headLine, answer(501)],
        [getLine, refusal(404, "BLOB_UNKNOWN")]
      ],
      false
    ],
    [
      "405, then NAME_UNKNOWN",
      () => [
        [headLine, answer(405)],
        [getLine, refusal(404, "NAME_UNKNOWN")]
      ],
      false
    ]
  ]
  for (const [name, steps, exists] of told) {
    it.effect(`says ${exists} after ${name}`, () =>
      play(steps(), (sent) =>
        Effect.gen(function* () {
          assert.strictEqual(yield* Blobs.exists(repository, digest), exists)
          if (exists) assert.strictEqual(sent.at(-1)?.taken, 0)
        })
      )
    )
  }
})

describe("Blobs.get and Blobs.stream", () => {
  const readers = [
    ["Blobs.get", (target: Blobs.Target) => Effect.map(Blobs.get(repository, target), decode)],
    ["Blobs.stream", (target: Blobs.Target) => text(Blobs.stream(repository, target))]
  ] as const

  for (const [name, read] of readers) {
    describe(name, () => {
      it.effect(
        "P1 P15 P23 P53 reads a blob, with or without its length, asking for nothing but the bytes as they are",
        () =>
          play([whole({ "content-length": "10" }), whole()], (sent) =>
            Effect.gen(function* () {
              assert.strictEqual(yield* read(blob), content)
              assert.strictEqual(yield* read(digest), content)
              for (const { headers } of sent) {
                assert.strictEqual(headers["accept-encoding"], "identity")
                assert.isUndefined(headers.accept)
                assert.isUndefined(headers.range)
              }
            })
          )
      )

      it.effect("verifies by sha384 and sha512 too", () => {
        const long = sha512(content)
        return play([[`GET ${v2}/blobs/${long}`, answer(200, {}, content)]], () =>
          Effect.map(read(long), (found) => assert.strictEqual(found, content))
        )
      })

      it.effect("P14 does not read a blob that says it has another size", () =>
        play([whole({ "content-length": "10" })], (sent) =>
          Effect.gen(function* () {
            const error = yield* failing("SizeMismatch", read({ ...blob, size: 9 }))
            assert.deepStrictEqual([error.expected, error.actual], [9, 10])
            assert.strictEqual(sent[0]?.taken, 0)
            assert.strictEqual(sent[0]?.answer, "given up")
          })
        )
      )

      it.effect("P16 S2 stops at the first byte too many", () =>
        play([[getLine, answer(200, {}, [content, "x", "never read"])]], (sent) =>
          Effect.gen(function* () {
            yield* Effect.flip(read(blob))
            assert.strictEqual(sent[0]?.taken, 11)
          })
        )
      )

      it.effect("P15 P17 fails when the registry has fewer bytes", () =>
        play(
          [
            [getLine, answer(200, {}, "01234")],
            // a stream asks for the rest
            ...(name === "Blobs.stream" ? [[getLine, answer(416, { "content-range": "bytes */5" })] as const] : []),
            [getLine, answer(200, {}, "01234")]
          ],
          () =>
            Effect.gen(function* () {
              const error = yield* failing("SizeMismatch", read(blob))
              assert.deepStrictEqual([error.expected, error.actual], [10, 5])
              yield* failing("DigestMismatch", read(digest))
            })
        )
      )

      it.effect("P28 S4 S28 does not take the registry's word for a digest", () =>
        play([[getLine, answer(200, { "docker-content-digest": digest }, "abcdefghij")]], () =>
          Effect.gen(function* () {
            const error = yield* failing("DigestMismatch", read(blob))
            assert.deepStrictEqual([error.expected, error.actual], [digest, sha256("abcdefghij")])
          })
        )
      )

      it.effect("P34 ignores the digest of an answer whose bytes are right", () =>
        play([whole({ "docker-content-digest": sha256("other") })], () =>
          Effect.map(read(blob), (found) => assert.strictEqual(found, content))
        )
      )

      it.effect("P29 reads the empty blob", () => {
        const empty = sha256("")
        return play([[`GET ${v2}/blobs/${empty}`, answer(200, { "content-length": "0" })]], () =>
          Effect.map(read({ ...blob, digest: empty, size: 0 }), (found) => assert.strictEqual(found, ""))
        )
      })

      it.effect("P30 takes the content from a descriptor that has it", () =>
        play([], () => Effect.map(read(Descriptor.empty), (found) => assert.strictEqual(found, "{}")))
      )

      const wrong: ReadonlyArray<readonly [name: string, data: string]> = [
        ["another size", "0"],
        ["another digest", "abcdefghij"]
      ]
      for (const [name, data] of wrong) {
        it.effect(`P30 fetches what a descriptor holds with ${name}`, () =>
          play([whole()], () =>
            Effect.map(read({ ...blob, data: encode(data) }), (found) => assert.strictEqual(found, content))
          )
        )
      }

      for (const unknown of ["md5:d41d8cd98f00b204e9800998ecf8427e", "sha1:abc", `blake3:${"0".repeat(64)}`]) {
        it.effect(`S28 does not ask for what it cannot verify: ${unknown.slice(0, 6)}`, () =>
          play([], () =>
            Effect.gen(function* () {
              const error = yield* failing("DigestMismatch", read(digestOf(unknown)))
              assert.isUndefined(error.actual)
              assert.include(error.message, "cannot be verified")
            })
          )
        )
      }

      for (const [shape, type, body] of notFound) {
        it.effect(`P44 P52 takes 404 for no such blob, whatever it says: ${shape}`, () =>
          play([[getLine, answer(404, { "content-type": type }, body)]], () => failing("BlobUnknown", read(digest)))
        )
      }

      it.effect("P48 keeps what a proxy's page says", () => {
        const page = "<html><h1>502 Bad Gateway</h1></html>"
        return play([[getLine, answer(502, { "content-type": "text/html" }, page)]], () =>
          Effect.gen(function* () {
            const error = yield* failing("RegistryUnavailable", read(digest))
            assert.deepStrictEqual([error.status, error.body], [502, page])
          })
        )
      })

      it.effect("P50 P51 asks the registry alone for a layer that has URLs, or may not be distributed", () => {
        const foreign = { ...blob, mediaType: MediaType.dockerForeignLayer, urls: ["https://elsewhere.test/layer"] }
        return play([whole(), [getLine, answer(404)]], () =>
          Effect.gen(function* () {
            assert.strictEqual(yield* read(foreign), content)
            yield* failing("BlobUnknown", read(foreign))
          })
        )
      })

      it.effect("P49 does not expect 304", () =>
        play([[getLine, answer(304)]], () => failing("UnexpectedResponse", read(digest)))
      )

      it.effect("P23 does not expect a part", () =>
        play([[getLine, answer(206, { "content-range": "bytes 0-9/10" }, content)]], () =>
          failing("UnexpectedResponse", read(digest))
        )
      )
    })
  }

  it.effect("P28 hands out bytes as they come, and never the last of what is wrong", () =>
    play([[getLine, answer(200, {}, ["012", "34", "5678x"])]], () =>
      Effect.gen(function* () {
        const seen: Array<string> = []
        const stream = Stream.tap(Blobs.stream(repository, digest), (bytes) =>
          Effect.sync(() => seen.push(decode(bytes)))
        )
        yield* failing("DigestMismatch", Stream.runDrain(stream))
        assert.deepStrictEqual(seen, ["012", "34"])
      })
    )
  )

  it.effect("P27 gives up the rest of a blob that is left early", () =>
    play([[getLine, answer(200, {}, ["01234", "56789", "never read"])]], (sent) =>
      Effect.gen(function* () {
        assert.strictEqual(yield* text(Stream.take(Blobs.stream(repository, digest), 1)), "01234")
        assert.strictEqual(sent[0]?.answer, "given up")
        assert.isBelow(sent[0]?.taken ?? 99, 11)
      })
    )
  )

  it.effect("asks anew each time that a stream runs", () =>
    play([whole(), whole()], () =>
      Effect.gen(function* () {
        const stream = Blobs.stream(repository, blob)
        assert.strictEqual(yield* text(stream), content)
        assert.strictEqual(yield* text(stream), content)
      })
    )
  )

  const small = RegistryHosts.layer({ limits: { blob: 9 } })

  it.effect("S3 does not ask for a blob that is too large to hold", () =>
    play([], () =>
      Effect.gen(function* () {
        const error = yield* failing("ResponseTooLarge", Blobs.get(repository, { ...blob, size: 2 ** 53 - 1 }))
        assert.strictEqual(error.limit, 32 * 1024 * 1024)
      })
    )
  )

  it.effect("S2 does not read a blob that says it is too large to hold", () =>
    play([whole({ "content-length": "10" })], (sent) =>
      Effect.gen(function* () {
        const error = yield* failing("ResponseTooLarge", Effect.provide(Blobs.get(repository, digest), small))
        assert.strictEqual(error.limit, 9)
        assert.strictEqual(sent[0]?.taken, 0)
      })
    )
  )

  it.effect("S2 stops reading a blob that turns out too large to hold", () =>
    play([[getLine, answer(200, {}, [content, "never read"])]], (sent) =>
      Effect.gen(function* () {
        yield* failing("ResponseTooLarge", Effect.provide(Blobs.get(repository, digest), small))
        assert.strictEqual(sent[0]?.taken, 10)
      })
    )
  )

  it.effect("streams a blob of any size", () =>
    play([whole({ "content-length": "10" })], () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* Effect.provide(text(Blobs.stream(repository, blob)), small), content)
      })
    )
  )
})

describe("Blobs.delete", () => {
  for (const status of [200, 202, 204]) {
    it.effect(`D9 takes ${status} for done`, () =>
      play([[deleteLine, answer(status)]], () => Blobs.delete(repository, digest))
    )
  }

  const refused = [
    ["D9 405", "Unsupported", () => answer(405)],
    ["D6 400 UNSUPPORTED", "Unsupported", () => refusal(400, "UNSUPPORTED")],
    ["D6 400 NAME_UNKNOWN", "NameUnknown", () => refusal(400, "NAME_UNKNOWN")],
    ["D6 405 DENIED", "Denied", () => refusal(405, "DENIED")],
    ["D6 409", "PolicyViolation", () => answer(409)],
    ["D11 405 REGISTRY_DISALLOWED_OPERATION", "PolicyViolation", () => refusal(405, "REGISTRY_DISALLOWED_OPERATION")],
    ["code-1 404 BLOB_UNKNOWN", "BlobUnknown", () => refusal(404, "BLOB_UNKNOWN")],
    ["D9 500 (ggcr)", "RegistryUnavailable", () => answer(500)]
  ] as const
  for (const [name, tag, answered] of refused) {
    it.effect(`${name} is ${tag}`, () =>
      play([[deleteLine, answered()]], () => failing(tag, Blobs.delete(repository, digest)))
    )
  }
})
