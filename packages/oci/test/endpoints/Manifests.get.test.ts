import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import * as Reference from "effect-oci/Reference"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import { play, refusal } from "../scripted.js"
import {
  answer,
  broken,
  decode,
  describeBytes,
  digestOf,
  encode,
  failing,
  json,
  manifest,
  manifestAnswer,
  manifestContent,
  manifestDigest,
  notFound,
  pinned,
  repository,
  sha256,
  sha512,
  tagged,
  v2
} from "./given.js"

const line = `GET ${v2}/manifests/1.2`
const pinnedLine = `GET ${v2}/manifests/${manifestDigest}`

const config = describeBytes("{}", MediaType.ociEmpty)
const untyped = { schemaVersion: 2, config, layers: [] }
const document = (extra: object) => json({ ...untyped, ...extra })
const typed = (contentType: string, bytes: Uint8Array) => answer(200, { "content-type": contentType }, bytes)

const get = Manifests.get(tagged)

describe("Manifests.get", () => {
  it.effect("M1 asks for all kinds of manifests in one header, indexes first", () =>
    play([[line, manifestAnswer()]], (sent) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* get, manifestContent)
        assert.strictEqual(
          sent[0]?.headers.accept,
          "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, " +
            "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"
        )
      })
    )
  )

  it.effect("M1 asks for the kinds that are wanted", () =>
    play([[line, manifestAnswer()]], (sent) =>
      Effect.gen(function* () {
        yield* Manifests.get(tagged, { accept: [MediaType.ociManifest, MediaType.dockerManifest] })
        assert.strictEqual(sent[0]?.headers.accept, `${MediaType.ociManifest}, ${MediaType.dockerManifest}`)
      })
    )
  )

  it.effect("N13 asks by tag, by digest before a tag, and by latest without either", () =>
    play(
      [
        [line, manifestAnswer()],
        [pinnedLine, manifestAnswer()],
        [`GET ${v2}/manifests/latest`, manifestAnswer()]
      ],
      () =>
        Effect.gen(function* () {
          for (const reference of [tagged, Reference.withDigest(tagged, manifestDigest), Reference.make(repository)]) {
            assert.deepStrictEqual(yield* Manifests.get(reference), manifestContent)
          }
        })
    )
  )

  it.effect("P12 reads a manifest that a CDN serves without type and digest", () =>
    play(
      [
        [line, answer(302, { location: "https://cdn.test/m?sig=a%2Fb~c" })],
        ["GET https://cdn.test/m?sig=a%2Fb~c", typed("text/plain", manifest)]
      ],
      () => Effect.map(get, (found) => assert.deepStrictEqual(found, manifestContent))
    )
  )

  const claims: ReadonlyArray<readonly [name: string, claim: string, digest: string]> = [
    ["P31 missing", "", manifestDigest],
    ["P32 P35 wrong", sha256("other"), manifestDigest],
    ["P32 no digest", "sha256:abc", manifestDigest],
    ["P33 right in another algorithm", sha512(manifest), sha512(manifest)],
    ["P33 wrong in another algorithm", sha512("other"), manifestDigest],
    ["P33 in an unknown algorithm", "blake9:abc", manifestDigest]
  ]
  for (const [name, claim, digest] of claims) {
    it.effect(`hashes the bytes of a tag when the registry's word is ${name}`, () =>
      play([[line, manifestAnswer(manifest, claim === "" ? {} : { "docker-content-digest": claim })]], () =>
        Effect.map(get, ({ descriptor }) => assert.strictEqual(descriptor.digest, digest))
      )
    )
    it.effect(`S4 goes by the digest asked for when the registry's word is ${name}`, () =>
      play([[pinnedLine, manifestAnswer(manifest, claim === "" ? {} : { "docker-content-digest": claim })]], () =>
        Effect.map(Manifests.get(pinned), ({ descriptor }) => assert.strictEqual(descriptor.digest, manifestDigest))
      )
    )
  }

  it.effect("S4 refuses another manifest than the one asked for, whatever its answer says", () => {
    const other = document({ mediaType: MediaType.ociManifest })
    return play([[pinnedLine, manifestAnswer(other, { "docker-content-digest": sha256(other) })]], () =>
      Effect.gen(function* () {
        const error = yield* failing("DigestMismatch", Manifests.get(pinned))
        assert.deepStrictEqual([error.expected, error.actual], [manifestDigest, sha256(other)])
      })
    )
  })

  it.effect("S28 does not ask for what it could not verify", () => {
    const digest = digestOf("md5:d41d8cd98f00b204e9800998ecf8427e")
    return play([], () =>
      Effect.gen(function* () {
        const error = yield* failing("DigestMismatch", Manifests.get(Reference.make(repository, { digest })))
        assert.isUndefined(error.actual)
      })
    )
  })

  it.effect("IS11 verifies before it reads", () =>
    play([[`GET ${v2}/manifests/${manifestDigest}`, manifestAnswer(encode("not a manifest"))]], () =>
      failing("DigestMismatch", Manifests.get(pinned))
    )
  )

  const read: ReadonlyArray<readonly [name: string, contentType: string, bytes: Uint8Array, mediaType: string]> = [
    ["M5 with parameters", `${MediaType.ociManifest}; charset=utf-8`, document({}), MediaType.ociManifest],
    ["M5 in capitals", MediaType.ociManifest.toUpperCase(), document({}), MediaType.ociManifest],
    [
      "M5 in latin-1 (Artifactory)",
      "application/json;charset=ISO-8859-1",
      document({ mediaType: MediaType.dockerManifest }),
      MediaType.dockerManifest
    ],
    ["M6 text/plain", "text/plain", document({ mediaType: MediaType.ociManifest }), MediaType.ociManifest],
    ["M6 octets", "application/octet-stream", document({}), MediaType.ociManifest],
    ["M6 two that were joined", `${MediaType.dockerManifest}, text/plain`, document({}), MediaType.ociManifest],
    [
      "M6 none, with a Docker config",
      "",
      document({ config: { ...config, mediaType: MediaType.dockerConfig } }),
      MediaType.dockerManifest
    ],
    ["M9 that alone tells the type", MediaType.dockerManifest, document({}), MediaType.dockerManifest],
    ["M9 of an index", MediaType.ociIndex, json({ schemaVersion: 2, manifests: [] }), MediaType.ociIndex],
    ["M13 with null for layers", MediaType.ociManifest, document({ layers: null }), MediaType.ociManifest]
  ]
  for (const [name, contentType, bytes, mediaType] of read) {
    it.effect(`reads a manifest of a Content-Type ${name}`, () =>
      play([[line, contentType === "" ? answer(200, {}, bytes) : typed(contentType, bytes)]], () =>
        Effect.map(get, ({ descriptor, manifest }) => {
          assert.strictEqual(descriptor.mediaType, mediaType)
          assert.strictEqual(manifest.mediaType, mediaType)
        })
      )
    )
  }

  const invalid: ReadonlyArray<readonly [name: string, contentType: string, bytes: Uint8Array]> = [
    [
      "M7 of two types",
      MediaType.ociManifest,
      json({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] })
    ],
    ["M8 S6 that could be an index too", MediaType.ociManifest, document({ manifests: [] })],
    ["S6 with a field in two spellings", MediaType.ociManifest, document({ Layers: [] })],
    ["M10 of version 3", MediaType.ociManifest, document({ schemaVersion: 3 })],
    ["M10 of version “2”", MediaType.ociManifest, document({ schemaVersion: "2" })],
    ["M10 of no version", MediaType.ociManifest, json({ config, layers: [] })],
    ["M14 with a size below nothing", MediaType.ociManifest, document({ config: { ...config, size: -1 } })],
    [
      "S5 with a digest that is a path",
      MediaType.ociManifest,
      document({ config: { ...config, digest: "sha256:../../x" } })
    ],
    ["S5 with an empty digest", MediaType.ociManifest, document({ config: { ...config, digest: "" } })],
    ["P45 that is a web page", "text/html", encode("<html>Sign in</html>")],
    ["P45 that is an error document", "application/json", json({ errors: [{ code: "MANIFEST_UNKNOWN" }] })],
    ["P45 that is empty", MediaType.ociManifest, encode("")],
    ["P45 that is a list", MediaType.ociManifest, encode("[]")]
  ]
  for (const [name, contentType, bytes] of invalid) {
    it.effect(`refuses a document ${name}`, () =>
      play([[line, typed(contentType, bytes)]], () =>
        Effect.gen(function* () {
          const error = yield* failing("ManifestInvalid", get)
          assert.strictEqual(error.repository, "org/app")
          assert.strictEqual(error.reference, "1.2")
          assert.strictEqual(error.status, 200)
        })
      )
    )
  }

  it.effect("P45 shows what came in place of a manifest", () =>
    play([[line, typed("text/html", encode("<html>Sign in</html>"))]], () =>
      Effect.gen(function* () {
        const { message } = yield* failing("ManifestInvalid", get)
        assert.include(message, "text/html")
        assert.include(message, "<html>Sign in")
      })
    )
  )

  const schemaOne = json({ schemaVersion: 1, name: "org/app", fsLayers: [], history: [] })
  for (const [name, contentType] of [
    ["its type", MediaType.dockerManifestV1],
    ["its version alone", "application/json"]
  ] as const) {
    it.effect(`M11 hands out Docker schema 1 with its bytes and digest, known by ${name}`, () =>
      play([[line, typed(contentType, schemaOne)]], () =>
        Effect.gen(function* () {
          const error = yield* failing("ManifestUnsupported", get)
          assert.strictEqual(error.mediaType, MediaType.dockerManifestV1)
          assert.strictEqual(decode(error.bytes), decode(schemaOne))
          assert.strictEqual(error.digest, sha256(schemaOne))
        })
      )
    )
  }

  it.effect("M11 S4 verifies Docker schema 1 too", () =>
    play([[pinnedLine, typed(MediaType.dockerManifestV1, schemaOne)]], () =>
      failing("DigestMismatch", Manifests.get(pinned))
    )
  )

  it.effect("M12 hands a vendor's manifest on unread", () =>
    play([[line, typed("application/vnd.acme.thing.v1+json", encode('{"schemaVersion":2}'))]], () =>
      Effect.gen(function* () {
        const error = yield* failing("ManifestUnsupported", get)
        assert.strictEqual(error.mediaType, "application/vnd.acme.thing.v1+json")
      })
    )
  )

  const small = Effect.provide(get, RegistryHosts.layer({ limits: { manifest: 10 } }))

  it.effect("M16 S2 does not read a manifest that says it is too large", () =>
    play([[line, answer(200, { "content-length": "11" }, manifest)]], (sent) =>
      Effect.gen(function* () {
        assert.strictEqual((yield* failing("ResponseTooLarge", small)).limit, 10)
        assert.strictEqual(sent[0]?.taken, 0)
      })
    )
  )

  it.effect("M16 S2 stops reading a manifest that turns out too large", () =>
    play([[line, answer(200, {}, ["     ", "     ", " ", "never read"])]], (sent) =>
      Effect.gen(function* () {
        yield* failing("ResponseTooLarge", small)
        assert.strictEqual(sent[0]?.taken, 11)
      })
    )
  )

  it.effect("M16 DS43 takes a manifest of 4 MB", () => {
    const large = document({ annotations: { large: "x".repeat(4_000_000) } })
    return play([[line, manifestAnswer(large)]], () =>
      Effect.map(get, ({ descriptor }) => assert.strictEqual(descriptor.size, large.length))
    )
  })

  it.effect("P17 fails when the connection breaks", () =>
    play([[line, broken(200, { "content-type": MediaType.ociManifest }, '{"schemaVersion":2')]], () =>
      failing("TransportError", get)
    )
  )

  for (const [shape, type, body] of notFound) {
    it.effect(`P44 takes 404 for no such manifest, whatever it says: ${shape}`, () =>
      play([[line, answer(404, { "content-type": type }, body)]], () => failing("ManifestUnknown", get))
    )
  }

  const refused = [
    ["code-7 of a Docker Hub tag", "ManifestUnknown", () => refusal(404, "MANIFEST_UNKNOWN", "manifest unknown")],
    ["code-7 in 400", "ManifestUnknown", () => refusal(400, "MANIFEST_UNKNOWN")],
    ["code-9", "NameUnknown", () => refusal(404, "name_unknown")],
    ["M4 406", "UnexpectedResponse", () => answer(406)],
    ["P49 304", "UnexpectedResponse", () => answer(304)],
    ["code-6 in 500 (zot)", "RegistryUnavailable", () => refusal(500, "MANIFEST_INVALID")]
  ] as const
  for (const [name, tag, answered] of refused) {
    it.effect(`${name} is ${tag}`, () => play([[line, answered()]], () => failing(tag, get)))
  }
})
