import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as MutableRef from "effect/MutableRef"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Blobs from "effect-oci/Blobs"
import * as Hasher from "effect-oci/Hasher"
import { TransportError } from "effect-oci/RegistryError"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as Uploads from "effect-oci/Uploads"
import { type Deviations, describe, encode, type It, newRepository, nothing, pushBlob } from "./support.js"

const cannotStream = <A, E extends { readonly _tag: string }, R>(upload: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(upload), (error) => {
    assert(error instanceof TransportError)
    assert.strictEqual(error.code, "ERR_BROWSER_STREAM")
    assert.include(error.message, "give the content as a Uint8Array")
  })

const octets = "application/octet-stream"

/** More than what is read into memory on its way, and than a chunk. */
const long = Uint8Array.from({ length: 1_500_000 }, (_, at) => (at * 7) % 251)

const pieces = Stream.range(0, 14).pipe(
  Stream.rechunk(1),
  Stream.map((n) => long.subarray(n * 100_000, (n + 1) * 100_000))
)

export const uploads = (it: It, deviations: Deviations, streams: boolean): void => {
  it.effect("end-4a begins an upload", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const session = yield* Uploads.start(repository)
      assert.strictEqual(session.repository, repository)
      assert.strictEqual(session.offset, 0)
      assert.isUndefined(session.minChunk)
    })
  )

  it.effect("end-4b uploads a blob at once", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const descriptor = { ...(yield* describe("hello")), mediaType: "text/plain" }
      const posted = yield* Uploads.post(repository, descriptor, encode("hello"))
      assert.deepStrictEqual(posted, descriptor)
      assert.deepStrictEqual(yield* Blobs.get(repository, descriptor.digest), encode("hello"))
    })
  )

  it.effect("end-4b uploads a blob that comes as a stream", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const descriptor = yield* describe("hello world")
      const post = Uploads.post(repository, descriptor, Stream.make(encode("hello "), encode("world")))
      if (!streams) return yield* cannotStream(post)
      yield* post
      assert.deepStrictEqual(yield* Blobs.get(repository, descriptor.digest), encode("hello world"))
    })
  )

  for (const algorithm of ["sha256", "sha512"] as const) {
    it.effect(`end-4a and end-6 upload a blob whole, of a ${algorithm} digest`, () =>
      Effect.gen(function* () {
        const repository = yield* newRepository
        const { digest } = yield* describe("hello", algorithm)
        const session = yield* Uploads.start(repository, { algorithm })
        const finished = yield* Uploads.finish(session, digest, encode("hello"))
        assert.deepStrictEqual(finished, { mediaType: "application/octet-stream", digest, size: 5 })
        const lost = algorithm === "sha512" && deviations.sha512 === "blobs lost"
        const kept = lost ? (yield* describe("hello")).digest : digest
        assert.deepStrictEqual(yield* Blobs.get(repository, kept), encode("hello"))
        assert.strictEqual(yield* Blobs.exists(repository, digest), !lost)
      })
    )
  }

  it.effect("end-5 and end-6 upload a blob in chunks, the last with the end", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const { digest } = yield* describe("hello world")
      const begun = yield* Uploads.start(repository)
      const first = yield* Uploads.patch(begun, encode("hello"))
      assert.strictEqual(first.offset, 5)
      const streamed = Uploads.patch(first, { size: 1, stream: Stream.make(encode(" ")) })
      if (!streams) yield* cannotStream(streamed)
      const second = yield* streams ? streamed : Uploads.patch(first, encode(" "))
      assert.strictEqual(second.offset, 6)
      const finished = yield* Uploads.finish(second, digest, encode("world"))
      assert.strictEqual(finished.size, 11)
      assert.deepStrictEqual(yield* Blobs.get(repository, digest), encode("hello world"))
    })
  )

  it.effect("end-6 ends an upload without another chunk", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const { digest } = yield* describe("hello")
      const session = yield* Uploads.patch(yield* Uploads.start(repository), encode("hello"))
      yield* Uploads.finish(session, digest)
      assert.deepStrictEqual(yield* Blobs.get(repository, digest), encode("hello"))
    })
  )

  it.effect("code-4 refuses the end of an upload under another digest", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const session = yield* Uploads.start(repository)
      const error = yield* Effect.flip(Uploads.finish(session, nothing(), encode("hello")))
      assert.strictEqual(error._tag, "DigestInvalid")
      assert.isFalse(yield* Blobs.exists(repository, nothing()))
    })
  )

  it.effect("end-13 tells where an upload stands", () =>
    Effect.gen(function* () {
      const session = yield* Uploads.start(yield* newRepository)
      if (deviations.uploadStatus === false) {
        assert.strictEqual((yield* Effect.flip(Uploads.status(session)))._tag, "UnexpectedResponse")
        return
      }
      assert.strictEqual((yield* Uploads.status(session)).offset, 0)
      const one = yield* Uploads.patch(session, encode("h"))
      assert.strictEqual((yield* Uploads.status(one)).offset, 1)
      const five = yield* Uploads.patch(one, encode("ello"))
      assert.strictEqual((yield* Uploads.status(five)).offset, 5)
    })
  )

  it.effect("end-5 refuses a chunk that leaves a gap, and tells where to go on", () =>
    Effect.gen(function* () {
      const session = yield* Uploads.patch(yield* Uploads.start(yield* newRepository), encode("hello"))
      const gap = Effect.flip(Uploads.patch({ ...session, offset: 50 }, encode("world")))
      if (deviations.chunkOrder === false) {
        // the chunk went where the registry wanted it, which is not where it was sent to
        assert.strictEqual((yield* gap)._tag, "UnexpectedResponse")
        return
      }
      const error = yield* gap
      assert(error._tag === "RangeNotSatisfiable")
      assert.strictEqual(error.received, deviations.chunkOrder === "untold" ? undefined : 5)
    })
  )

  it.effect("end-14 gives an upload up", () =>
    Effect.gen(function* () {
      const session = yield* Uploads.start(yield* newRepository)
      if (deviations.uploadCancel === false) {
        assert.strictEqual((yield* Effect.flip(Uploads.cancel(session)))._tag, "UnexpectedResponse")
        return
      }
      yield* Uploads.cancel(session)
      assert.strictEqual((yield* Effect.flip(Uploads.cancel(session)))._tag, "BlobUploadUnknown")
      assert.strictEqual((yield* Effect.flip(Uploads.status(session)))._tag, "BlobUploadUnknown")
      assert.strictEqual((yield* Effect.flip(Uploads.patch(session, encode("x"))))._tag, "BlobUploadUnknown")
      assert.strictEqual((yield* Effect.flip(Uploads.finish(session, nothing())))._tag, "BlobUploadUnknown")
    })
  )

  it.effect("end-11 mounts a blob of another repository", () =>
    Effect.gen(function* () {
      const [from, repository] = [yield* newRepository, yield* newRepository]
      const { digest } = yield* pushBlob(from, "hello")
      const mounted = yield* Uploads.mount(repository, digest, from)
      if (deviations.mount === false) {
        assert(mounted._tag === "UploadSession")
        yield* Uploads.finish(mounted, digest, encode("hello"))
      } else assert.deepStrictEqual(mounted, { _tag: "Mounted", digest })
      assert.deepStrictEqual(yield* Blobs.get(repository, digest), encode("hello"))
    })
  )

  it.effect("end-11 mounts a blob from wherever it is", () =>
    Effect.gen(function* () {
      const [from, repository] = [yield* newRepository, yield* newRepository]
      const { digest } = yield* pushBlob(from, "hello")
      const mounted = yield* Uploads.mount(repository, digest)
      assert.strictEqual(mounted._tag, deviations.mount === undefined ? "Mounted" : "UploadSession")
    })
  )

  it.effect("end-11 begins an upload where there is nothing to mount", () =>
    Effect.gen(function* () {
      const [from, repository] = [yield* newRepository, yield* newRepository]
      yield* pushBlob(from, "hello")
      // on a registry that serves several runs, no other may have it
      const content = `of ${repository}`
      const { digest } = yield* describe(content)
      const session = yield* Uploads.mount(repository, digest, from)
      assert(session._tag === "UploadSession")
      yield* Uploads.finish(session, digest, encode(content))
      assert.deepStrictEqual(yield* Blobs.get(repository, digest), encode(content))
    })
  )

  it.effect("pushes a blob that is in memory, and finds it there", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const content = encode("pushed whole")
      const pushed = yield* Blobs.push(repository, content, { mediaType: "text/plain" })
      assert.deepStrictEqual(pushed, { ...(yield* describe("pushed whole")), mediaType: "text/plain" })
      assert.deepStrictEqual(yield* Blobs.push(repository, content), { ...pushed, mediaType: octets })
      assert.deepStrictEqual(yield* Blobs.get(repository, pushed.digest), content)
    })
  )

  it.effect("pushes a blob that is too large to be read into memory on its way", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const progress = MutableRef.make(0)
      const push = Blobs.push(repository, { size: long.length, stream: pieces }, { progress })
      const pushed = yield* push
      assert.strictEqual(progress.current, long.length)
      assert.deepStrictEqual([pushed.digest, pushed.size], [yield* Hasher.digest(long), long.length])
      assert.strictEqual((yield* Blobs.get(repository, pushed)).length, long.length)
    })
  )

  it.effect("pushes a stream of which nothing is known in chunks", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const push = Blobs.push(repository, { stream: pieces, once: true })
      const pushed = yield* Effect.provide(push, RegistryHosts.layer({ chunk: { min: 1024, max: 600_000 } }))
      assert.deepStrictEqual([pushed.digest, pushed.size], [yield* Hasher.digest(long), long.length])
      assert.strictEqual((yield* Blobs.get(repository, pushed)).length, long.length)
    })
  )

  it.effect("pushes a blob that another repository has", () =>
    Effect.gen(function* () {
      const [from, repository] = [yield* newRepository, yield* newRepository]
      const { digest } = yield* pushBlob(from, "hello")
      yield* Blobs.push(repository, encode("hello"), { from })
      assert.deepStrictEqual(yield* Blobs.get(repository, digest), encode("hello"))
    })
  )

  it.effect("goes on with an upload that was saved", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const session = yield* Uploads.patch(yield* Uploads.start(repository), long.subarray(0, 1000))
      const saved = Schema.encodeSync(Uploads.Saved)(Uploads.save(session))
      const resume = Uploads.resume(yield* Effect.orDie(Schema.decode(Uploads.Saved)(saved)))
      if (deviations.uploadStatus === false) {
        assert.strictEqual((yield* Effect.flip(resume))._tag, "UnexpectedResponse")
        return
      }
      const resumed = yield* resume
      assert.strictEqual(resumed.offset, 1000)
      const pushed = yield* Blobs.push(repository, long, { session: resumed })
      assert.strictEqual((yield* Blobs.get(repository, pushed)).length, long.length)
    })
  )
}
