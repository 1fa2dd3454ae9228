import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { onEachStorage } from "./storages.js"
import { absent, bytesOf, codes, pushBlob, send, startUpload } from "./support.js"

onEachStorage("Blobs", (registry) => {
  layer(registry())((it) => {
    it.effect("end-2 answers a blob with its digest, length and type", () =>
      Effect.gen(function* () {
        const digest = yield* pushBlob("org/app", "hello")
        const answer = yield* send("GET", `/v2/org/app/blobs/${digest}`)
        assert.strictEqual(answer.status, 200)
        assert.strictEqual(answer.text, "hello")
        assert.strictEqual(answer.headers["content-length"], "5")
        assert.strictEqual(answer.headers["content-type"], "application/octet-stream")
        assert.strictEqual(answer.headers["docker-content-digest"], digest)
        assert.strictEqual(answer.headers.etag, `"${digest}"`)
        assert.strictEqual(answer.headers["accept-ranges"], "bytes")
      })
    )

    it.effect("end-2 answers HEAD with the length and no body", () =>
      Effect.gen(function* () {
        const digest = yield* pushBlob("org/app", "hello")
        const answer = yield* send("HEAD", `/v2/org/app/blobs/${digest}`, { headers: { range: "bytes=1-2" } })
        assert.strictEqual(answer.status, 200)
        assert.strictEqual(answer.headers["content-length"], "5")
        assert.strictEqual(answer.bytes.length, 0)
      })
    )

    it.effect("end-2 has empty blobs", () =>
      Effect.gen(function* () {
        const digest = yield* pushBlob("org/app", "")
        const answer = yield* send("GET", `/v2/org/app/blobs/${digest}`)
        assert.strictEqual(answer.status, 200)
        assert.strictEqual(answer.headers["content-length"], "0")
        const range = yield* send("GET", `/v2/org/app/blobs/${digest}`, { headers: { range: "bytes=0-" } })
        assert.strictEqual(range.status, 416)
        assert.strictEqual(range.headers["content-range"], "bytes */0")
      })
    )

    const ranges: ReadonlyArray<readonly [header: string, text: string, contentRange: string]> = [
      ["bytes=0-0", "0", "bytes 0-0/10"],
      ["bytes=2-4", "234", "bytes 2-4/10"],
      ["bytes=7-", "789", "bytes 7-9/10"],
      ["bytes=8-99", "89", "bytes 8-9/10"],
      ["bytes=-3", "789", "bytes 7-9/10"],
      ["bytes=-99", "0123456789", "bytes 0-9/10"]
    ]
    for (const [header, text, contentRange] of ranges) {
      it.effect(`DS14 answers Range ${header} with 206`, () =>
        Effect.gen(function* () {
          const digest = yield* pushBlob("org/app", "0123456789")
          const answer = yield* send("GET", `/v2/org/app/blobs/${digest}`, { headers: { range: header } })
          assert.strictEqual(answer.status, 206)
          assert.strictEqual(answer.text, text)
          assert.strictEqual(answer.headers["content-length"], String(text.length))
          assert.strictEqual(answer.headers["content-range"], contentRange)
        })
      )
    }

    for (const header of ["bytes=10-", "bytes=10-12", "bytes=5-4", "bytes=-0"]) {
      it.effect(`DS14 answers Range ${header} with 416`, () =>
        Effect.gen(function* () {
          const digest = yield* pushBlob("org/app", "0123456789")
          const answer = yield* send("GET", `/v2/org/app/blobs/${digest}`, { headers: { range: header } })
          assert.strictEqual(answer.status, 416)
          assert.strictEqual(answer.headers["content-range"], "bytes */10")
        })
      )
    }

    for (const header of ["items=0-1", "bytes=0-1,3-4", "bytes=a-b", "bytes=", "bytes=1", "bytes=-", "bytes=1e0-2"]) {
      it.effect(`DS14 ignores Range ${header}`, () =>
        Effect.gen(function* () {
          const digest = yield* pushBlob("org/app", "0123456789")
          const answer = yield* send("GET", `/v2/org/app/blobs/${digest}`, { headers: { range: header } })
          assert.strictEqual(answer.status, 200)
          assert.strictEqual(answer.text, "0123456789")
        })
      )
    }

    it.effect("DS14 ignores Range when If-Range names other content", () =>
      Effect.gen(function* () {
        const digest = yield* pushBlob("org/app", "0123456789")
        const get = (etag: string) =>
          send("GET", `/v2/org/app/blobs/${digest}`, { headers: { range: "bytes=0-1", "if-range": etag } })
        assert.strictEqual((yield* get(`"${digest}"`)).status, 206)
        assert.strictEqual((yield* get(`"${absent}"`)).status, 200)
      })
    )

    it.effect.prop(
      "DS14 answers any range of a blob that came in any chunks",
      {
        chunks: FastCheck.array(FastCheck.uint8Array({ minLength: 1, maxLength: 9 }), { minLength: 1, maxLength: 6 }),
        from: FastCheck.nat(60),
        length: FastCheck.integer({ min: 1, max: 60 })
      },
      ({ chunks, from, length }) =>
        Effect.gen(function* () {
          const whole = Uint8Array.from(chunks.flatMap((chunk) => Array.from(chunk)))
          const location = yield* startUpload("org/prop")
          for (const body of chunks) yield* send("PATCH", location, { body })
          const digest = yield* pushBlob("org/other", whole)
          const done = yield* send("PUT", `${location}?digest=${digest}`)
          assert.strictEqual(done.status, 201)
          const answer = yield* send("GET", `/v2/org/prop/blobs/${digest}`, {
            headers: { range: `bytes=${from}-${from + length - 1}` }
          })
          assert.strictEqual(answer.status, from < whole.length ? 206 : 416)
          if (answer.status === 206) assert.deepStrictEqual(answer.bytes, whole.slice(from, from + length))
        }),
      { fastCheck: { numRuns: 25 } }
    )

    it.effect("code-1 answers BLOB_UNKNOWN with the digest, code-9 NAME_UNKNOWN for a repository that is not", () =>
      Effect.gen(function* () {
        yield* pushBlob("org/app", "hello")
        const unknown = yield* send("GET", `/v2/org/app/blobs/${absent}`)
        assert.strictEqual(unknown.status, 404)
        assert.deepStrictEqual(unknown.json, {
          errors: [{ code: "BLOB_UNKNOWN", message: "blob unknown to registry", detail: { digest: absent } }]
        })
        const nowhere = yield* send("GET", `/v2/org/none/blobs/${absent}`)
        assert.strictEqual(nowhere.status, 404)
        assert.deepStrictEqual(codes(nowhere), ["NAME_UNKNOWN"])
      })
    )

    it.effect("code-4 answers DIGEST_INVALID to what is no digest", () =>
      Effect.gen(function* () {
        const answer = yield* send("GET", "/v2/org/app/blobs/sha256:abc")
        assert.strictEqual(answer.status, 400)
        assert.deepStrictEqual(codes(answer), ["DIGEST_INVALID"])
      })
    )

    it.effect("end-2 takes a digest with an escaped colon", () =>
      Effect.gen(function* () {
        const digest = yield* pushBlob("org/app", "hello")
        const answer = yield* send("GET", `/v2/org/app/blobs/${digest.replace(":", "%3A")}`)
        assert.strictEqual(answer.status, 200)
      })
    )

    it.effect("keeps a blob to the repository it was pushed to", () =>
      Effect.gen(function* () {
        const digest = yield* pushBlob("org/mine", "mine alone")
        yield* pushBlob("org/yours", "other")
        assert.strictEqual((yield* send("HEAD", `/v2/org/yours/blobs/${digest}`)).status, 404)
      })
    )

    it.effect("end-10 deletes a blob here and leaves it elsewhere", () =>
      Effect.gen(function* () {
        const digest = yield* pushBlob("org/one", "shared")
        yield* pushBlob("org/two", "shared")
        const deleted = yield* send("DELETE", `/v2/org/one/blobs/${digest}`)
        assert.strictEqual(deleted.status, 202)
        assert.strictEqual((yield* send("HEAD", `/v2/org/one/blobs/${digest}`)).status, 404)
        assert.deepStrictEqual(codes(yield* send("DELETE", `/v2/org/one/blobs/${digest}`)), ["BLOB_UNKNOWN"])
        assert.deepStrictEqual((yield* send("GET", `/v2/org/two/blobs/${digest}`)).bytes, bytesOf("shared"))
      })
    )
  })
})
