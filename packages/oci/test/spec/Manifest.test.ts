import { assert, describe, it } from "@effect/vitest"
import { assertNone, assertSome } from "@effect/vitest/utils"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Descriptor from "effect-oci/Descriptor"
import * as Digest from "effect-oci/Digest"
import * as Hasher from "effect-oci/Hasher"
import * as Manifest from "effect-oci/Manifest"
import * as MediaType from "effect-oci/MediaType"

const bytes = (document: unknown) =>
  new TextEncoder().encode(typeof document === "string" ? document : JSON.stringify(document))

const digest = (place: number) => Digest.make("sha256", new Uint8Array(32).fill(place))
const descriptor = (mediaType: string, place = 0): Descriptor.Descriptor => ({
  mediaType,
  digest: digest(place),
  size: 10 + place
})

const config = descriptor(MediaType.ociConfig)
const layer = descriptor(MediaType.ociLayerGzip, 1)
const child = descriptor(MediaType.ociManifest, 2)

const image = { schemaVersion: 2, config, layers: [layer] }
const index = { schemaVersion: 2, manifests: [child] }
const artifact = { mediaType: MediaType.ociArtifactManifest, artifactType: "a/b", blobs: [layer], subject: child }
const schemaOne = { schemaVersion: 1, name: "org/app", tag: "1", fsLayers: [{ blobSum: digest(1) }], history: [] }

/** What came of it: a media type, or the error's tag and what it says. */
const outcome = (document: unknown, contentType?: string) =>
  Either.match(Manifest.decode(bytes(document), contentType), {
    onLeft: (error) => (error._tag === "ManifestInvalid" ? error.reason : `${error._tag} ${error.mediaType}`),
    onRight: ({ mediaType }) => mediaType
  })

const decoded = (document: unknown, contentType?: string) =>
  Either.getOrThrow(Manifest.decode(bytes(document), contentType))

const { dockerManifest, dockerManifestList, dockerManifestV1, dockerManifestV1Signed, ociIndex, ociManifest } =
  MediaType

describe("Manifest", () => {
  describe("decode finds the kind", () => {
    it.each<[string, unknown, string | undefined, string]>([
      ["M9 from the header", image, ociManifest, ociManifest],
      ["M9 from the header", image, dockerManifest, dockerManifest],
      ["M9 from the header", index, ociIndex, ociIndex],
      ["M9 from the header", index, dockerManifestList, dockerManifestList],
      ["M5 from a header with parameters", image, `${dockerManifest}; charset=utf-8`, dockerManifest],
      ["M5 from a header in capitals", image, dockerManifest.toUpperCase(), dockerManifest],
      ["M6 from the body, sent as text", { ...image, mediaType: dockerManifest }, "text/plain", dockerManifest],
      [
        "P12 from the body, sent as bytes",
        { ...index, mediaType: dockerManifestList },
        "application/octet-stream",
        dockerManifestList
      ],
      [
        "M6 from the body, sent as JSON",
        { ...index, mediaType: ociIndex },
        "application/json;charset=ISO-8859-1",
        ociIndex
      ],
      [
        "M6 from the body, sent as two values",
        { ...index, mediaType: ociIndex },
        `${ociManifest}, text/plain`,
        ociIndex
      ],
      ["M6 from the body, sent as nothing", { ...image, mediaType: ociManifest }, undefined, ociManifest],
      ["M6 from the body, sent as nothing", { ...image, mediaType: ociManifest }, "", ociManifest],
      ["M5 from the body with parameters", { ...image, mediaType: `${ociManifest}; a=b` }, undefined, ociManifest],
      ["M6 from the structure of an image", image, "application/json", ociManifest],
      ["M6 from the structure of an index", index, undefined, ociIndex],
      ["M6 from Docker's config", { ...image, config: descriptor(MediaType.dockerConfig) }, undefined, dockerManifest],
      ["M13 from a key that is null", { schemaVersion: 2, manifests: null }, undefined, ociIndex],
      ["M9 with a media type of null", { ...image, mediaType: null }, undefined, ociManifest],
      ["M9 with an empty media type", { ...image, mediaType: "" }, ociManifest, ociManifest],
      ["M7 when header and body agree", { ...image, mediaType: ociManifest }, ociManifest, ociManifest],
      ["M27 from a withdrawn artifact manifest", artifact, undefined, MediaType.ociArtifactManifest]
    ])("%s", (_, document, contentType, expected) => {
      assert.strictEqual(outcome(document, contentType), expected)
    })
  })

  describe("decode refuses", () => {
    it.each<[string, unknown, string | undefined, string]>([
      [
        "M7 an index sent as an image",
        { ...index, mediaType: ociIndex },
        ociManifest,
        `it should be ${ociManifest}, but calls itself ${ociIndex}`
      ],
      ["M7 an OCI image sent as Docker's", { ...image, mediaType: ociManifest }, dockerManifest, "but calls itself"],
      [
        "M7 a stranger sent as an image",
        { ...image, mediaType: "application/vnd.example" },
        ociManifest,
        "but calls itself"
      ],
      [
        "M7 an image sent as a stranger",
        { ...image, mediaType: ociManifest },
        "application/vnd.example",
        "but calls itself"
      ],
      ["S6 the structure of an index sent as an image", index, ociManifest, "but has fields of an index"],
      [
        "S6 the structure of an image that calls itself an index",
        { ...image, mediaType: ociIndex },
        undefined,
        "but has fields of an image"
      ],
      [
        "M27 an artifact without its media type",
        { ...artifact, mediaType: undefined },
        undefined,
        "neither a mediaType nor"
      ],
      ["M13 an index without manifests", { schemaVersion: 2 }, ociIndex, "manifests: it is missing"],
      ["M13 an image without config", { schemaVersion: 2, layers: [] }, ociManifest, "config: is missing"],
      ["M6 half an image without media type", { schemaVersion: 2, config }, undefined, "neither a mediaType nor"],
      ["a media type that is a number", { ...image, mediaType: 1 }, undefined, "mediaType: it is not a media type"],
      [
        "S45 a media type that is a terminal's command",
        { ...image, mediaType: "\u001b[2J" },
        undefined,
        "mediaType: it is not"
      ],
      ["M10 schema version 3", { ...image, schemaVersion: 3 }, undefined, "schemaVersion: Expected 2, actual 3"],
      ["M10 a schema version in a string", { ...image, schemaVersion: "2" }, undefined, "schemaVersion: Expected 2"],
      ["M10 no schema version", { ...index, schemaVersion: undefined }, undefined, "schemaVersion: is missing"],
      ["M11 an image sent as schema 1", image, dockerManifestV1, "schemaVersion: it is not 1"],
      ["layers that are no list", { ...image, layers: { 0: layer } }, undefined, "layers: Expected"],
      [
        "IS37 annotations that are numbers",
        { ...image, annotations: { a: 1 } },
        undefined,
        "annotations.a: Expected string"
      ],
      [
        "M14 a size of half a byte",
        { ...image, layers: [layer, { ...layer, size: 0.5 }] },
        undefined,
        "layers[1].size: "
      ],
      [
        "M14 an infinite size",
        JSON.stringify(image).replace('"size":11', '"size":1e309'),
        undefined,
        "layers[0].size: "
      ],
      [
        "M14 an absent size",
        { ...index, manifests: [{ ...child, size: undefined }] },
        undefined,
        "manifests[0].size: is missing"
      ],
      [
        "M14 an empty media type",
        { ...image, config: { ...config, mediaType: "" } },
        undefined,
        "config.mediaType: it is empty"
      ],
      [
        "S5 a digest that is a path",
        { ...image, config: { ...config, digest: "sha256:../x" } },
        undefined,
        "config.digest: "
      ],
      ["S5 a subject without digest", { ...image, subject: { ...child, digest: "" } }, undefined, "subject.digest: "],
      [
        "S28 a digest of 63 digits",
        { ...artifact, blobs: [{ ...layer, digest: layer.digest.slice(0, -1) }] },
        undefined,
        "blobs[0].digest: "
      ],
      ["a list", [], undefined, "it is not a JSON object"],
      ["null", "null", undefined, "it is not a JSON object"],
      ["an empty object", {}, ociManifest, "schemaVersion: is missing"],
      ["an empty object", {}, undefined, "neither a mediaType nor"],
      ["nothing", "", ociManifest, `it is not JSON (${ociManifest}, empty)`],
      [
        "P45 a login page",
        "<!DOCTYPE html><html>…",
        "text/html; charset=utf-8",
        "it is not JSON (text/html; charset=utf-8, it starts “<!DOCTYPE html><html>…”)"
      ],
      [
        "P45 an error document",
        { errors: [{ code: "DENIED" }] },
        "application/json",
        'it is an error document (application/json, it starts “{"errors":[{"code":"DENIED"}]}”)'
      ],
      ["P45 an error document sent as a manifest", { errors: [] }, ociManifest, "it is an error document"],
      ["S45 a terminal's commands", "\u001b[31m\u202e", undefined, "(no Content-Type, it starts “[31m”)"],
      ["S20 a truncated document", JSON.stringify(image).slice(0, -1), ociManifest, "it is not JSON"],
      ["S20 a string without end", '{"schemaVersion', ociManifest, "it is not JSON"],
      ["S20 a million nested lists", "[".repeat(1_000_000), ociManifest, "nested more than 100 levels deep"],
      ["S20 a million nested objects", '{"a":'.repeat(1_000_000), ociManifest, "nested more than 100 levels deep"],
      [
        "S20 a key twice",
        JSON.stringify(image).replace("{", '{"layers":[],'),
        undefined,
        'an object has the key "layers" twice'
      ],
      [
        "S20 a key twice, once escaped",
        JSON.stringify(image).replace("{", '{"\\u006cayers":[],'),
        undefined,
        'the key "layers" twice'
      ],
      [
        "S20 a key twice in a descriptor",
        JSON.stringify(image).replace('{"mediaType"', `{"digest":"${digest(9)}","mediaType"`),
        undefined,
        'the key "digest" twice'
      ]
    ])("%s", (_, document, contentType, expected) => {
      assert.include(outcome(document, contentType), expected)
    })

    for (const [name, document] of [
      ["Layers", { ...image, Layers: [] }],
      ["MANIFESTS", { ...image, MANIFESTS: [] }],
      ["MediaType", { ...index, MediaType: ociManifest }],
      ["layerſ", { ...image, layerſ: [] }],
      ["Digest", { ...image, config: { ...config, Digest: digest(9) } }],
      ["Size", { ...image, layers: [layer, { ...layer, Size: 1 }] }],
      ["URLs", { ...index, manifests: [{ ...child, URLs: [] }] }],
      ["OS", { ...index, manifests: [{ ...child, platform: { os: "linux", architecture: "amd64", OS: "windows" } }] }]
    ] as const) {
      it(`S6 a key ${name}, which other clients read as the field of that name`, () => {
        assert.include(outcome(document), `its key "${name}" differs from a field's name by case alone`)
      })
    }

    it("S20 what is not UTF-8", () => {
      const result = Manifest.decode(new Uint8Array([0x7b, 0xff, 0x7d]))
      assert.include(Either.isLeft(result) ? result.left.message : "", "it is not UTF-8")
    })

    const fields = { config, layers: [layer], manifests: [child], blobs: [layer], fsLayers: [], history: [] }
    const families = [["config", "layers"], ["manifests"], ["blobs"], ["fsLayers", "history"]]
    const names = ["config", "layers", "manifests", "blobs", "fsLayers", "history"] as const
    const pairs = names.flatMap((one) => names.map((other) => [one, other] as const))
    const mixed = pairs.filter(
      ([one, other]) => one < other && !families.some((f) => f.includes(one) && f.includes(other))
    )

    for (const [one, other] of mixed) {
      it(`M8 S6 a document with ${one} and ${other}, whatever it is called`, () => {
        for (const mediaType of [
          undefined,
          ociManifest,
          ociIndex,
          dockerManifest,
          dockerManifestList,
          dockerManifestV1
        ]) {
          for (const schemaVersion of [1, 2]) {
            const document = { schemaVersion, [one]: fields[one], [other]: fields[other] }
            assert.include(outcome({ ...document, mediaType }), "it is ambiguous")
            assert.include(outcome(document, mediaType), "it is ambiguous")
          }
        }
      })
    }

    it("M8 an empty list of another family too, but not null", () => {
      assert.include(outcome({ ...image, manifests: [] }), "it is ambiguous")
      assert.strictEqual(outcome({ ...image, manifests: null }), ociManifest)
    })
  })

  describe("decode takes", () => {
    it("M12 what it does not know, and keeps it", () => {
      const document: object = {
        ...image,
        mediaType: ociManifest,
        artifactType: "application/vnd.example.new",
        config: { ...descriptor("quite/unknown"), more: { a: [] } },
        layers: [descriptor("x", 4)],
        annotations: { "com.example.any": "", constructor: "own" },
        next: [{ big: 1e300 }]
      }
      assert.deepStrictEqual(decoded(document), document)
    })

    it("M12 IS29 an index of what it does not know", () => {
      const document: object = { ...index, mediaType: ociIndex, manifests: [child, descriptor("quite/unknown")] }
      assert.deepStrictEqual(decoded(document), document)
    })

    it("M13 null for absent, and no layers for an empty list", () => {
      const { annotations, subject, ...rest } = { annotations: null, subject: null, ...image }
      for (const layers of [null, undefined]) {
        assert.deepStrictEqual(decoded({ ...rest, annotations, subject, artifactType: null, layers }, ociManifest), {
          schemaVersion: 2,
          mediaType: ociManifest,
          config,
          layers: []
        })
      }
      assert.deepStrictEqual(decoded({ ...artifact, blobs: null, subject, artifactType: null }), {
        mediaType: MediaType.ociArtifactManifest,
        blobs: []
      })
    })

    it("IS27 an empty index", () => {
      assert.deepStrictEqual(decoded({ schemaVersion: 2, manifests: [] }), {
        schemaVersion: 2,
        mediaType: ociIndex,
        manifests: []
      })
    })

    it("S46 keys of the prototype, without harm", () => {
      const text = JSON.stringify(image).replace("{", '{"__proto__":{"manifests":[],"polluted":1},')
      const manifest = decoded(text)
      assert.strictEqual(Object.getPrototypeOf(manifest), Object.prototype)
      assert.notProperty(manifest, "manifests")
      assert.notProperty({}, "polluted")
    })

    it("S19 S56 an index with 100 000 entries, in linear time", () => {
      const manifest = decoded({ ...index, manifests: Array.from({ length: 100_000 }, () => child) })
      assert.strictEqual(Manifest.isIndex(manifest) && manifest.manifests.length, 100_000)
    })
  })

  describe("Schema", () => {
    it("S6 refuses ambiguous JSON by itself, on the way in and out", () => {
      const ambiguous = { ...image, mediaType: ociManifest, manifests: [] }
      assert.throws(() => Schema.decodeUnknownSync(Manifest.Manifest)(ambiguous), "it is ambiguous")
      assert.throws(() => Schema.encodeUnknownSync(Manifest.Manifest)(ambiguous), "it is ambiguous")
      assert.throws(() => Schema.decodeUnknownSync(Manifest.ImageManifest)(ambiguous), "it is ambiguous")
      assert.throws(() => Schema.encodeUnknownSync(Manifest.ImageManifest)(ambiguous), "it is ambiguous")
    })

    it("M9 fills the media type it stands for", () => {
      assert.strictEqual(Schema.decodeUnknownSync(Manifest.DockerManifest)(image).mediaType, dockerManifest)
      assert.strictEqual(Schema.decodeUnknownSync(Manifest.DockerManifestList)(index).mediaType, dockerManifestList)
      assert.strictEqual(Schema.decodeUnknownSync(Manifest.Manifest)(index).mediaType, ociIndex)
    })

    it("is exclusive", () => {
      const documents = [
        { ...image, mediaType: ociManifest },
        { ...index, mediaType: ociIndex },
        { ...image, mediaType: dockerManifest },
        { ...index, mediaType: dockerManifestList },
        artifact
      ]
      const types = [
        Manifest.imageManifest,
        Manifest.imageIndex,
        Manifest.dockerManifest,
        Manifest.dockerManifestList,
        Manifest.artifactManifest
      ]
      documents.forEach((document, place) => {
        assert.deepStrictEqual(
          types.map((type) => type.decode(bytes(document))._tag === "Right"),
          types.map((_, other) => other === place)
        )
      })
    })
  })

  describe("encode", () => {
    it("IS35 writes the fields in the specification's order, unknown ones last, annotations sorted", () => {
      const manifest = decoded(
        '{"z":1,"annotations":{"b":"2","a":"1"},"layers":[],"config":{"size":2,"platform":{"os":"linux","architecture":"arm","variant":"v7"},"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","data":"e30=","y":[],"mediaType":"a/b"},"artifactType":"c/d","schemaVersion":2}'
      )
      assert.strictEqual(
        new TextDecoder().decode(Manifest.encode(manifest)),
        `{"schemaVersion":2,"mediaType":"${ociManifest}","artifactType":"c/d","config":{"mediaType":"a/b","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"data":"e30=","platform":{"architecture":"arm","os":"linux","variant":"v7"},"y":[]},"layers":[],"annotations":{"a":"1","b":"2"},"z":1}`
      )
    })

    it("writes fields of a Docker manifest that only OCI knows as they came", () => {
      const document: object = { ...image, mediaType: dockerManifest, subject: "any", annotations: [1] }
      const manifest = decoded(document)
      assert.deepStrictEqual(JSON.parse(new TextDecoder().decode(Manifest.encode(manifest))), document)
      assertNone(Manifest.subject(manifest))
    })

    it("S46 does not write what it would not read", () => {
      const annotations = JSON.parse('{"__proto__":"x","a":"b"}')
      const index: Manifest.ImageIndex = { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [], annotations }
      const document = JSON.parse(new TextDecoder().decode(Manifest.encode(index)))
      assert.deepStrictEqual(Object.keys(document.annotations), ["a"])
    })

    it.prop("loses no meaning", { manifest: Arbitrary.make(Schema.typeSchema(Manifest.Manifest)) }, ({ manifest }) => {
      const encoded = Manifest.encode(manifest)
      const again = Either.getOrThrow(Manifest.decode(encoded, manifest.mediaType))
      assert.deepStrictEqual(Manifest.encode(again), encoded)
      assert.deepStrictEqual(Either.getOrThrow(Manifest.decode(encoded)), again)
      assert.strictEqual(again.mediaType, manifest.mediaType)
      assert.deepStrictEqual(
        Option.map(Manifest.subject(again), ({ digest }) => digest),
        Option.map(Manifest.subject(manifest), ({ digest }) => digest)
      )
    })

    const shuffled = (value: unknown): unknown =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([key, part]) => [key, shuffled(part)])
          )
        : Array.isArray(value)
          ? value.map(shuffled)
          : value

    it.prop(
      "gives the same bytes whatever the order of the fields",
      { manifest: Arbitrary.make(Schema.typeSchema(Manifest.Manifest)) },
      ({ manifest }) => {
        const encoded = Manifest.encode(manifest)
        const turned = JSON.stringify(shuffled(JSON.parse(new TextDecoder().decode(encoded))))
        assert.deepStrictEqual(Manifest.encode(decoded(turned)), encoded)
      }
    )
  })

  describe("ManifestContent", () => {
    it.effect("IS33 keeps the bytes as they came and describes them", () =>
      Effect.gen(function* () {
        const given = bytes(JSON.stringify({ artifactType: "a/b", ...image }, null, 3))
        const before = given.slice()
        const content = yield* Manifest.ManifestContent.fromBytes(given, { mediaType: `${ociManifest};a=b` })
        assert.strictEqual(content.bytes, given)
        assert.deepStrictEqual(given, before)
        assert.deepStrictEqual(content.descriptor, {
          mediaType: ociManifest,
          digest: yield* Hasher.digest(before),
          size: before.length,
          artifactType: "a/b"
        })
        assert.strictEqual(content.manifest.mediaType, ociManifest)
      })
    )

    it.effect("names no artifact type that the manifest does not state", () =>
      Effect.gen(function* () {
        const plain = yield* Manifest.ManifestContent.fromBytes(bytes({ ...image, artifactType: "" }))
        assert.notProperty(plain.descriptor, "artifactType")
        const docker = yield* Manifest.ManifestContent.fromBytes(
          bytes({ ...image, mediaType: dockerManifest, artifactType: 5 })
        )
        assert.notProperty(docker.descriptor, "artifactType")
      })
    )

    it.effect("hashes with another algorithm", () =>
      Effect.gen(function* () {
        const { descriptor } = yield* Manifest.ManifestContent.fromBytes(bytes(index), { algorithm: "sha512" })
        assert.strictEqual(descriptor.digest, yield* Hasher.digest(bytes(index), "sha512"))
      })
    )

    it.effect("fails as decode does", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          Manifest.ManifestContent.fromBytes(bytes("<html>"), { mediaType: "text/html" })
        )
        assert.strictEqual(error._tag, "ManifestInvalid")
        assert.include(error.message, "text/html")
        assert.propertyVal(error, "mediaType", "text/html")
      })
    )

    it.effect("reads itself as a typed media type, a user's own too, and as no other", () =>
      Effect.gen(function* () {
        const content = yield* Manifest.ManifestContent.fromBytes(bytes({ ...image, extra: "yes" }))
        assertSome(content.as(Manifest.imageManifest), content.manifest)
        assertNone(content.as(Manifest.imageIndex))
        assertNone(content.as(Manifest.dockerManifest))
        const own = MediaType.make(ociManifest.toUpperCase(), Schema.Struct({ extra: Schema.String }))
        assertSome(content.as(own), { extra: "yes" })
        const misfit = MediaType.make(ociManifest, Schema.Struct({ extra: Schema.Number }))
        assertNone(content.as(misfit))
      })
    )

    it.effect("is made of a manifest that was built", () =>
      Effect.gen(function* () {
        const manifest: Manifest.ImageManifest = {
          schemaVersion: 2,
          mediaType: ociManifest,
          artifactType: "a/b",
          config: Descriptor.empty,
          layers: [layer]
        }
        const made = yield* Manifest.content(manifest)
        const read = yield* Manifest.ManifestContent.fromBytes(made.bytes, { mediaType: ociManifest })
        assert.deepStrictEqual(made.descriptor, read.descriptor)
        assert.deepStrictEqual(read.manifest, manifest)
        assert.strictEqual(made.manifest, manifest)
      })
    )
  })

  describe("schema 1", () => {
    const base64url = (text: string) => Buffer.from(text).toString("base64url")
    const plain = JSON.stringify(schemaOne, null, 3)
    const head = plain.slice(0, -2)
    const protectedHeader = (formatLength: unknown, formatTail: unknown = base64url("\n}")) =>
      base64url(JSON.stringify({ formatLength, formatTail, time: "2015-01-01T00:00:00Z" }))
    const signed = (...headers: ReadonlyArray<unknown>) =>
      `${head},\n   "signatures": ${JSON.stringify(headers.map((header) => ({ signature: "x", protected: header })))}\n}`
    const length = bytes(head).length
    const good = signed(protectedHeader(length))

    it.each<[string, unknown, string | undefined, string]>([
      ["by its header", schemaOne, dockerManifestV1Signed, dockerManifestV1Signed],
      ["by its header", schemaOne, dockerManifestV1, dockerManifestV1],
      ["by its version", schemaOne, "application/json", dockerManifestV1],
      ["by its signatures", good, undefined, dockerManifestV1Signed],
      ["whatever else it was sent as", schemaOne, ociManifest, dockerManifestV1],
      ["by its version alone", { ...image, schemaVersion: 1 }, undefined, dockerManifestV1]
    ])("M10 M11 is recognised %s", (_, document, contentType, expected) => {
      assert.strictEqual(outcome(document, contentType), `ManifestUnsupported ${expected}`)
    })

    const digestOf = (text: string, mediaType?: string) =>
      Effect.flip(Manifest.ManifestContent.fromBytes(bytes(text), { mediaType }))

    it.effect("M11 has the digest of its payload when signed, and hands out all its bytes", () =>
      Effect.gen(function* () {
        const error = yield* digestOf(good, dockerManifestV1Signed)
        assert.strictEqual(error._tag, "ManifestUnsupported")
        assert.strictEqual(error.digest, yield* Hasher.digest(bytes(plain)))
        assert.deepStrictEqual(error._tag === "ManifestUnsupported" && error.bytes, bytes(good))
        assert.notStrictEqual(error.digest, yield* Hasher.digest(bytes(good)))
      })
    )

    it.effect("M11 counts its payload in bytes, not characters", () =>
      Effect.gen(function* () {
        const start = '{\n   "schemaVersion": 1,\n   "name": "größe"'
        const header = protectedHeader(bytes(start).length)
        const text = `${start},\n   "signatures": [{"protected":"${header}"}]\n}`
        assert.strictEqual((yield* digestOf(text)).digest, yield* Hasher.digest(bytes(`${start}\n}`)))
      })
    )

    it.effect("M11 has the digest of all its bytes when unsigned", () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* digestOf(plain)).digest, yield* Hasher.digest(bytes(plain)))
        assert.strictEqual((yield* digestOf(plain, dockerManifestV1Signed)).digest, yield* Hasher.digest(bytes(plain)))
      })
    )

    it.effect("M11 is the same for several signatures that agree", () =>
      Effect.gen(function* () {
        const header = protectedHeader(length)
        assert.strictEqual((yield* digestOf(signed(header, header))).digest, yield* Hasher.digest(bytes(plain)))
      })
    )

    it.effect.each<[string, string]>([
      ["disagree in length", signed(protectedHeader(length), protectedHeader(length - 1))],
      ["disagree in tail", signed(protectedHeader(length), protectedHeader(length, base64url("}")))],
      ["are none", signed()],
      ["are no list", `${head},"signatures":{}}`],
      ["have no header", signed(undefined)],
      ["have a header that is no base64", signed("***")],
      ["have a header that is no JSON", signed(base64url("{"))],
      ["have no length", signed(protectedHeader(undefined))],
      ["have a length below nothing", signed(protectedHeader(-1))],
      ["have a length beyond the document", signed(protectedHeader(1e9))],
      ["have a tail that is no base64", signed(protectedHeader(length, "*"))]
    ])("M11 is invalid when its signatures %s", ([, text]) =>
      Effect.gen(function* () {
        const error = yield* digestOf(text, dockerManifestV1Signed)
        assert.strictEqual(error._tag, "ManifestInvalid")
        assert.include(error.message, "signatures")
      })
    )
  })

  it.effect("M12 hands on a manifest of a vendor's own type, with its digest", () =>
    Effect.gen(function* () {
      const mediaType = "application/vnd.example.manifest.v1+json"
      for (const [document, contentType] of [
        [{ schemaVersion: 2, mediaType }, undefined],
        [{ any: "thing" }, mediaType],
        [{ ...image, mediaType }, mediaType]
      ] as const) {
        const error = yield* Effect.flip(
          Manifest.ManifestContent.fromBytes(bytes(document), { mediaType: contentType })
        )
        assert.strictEqual(error._tag, "ManifestUnsupported")
        assert.strictEqual(error.mediaType, mediaType)
        assert.strictEqual(error.digest, yield* Hasher.digest(bytes(document)))
      }
    })
  )

  describe("asks of a manifest", () => {
    const empty = { ...image, config: Descriptor.empty }
    it.each<[string, unknown, string | undefined]>([
      ["M22 what it states", { ...image, artifactType: "a/b" }, "a/b"],
      ["M22 else its config's type", image, MediaType.ociConfig],
      ["M22 else its config's type", { ...image, artifactType: "" }, MediaType.ociConfig],
      [
        "M22 else its config's type",
        { ...empty, config: { ...config, mediaType: MediaType.ociEmpty } },
        MediaType.ociEmpty
      ],
      ["M22 else its config's type", { ...image, mediaType: dockerManifest, artifactType: "a/b" }, MediaType.ociConfig],
      ["M22 what an index states", { ...index, artifactType: "a/b" }, "a/b"],
      ["M22 of an index else nothing", index, undefined],
      ["M22 of a list nothing", { ...index, mediaType: dockerManifestList, artifactType: "a/b" }, undefined],
      ["M27 what an artifact states", artifact, "a/b"]
    ])("its artifact type: %s", (_, document, expected) => {
      assert.deepStrictEqual(Manifest.artifactType(decoded(document)), Option.fromNullable(expected))
    })

    it("its subject", () => {
      for (const document of [image, index]) {
        assertSome(Manifest.subject(decoded({ ...document, subject: child })), child)
        assertNone(Manifest.subject(decoded(document)))
      }
      assertSome(Manifest.subject(decoded(artifact)), child)
    })

    it("which kind it is", () => {
      const kinds = [
        [image, undefined],
        [image, dockerManifest],
        [index, undefined],
        [index, dockerManifestList],
        [artifact, undefined]
      ] as const
      const manifests = kinds.map(([document, mediaType]) => decoded(document, mediaType))
      assert.deepStrictEqual(manifests.map(Manifest.isImage), [true, true, false, false, false])
      assert.deepStrictEqual(manifests.map(Manifest.isIndex), [false, false, true, true, false])
    })
  })

  it.prop(
    "S20 never throws, whatever the bytes",
    { given: FastCheck.uint8Array(), type: FastCheck.string() },
    (any) => {
      assert.isTrue(Either.isEither(Manifest.decode(any.given, any.type)))
    }
  )

  it.effect.prop(
    "S20 never throws, whatever the JSON",
    {
      document: FastCheck.record(
        {
          schemaVersion: FastCheck.constantFrom<unknown>(1, 2, "2"),
          mediaType: FastCheck.oneof(
            FastCheck.constantFrom<unknown>(ociManifest, ociIndex, dockerManifestV1, null),
            FastCheck.jsonValue()
          ),
          config: FastCheck.jsonValue(),
          layers: FastCheck.jsonValue(),
          manifests: FastCheck.jsonValue(),
          signatures: FastCheck.jsonValue()
        },
        { requiredKeys: [] }
      )
    },
    ({ document }) => Effect.asVoid(Effect.either(Manifest.ManifestContent.fromBytes(bytes(document))))
  )
})
