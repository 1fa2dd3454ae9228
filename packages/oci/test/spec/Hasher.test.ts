import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Digest from "effect-oci/Digest"
import * as Hasher from "effect-oci/Hasher"

const bytes = (text: string) => new TextEncoder().encode(text)

// FIPS 180-4, the example “abc”.
const abc: ReadonlyArray<readonly [Digest.Algorithm, string]> = [
  ["sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  ["sha384", "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"],
  [
    "sha512",
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
  ]
]

describe("Hasher", () => {
  it.effect.each(abc)("computes %s", ([algorithm, hash]) =>
    Effect.map(Hasher.digest(bytes("abc"), algorithm), (digest) => assert.strictEqual(digest, `${algorithm}:${hash}`))
  )

  it.effect("IS12 uses sha256 unless asked, and knows the hash of nothing", () =>
    Effect.map(Hasher.digest(new Uint8Array()), (digest) =>
      assert.strictEqual(digest, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    )
  )

  it.effect.prop(
    "gives the same hash however the bytes are cut",
    {
      chunks: FastCheck.array(FastCheck.uint8Array({ maxLength: 100 }), { maxLength: 6 }),
      algorithm: FastCheck.constantFrom(...abc)
    },
    ({ algorithm: [algorithm], chunks }) =>
      Effect.gen(function* () {
        const hash = (yield* Hasher.Hasher).make(algorithm)
        for (const chunk of chunks) hash.update(chunk)
        const whole = yield* Hasher.digest(Uint8Array.from(chunks.flatMap((chunk) => [...chunk])), algorithm)
        assert.strictEqual(Digest.make(algorithm, hash.digest()), whole)
      })
  )

  it.effect("keeps hashes under way apart", () =>
    Effect.gen(function* () {
      const { make } = yield* Hasher.Hasher
      const [left, right] = [make("sha256"), make("sha256")]
      left.update(bytes("a"))
      right.update(bytes("x"))
      left.update(bytes("bc"))
      assert.strictEqual(Digest.make("sha256", left.digest()), yield* Hasher.digest(bytes("abc")))
      assert.strictEqual(Digest.make("sha256", right.digest()), yield* Hasher.digest(bytes("x")))
    })
  )

  it.effect("asks the service that is provided", () =>
    Effect.gen(function* () {
      const fed: Array<number> = []
      const digest = yield* Hasher.digest(bytes("abc")).pipe(
        Effect.provideService(Hasher.Hasher, {
          make: () => ({ update: (chunk) => fed.push(...chunk), digest: () => new Uint8Array(32).fill(7) })
        })
      )
      assert.strictEqual(digest, `sha256:${"07".repeat(32)}`)
      assert.deepStrictEqual(fed, [97, 98, 99])
    })
  )

  it.effect("hashes without Web Crypto when told to, and says so when not", () =>
    Effect.gen(function* () {
      vi.stubGlobal("crypto", {})
      const told = yield* Effect.provide(Hasher.digest(bytes("abc")), Hasher.layerPortable)
      assert.strictEqual(told, `sha256:${abc[0]?.[1]}`)
      const exit = yield* Effect.exit(Hasher.digest(bytes("abc")))
      assert.include(String(exit), "provide Hasher.layerPortable")
    }).pipe(Effect.ensuring(Effect.sync(() => vi.unstubAllGlobals())))
  )
})
