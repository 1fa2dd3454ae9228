import { assert, describe, it } from "@effect/vitest"
import { assertNone, assertSome } from "@effect/vitest/utils"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as Descriptor from "effect-oci/Descriptor"
import * as Digest from "effect-oci/Digest"
import * as MediaType from "effect-oci/MediaType"

const hash = "a".repeat(64)
const least = { mediaType: "application/example", digest: `sha256:${hash}`, size: 3 }

const decode = Schema.decodeUnknownEither(Descriptor.Descriptor)
const decoded = (document: unknown) => Either.getOrThrow(decode(document))

/** The path of the first thing wrong; undefined when nothing is. */
const complaint = (document: unknown) =>
  Either.match(decode(document), {
    onLeft: (error) => ParseResult.ArrayFormatter.formatErrorSync(error)[0]?.path.join("."),
    onRight: () => undefined
  })

describe("Descriptor", () => {
  describe("in a document", () => {
    it.each<[string, number]>([
      ["nothing", 0],
      ["the largest safe integer", Number.MAX_SAFE_INTEGER]
    ])("S3 takes a size of %s", (_, size) => {
      assert.strictEqual(decoded({ ...least, size }).size, size)
    })

    it.each<[string, object, string]>([
      ["a negative size", { size: -1 }, "size"],
      ["half a byte", { size: 1.5 }, "size"],
      ["a size in a string", { size: "12" }, "size"],
      ["a size beyond what is exact", { size: 2 ** 53 }, "size"],
      ["an infinite size", { size: JSON.parse("1e309") }, "size"],
      ["no size", { size: undefined }, "size"],
      ["a null size", { size: null }, "size"],
      ["no digest", { digest: undefined }, "digest"],
      ["S5 a digest that is a path", { digest: "sha256:../../../etc/x" }, "digest"],
      ["S5 a digest with a query", { digest: "sha256:a?b" }, "digest"],
      ["S5 an empty digest", { digest: "" }, "digest"],
      ["S28 an upper-case digest", { digest: `sha256:${"A".repeat(64)}` }, "digest"],
      ["S28 an upper-case algorithm", { digest: `SHA256:${hash}` }, "digest"],
      ["S28 63 digits", { digest: `sha256:${hash.slice(1)}` }, "digest"],
      ["S28 65 digits", { digest: `sha256:${hash}a` }, "digest"],
      ["S5 a digest that is no string", { digest: 5 }, "digest"],
      ["an empty media type", { mediaType: "" }, "mediaType"],
      ["S21 a media type that would end a header", { mediaType: "a/b\r\nx: y" }, "mediaType"],
      ["an endless media type", { mediaType: "a".repeat(256) }, "mediaType"],
      ["no media type", { mediaType: undefined }, "mediaType"],
      ["annotations that are a list", { annotations: ["a"] }, "annotations"],
      ["IS37 an annotation that is a number", { annotations: { a: 1 } }, "annotations.a"],
      ["a URL that is a number", { urls: ["https://a", 1] }, "urls.1"],
      ["a platform that is a string", { platform: "linux" }, "platform"]
    ])("M14 refuses %s", (_, fields, path) => {
      assert.strictEqual(complaint({ ...least, ...fields }), path)
    })

    it("M12 S28 takes media types, algorithms and fields that it does not know", () => {
      const document: object = {
        ...least,
        digest: "md5:0123",
        mediaType: "foo/bar; x=y",
        artifactType: "quite/new",
        annotations: { "com.example.any": "", toString: "own" },
        extra: { nested: [null, 1] }
      }
      assert.deepStrictEqual(decoded(document), document)
      assert.deepStrictEqual(Schema.encodeUnknownSync(Descriptor.Descriptor)(decoded(document)), document)
    })

    it("M13 takes null for absent", () => {
      const document = { ...least, urls: null, annotations: null, data: null, platform: null, artifactType: null }
      assert.deepStrictEqual(Object.keys(decoded(document)).sort(), Object.keys(least).sort())
    })

    it("M15 reads embedded data, and ignores what is no base64", () => {
      assert.deepStrictEqual(decoded({ ...least, data: "YWJj" }).data, new TextEncoder().encode("abc"))
      for (const data of ["YWJ", "****", "Y-_j", 5, {}]) assert.isUndefined(decoded({ ...least, data }).data)
    })

    it("S46 keeps its prototype", () => {
      const annotations = JSON.parse('{"__proto__":"x","a":"b"}')
      const descriptor = decoded({ ...least, annotations })
      assert.strictEqual(Object.getPrototypeOf(descriptor.annotations), Object.prototype)
      assert.strictEqual(descriptor.annotations?.a, "b")
      assert.notProperty({}, "x")
    })

    it.prop(
      "means the same after encoding",
      { descriptor: Arbitrary.make(Descriptor.Descriptor) },
      ({ descriptor }) => {
        const json = JSON.stringify(Schema.encodeSync(Descriptor.Descriptor)(descriptor))
        const again = decoded(JSON.parse(json))
        assert.strictEqual(JSON.stringify(Schema.encodeSync(Descriptor.Descriptor)(again)), json)
        assert.deepStrictEqual(again.data, descriptor.data)
        assert.strictEqual(again.size, Math.abs(descriptor.size))
      }
    )
  })

  describe("fromBytes", () => {
    const bytes = new TextEncoder().encode("abc")

    it.effect("describes bytes", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* Descriptor.fromBytes(bytes, { mediaType: MediaType.ociLayer }), {
          mediaType: MediaType.ociLayer,
          digest: Digest.make(
            "sha256",
            Uint8Array.from(Buffer.from("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "hex"))
          ),
          size: 3
        })
      })
    )

    it.effect("takes another algorithm and what else is known", () =>
      Effect.gen(function* () {
        const known = { annotations: { a: "b" }, artifactType: "x/y", platform: { os: "linux", architecture: "amd64" } }
        const { digest, ...rest } = yield* Descriptor.fromBytes(bytes, {
          mediaType: MediaType.ociManifest,
          algorithm: "sha512",
          ...known
        })
        assert.match(digest, /^sha512:ddaf35a1/)
        assert.deepStrictEqual(rest, { mediaType: MediaType.ociManifest, size: 3, ...known })
      })
    )
  })

  describe("empty", () => {
    it.effect("P30 names the two bytes that it carries", () =>
      Effect.gen(function* () {
        const { digest, mediaType, size } = yield* Descriptor.fromBytes(Descriptor.emptyBytes, {
          mediaType: MediaType.ociEmpty
        })
        assert.deepStrictEqual(Descriptor.empty, { mediaType, digest, size, data: Descriptor.emptyBytes })
        assertSome(yield* Descriptor.embedded(Descriptor.empty), Descriptor.emptyBytes)
        assert.strictEqual(new TextDecoder().decode(Descriptor.emptyBytes), "{}")
      })
    )
  })

  it.prop(
    "reads three fields alone as it reads them beside others",
    {
      mediaType: FastCheck.oneof(FastCheck.constantFrom("a/b", "", "a b", "ä/b", null, 1), FastCheck.string()),
      digest: FastCheck.oneof(
        FastCheck.constantFrom(least.digest, `sha256:${hash.toUpperCase()}`, "sha256:a", "x+y:z", "", null),
        FastCheck.string()
      ),
      size: FastCheck.oneof(FastCheck.constantFrom(0, -1, 1.5, 2 ** 53, Number.NaN, "1", null), FastCheck.nat())
    },
    (document) => {
      const alone = decode(document)
      const beside = Either.map(decode({ ...document, other: 1 }), ({ digest, mediaType, size, ...rest }) => {
        assert.deepStrictEqual<object>(rest, { other: 1 })
        return { digest, mediaType, size }
      })
      assert.strictEqual(alone._tag, beside._tag)
      if (Either.isRight(alone) && Either.isRight(beside)) assert.deepStrictEqual(alone.right, beside.right)
    }
  )

  describe("embedded", () => {
    const data = new TextEncoder().encode("[]")
    const md5 = Either.getOrThrow(Digest.parse("md5:d751713988987e9331980363e24189ce"))

    it.effect.each<[string, Partial<Descriptor.Descriptor>]>([
      ["P30 other content than its digest names", { data }],
      ["P30 content of another size", { size: 3 }],
      ["no content", { data: undefined }],
      ["S28 content that can't be verified", { data, digest: md5 }]
    ])("hands out nothing for %s", ([, fields]) =>
      Effect.map(Descriptor.embedded({ ...Descriptor.empty, ...fields }), (content) => assertNone(content))
    )

    it.effect("verifies by the digest's own algorithm", () =>
      Effect.gen(function* () {
        const descriptor = yield* Descriptor.fromBytes(data, { mediaType: "a/b", algorithm: "sha384" })
        assertSome(yield* Descriptor.embedded({ ...descriptor, data }), data)
      })
    )
  })
})
