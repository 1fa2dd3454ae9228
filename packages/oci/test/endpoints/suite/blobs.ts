import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Blobs from "effect-oci/Blobs"
import { type Deviations, describe, encode, type It, newRepository, nothing, pushBlob } from "./support.js"

const text = "0123456789"

const read = <E, R>(stream: Stream.Stream<Uint8Array, E, R>) => Stream.mkString(Stream.decodeText(stream))

type Ranges = ReadonlyArray<readonly [name: string, range: Blobs.Range, content: string]>

const closedRanges: Ranges = [
  ["within", { start: 2, end: 4 }, "234"],
  ["of one byte", { start: 9, end: 9 }, "9"]
]

/** Whose end is the blob's, whatever that is. */
const openRanges: Ranges = [
  ["to the end", { start: 7 }, "789"],
  ["beyond the end", { start: 7, end: 99 }, "789"],
  ["of the last bytes", { last: 3 }, "789"],
  ["of more last bytes than there are", { last: 99 }, text],
  ["of everything", { start: 0 }, text]
]

export const blobs = (it: It, deviations: Deviations): void => {
  it.effect("end-2 tells a blob's size", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const { digest } = yield* pushBlob(repository, text)
      const found = yield* Blobs.head(repository, digest)
      assert.strictEqual(found.digest, digest)
      assert.strictEqual(found.size, 10)
      assert.isTrue(yield* Blobs.exists(repository, digest))
    })
  )

  it.effect("end-2 tells that a blob is not there", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      yield* pushBlob(repository, text)
      assert.strictEqual((yield* Effect.flip(Blobs.head(repository, nothing())))._tag, "BlobUnknown")
      assert.strictEqual((yield* Effect.flip(Blobs.get(repository, nothing())))._tag, "BlobUnknown")
      assert.isFalse(yield* Blobs.exists(repository, nothing()))
    })
  )

  it.effect("end-2 has no blobs in a repository that is not there", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      assert.isFalse(yield* Blobs.exists(repository, nothing()))
      const error = yield* Effect.flip(Stream.runDrain(Blobs.stream(repository, nothing())))
      assert.include(["BlobUnknown", "NameUnknown"], error._tag)
    })
  )

  for (const algorithm of ["sha256", "sha512"] as const) {
    it.effect(`end-2 hands out a blob by its ${algorithm} digest, verified`, () =>
      Effect.gen(function* () {
        const repository = yield* newRepository
        const descriptor = yield* pushBlob(repository, text, algorithm)
        if (algorithm === "sha512" && deviations.sha512 === "blobs lost") {
          assert.strictEqual((yield* Effect.flip(Blobs.get(repository, descriptor)))._tag, "BlobUnknown")
          return
        }
        assert.deepStrictEqual(yield* Blobs.get(repository, descriptor.digest), encode(text))
        assert.deepStrictEqual(yield* Blobs.get(repository, descriptor), encode(text))
        assert.strictEqual(yield* read(Blobs.stream(repository, descriptor.digest)), text)
        assert.strictEqual(yield* read(Blobs.stream(repository, descriptor)), text)
      })
    )
  }

  it.effect("end-2 hands out an empty blob", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const descriptor = yield* pushBlob(repository, "")
      assert.strictEqual((yield* Blobs.get(repository, descriptor)).length, 0)
      assert.strictEqual(yield* read(Blobs.stream(repository, descriptor)), "")
      assert.isTrue(yield* Blobs.exists(repository, descriptor.digest))
    })
  )

  it.effect("end-2 does not hand out a blob of another size than its descriptor says", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const descriptor = { ...(yield* pushBlob(repository, text)), size: 11 }
      const error = yield* Effect.flip(Blobs.get(repository, descriptor))
      assert(error._tag === "SizeMismatch")
      assert.deepStrictEqual([error.expected, error.actual], [11, 10])
      assert.strictEqual((yield* Effect.flip(read(Blobs.stream(repository, descriptor))))._tag, "SizeMismatch")
    })
  )

  it.effect("end-2 can be left in the middle of a blob", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const { digest } = yield* pushBlob(repository, text.repeat(100_000))
      const [first] = yield* Stream.runCollect(Stream.take(Blobs.stream(repository, digest), 1))
      assert.strictEqual(first?.[0], 48)
      assert.isTrue(yield* Blobs.exists(repository, digest))
    })
  )

  for (const [name, range, content] of [...closedRanges, ...openRanges]) {
    it.effect(`end-2 hands out a range ${name}`, () =>
      Effect.gen(function* () {
        const repository = yield* newRepository
        const { digest } = yield* pushBlob(repository, text)
        const reading = read(Blobs.range(repository, digest, range))
        if (deviations.openRanges === false && openRanges.some(([open]) => open === name)) {
          assert.strictEqual((yield* Effect.flip(reading))._tag, "RangeNotSatisfiable")
        } else assert.strictEqual(yield* reading, content)
      })
    )
  }

  it.effect("end-2 refuses a range that is not there", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const { digest } = yield* pushBlob(repository, text)
      const error = yield* Effect.flip(read(Blobs.range(repository, digest, { start: 10 })))
      assert.strictEqual(error._tag, "RangeNotSatisfiable")
    })
  )

  it.effect("end-10 deletes a blob", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const { digest } = yield* describe(text)
      yield* pushBlob(repository, text)
      if (deviations.deletes === false) {
        assert.strictEqual((yield* Effect.flip(Blobs.delete(repository, digest)))._tag, "Unsupported")
        assert.isTrue(yield* Blobs.exists(repository, digest))
      } else {
        yield* Blobs.delete(repository, digest)
        assert.isFalse(yield* Blobs.exists(repository, digest))
        assert.strictEqual(
          (yield* Effect.flip(Blobs.delete(repository, digest)))._tag,
          deviations.missingBlobDelete === "breaks" ? "RegistryUnavailable" : "BlobUnknown"
        )
      }
    })
  )
}
