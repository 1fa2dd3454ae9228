import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as MediaType from "effect-oci/MediaType"

const bytes = (text: string) => new TextEncoder().encode(text)

const kinds: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
  [MediaType.ociIndex, ["isIndex", "isManifest"]],
  [MediaType.dockerManifestList, ["isIndex", "isManifest"]],
  [MediaType.ociManifest, ["isManifest"]],
  [MediaType.dockerManifest, ["isManifest"]],
  [MediaType.ociArtifactManifest, ["isManifest"]],
  [MediaType.dockerManifestV1, ["isManifest", "isSchemaOne"]],
  [MediaType.dockerManifestV1Signed, ["isManifest", "isSchemaOne"]],
  [MediaType.ociLayer, ["isLayer"]],
  [MediaType.ociLayerGzip, ["isLayer"]],
  [MediaType.ociLayerZstd, ["isLayer"]],
  [MediaType.dockerLayer, ["isLayer"]],
  [MediaType.dockerLayerGzip, ["isLayer"]],
  [MediaType.dockerLayerZstd, ["isLayer"]],
  [MediaType.ociLayerNonDistributable, ["isLayer", "stays"]],
  [MediaType.ociLayerNonDistributableGzip, ["isLayer", "stays"]],
  [MediaType.ociLayerNonDistributableZstd, ["isLayer", "stays"]],
  [MediaType.dockerForeignLayer, ["isLayer", "stays"]],
  [MediaType.dockerForeignLayerUncompressed, ["isLayer", "stays"]],
  [MediaType.ociConfig, ["isConfig"]],
  [MediaType.dockerConfig, ["isConfig"]],
  [MediaType.dockerPluginConfig, ["isConfig"]],
  [MediaType.helmConfig, ["isConfig"]],
  [MediaType.wasmConfig, ["isConfig"]],
  [MediaType.ociEmpty, []],
  [MediaType.helmChart, []],
  [MediaType.inToto, []],
  ["", []],
  ["constructor", []]
]

describe("MediaType", () => {
  for (const [name, expected] of kinds) {
    it(`M26 sorts ${name || "the empty string"} among its kinds`, () => {
      for (const spelling of [name, `${name.toUpperCase()} ; charset=utf-8`]) {
        const actual = [
          ...(MediaType.isIndex(spelling) ? ["isIndex"] : []),
          ...(MediaType.isManifest(spelling) ? ["isManifest"] : []),
          ...(MediaType.isSchemaOne(spelling) ? ["isSchemaOne"] : []),
          ...(MediaType.isLayer(spelling) ? ["isLayer"] : []),
          ...(MediaType.isConfig(spelling) ? ["isConfig"] : []),
          ...(MediaType.isDistributable(spelling) ? [] : ["stays"])
        ]
        assert.deepStrictEqual(actual, expected)
      }
    })
  }

  it.each([
    ["application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.manifest.v1+json"],
    ["application/vnd.oci.image.manifest.v1+json; charset=utf-8", "application/vnd.oci.image.manifest.v1+json"],
    ["application/json;charset=ISO-8859-1", "application/json"],
    ["Application/JSON", "application/json"],
    ["  text/plain\t; a=b; c=d", "text/plain"],
    ["text/plain, application/json", "text/plain"],
    ["text/plain;a=b, application/json", "text/plain"],
    ["", ""],
    [";", ""]
  ])("M5 takes the essence of %j", (header, expected) => {
    assert.strictEqual(MediaType.essence(header), expected)
  })

  it("M1 accepts manifests in one line without weights, indexes first", () => {
    assert.strictEqual(
      MediaType.accept,
      "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"
    )
  })

  describe("make", () => {
    const Release = Schema.Struct({ name: Schema.String, count: Schema.NumberFromString })
    const release = MediaType.make("application/vnd.example.release+json", Release)

    it("reads a user's own payload", () => {
      assert.strictEqual(release.name, "application/vnd.example.release+json")
      assert.deepStrictEqual(release.decode(bytes('{"name":"a","count":"3"}')), Either.right({ name: "a", count: 3 }))
    })

    it.each([
      ["a payload that does not fit", '{"name":"a","count":3}', '["count"]'],
      ["no JSON", "<html>", "it is not JSON"],
      ["an empty payload", "", "it is not JSON"],
      ["S20 a key twice", '{"name":"a","count":"3","name":"b"}', 'the key "name" twice'],
      ["S20 a key twice, once escaped", '{"name":"a","count":"3","\\u006eame":"b"}', 'the key "name" twice'],
      ["S20 absurd nesting", "[".repeat(1_000_000), "nested more than 100 levels"]
    ])("refuses %s", (_, text, reason) => {
      const result = release.decode(bytes(text))
      assert.include(Either.isLeft(result) ? result.left.message : "", reason)
    })

    it("S20 refuses what is not UTF-8, and passes over a byte order mark", () => {
      const any = MediaType.make("application/json", Schema.Unknown)
      const broken = any.decode(new Uint8Array([0x22, 0xff, 0x22]))
      assert.include(Either.isLeft(broken) ? broken.left.message : "", "not UTF-8")
      assert.deepStrictEqual(any.decode(new Uint8Array([0xef, 0xbb, 0xbf, 0x31])), Either.right(1))
    })

    it.each([
      ["the same key in two objects", '[{"a":1},{"a":{"a":2}}]', [{ a: 1 }, { a: { a: 2 } }]],
      ["a value that equals a key", '{"a":"a","b":"a"}', { a: "a", b: "a" }],
      ["strings that look like structure", '{"a":"{\\"a\\":[[[","b":"\\\\"}', { a: '{"a":[[[', b: "\\" }],
      ["white space around a colon", '{"a" \n\t:1, "b"\r: 2}', { a: 1, b: 2 }],
      ["keys that differ by case, as labels may", '{"A":1,"a":2}', { A: 1, a: 2 }],
      ["S46 keys of the prototype", '{"constructor":1,"toString":2}', { constructor: 1, toString: 2 }]
    ])("takes %s for what it is", (_, text, expected) => {
      assert.deepStrictEqual(
        MediaType.make("application/json", Schema.Unknown).decode(bytes(text)),
        Either.right(expected)
      )
    })

    it("S46 leaves __proto__ out", () => {
      const any = MediaType.make("application/json", Schema.Unknown)
      const value = Either.getOrThrow(any.decode(bytes('{"a":{"__proto__":{"b":1}},"\\u005f_proto__":{"b":1}}')))
      assert.strictEqual(JSON.stringify(value), '{"a":{}}')
    })

    it.each([
      ["escaped quotes", `"${'\\"'.repeat(1_000_000)}`],
      ["backslashes", `{"${"\\".repeat(1_000_000)}`],
      ["white space", `["a"${" ".repeat(1_000_000)}`],
      ["strings", `{${'"a"'.repeat(300_000)}`]
    ])("S25 reads a million %s in linear time", (_, text) => {
      const any = MediaType.make("application/json", Schema.Unknown)
      assert.isTrue(Either.isLeft(any.decode(bytes(text))))
    })
  })
})
