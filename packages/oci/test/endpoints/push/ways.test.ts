import { assert, describe, it } from "@effect/vitest"
import * as Script from "@effect-oci/registry/Script"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as MutableRef from "effect/MutableRef"
import * as Stream from "effect/Stream"
import * as BlobSource from "effect-oci/BlobSource"
import * as Blobs from "effect-oci/Blobs"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as RegistryName from "effect-oci/RegistryName"
import * as Repository from "effect-oci/Repository"
import * as Uploads from "effect-oci/Uploads"
import { blob, encode, failing, registry, repository, sha256, sha512 } from "../given.js"
import {
  absent,
  at,
  begun,
  blobPath,
  digest,
  end,
  escaped,
  large,
  largeDigest,
  logged,
  MiB,
  playing,
  present,
  root,
  small,
  source,
  taken,
  within
} from "./given.js"

const from = new Repository.Repository({ registry, name: "org/base" })
const mountTarget = `${root}/uploads/?mount=${escaped}&from=org%2Fbase`
const mounting = Script.expect("POST", mountTarget)

describe("Blobs.push asks first", () => {
  it.effect("U41: what is there is not sent", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* Blobs.push(repository, small), blob)
    }).pipe(playing(present()))
  )

  for (const status of [401, 403, 404, 405, 429, 500, 503]) {
    it.effect(`U41: what a registry answers with ${status} for is sent`, () =>
      Effect.map(Blobs.push(repository, small), (pushed) => assert.deepStrictEqual(pushed, blob)).pipe(
        playing(Script.expect("HEAD", blobPath).answer(status), begun(1), taken(1))
      )
    )
  }

  it.effect("U41: a mirror's copy is none of the registry's", () =>
    Blobs.push(repository, small).pipe(
      Effect.provide(
        RegistryHosts.fromRecord({ "registry.test": { mirrors: [{ location: "mirror.test" }] } }).pipe(Layer.orDie)
      ),
      playing(absent(), begun(1), taken(1))
    )
  )

  it.effect("U43: a blob of another length than ours is sent", () =>
    Blobs.push(repository, small).pipe(playing(present(blobPath, 11), begun(1), taken(1)))
  )

  it.effect("U43: a blob of no length is there", () =>
    Blobs.push(repository, small).pipe(playing(Script.expect("HEAD", blobPath).answer(200)))
  )

  it.effect("does not where the caller knows that it is not there", () =>
    Blobs.push(repository, small, { check: false }).pipe(playing(begun(1), taken(1)))
  )

  it.effect("U41: a source is not opened for what is there", () =>
    Effect.gen(function* () {
      const { opened, source: given } = source(large, { digest: largeDigest, size: large.length })
      yield* Blobs.push(repository, given)
      assert.deepStrictEqual(opened, [])
    }).pipe(playing(present(`${root}/${largeDigest}`, large.length)))
  )
})

describe("Blobs.push mounts", () => {
  it.effect("U45: what another repository has, with one request", () =>
    Effect.map(Blobs.push(repository, small, { from }), (pushed) => assert.deepStrictEqual(pushed, blob)).pipe(
      playing(mounting.answer(201, { headers: { "docker-content-digest": digest } }))
    )
  )

  it.effect("U46: the session of a mount that is not done is the upload's", () =>
    Blobs.push(repository, small, { from }).pipe(
      playing(mounting.answer(202, { headers: { location: at(7) } }), taken(7))
    )
  )

  const refusals = [
    ["401 (Harbor)", mounting.answer(401, Script.refusal("UNAUTHORIZED", "project not found"))],
    ["403", mounting.answer(403, Script.refusal("DENIED"))],
    ["404 (GHCR)", mounting.answer(404)],
    ["405", mounting.answer(405)],
    ["500", mounting.answer(500)],
    ["429", mounting.answer(429)],
    ["a reset", mounting.answer(Script.reset)],
    ["202 without a Location", mounting.answer(202)],
    ["another digest", mounting.answer(201, { headers: { "docker-content-digest": sha256("other") } })]
  ] as const
  for (const [name, refused] of refusals) {
    it.effect(`U47: after ${name} it uploads, and nobody hears of it`, () =>
      Effect.map(Blobs.push(repository, small, { from }), (pushed) => assert.deepStrictEqual(pushed, blob)).pipe(
        playing(refused, begun(1), taken(1))
      )
    )
  }

  it.effect("U48: nothing of another registry, whose repository it does not name", () =>
    Effect.gen(function* () {
      const elsewhere = Either.getOrThrow(RegistryName.parse("other.test"))
      yield* Blobs.push(repository, small, {
        from: new Repository.Repository({ registry: elsewhere, name: "secret/base" })
      })
    }).pipe(playing(absent(), begun(1), taken(1)))
  )

  it.effect("U49: the size of a stream that was mounted is the registry's word", () =>
    Effect.gen(function* () {
      const { source: given } = source(small, { digest })
      assert.deepStrictEqual(yield* Blobs.push(repository, given, { from }), blob)
    }).pipe(playing(mounting.answer(201), present()))
  )
})

describe("Blobs.push uploads", () => {
  it.effect("U15: bytes with POST and PUT", () =>
    Effect.gen(function* () {
      const pushed = yield* Blobs.push(repository, small, { mediaType: "text/plain" })
      assert.deepStrictEqual(pushed, { ...blob, mediaType: "text/plain" })
    }).pipe(
      playing(
        absent(),
        begun(1),
        Script.expect("PUT", end(1), {
          body: small,
          headers: { "content-length": "10", "content-range": undefined, "content-type": "application/octet-stream" }
        }).answer(201)
      )
    )
  )

  it.effect("U15: a stream with its length, and as it is known, with PUT", () =>
    Effect.gen(function* () {
      const { opened, source: given } = source(large, { digest: largeDigest, size: large.length })
      yield* Blobs.push(repository, given)
      assert.deepStrictEqual(opened, [0])
    }).pipe(
      playing(
        absent(`${root}/${largeDigest}`),
        begun(1),
        Script.expect("PUT", end(1, largeDigest), {
          body: large,
          headers: { "content-length": String(large.length) }
        }).answer(201)
      )
    )
  )

  it.effect("a source that is small is read, and sent as bytes", () =>
    Effect.gen(function* () {
      const { opened, source: given } = source(small, { digest, size: 10, once: true })
      yield* Blobs.push(repository, given)
      assert.deepStrictEqual(opened, [0])
    }).pipe(playing(absent(), begun(1), Script.expect("PUT", end(1), { body: small }).answer(201)))
  )

  it.effect("U12: names the algorithm of a digest that is no sha256", () => {
    const other = sha512(small)
    return Blobs.push(repository, BlobSource.bytes(small, { digest: other })).pipe(
      playing(
        absent(`${root}/${other}`),
        Script.expect("POST", `${root}/uploads/?digest-algorithm=sha512`).answer(202, { headers: { location: at(1) } }),
        taken(1, other)
      )
    )
  })

  it.effect("a replayable source of unknown digest is hashed first, and may then be there", () =>
    Effect.gen(function* () {
      const { opened, source: given } = source(large, { size: large.length })
      const pushed = yield* Blobs.push(repository, given)
      assert.strictEqual(pushed.digest, largeDigest)
      assert.deepStrictEqual(opened, [0])
    }).pipe(playing(present(`${root}/${largeDigest}`, large.length)))
  )

  it.effect("U39: a stream of which nothing is known is bytes when it is no longer than a chunk", () =>
    Effect.gen(function* () {
      const pushed = yield* Blobs.push(repository, {
        stream: Stream.make(encode("01234"), encode("56789")),
        once: true
      })
      assert.deepStrictEqual(pushed, blob)
    }).pipe(playing(absent(), begun(1), Script.expect("PUT", end(1), { body: small }).answer(201)))
  )

  it.effect("U44: the empty blob", () => {
    const none = sha256("")
    return Effect.gen(function* () {
      const pushed = yield* Blobs.push(repository, new Uint8Array())
      assert.deepStrictEqual([pushed.digest, pushed.size], [none, 0])
    }).pipe(playing(absent(`${root}/${none}`), begun(1), Script.expect("PUT", end(1, none), { body: "" }).answer(201)))
  })

  it.effect("counts what has moved", () =>
    Effect.gen(function* () {
      const progress = MutableRef.make(-1)
      const seen: Array<number> = []
      const { source: given } = source(large, { digest: largeDigest, size: large.length })
      const watched = {
        ...given,
        stream: Stream.tap(given.stream, () => Effect.sync(() => seen.push(progress.current)))
      }
      yield* Blobs.push(repository, watched, { progress })
      assert.strictEqual(progress.current, large.length)
      assert.deepStrictEqual(
        seen,
        [0, 1, 2, 3, 4, 5].map((n) => (n * MiB) / 2)
      )
    }).pipe(playing(absent(`${root}/${largeDigest}`), begun(1), taken(1, largeDigest)))
  )
})

describe("Blobs.push with one POST", () => {
  const single = Script.expect("POST", `${root}/uploads/?digest=${escaped}`, { body: small })
  const push = Blobs.push(repository, small).pipe(within({ capabilities: { singlePost: true } }))

  it.effect("U18: sends a small blob so where the settings say that it is taken", () =>
    Effect.map(push, (pushed) => assert.deepStrictEqual(pushed, blob)).pipe(playing(absent(), single.answer(201)))
  )

  it.effect("U18: goes on with the session where it was not", () =>
    push.pipe(playing(absent(), single.answer(202, { headers: { location: at(1) } }), taken(1)))
  )

  for (const status of [400, 405]) {
    it.effect(`U18: uploads after ${status}`, () =>
      push.pipe(playing(absent(), single.answer(status), begun(1), taken(1)))
    )
  }

  it.effect("U18: is learnt from Uploads.post", () =>
    Effect.gen(function* () {
      yield* Uploads.post(repository, blob, small)
      yield* Blobs.push(repository, small)
      assert.lengthOf(yield* logged, 3)
    }).pipe(playing(single.answer(201), absent(), single.answer(201)))
  )

  it.effect("U18: is not tried on a registry of which nothing is known", () =>
    Effect.gen(function* () {
      yield* Uploads.post(repository, blob, small)
      yield* Blobs.push(repository, small)
    }).pipe(playing(single.answer(202, { headers: { location: at(1) } }), taken(1), absent(), begun(2), taken(2)))
  )
})

describe("Blobs.push checks", () => {
  const wrong = sha256("other")

  it.effect("takes a digest that is known for what it is", () =>
    Blobs.push(repository, BlobSource.bytes(small, { digest: wrong })).pipe(
      playing(absent(`${root}/${wrong}`), begun(1), taken(1, wrong))
    )
  )

  const sources: ReadonlyArray<readonly [name: string, BlobSource.BlobSource]> = [
    ["bytes", BlobSource.bytes(large, { digest: wrong })],
    ["a source", source(large, { digest: wrong, size: large.length }).source],
    ["a source of unknown size", source(small, { digest: wrong }).source],
    ["a source that is read once", source(small, { digest: wrong, size: small.length, once: true }).source]
  ]
  for (const [name, given] of sources) {
    it.effect(`computes the digest of ${name} when it is told to, before anything is sent`, () =>
      Effect.gen(function* () {
        const error = yield* failing("DigestMismatch", Blobs.push(repository, given, { verify: true }))
        assert.strictEqual(error.expected, wrong)
      }).pipe(playing())
    )
  }

  it.effect("U19: a source of another size than it says is not sent", () =>
    Effect.gen(function* () {
      for (const size of [9, 11, 2 * MiB]) {
        const given = source(small, { size }).source
        yield* failing("SizeMismatch", Blobs.push(repository, given))
      }
      yield* failing("SizeMismatch", Blobs.push(repository, { ...BlobSource.bytes(small), size: 9 }))
    }).pipe(playing())
  )

  for (const size of [large.length - 1, large.length + 1]) {
    it.effect(`U19: a source that turns out to have another size than ${size} leaves no upload behind`, () =>
      Effect.gen(function* () {
        const given = source(large, { digest: largeDigest, size }).source
        const error = yield* failing("SizeMismatch", Blobs.push(repository, given))
        assert.strictEqual(error.expected, size)
      }).pipe(
        playing(
          absent(`${root}/${largeDigest}`),
          begun(1),
          Script.expect("PUT", end(1, largeDigest)).answer(201),
          Script.expect("DELETE", at(1)).answer(204)
        )
      )
    )
  }

  it.effect("U17: another digest in the answer is an error", () =>
    failing("DigestMismatch", Blobs.push(repository, small)).pipe(
      playing(
        absent(),
        begun(1),
        Script.expect("PUT", end(1)).answer(201, { headers: { "docker-content-digest": sha256("other") } })
      )
    )
  )
})
