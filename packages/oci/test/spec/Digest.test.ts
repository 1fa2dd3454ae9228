import { assert, describe, it } from "@effect/vitest"
import { assertSome } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Digest from "effect-oci/Digest"

const sha256 = `sha256:${"0123456789abcdef".repeat(4)}`
const sha384 = `sha384:${"0123456789abcdef".repeat(6)}`
const sha512 = `sha512:${"0123456789abcdef".repeat(8)}`

const accepted: ReadonlyArray<
  readonly [title: string, text: string, algorithm: string, verifiable: Digest.Algorithm | undefined]
> = [
  ["N11 sha256", sha256, "sha256", "sha256"],
  ["N11 sha512", sha512, "sha512", "sha512"],
  ["N12 sha384", sha384, "sha384", "sha384"],
  ["N11 blake3", `blake3:${"ab".repeat(32)}`, "blake3", undefined],
  ["N12 sha256+b64", "sha256+b64:LCa0a2j_xo-5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564=", "sha256+b64", undefined],
  [
    "N11 an algorithm of three components",
    "multihash+base58.x:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8",
    "multihash+base58.x",
    undefined
  ],
  ["N11 separators _ and -", `sha384_foo-bar:${"a".repeat(96)}`, "sha384_foo-bar", undefined],
  ["N11 an algorithm of one digit", "7:x", "7", undefined],
  ["IS10 an unknown algorithm", "unknown:ABCxyz", "unknown", undefined],
  ["IS10 an algorithm named like a property of objects", "constructor:abc", "constructor", undefined],
  ["S28 md5, which cannot be verified", "md5:d41d8cd98f00b204e9800998ecf8427e", "md5", undefined],
  ["S28 sha1, which cannot be verified", "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709", "sha1", undefined]
]

const refused: ReadonlyArray<readonly [title: string, text: string]> = [
  ["an empty text", ""],
  ["blanks", "   "],
  ["N11 a colon alone", ":"],
  ["N11 an algorithm without a hash", "sha256:"],
  ["N11 a hash without an algorithm", `:${"a".repeat(64)}`],
  ["N4 bare hexadecimal digits", "a".repeat(64)],
  ["N15 a truncated hash", "sha256:abcd"],
  ["S28 63 digits for sha256", `sha256:${"a".repeat(63)}`],
  ["S28 65 digits for sha256", `sha256:${"a".repeat(65)}`],
  ["N12 64 digits for sha384", `sha384:${"a".repeat(64)}`],
  ["N11 127 digits for sha512", `sha512:${"a".repeat(127)}`],
  ["N11 65 digits for blake3", `blake3:${"a".repeat(65)}`],
  ["N11 IS13 upper case hexadecimal", `sha256:${"A".repeat(64)}`],
  ["IS13 upper case in blake3", `blake3:${"A".repeat(64)}`],
  ["N11 a letter past f", `sha256:${"g".repeat(64)}`],
  ["S28 an upper case algorithm", `SHA256:${"a".repeat(64)}`],
  ["N11 a doubled separator", `sha384__foo:${"a".repeat(96)}`],
  ["N11 mixed adjacent separators", `sha384+_foo:${"a".repeat(96)}`],
  ["N11 a leading separator", `+sha256:${"a".repeat(64)}`],
  ["N11 a trailing separator", `sha256+:${"a".repeat(64)}`],
  ["N11 a second colon", `sha256:${"a".repeat(64)}:latest`],
  ["N9 a trailing newline", `${sha256}\n`],
  ["a leading blank", ` ${sha256}`],
  ["a blank hash", `sha256:${" ".repeat(64)}`],
  ["N17 a slash", "foo:a/b"],
  ["N16 full-width digits", `sha256:${"１".repeat(64)}`],
  ["N16 a Turkish dotless i in the algorithm", "blakeı:abc"],
  ["S21 a control character", "foo:a\r\nb"],
  ["more than 512 characters", `foo:${"a".repeat(509)}`]
]

describe("Digest", () => {
  for (const [title, text, algorithm, verifiable] of accepted) {
    it(`takes ${title}`, () => {
      const digest = Either.getOrThrow(Digest.parse(text))
      assert.strictEqual(digest, text)
      assert.strictEqual(Digest.algorithm(digest), algorithm)
      assert.strictEqual(`${algorithm}:${Digest.encoded(digest)}`, text)
      assert.deepStrictEqual(Digest.verifiable(digest), Option.fromNullable(verifiable))
    })
  }

  for (const [title, text] of refused) {
    it(`refuses ${title}`, () => {
      const error = Either.getOrThrow(Either.flip(Digest.parse(text)))
      assert.strictEqual(error._tag, "InvalidDigest")
      assert.isNotEmpty(error.reason)
    })
  }

  it("takes up to 512 characters", () => {
    assert.isTrue(Either.isRight(Digest.parse(`foo:${"a".repeat(508)}`)))
  })

  it("N14 digests of the same hash by two algorithms differ", () => {
    const hash = "a".repeat(64)
    assert.isFalse(Equal.equals(Digest.parse(`blake3:${hash}`), Digest.parse(`sha256:${hash}`)))
    assert.isTrue(Equal.equals(Digest.parse(`sha256:${hash}`), Digest.parse(`sha256:${hash}`)))
  })

  it.effect("parse is an Effect", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* Digest.parse(sha256), sha256)
      const error = yield* Effect.flip(Digest.parse("sha256:abcd"))
      assert.strictEqual(
        error.message,
        "invalid digest “sha256:abcd”: a sha256 hash is 64 lower-case hexadecimal digits. " +
          "One looks like sha256: and 64 lower-case hexadecimal digits"
      )
    })
  )

  it("an error shows no control characters and only the start of a long text", () => {
    const error = Either.getOrThrow(Either.flip(Digest.parse(`\u001b[31m${"x".repeat(65536)}`)))
    assert.notInclude(error.text, "\u001b")
    assert.isBelow(error.text.length, 400)
  })

  it("make writes the bytes of a hash in lower-case hexadecimal", () => {
    const hash = Uint8Array.from({ length: 32 }, (_, index) => 255 - index)
    assert.strictEqual(
      Digest.make("sha256", hash),
      "sha256:fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0"
    )
  })

  it.prop(
    "parse takes whatever make writes",
    [
      FastCheck.constantFrom(["sha256", 32] as const, ["sha384", 48] as const, ["sha512", 64] as const).chain(
        ([algorithm, length]) =>
          FastCheck.tuple(FastCheck.constant(algorithm), FastCheck.uint8Array({ minLength: length, maxLength: length }))
      )
    ],
    ([[algorithm, hash]]) => {
      const digest = Digest.make(algorithm, hash)
      assert.deepStrictEqual(Digest.parse(digest), Either.right(digest))
      assertSome(Digest.verifiable(digest), algorithm)
    }
  )

  it.prop("the schema generates and keeps digests", { digest: Digest.Digest }, ({ digest }) => {
    assert.strictEqual(Schema.decodeSync(Digest.Digest)(Schema.encodeSync(Digest.Digest)(digest)), digest)
  })

  it("the schema refuses with the reason of parse", () => {
    const result = Schema.decodeUnknownEither(Schema.Struct({ digest: Digest.Digest }))({ digest: "sha256:abcd" })
    assert.include(String(Either.getOrThrow(Either.flip(result))), "a sha256 hash is 64 lower-case hexadecimal digits")
  })

  it("S25 answers on 64 KiB of hostile text at once", () => {
    const start = performance.now()
    for (const part of ["a", "a+", "+", ":", "sha256:", "a".repeat(50), " ", "\u0000"]) {
      const text = part.repeat(65536 / part.length)
      assert.isTrue(Either.isLeft(Digest.parse(text)))
      assert.isTrue(Either.isLeft(Digest.parse(`${text}!`)))
    }
    assert.isBelow(performance.now() - start, 200)
  })
})
