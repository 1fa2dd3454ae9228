import { assert, effect, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Hasher from "effect-oci/Hasher"
import { onEachStorage } from "./storages.js"
import { absent, bytesOf, chunk, codes, pushBlob, send, startUpload } from "./support.js"

onEachStorage("Uploads", (registry) => {
  layer(registry())((it) => {
    it.effect("end-4a, 5, 13, 6 take a blob in chunks and tell where they stand", () =>
      Effect.gen(function* () {
        const location = yield* startUpload("org/app")
        assert.match(location, /^\/v2\/org\/app\/blobs\/uploads\//)
        const empty = yield* send("GET", location)
        assert.strictEqual(empty.status, 204)
        assert.strictEqual(empty.headers.range, "0-0")
        const first = yield* chunk(location, 0, "01234")
        assert.strictEqual(first.status, 202)
        assert.strictEqual(first.headers.range, "0-4")
        assert.strictEqual((yield* chunk(first.headers.location ?? "", 5, "567")).headers.range, "0-7")
        const status = yield* send("GET", location)
        assert.strictEqual(status.headers.range, "0-7")
        assert.strictEqual(status.headers.location, location)
        const digest = yield* Hasher.digest(bytesOf("0123456789"))
        const done = yield* send("PUT", `${location}?digest=${digest}`, {
          body: "89",
          headers: { "content-range": "8-9" }
        })
        assert.strictEqual(done.status, 201)
        assert.strictEqual(done.headers.location, `/v2/org/app/blobs/${digest}`)
        assert.strictEqual(done.headers["docker-content-digest"], digest)
        assert.strictEqual((yield* send("GET", done.headers.location ?? "")).text, "0123456789")
        assert.deepStrictEqual(codes(yield* send("GET", location)), ["BLOB_UPLOAD_UNKNOWN"])
      })
    )

    for (const [title, start] of [
      ["a gap", 6],
      ["a repetition", 0],
      ["an overlap", 4]
    ] as const) {
      it.effect(`DS27 answers ${title} with 416 and where to go on`, () =>
        Effect.gen(function* () {
          const location = yield* startUpload("org/app")
          yield* chunk(location, 0, "01234")
          for (const answer of [
            yield* chunk(location, start, "xxx"),
            yield* send("PUT", `${location}?digest=${absent}`, {
              body: "xxx",
              headers: { "content-range": `${start}-${start + 2}` }
            })
          ]) {
            assert.strictEqual(answer.status, 416)
            assert.strictEqual(answer.headers.range, "0-4")
            assert.strictEqual(answer.headers.location, location)
          }
          assert.strictEqual((yield* chunk(location, 5, "5")).status, 202)
        })
      )
    }

    for (const range of ["bytes 0-4/5", "0-", "5", "4-0", "a-b", "0-4-5", "-4"]) {
      it.effect(`DS23 refuses Content-Range ${range}`, () =>
        Effect.gen(function* () {
          const location = yield* startUpload("org/app")
          const answer = yield* send("PATCH", location, { body: "01234", headers: { "content-range": range } })
          assert.strictEqual(answer.status, 400)
          assert.deepStrictEqual(codes(answer), ["BLOB_UPLOAD_INVALID"])
        })
      )
    }

    it.effect("U39 takes streams without Content-Range one after the other", () =>
      Effect.gen(function* () {
        const location = yield* startUpload("org/app")
        const body = (text: string) => Stream.fromIterable(Array.from(text, bytesOf))
        yield* send("PATCH", location, { body: body("hello ") })
        assert.strictEqual((yield* send("PATCH", location, { body: body("world") })).headers.range, "0-10")
        const digest = yield* Hasher.digest(bytesOf("hello world"))
        assert.strictEqual((yield* send("PUT", `${location}?digest=${digest}`)).status, 201)
      })
    )

    it.effect("DS24 refuses a chunk of another length than Content-Range says and ends the session", () =>
      Effect.gen(function* () {
        const location = yield* startUpload("org/app")
        const answer = yield* send("PATCH", location, { body: "012", headers: { "content-range": "0-9" } })
        assert.strictEqual(answer.status, 400)
        assert.deepStrictEqual(codes(answer), ["SIZE_INVALID"])
        assert.strictEqual((yield* send("GET", location)).status, 404)
      })
    )

    it.effect("DS29 refuses content of another digest with both, and ends the session", () =>
      Effect.gen(function* () {
        const location = yield* startUpload("org/app")
        const answer = yield* send("PUT", `${location}?digest=${absent}`, { body: "hello" })
        assert.strictEqual(answer.status, 400)
        assert.deepStrictEqual(answer.json, {
          errors: [
            {
              code: "DIGEST_INVALID",
              message: "provided digest did not match uploaded content",
              detail: { provided: absent, computed: yield* Hasher.digest(bytesOf("hello")) }
            }
          ]
        })
        assert.strictEqual((yield* send("GET", location)).status, 404)
        assert.strictEqual((yield* send("HEAD", `/v2/org/app/blobs/${absent}`)).status, 404)
      })
    )

    for (const digest of ["", "?digest=", "?digest=sha256:abc", `?digest=blake3:${"0".repeat(64)}`]) {
      it.effect(`DS29 refuses to end with “${digest}” and keeps the session`, () =>
        Effect.gen(function* () {
          const location = yield* startUpload("org/app")
          const answer = yield* send("PUT", `${location}${digest}`, { body: "hello" })
          assert.strictEqual(answer.status, 400)
          assert.deepStrictEqual(codes(answer), ["DIGEST_INVALID"])
          assert.strictEqual((yield* send("GET", location)).headers.range, "0-0")
        })
      )
    }

    for (const algorithm of ["sha256", "sha384", "sha512"] as const) {
      it.effect(`DS22 takes ${algorithm}, announced by digest-algorithm or not, whole or in chunks`, () =>
        Effect.gen(function* () {
          const digest = yield* Hasher.digest(bytesOf("hello"), algorithm)
          const whole = yield* send("POST", `/v2/org/whole/blobs/uploads/?digest=${digest}`, { body: "hello" })
          assert.strictEqual(whole.status, 201)
          for (const query of ["", `?digest-algorithm=${algorithm}`]) {
            const { headers } = yield* send("POST", `/v2/org/parts/blobs/uploads/${query}`)
            yield* chunk(headers.location ?? "", 0, "hel")
            const done = yield* send("PUT", `${headers.location}?digest=${digest}`, { body: "lo" })
            assert.strictEqual(done.status, 201)
            assert.strictEqual(done.headers["docker-content-digest"], digest)
          }
          assert.strictEqual((yield* send("GET", `/v2/org/parts/blobs/${digest}`)).text, "hello")
        })
      )
    }

    it.effect("DS22 refuses a digest algorithm that it cannot compute", () =>
      Effect.gen(function* () {
        const answer = yield* send("POST", "/v2/org/app/blobs/uploads/?digest-algorithm=md5")
        assert.strictEqual(answer.status, 400)
        assert.deepStrictEqual(codes(answer), ["DIGEST_INVALID"])
      })
    )

    it.effect("DS19 refuses a single POST that does not keep its word, and stores nothing", () =>
      Effect.gen(function* () {
        const post = (digest: string) => send("POST", `/v2/org/app/blobs/uploads/?digest=${digest}`, { body: "hello" })
        assert.deepStrictEqual(codes(yield* post(absent)), ["DIGEST_INVALID"])
        assert.deepStrictEqual(codes(yield* post("sha256:abc")), ["DIGEST_INVALID"])
        assert.strictEqual((yield* send("HEAD", `/v2/org/app/blobs/${absent}`)).status, 404)
      })
    )

    it.effect("end-11 mounts from the repository that is named", () =>
      Effect.gen(function* () {
        const digest = yield* pushBlob("mount/source", "mounted")
        const answer = yield* send("POST", `/v2/mount/target/blobs/uploads/?mount=${digest}&from=mount/source`)
        assert.strictEqual(answer.status, 201)
        assert.strictEqual(answer.headers.location, `/v2/mount/target/blobs/${digest}`)
        assert.strictEqual(answer.headers["docker-content-digest"], digest)
        assert.strictEqual((yield* send("GET", `/v2/mount/target/blobs/${digest}`)).text, "mounted")
      })
    )

    it.effect("end-11 mounts without a name from whichever repository has it", () =>
      Effect.gen(function* () {
        const digest = yield* pushBlob("mount/anywhere", "somewhere")
        const answer = yield* send("POST", `/v2/mount/here/blobs/uploads/?mount=${digest}`)
        assert.strictEqual(answer.status, 201)
      })
    )

    for (const query of [`mount=${absent}&from=mount/source`, `mount=${absent}`, "mount=nonsense&from=a", "mount="]) {
      it.effect(`U46 opens a session when it cannot mount ?${query}`, () =>
        Effect.gen(function* () {
          const answer = yield* send("POST", `/v2/mount/target/blobs/uploads/?${query}`)
          assert.strictEqual(answer.status, 202)
          assert.strictEqual((yield* chunk(answer.headers.location ?? "", 0, "x")).status, 202)
        })
      )
    }

    it.effect("end-11 does not mount from a repository that has no such blob", () =>
      Effect.gen(function* () {
        const digest = yield* pushBlob("mount/has", "only here")
        yield* pushBlob("mount/lacks", "other")
        const answer = yield* send("POST", `/v2/mount/target/blobs/uploads/?mount=${digest}&from=mount/lacks`)
        assert.strictEqual(answer.status, 202)
      })
    )

    it.effect("end-14 forgets a cancelled session", () =>
      Effect.gen(function* () {
        const location = yield* startUpload("org/app")
        assert.strictEqual((yield* send("DELETE", location)).status, 204)
        for (const method of ["GET", "PATCH", "PUT", "DELETE"] as const) {
          const answer = yield* send(method, `${location}?digest=${absent}`)
          assert.strictEqual(answer.status, 404)
          assert.deepStrictEqual(codes(answer), ["BLOB_UPLOAD_UNKNOWN"])
        }
      })
    )

    it.effect("does not know a session in another repository", () =>
      Effect.gen(function* () {
        const location = yield* startUpload("org/app")
        const answer = yield* send("GET", location.replace("org/app", "org/other"))
        assert.strictEqual(answer.status, 404)
      })
    )

    it.effect("keeps what arrived before a body broke off, so that it can be resumed", () =>
      Effect.gen(function* () {
        const location = yield* startUpload("org/app")
        const body = Stream.concat(Stream.make(bytesOf("hel")), Stream.fail("cut"))
        const error = yield* Effect.flip(send("PATCH", location, { body }))
        assert.strictEqual(error._tag, "RequestError")
        assert.strictEqual((yield* send("GET", location)).headers.range, "0-2")
        const digest = yield* Hasher.digest(bytesOf("hello"))
        yield* chunk(location, 3, "lo")
        assert.strictEqual((yield* send("PUT", `${location}?digest=${digest}`)).status, 201)
      })
    )

    it.effect("takes one request of a session at a time", () =>
      Effect.gen(function* () {
        const location = yield* startUpload("org/app")
        const started = yield* Deferred.make<void>()
        const go = yield* Deferred.make<void>()
        const slow = Stream.concat(
          Stream.make(bytesOf("first ")).pipe(Stream.tap(() => Deferred.succeed(started, undefined))),
          Stream.fromEffect(Effect.as(Deferred.await(go), bytesOf("second ")))
        )
        const one = yield* Effect.fork(send("PATCH", location, { body: slow }))
        yield* Deferred.await(started)
        const two = yield* Effect.fork(send("PATCH", location, { body: "third" }))
        yield* Effect.yieldNow()
        yield* Deferred.succeed(go, undefined)
        yield* Fiber.join(one)
        assert.strictEqual((yield* Fiber.join(two)).headers.range, "0-17")
        const digest = yield* Hasher.digest(bytesOf("first second third"))
        assert.strictEqual((yield* send("PUT", `${location}?digest=${digest}`)).status, 201)
      })
    )
  })

  effect("DS25 announces OCI-Chunk-Min-Length and takes a shorter chunk only as the last", () =>
    Effect.gen(function* () {
      const start = yield* send("POST", "/v2/org/app/blobs/uploads/")
      assert.strictEqual(start.headers["oci-chunk-min-length"], "4")
      const location = start.headers.location ?? ""
      assert.strictEqual((yield* chunk(location, 0, "0123")).status, 202)
      assert.strictEqual((yield* chunk(location, 4, "45")).status, 202)
      const answer = yield* chunk(location, 6, "6789")
      assert.strictEqual(answer.status, 400)
      assert.deepStrictEqual(codes(answer), ["BLOB_UPLOAD_INVALID"])
      const digest = yield* Hasher.digest(bytesOf("012345"))
      assert.strictEqual((yield* send("PUT", `${location}?digest=${digest}`)).status, 201)
    }).pipe(Effect.provide(registry({ chunkMinLength: 4 })))
  )

  effect("forgets an upload that rests too long, counted from its last use", () =>
    Effect.gen(function* () {
      const location = yield* startUpload("org/app")
      yield* TestClock.adjust("8 minutes")
      assert.strictEqual((yield* chunk(location, 0, "x")).status, 202)
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual((yield* send("GET", location)).status, 204)
      yield* TestClock.adjust("11 minutes")
      assert.deepStrictEqual(codes(yield* send("GET", location)), ["BLOB_UPLOAD_UNKNOWN"])
    }).pipe(Effect.provide(registry({ uploadExpiry: "10 minutes" })))
  )
})
