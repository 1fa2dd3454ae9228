import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import type * as Descriptor from "effect-oci/Descriptor"
import * as Digest from "effect-oci/Digest"
import * as MediaType from "effect-oci/MediaType"
import * as Platform from "effect-oci/Platform"

const platform = (text: string) => Either.getOrThrow(Platform.parse(text))

/** Entries named by their platforms; the digest holds the place in the list. */
const index = (...platforms: ReadonlyArray<string | Partial<Descriptor.Descriptor>>) => ({
  manifests: platforms.map(
    (given, place): Descriptor.Descriptor => ({
      mediaType: MediaType.ociManifest,
      digest: Digest.make("sha256", new Uint8Array(32).fill(place)),
      size: place,
      ...(typeof given === "string" ? { platform: platform(given) } : given)
    })
  )
})

const chosen = (list: ReturnType<typeof index>, wanted: string) =>
  Either.match(Platform.select(list, platform(wanted)), { onLeft: (error) => error._tag, onRight: ({ size }) => size })

describe("Platform", () => {
  describe("parse", () => {
    it.each<[string, Platform.Platform]>([
      ["linux/amd64", { os: "linux", architecture: "amd64" }],
      ["linux/arm64/v8", { os: "linux", architecture: "arm64", variant: "v8" }],
      ["linux/arm/7", { os: "linux", architecture: "arm", variant: "v7" }],
      ["Linux/X86_64", { os: "linux", architecture: "amd64" }],
      ["linux/x86-64", { os: "linux", architecture: "amd64" }],
      ["linux/i386", { os: "linux", architecture: "386" }],
      ["linux/aarch64", { os: "linux", architecture: "arm64" }],
      ["linux/armhf", { os: "linux", architecture: "arm", variant: "v7" }],
      ["linux/armel", { os: "linux", architecture: "arm", variant: "v6" }],
      ["linux/armhf/v6", { os: "linux", architecture: "arm", variant: "v6" }],
      ["macOS/arm64", { os: "darwin", architecture: "arm64" }],
      ["wasip1/wasm", { os: "wasip1", architecture: "wasm" }],
      ["windows(10.0.17763)/amd64", { os: "windows", architecture: "amd64", "os.version": "10.0.17763" }],
      [
        "windows(10.0.17763+win32k)/amd64",
        { os: "windows", architecture: "amd64", "os.version": "10.0.17763", "os.features": ["win32k"] }
      ],
      ["windows(+a+b)/amd64", { os: "windows", architecture: "amd64", "os.features": ["a", "b"] }]
    ])("M18 reads %s", (text, expected) => {
      assert.deepStrictEqual(platform(text), expected)
    })

    it.each([
      "",
      "linux",
      "/",
      "linux/",
      "/amd64",
      "linux/arm/",
      "linux/arm/v7/x",
      "linux /amd64",
      "linux/amd64\n",
      "linux/ämd64",
      "windows(10/amd64",
      "windows)10(/amd64",
      "windows(1)(2)/amd64",
      "windows(1)x/amd64",
      "windows(1+)/amd64",
      `linux/${"a".repeat(255)}`
    ])("M18 refuses %j", (text) => {
      const result = Platform.parse(text)
      assert.strictEqual(Either.isLeft(result) && result.left._tag, "InvalidPlatform")
    })

    it("S45 shows what was given, safely", () => {
      const result = Platform.parse("linux\u001b[31m")
      assert.strictEqual(
        Either.isLeft(result) ? result.left.message : "",
        "“linux [31m” is not a platform: it is not os/architecture or os/architecture/variant. One looks like linux/amd64 or linux/arm/v7"
      )
    })

    const part = FastCheck.stringMatching(/^[a-z0-9_.-]{1,12}$/)
    it.prop(
      "reads what format writes",
      {
        os: part,
        architecture: part,
        variant: FastCheck.option(part, { nil: undefined }),
        version: FastCheck.option(part, { nil: undefined }),
        features: FastCheck.option(FastCheck.array(part, { minLength: 1 }), { nil: undefined })
      },
      ({ architecture, features, os, variant, version }) => {
        const once = platform(
          Platform.format({ os, architecture, variant, "os.version": version, "os.features": features })
        )
        assert.deepStrictEqual(platform(Platform.format(once)), once)
        assert.strictEqual(once["os.version"], version)
        assert.deepStrictEqual(once["os.features"], features)
        assert.isTrue(Platform.matches(once, once))
      }
    )
  })

  it("formats what a document left out as unknown", () => {
    assert.strictEqual(Platform.format({ os: "", architecture: "", variant: "" }), "unknown/unknown")
    assert.strictEqual(
      Platform.format({ os: "linux", architecture: "arm", variant: "v7", "os.features": [] }),
      "linux/arm/v7"
    )
  })

  describe("matches", () => {
    it.each([
      ["linux/amd64", "linux/amd64", true],
      ["linux/amd64", "linux/arm64", false],
      ["linux/amd64", "windows/amd64", false],
      ["linux/arm", "linux/arm/v7", true],
      ["linux/arm/v7", "linux/arm", true],
      ["linux/arm", "linux/arm/v6", true],
      ["linux/arm/v6", "linux/arm/v7", false],
      ["linux/arm/v6", "linux/arm", false],
      ["linux/arm/v6", "linux/arm/v5", true],
      ["linux/arm", "linux/arm/v8", false],
      ["linux/arm64", "linux/arm64/v8", true],
      ["linux/arm64/v8", "linux/arm64", true],
      ["linux/arm64", "linux/arm64/v9", false],
      ["linux/arm64", "linux/arm/v7", false],
      ["linux/amd64", "linux/amd64/v1", true],
      ["linux/amd64", "linux/amd64/v3", false],
      ["linux/amd64/v3", "linux/amd64", true],
      ["linux/arm64/v8.2", "linux/arm64/v8", true],
      ["linux/arm64/v8", "linux/arm64/v8.2", false],
      ["linux/mips64le/softfloat", "linux/mips64le/softfloat", true],
      ["linux/mips64le", "linux/mips64le/softfloat", false],
      ["linux/riscv64/v2", "linux/riscv64/v1", false],
      ["linux/arm/odd", "linux/arm/v7", false],
      ["windows/amd64", "windows(10.0.17763.1234)/amd64", true],
      ["windows(10.0.17763)/amd64", "windows(10.0.17763.1234)/amd64", true],
      ["windows(10.0.17763.)/amd64", "windows(10.0.17763.1234)/amd64", true],
      ["windows(10.0.17763)/amd64", "windows(10.0.17763)/amd64", true],
      ["windows(10.0.1776)/amd64", "windows(10.0.17763)/amd64", false],
      ["windows(10.0.17763.1234)/amd64", "windows(10.0.17763)/amd64", false],
      ["windows(10.0.17763)/amd64", "windows/amd64", false],
      ["windows(+win32k)/amd64", "windows(+win32k+x)/amd64", true],
      ["windows(+win32k)/amd64", "windows/amd64", false],
      ["windows/amd64", "windows(+win32k)/amd64", true]
    ])("M18 wants %s, is offered %s: %s", (wanted, available, expected) => {
      assert.strictEqual(Platform.matches(platform(wanted), platform(available)), expected)
    })

    it("M18 knows other names in documents too", () => {
      assert.isTrue(Platform.matches(platform("linux/arm64"), { os: "Linux", architecture: "aarch64", variant: "8" }))
      assert.isTrue(Platform.matches({ os: "macos", architecture: "x86_64" }, platform("darwin/amd64")))
    })
  })

  describe("select", () => {
    it("IS31 takes the first entry that matches", () => {
      assert.strictEqual(chosen(index("linux/arm64", "linux/amd64", "linux/amd64"), "linux/amd64"), 1)
    })

    it.each([
      [["linux/arm/v6", "linux/arm/v7"], "linux/arm", 1],
      [["linux/arm/v5", "linux/arm/v6"], "linux/arm/v7", 1],
      [["linux/arm/v6", "linux/arm/v6"], "linux/arm/v7", 0],
      [["linux/arm/v5", "linux/arm/v7"], "linux/arm/v6", 0],
      [["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"], "linux/amd64/v3", 1],
      [["windows(10.0.14393.1)/amd64", "windows(10.0.17763.1)/amd64"], "windows(10.0.17763)/amd64", 1]
    ])("M18 takes the closest of %j for %s", (available, wanted, expected) => {
      assert.strictEqual(chosen(index(...available), wanted), expected)
    })

    it("M18 passes over attestations and entries without a platform", () => {
      const attestation = {
        platform: platform("linux/amd64"),
        annotations: { "vnd.docker.reference.type": "attestation-manifest" }
      }
      assert.strictEqual(chosen(index({}, attestation, "unknown/unknown", "linux/amd64"), "linux/amd64"), 3)
      assert.strictEqual(chosen(index("unknown/unknown"), "unknown/unknown"), "PlatformUnknown")
    })

    it("M18 lists once what there is instead", () => {
      const result = Platform.select(
        index("linux/amd64", "linux/arm/v7", "linux/amd64", "unknown/unknown", {}),
        platform("linux/s390x")
      )
      const error = Either.isLeft(result) ? result.left : undefined
      assert.strictEqual(error?.wanted, "linux/s390x")
      assert.deepStrictEqual(error?.available, ["linux/amd64", "linux/arm/v7"])
      assert.strictEqual(error?.message, "no image for linux/s390x. There is linux/amd64, linux/arm/v7")
    })

    it("M18 has a typed error for an empty index", () => {
      const result = Platform.select(index(), platform("linux/amd64"))
      assert.strictEqual(
        Either.isLeft(result) ? result.left.message : "",
        "no image for linux/amd64. The index names no platform"
      )
    })

    it("S56 goes through 100 000 entries, and its message stays short", () => {
      const [entry] = index({}).manifests
      assert.isDefined(entry)
      const manifests = Array.from({ length: 100_000 }, (_, place) => ({
        ...entry,
        platform: { os: "linux", architecture: `cpu${place}` }
      }))
      const result = Platform.select({ manifests }, platform("linux/amd64"))
      const message = Either.isLeft(result) ? result.left.message : ""
      assert.isTrue(message.endsWith("linux/cpu19 and 99980 more"))
    })
  })

  describe("in a document", () => {
    const decode = Schema.decodeUnknownSync(Platform.Platform)

    it("M13 takes null for absent, and what is absent for empty", () => {
      assert.deepStrictEqual(
        decode({ os: "linux", architecture: null, variant: null, "os.version": null, "os.features": null }),
        { os: "linux", architecture: "" }
      )
      assert.isFalse(Platform.matches(platform("linux/amd64"), decode({ os: "linux" })))
    })

    it("M12 keeps fields it does not know", () => {
      const document: object = { os: "linux", architecture: "amd64", features: ["sse4"] }
      assert.deepStrictEqual(decode(document), document)
      assert.deepStrictEqual(Schema.encodeUnknownSync(Platform.Platform)(decode(document)), document)
    })
  })
})
