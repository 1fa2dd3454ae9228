import { assert, describe, it } from "@effect/vitest"
import * as Script from "@effect-oci/registry/Script"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Blobs from "effect-oci/Blobs"
import * as Repository from "effect-oci/Repository"
import { failing, registry, repository } from "../given.js"
import {
  absent,
  at,
  begun,
  bytesOf,
  cancelled,
  digest,
  end,
  large,
  largeDigest,
  MiB,
  playing,
  present,
  root,
  small,
  source,
  taken
} from "./given.js"

const known = { digest: largeDigest, size: large.length }
const largePath = `${root}/${largeDigest}`
const put = (id: number, match?: Parameters<typeof Script.expect>[2]) =>
  Script.expect("PUT", end(id, largeDigest), match)
const rest = (id: number, offset: number) =>
  put(id, {
    body: large.subarray(offset),
    headers: { "content-range": offset === 0 ? undefined : `${offset}-${large.length - 1}` }
  })
const stands = (id: number, range: string | undefined, next = id) =>
  Script.expect("GET", at(id)).answer(204, {
    headers: { location: at(next), ...(range === undefined ? {} : { range }) }
  })
const lost = Script.expect("GET", at(1)).answer(404)

describe("Blobs.push after the whole blob was sent", () => {
  for (const status of [500, 502, 503, 504]) {
    it.effect(`U23 U24: after ${status} it looks whether the blob has come`, () =>
      Effect.gen(function* () {
        const pushed = yield* Blobs.push(repository, small)
        assert.strictEqual(pushed.digest, digest)
      }).pipe(playing(absent(), begun(1), Script.expect("PUT", end(1)).answer(status), present()))
    )

    it.effect(`U24: after ${status} and no blob it begins anew, and never sends to the same session`, () =>
      Blobs.push(repository, small).pipe(
        playing(
          absent(),
          begun(1),
          Script.expect("PUT", end(1)).answer(status),
          absent(),
          cancelled(1),
          begun(2),
          taken(2)
        )
      )
    )
  }

  it.effect("U25: a session that is gone is followed by another, four times at most", () =>
    failing("BlobUploadUnknown", Blobs.push(repository, small)).pipe(
      playing(
        absent(),
        ...[1, 2, 3, 4].flatMap((id) => [
          begun(id),
          Script.expect("PUT", end(id)).answer(404, Script.refusal("BLOB_UPLOAD_UNKNOWN")),
          absent(),
          Script.expect("DELETE", at(id)).answer(404)
        ]),
        begun(5),
        Script.expect("PUT", end(5)).answer(404, Script.refusal("BLOB_UPLOAD_UNKNOWN")),
        Script.expect("DELETE", at(5)).answer(404)
      )
    )
  )

  it.effect("U25: the session may be gone because the blob is there", () =>
    Blobs.push(repository, small).pipe(
      playing(
        absent(),
        begun(1),
        Script.expect("PUT", end(1)).answer(404, Script.refusal("BLOB_UPLOAD_UNKNOWN")),
        present()
      )
    )
  )

  it.effect("U44: an empty blob that a registry refuses ends with its words", () =>
    Effect.gen(function* () {
      const error = yield* failing("BlobUploadInvalid", Blobs.push(repository, new Uint8Array(), { check: false }))
      assert.strictEqual(error.errors[0]?.message, "no parts")
    }).pipe(
      playing(
        ...[1, 2, 3, 4, 5].flatMap((id) => {
          const none = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
          return [
            begun(id),
            Script.expect("PUT", end(id, none)).answer(400, Script.refusal("BLOB_UPLOAD_INVALID", "no parts")),
            ...(id < 5 ? [absent(`${root}/${none}`)] : []),
            cancelled(id)
          ]
        })
      )
    )
  )

  for (const [code, tag] of [
    ["DIGEST_INVALID", "DigestInvalid"],
    ["SIZE_INVALID", "SizeInvalid"]
  ] as const) {
    it.effect(`${code} of what was sent whole is final, and leaves no session`, () =>
      failing(tag, Blobs.push(repository, small)).pipe(
        playing(absent(), begun(1), Script.expect("PUT", end(1)).answer(400, Script.refusal(code)), cancelled(1))
      )
    )
  }

  it.effect("a refusal of who asks is final", () =>
    failing("Denied", Blobs.push(repository, small)).pipe(
      playing(absent(), begun(1), Script.expect("PUT", end(1)).answer(403), cancelled(1))
    )
  )

  it.effect("U63: waits as long as a registry asks for", () =>
    Effect.gen(function* () {
      yield* Blobs.push(repository, small)
      assert.strictEqual(yield* Clock.currentTimeMillis, 30_000)
    }).pipe(
      playing(
        absent(),
        begun(1),
        Script.expect("PUT", end(1)).answer(429, { headers: { "retry-after": "30" } }),
        absent(),
        stands(1, "0-0"),
        taken(1)
      )
    )
  )

  it.effect("a wait that is too long is left to the caller", () =>
    Effect.gen(function* () {
      const error = yield* failing("TooManyRequests", Blobs.push(repository, small))
      assert.strictEqual(error.retryAfter, 3600)
    }).pipe(
      playing(
        absent(),
        begun(1),
        Script.expect("PUT", end(1)).answer(429, { headers: { "retry-after": "3600" } }),
        cancelled(1)
      )
    )
  )
})

describe("Blobs.push after a cut", () => {
  it.effect("DS30: goes on where the session stands, at its newest Location", () =>
    Effect.gen(function* () {
      const { opened, source: given } = source(large, known)
      yield* Blobs.push(repository, given)
      assert.deepStrictEqual(opened, [0, MiB])
    }).pipe(
      playing(
        absent(largePath),
        begun(1),
        put(1).answer(Script.cut),
        absent(largePath),
        stands(1, `0-${MiB - 1}`, 2),
        rest(2, MiB).answer(201)
      )
    )
  )

  it.effect("reads what it needs of a source that has only a beginning", () =>
    Effect.gen(function* () {
      const { source: given } = source(large, { ...known, from: undefined })
      yield* Blobs.push(repository, given)
    }).pipe(
      playing(
        absent(largePath),
        begun(1),
        put(1).answer(Script.cut),
        absent(largePath),
        stands(1, `0-${MiB + 99}`),
        rest(1, MiB + 100).answer(201)
      )
    )
  )

  it.effect("ends an upload that has all of its bytes with an empty PUT", () =>
    Blobs.push(repository, source(large, known).source).pipe(
      playing(
        absent(largePath),
        begun(1),
        put(1).answer(Script.cut),
        absent(largePath),
        stands(1, `0-${large.length - 1}`),
        put(1, { body: "" }).answer(201)
      )
    )
  )

  it.effect("begins anew where the registry does not know the session any more", () =>
    Blobs.push(repository, source(large, known).source).pipe(
      playing(
        absent(largePath),
        begun(1),
        put(1).answer(Script.reset),
        absent(largePath),
        lost,
        Script.expect("DELETE", at(1)).answer(404),
        begun(2),
        rest(2, 0).answer(201)
      )
    )
  )

  it.effect("begins anew where the registry cannot tell (ggcr)", () =>
    Blobs.push(repository, source(large, known).source).pipe(
      playing(
        absent(largePath),
        begun(1),
        put(1).answer(Script.reset),
        absent(largePath),
        Script.expect("GET", at(1)).answer(400),
        Script.expect("DELETE", at(1)).answer(400),
        begun(2),
        rest(2, 0).answer(201)
      )
    )
  )

  it.effect("does not believe in more than there is", () =>
    Blobs.push(repository, source(large, known).source).pipe(
      playing(
        absent(largePath),
        begun(1),
        put(1).answer(Script.reset),
        absent(largePath),
        stands(1, `0-${large.length}`),
        cancelled(1),
        begun(2),
        rest(2, 0).answer(201)
      )
    )
  )

  it.effect("begins anew when what was gone on with is not the blob", () =>
    Blobs.push(repository, source(large, known).source).pipe(
      playing(
        absent(largePath),
        begun(1),
        put(1).answer(Script.cut),
        absent(largePath),
        stands(1, `0-${MiB - 1}`),
        put(1).answer(400, Script.refusal("DIGEST_INVALID")),
        absent(largePath),
        cancelled(1),
        begun(2),
        rest(2, 0).answer(201)
      )
    )
  )

  it.effect("four failures in a row are borne, each after a longer wait", () =>
    Effect.gen(function* () {
      yield* failing("TransportError", Blobs.push(repository, source(large, known).source))
      const now = yield* Clock.currentTimeMillis
      assert.isAtLeast(now, (250 + 500 + 1000 + 2000) / 2)
      assert.isAtMost(now, 250 + 500 + 1000 + 2000)
    }).pipe(
      playing(
        absent(largePath),
        begun(1),
        ...[0, 1, 2, 3].flatMap(() => [put(1).answer(Script.cut), absent(largePath), stands(1, "0-999")]),
        put(1).answer(Script.cut),
        cancelled(1)
      )
    )
  )

  it.effect("failures are forgiven while an upload moves on by a MiB", () => {
    const bytes = bytesOf(8 * MiB)
    const { source: given } = source(bytes, { digest: largeDigest, size: bytes.length })
    return Blobs.push(repository, given).pipe(
      playing(
        absent(largePath),
        begun(1),
        ...[1, 2, 3, 4, 5, 6, 7].flatMap((n) => [
          put(1).answer(Script.cut),
          absent(largePath),
          stands(1, `0-${n * MiB - 1}`)
        ]),
        put(1).answer(201)
      )
    )
  })

  it.effect("what is lost again and again is no progress", () => {
    const once = (id: number) => [
      begun(id),
      put(id).answer(Script.cut),
      absent(largePath),
      stands(id, `0-${2 * MiB - 1}`),
      put(id).answer(503),
      absent(largePath),
      cancelled(id)
    ]
    return failing("RegistryUnavailable", Blobs.push(repository, source(large, known).source)).pipe(
      playing(absent(largePath), ...once(1), ...once(2), ...once(3).toSpliced(-2, 1))
    )
  })
})

describe("Blobs.push of what can be read once", () => {
  it.effect("U67: does not send it a second time", () =>
    Effect.gen(function* () {
      const { opened, source: given } = source(large, { ...known, once: true })
      const error = yield* failing("SourceNotReplayable", Blobs.push(repository, given))
      assert.deepStrictEqual([error.digest, error.status], [largeDigest, 503])
      assert.deepStrictEqual(opened, [0])
    }).pipe(playing(absent(largePath), begun(1), put(1).answer(503), absent(largePath), cancelled(1)))
  )

  it.effect("what fails in the source is what the push fails with, and nothing is tried again", () =>
    Effect.gen(function* () {
      const stream = Stream.concat(Stream.make(large.subarray(0, MiB)), Stream.fail("the disk is gone" as const))
      const error = yield* Effect.flip(Blobs.push(repository, { ...known, stream }))
      assert.strictEqual(error, "the disk is gone")
    }).pipe(playing(absent(largePath), begun(1), put(1).answer(201), cancelled(1)))
  )

  it.effect("a failure of another registry, whose blob it is, is none of this one's", () =>
    Effect.gen(function* () {
      const elsewhere = new Repository.Repository({ registry, name: "org/base" })
      const stream = Blobs.stream(elsewhere, largeDigest)
      const error = yield* failing("RegistryUnavailable", Blobs.push(repository, { ...known, stream }))
      assert.strictEqual(error.repository, "org/base")
    }).pipe(
      playing(
        absent(largePath),
        begun(1),
        Script.unordered(put(1).answer(201), Script.expect("GET", `/v2/org/base/blobs/${largeDigest}`).answer(503)),
        cancelled(1)
      )
    )
  )
})
