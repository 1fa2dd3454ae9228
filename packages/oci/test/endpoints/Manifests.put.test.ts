import { assert, describe, it } from "@effect/vitest"
import { assertNone, assertSome } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as Manifest from "effect-oci/Manifest"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import * as Reference from "effect-oci/Reference"
import { play, refusal, type Step } from "../scripted.js"
import {
  answer,
  decode,
  describeBytes,
  digestOf,
  encode,
  failing,
  manifest,
  manifestContent,
  manifestDigest,
  pinned,
  repository,
  sha256,
  sha512,
  tagged,
  v2
} from "./given.js"

const line = `PUT ${v2}/manifests/1.2`
const byDigest = `PUT ${v2}/manifests/${manifestDigest}`
const put = Manifests.put(tagged, manifestContent)
const taking = (...tags: ReadonlyArray<string>) => tags.map((tag) => `tag=${tag}`).join("&")
const confirming = (...tags: ReadonlyArray<string>) => answer(201, { "oci-tag": tags.join(", ") })

describe("Manifests.put", () => {
  for (const status of [200, 201, 202]) {
    it.effect(`U52 M24 sends the bytes as they are under their bare type, and takes ${status} without a Location`, () =>
      play([[line, answer(status)]], (sent) =>
        Effect.gen(function* () {
          const { descriptor, subject, tags } = yield* put
          assert.deepStrictEqual([descriptor, tags], [manifestContent.descriptor, ["1.2"]])
          assertNone(subject)
          assert.deepStrictEqual(sent[0]?.body, manifest)
          assert.strictEqual(sent[0]?.headers["content-type"], MediaType.ociManifest)
          assert.strictEqual(sent[0]?.headers["content-length"], String(manifest.length))
        })
      )
    )
  }

  it.effect("U66 keeps white space and unknown fields", () =>
    Effect.gen(function* () {
      const bytes = encode(`${decode(manifest).replace("{", '{ "x-unknown": [ 1 ],\n')}\n`)
      const content = yield* Manifest.ManifestContent.fromBytes(bytes)
      yield* play([[line, answer(201)]], (sent) =>
        Effect.gen(function* () {
          yield* Manifests.put(tagged, content)
          assert.deepStrictEqual(sent[0]?.body, bytes)
        })
      )
    })
  )

  it.effect("U56 encodes a manifest of one's own, its media type in it", () =>
    play([[line, answer(201)]], (sent) =>
      Effect.gen(function* () {
        const { descriptor } = yield* Manifests.put(tagged, manifestContent.manifest)
        assert.include(decode(sent[0]?.body), `"mediaType":"${MediaType.ociManifest}"`)
        assert.strictEqual(descriptor.digest, sha256(sent[0]?.body ?? ""))
      })
    )
  )

  it.effect("puts a reference without tag and digest under latest", () =>
    play([[`PUT ${v2}/manifests/latest`, answer(201)]], () =>
      Effect.map(Manifests.put(Reference.make(repository), manifestContent), ({ tags }) =>
        assert.deepStrictEqual(tags, ["latest"])
      )
    )
  )

  it.effect("N13 puts a reference of a digest alone under no tag", () =>
    play([[byDigest, answer(201)]], () =>
      Effect.map(Manifests.put(pinned, manifestContent), ({ tags }) => assert.deepStrictEqual(tags, []))
    )
  )

  it.effect("puts a manifest under a digest of another algorithm", () => {
    const digest = sha512(manifest)
    return play([[`PUT ${v2}/manifests/${digest}`, answer(201, { "docker-content-digest": manifestDigest })]], () =>
      Effect.gen(function* () {
        const { descriptor } = yield* Manifests.put(Reference.make(repository, { digest }), manifestContent)
        assert.deepStrictEqual(descriptor, { ...manifestContent.descriptor, digest })
      })
    )
  })

  for (const digest of [sha256("other"), sha512("other"), digestOf("md5:abc")]) {
    it.effect(`sends nothing when its digest is not that of the reference: ${digest.slice(0, 6)}`, () =>
      play([], () =>
        Effect.gen(function* () {
          const reference = Reference.make(repository, { digest })
          assert.strictEqual(
            (yield* failing("DigestMismatch", Manifests.put(reference, manifestContent))).expected,
            digest
          )
        })
      )
    )
  }

  it.effect("U53 fails when the registry stored something else", () =>
    play([[line, answer(201, { "docker-content-digest": sha256("other") })]], () =>
      Effect.gen(function* () {
        const error = yield* failing("DigestMismatch", put)
        assert.deepStrictEqual([error.expected, error.actual], [manifestDigest, sha256("other")])
      })
    )
  )

  for (const claim of ["", "nonsense", sha512("whatever")]) {
    it.effect(`U53 passes by a digest that says nothing: “${claim.slice(0, 8)}”`, () =>
      play([[line, answer(201, { "docker-content-digest": claim })]], () => put)
    )
  }

  const subjects: ReadonlyArray<readonly [name: string, header: string | undefined, noted: boolean]> = [
    ["R11 noted", manifestDigest, true],
    ["R13 not noted", undefined, false],
    ["R14 noted wrongly", sha256("other"), false]
  ]
  for (const [name, header, noted] of subjects) {
    it.effect(`tells whether the subject is noted: ${name}`, () => {
      const subject = describeBytes(manifest, MediaType.ociManifest)
      const about = { ...manifestContent.manifest, subject }
      return play([[line, answer(201, header === undefined ? {} : { "oci-subject": header })]], () =>
        Effect.map(Manifests.put(tagged, about), (result) =>
          assert.strictEqual(Option.getOrUndefined(result.subject), noted ? manifestDigest : undefined)
        )
      )
    })
  }

  it.effect("R30 refers to a subject of Docker's type", () => {
    const about = { ...manifestContent.manifest, subject: describeBytes(manifest, MediaType.dockerManifest) }
    return play([[line, answer(201, { "oci-subject": manifestDigest })]], (sent) =>
      Effect.gen(function* () {
        const { subject } = yield* Manifests.put(tagged, about)
        assertSome(subject, manifestDigest)
        assert.include(decode(sent[0]?.body), `"subject":{"mediaType":"${MediaType.dockerManifest}"`)
      })
    )
  })

  it.effect("R11 notes no subject of a manifest that has none", () =>
    play([[line, answer(201, { "oci-subject": manifestDigest })]], () =>
      Effect.map(put, ({ subject }) => assertNone(subject))
    )
  )
})

describe("Manifests.put under several tags", () => {
  const many = Manifests.put(tagged, manifestContent, { tags: ["1", "latest"] })

  it.effect("U60 E5 takes one request where the registry confirms all tags, in one header or joined ones", () =>
    play([[`${byDigest}?${taking("1.2", "1", "latest")}`, confirming("1.2", "1, latest")]], (sent) =>
      Effect.gen(function* () {
        assert.deepStrictEqual((yield* many).tags, ["1.2", "1", "latest"])
        assert.deepStrictEqual(sent[0]?.body, manifest)
      })
    )
  )

  it.effect("U60 pushes tags one by one that the registry does not confirm", () =>
    play(
      [
        [`${byDigest}?${taking("1.2", "1", "latest")}`, confirming("1")],
        [`PUT ${v2}/manifests/1.2`, answer(201)],
        [`PUT ${v2}/manifests/latest`, answer(201)]
      ],
      (sent) =>
        Effect.gen(function* () {
          assert.deepStrictEqual((yield* many).tags, ["1.2", "1", "latest"])
          assert.isTrue(sent.every(({ body }) => decode(body) === decode(manifest)))
        })
    )
  )

  const twelve = Array.from({ length: 12 }, (_, n) => `t${n}`)

  it.effect("U60 sends ten tags with a request", () =>
    play(
      [
        [`${byDigest}?${taking(...twelve.slice(0, 10))}`, confirming(...twelve.slice(0, 10))],
        [`${byDigest}?${taking(...twelve.slice(10))}`, confirming(...twelve.slice(10))]
      ],
      () =>
        Effect.map(Manifests.put(pinned, manifestContent, { tags: twelve }), ({ tags }) =>
          assert.deepStrictEqual(tags, twelve)
        )
    )
  )

  it.effect("U60 does not go on with tags in queries that no answer confirms", () =>
    play(
      [
        [`${byDigest}?${taking(...twelve.slice(0, 10))}`, answer(201)],
        ...twelve.map((tag): Step => [`PUT ${v2}/manifests/${tag}`, answer(201)])
      ],
      () =>
        Effect.map(Manifests.put(pinned, manifestContent, { tags: twelve }), ({ tags }) =>
          assert.deepStrictEqual(tags, twelve)
        )
    )
  )

  it.effect("U60 remembers for five minutes that a registry takes one tag at a time", () =>
    play(
      [
        [`${byDigest}?${taking("1.2", "1", "latest")}`, answer(201)],
        ...["1.2", "1", "latest"].map((tag): Step => [`PUT ${v2}/manifests/${tag}`, answer(201)]),
        [byDigest, answer(201)],
        ...["1.2", "1", "latest"].map((tag): Step => [`PUT ${v2}/manifests/${tag}`, answer(201)]),
        [`${byDigest}?${taking("1.2", "1", "latest")}`, confirming("1.2", "1", "latest")]
      ],
      () =>
        Effect.gen(function* () {
          yield* many
          yield* many
          yield* TestClock.adjust("6 minutes")
          yield* many
        })
    )
  )

  it.effect("U60 sends each tag once", () =>
    play([[`${byDigest}?${taking("1.2", "1")}`, confirming("1.2", "1")]], () =>
      Effect.map(Manifests.put(tagged, manifestContent, { tags: ["1", "1.2", "1"] }), ({ tags }) =>
        assert.deepStrictEqual(tags, ["1.2", "1"])
      )
    )
  )

  it.effect("U60 needs no query for the tag that the reference has", () =>
    play([[line, answer(201)]], () =>
      Effect.map(Manifests.put(tagged, manifestContent, { tags: ["1.2"] }), ({ tags }) =>
        assert.deepStrictEqual(tags, ["1.2"])
      )
    )
  )

  it.effect("puts a reference with a tag and a digest under both", () =>
    play([[`${byDigest}?tag=1.2`, confirming("1.2")]], () =>
      Effect.map(Manifests.put(Reference.withDigest(tagged, manifestDigest), manifestContent), ({ tags }) =>
        assert.deepStrictEqual(tags, ["1.2"])
      )
    )
  )

  it.effect("U60 fails with the tag that may not be moved", () =>
    play(
      [
        [`${byDigest}?${taking("1.2", "1", "latest")}`, confirming("1.2", "latest")],
        [`PUT ${v2}/manifests/1`, refusal(400, "TAG_INVALID", "the repository is immutable")]
      ],
      () => Effect.map(failing("TagImmutable", many), ({ reference }) => assert.strictEqual(reference, "1"))
    )
  )

  it.effect("N9 sends nothing when a tag is none", () =>
    play([], () =>
      Effect.gen(function* () {
        for (const tag of ["", ".a", "a/b", "a&tag=b", "latest\n"]) {
          yield* failing("InvalidReference", Manifests.put(tagged, manifestContent, { tags: ["1", tag] }))
        }
      })
    )
  )
})

describe("Manifests.put refused", () => {
  const [one, two] = [sha256("one"), sha256("two")]
  const refusing = (status: number, ...errors: ReadonlyArray<object>) => Response.json({ errors }, { status })
  const unknown = (detail: unknown) => ({ code: "MANIFEST_BLOB_UNKNOWN", message: "blob unknown", detail })

  const missing: ReadonlyArray<readonly [name: string, answer: () => Response, missing: ReadonlyArray<string>]> = [
    ["a digest", () => refusing(400, unknown(one)), [one]],
    ["an object", () => refusing(400, unknown({ digest: one })), [one]],
    [
      "several entries (Docker Hub)",
      () => refusing(400, unknown({ digest: one }), unknown(two), unknown(two)),
      [one, two]
    ],
    ["something deeper", () => refusing(400, unknown([{ layer: { Digest: two } }])), [two]],
    ["something too deep", () => refusing(400, unknown([[[[[[one]]]]]])), []],
    ["nothing", () => refusing(400, { code: "MANIFEST_BLOB_UNKNOWN" }), []],
    ["no digest", () => refusing(400, unknown("sha256:XYZ"), unknown(null), unknown(7)), []],
    ["zot's BLOB_UNKNOWN", () => refusing(400, { code: "BLOB_UNKNOWN", detail: { digest: one } }), [one]],
    ["MANIFEST_UNKNOWN of a child", () => refusing(404, { code: "MANIFEST_UNKNOWN", detail: one }), [one]],
    ["MANIFEST_BLOB_UNKNOWN in 404", () => refusing(404, unknown(one)), [one]]
  ]
  for (const [name, answered, digests] of missing) {
    it.effect(`code-5 U54 U55 tells what the repository lacks: ${name}`, () =>
      play([[line, answered()]], () =>
        Effect.map(failing("ManifestBlobUnknown", put), ({ missing }) => assert.deepStrictEqual(missing, digests))
      )
    )
  }

  const immutable = "The image tag '1.2' already exists and cannot be overwritten because the repository is immutable."
  const refused = [
    ["code-4", "DigestInvalid", () => refusal(400, "DIGEST_INVALID")],
    ["code-6", "ManifestInvalid", () => refusal(400, "MANIFEST_INVALID")],
    ["code-6 in 415 (zot)", "ManifestInvalid", () => refusal(415, "MANIFEST_INVALID")],
    ["code-6 in 409 (zot)", "ManifestInvalid", () => refusal(409, "MANIFEST_INVALID")],
    ["415 without a code", "ManifestInvalid", () => answer(415)],
    ["code-6 in 500 (zot)", "RegistryUnavailable", () => refusal(500, "MANIFEST_INVALID")],
    ["code-8", "NameInvalid", () => refusal(400, "NAME_INVALID")],
    ["code-9", "NameUnknown", () => refusal(404, "NAME_UNKNOWN")],
    ["U55 404 in a shape of its own (Gitea)", "NameUnknown", () => answer(404, {}, "{}")],
    ["code-10", "ManifestInvalid", () => refusal(400, "SIZE_INVALID")],
    ["U56 code-13 in 405 (ECR)", "Unsupported", () => refusal(405, "UNSUPPORTED", "Invalid JSON syntax")],
    ["U57 code-13 in 501 (Gitea)", "Unsupported", () => refusal(501, "UNSUPPORTED", "Schema version")],
    ["13b MANIFEST_UNVERIFIED", "ManifestInvalid", () => refusal(400, "MANIFEST_UNVERIFIED")],
    ["13b TAG_INVALID", "ManifestInvalid", () => refusal(400, "TAG_INVALID", "manifest tag did not match URI")],
    ["13b in small letters", "ManifestInvalid", () => refusal(400, "manifest_invalid")],
    ["U58 TAG_INVALID of ECR", "TagImmutable", () => refusal(400, "TAG_INVALID", immutable)],
    ["U58 13b TAG_IMMUTABLE", "TagImmutable", () => refusal(409, "TAG_IMMUTABLE")],
    ["U58 403 of Docker Hub", "TagImmutable", () => refusal(403, "DENIED", "tag is immutable")],
    ["U58 412 of Harbor", "TagImmutable", () => refusal(412, "PRECONDITION", "configured as immutable")],
    ["U58 412 for another reason", "PolicyViolation", () => refusal(412, "PROJECTPOLICYVIOLATION")],
    ["U58 409 of zot", "PolicyViolation", () => answer(409)],
    ["U58 13b REGISTRY_DISALLOWED_OPERATION", "PolicyViolation", () => refusal(405, "REGISTRY_DISALLOWED_OPERATION")],
    ["U59 413", "PayloadTooLarge", () => answer(413, { "content-type": "text/html" }, "<html>")],
    ["U59 413 with a code", "PayloadTooLarge", () => refusal(413, "MANIFEST_INVALID")],
    ["U11 414", "UnexpectedResponse", () => answer(414)],
    ["U63 429", "TooManyRequests", () => answer(429)]
  ] as const
  for (const [name, tag, answered] of refused) {
    it.effect(`${name} is ${tag}`, () => play([[line, answered()]], () => failing(tag, put)))
  }
})
