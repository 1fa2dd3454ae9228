import { assert, describe, it } from "@effect/vitest"
import * as Script from "@effect-oci/registry/Script"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as MutableRef from "effect/MutableRef"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Blobs from "effect-oci/Blobs"
import * as Repository from "effect-oci/Repository"
import * as Uploads from "effect-oci/Uploads"
import { failing, repository, session } from "../given.js"
import {
  absent,
  at,
  begun,
  chunked,
  end,
  large,
  largeDigest,
  MiB,
  playing,
  root,
  source,
  taken,
  within
} from "./given.js"

const known = { digest: largeDigest, size: large.length }
const largePath = `${root}/${largeDigest}`
const origin = "https://registry.test"
const halfway = session(MiB, `${origin}${at(1)}?_state=secret`)
const encoded = { repository: "registry.test/org/app", location: `${origin}${at(1)}?_state=secret`, offset: MiB }

describe("Uploads.save", () => {
  it("makes a plain value, whose secret shows only where it is encoded", () => {
    const saved = Uploads.save({ ...halfway, minChunk: 5, maxChunk: 7 })
    assert.notInclude(JSON.stringify(saved), "secret")
    assert.notInclude(String(saved.location), "secret")
    assert.deepStrictEqual(Schema.encodeSync(Uploads.Saved)(saved), { ...encoded, minChunk: 5, maxChunk: 7 })
    assert.deepStrictEqual(Schema.encodeSync(Uploads.Saved)(Uploads.save(halfway)), encoded)
  })

  const names = [
    "registry.test/org/app",
    "http://registry.test:5000/org/app",
    "docker.io/library/node",
    "[::1]:5000/app"
  ]
  for (const name of names) {
    it(`keeps ${name} as it is`, () => {
      const saved = Uploads.save({ ...halfway, repository: Either.getOrThrow(Repository.parse(name)) })
      const read = Schema.decodeSync(Uploads.Saved)(Schema.encodeSync(Uploads.Saved)(saved))
      assert.deepStrictEqual({ ...read.repository.registry }, { ...saved.repository.registry })
      assert.strictEqual(read.repository.name, saved.repository.name)
      assert.strictEqual(Redacted.value(read.location), Redacted.value(saved.location))
    })
  }

  const wrong = [{ ...encoded, repository: "UPPER" }, { ...encoded, offset: -1 }, { ...encoded, location: 1 }, {}]
  for (const value of wrong) {
    it(`is not read from ${JSON.stringify(value)}`, () => {
      assert.isTrue(Either.isLeft(Schema.decodeUnknownEither(Uploads.Saved)(value)))
    })
  }
})

describe("Uploads.resume", () => {
  const saved = Schema.decodeSync(Uploads.Saved)(encoded)
  const status = Script.expect("GET", `${at(1)}?_state=secret`)

  it.effect("asks where the upload stands, and takes its newest Location", () =>
    Effect.gen(function* () {
      const resumed = yield* Uploads.resume(saved)
      assert.strictEqual(resumed.offset, 2 * MiB)
      assert.strictEqual(Redacted.value(resumed.location), `${origin}${at(2)}`)
    }).pipe(playing(status.answer(204, { headers: { location: at(2), range: `0-${2 * MiB - 1}` } })))
  )

  it.effect("U25: says when it is gone", () =>
    failing("BlobUploadUnknown", Uploads.resume(saved)).pipe(playing(status.answer(404)))
  )

  for (const location of [
    "https://evil.test/u",
    "http://registry.test/u",
    "https://registry.test:444/u",
    "https://me@registry.test/u",
    "",
    "file:///etc/passwd"
  ]) {
    it.effect(`U7 S15: asks nothing of ${location || "nowhere"}`, () =>
      failing("UnsafeLocation", Uploads.resume({ ...saved, location: Redacted.make(location) })).pipe(playing())
    )
  }
})

describe("Blobs.push of a session", () => {
  it.effect("sends the rest of a blob with its end", () =>
    Effect.gen(function* () {
      const { opened, source: given } = source(large, known)
      yield* Blobs.push(repository, given, { session: session(MiB, `${origin}${at(1)}`) })
      assert.deepStrictEqual(opened, [MiB])
    }).pipe(
      playing(
        absent(largePath),
        Script.expect("PUT", end(1, largeDigest), {
          body: large.subarray(MiB),
          headers: { "content-range": `${MiB}-${3 * MiB - 1}` }
        }).answer(201)
      )
    )
  )

  it.effect("hashes what was sent before, of what is unknown, and sends the rest in chunks", () =>
    Effect.gen(function* () {
      const { bytes, digest } = chunked
      const { opened, source: given } = source(bytes, { from: undefined })
      const pushed = yield* Blobs.push(repository, given, { session: session(2 * MiB, `${origin}${at(3)}`) })
      assert.strictEqual(pushed.digest, digest)
      assert.deepStrictEqual(opened, [0, 0])
    }).pipe(within({ chunk: { max: MiB } }), playing(...chunked.all.slice(2), chunked.end(6).answer(201)))
  )

  it.effect("begins another where that one is gone, and gives it up then as its own", () =>
    failing(
      "Denied",
      Blobs.push(repository, source(large, known).source, { session: session(MiB, `${origin}${at(1)}`) })
    ).pipe(
      playing(
        absent(largePath),
        Script.expect("PUT", end(1, largeDigest)).answer(404, Script.refusal("BLOB_UPLOAD_UNKNOWN")),
        absent(largePath),
        Script.expect("DELETE", at(1)).answer(404),
        begun(2),
        Script.expect("PUT", end(2, largeDigest), { body: large }).answer(403),
        Script.expect("DELETE", at(2)).answer(204)
      )
    )
  )

  it.effect("a place that is empty gets the session that is begun", () =>
    Effect.gen(function* () {
      const place = MutableRef.make<Uploads.UploadSession | undefined>(undefined)
      const seen: Array<number | undefined> = []
      const { source: given } = source(large, known)
      const watched = given.from ?? (() => given.stream)
      yield* Blobs.push(
        repository,
        {
          ...given,
          from: (offset) => {
            seen.push(MutableRef.get(place)?.offset)
            return watched(offset)
          },
          get stream() {
            seen.push(MutableRef.get(place)?.offset)
            return given.stream
          }
        },
        { session: place }
      )
      assert.deepStrictEqual([...new Set(seen)], [0])
      assert.isUndefined(MutableRef.get(place))
    }).pipe(playing(absent(largePath), begun(1), taken(1, largeDigest)))
  )
})
