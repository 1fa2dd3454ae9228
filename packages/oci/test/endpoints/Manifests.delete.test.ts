import { assert, describe, it } from "@effect/vitest"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Effect from "effect/Effect"
import type { Digest } from "effect-oci/Digest"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import * as Reference from "effect-oci/Reference"
import * as Referrers from "effect-oci/Referrers"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as Tags from "effect-oci/Tags"
import { play, refusal, type Step } from "../scripted.js"
import {
  answer,
  decode,
  describeBytes,
  encode,
  failing,
  json,
  manifestAnswer,
  manifestContent,
  manifestDigest,
  referrerTo,
  repository,
  sha512,
  v2
} from "./given.js"

/** A registry that is known to list referrers by itself: there is nothing to read before a delete. */
const listing = RegistryHosts.layer({ capabilities: { referrers: true } })
const remove = (digest: Digest) => Effect.provide(Manifests.delete(repository, digest), listing)

describe("Manifests.delete", () => {
  const deleteLine = `DELETE ${v2}/manifests/${manifestDigest}`

  for (const status of [200, 202, 204]) {
    it.effect(`D1 takes ${status} for done`, () => play([[deleteLine, answer(status)]], () => remove(manifestDigest)))
  }

  const refused = [
    ["D4 405 UNSUPPORTED", "Unsupported", () => refusal(405, "UNSUPPORTED")],
    ["D4 403", "Denied", () => refusal(403, "DENIED")],
    ["D6 400 UNSUPPORTED", "Unsupported", () => refusal(400, "UNSUPPORTED")],
    ["D6 400 NAME_UNKNOWN", "NameUnknown", () => refusal(400, "NAME_UNKNOWN")],
    ["D6 405 DENIED", "Denied", () => refusal(405, "DENIED")],
    ["D6 409", "PolicyViolation", () => answer(409)],
    ["D7 404 MANIFEST_UNKNOWN", "ManifestUnknown", () => refusal(404, "MANIFEST_UNKNOWN")],
    ["D7 404 NAME_UNKNOWN", "NameUnknown", () => refusal(404, "NAME_UNKNOWN")],
    ["D11 405 REGISTRY_DISALLOWED_OPERATION", "PolicyViolation", () => refusal(405, "REGISTRY_DISALLOWED_OPERATION")],
    ["D11 412", "PolicyViolation", () => refusal(412, "PRECONDITION")]
  ] as const
  for (const [name, tag, answered] of refused) {
    it.effect(`${name} is ${tag}`, () => play([[deleteLine, answered()]], () => failing(tag, remove(manifestDigest))))
  }

  const elsewhere = [
    ["404", "ManifestUnknown", () => answer(404)],
    ["400 DIGEST_INVALID", "UnexpectedResponse", () => refusal(400, "DIGEST_INVALID")]
  ] as const
  for (const [name, tag, answered] of elsewhere) {
    it.effect(`D14 ${name} to a digest of another algorithm is ${tag}`, () => {
      const digest = sha512("manifest")
      return play([[`DELETE ${v2}/manifests/${digest}`, answered()]], () =>
        Effect.map(failing(tag, remove(digest)), (error) => assert.strictEqual(error.digest, digest))
      )
    })
  }

  for (const code of ["GOOGLE_MANIFEST_DANGLING_TAG", "GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE"]) {
    it.effect(`D5 13b passes ${code} on`, () =>
      play([[deleteLine, refusal(400, code, "tags still point here")]], () =>
        Effect.gen(function* () {
          const error = yield* failing("UnexpectedResponse", remove(manifestDigest))
          assert.deepStrictEqual(error.errors, [{ code, message: "tags still point here" }])
        })
      )
    )
  }
})

describe("Manifests.delete of a referrer", () => {
  const subject = manifestContent.descriptor
  const sbom = referrerTo(subject)
  const { digest } = sbom.descriptor
  const [readLine, deleteLine] = [`GET ${v2}/manifests/${digest}`, `DELETE ${v2}/manifests/${digest}`]
  const tag = Referrers.tag(subject.digest)
  const listLine = `${v2}/manifests/${tag}`
  const entry = { ...sbom.descriptor, artifactType: "application/x-sbom" }
  const other = { ...describeBytes("other", MediaType.ociManifest), "x-unknown": 1 }
  const list = (...manifests: ReadonlyArray<unknown>) =>
    json({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests })
  const stands = (bytes: Uint8Array, headers: Record<string, string> = {}) =>
    answer(200, { "content-type": MediaType.ociIndex, ...headers }, bytes)
  const deleted = (): ReadonlyArray<Step> => [
    [readLine, manifestAnswer(sbom.bytes)],
    [deleteLine, answer(202)]
  ]
  const gone = Manifests.delete(repository, digest)

  it.effect("R22 D13 DS59 takes it from the list after it is deleted, and leaves the others", () =>
    play(
      [
        ...deleted(),
        [`GET ${listLine}`, stands(list(entry, other), { etag: '"1"' })],
        [`PUT ${listLine}`, answer(201)],
        [`GET ${listLine}`, stands(list(other))]
      ],
      (sent) =>
        Effect.map(gone, () => {
          assert.deepStrictEqual(JSON.parse(decode(sent[3]?.body)), JSON.parse(decode(list(other))))
          assert.strictEqual(sent[3]?.headers["if-match"], '"1"')
        })
    )
  )

  it.effect("R22 deletes a list of which nothing is left by its digest: one that others have written since stays", () =>
    play(
      [
        ...deleted(),
        [`GET ${listLine}`, stands(list(entry))],
        [`DELETE ${v2}/manifests/${describeBytes(list(entry), "").digest}`, answer(202)],
        [`GET ${listLine}`, answer(404)]
      ],
      () => gone
    )
  )

  for (const [why, refused] of [
    ["405", () => refusal(405, "UNSUPPORTED")],
    ["403", () => refusal(403, "DENIED")],
    ["400", () => answer(400)],
    ["409", () => answer(409)]
  ] as const) {
    it.effect(`R22 writes an empty list where it may not be deleted: ${why}`, () =>
      play(
        [
          ...deleted(),
          [`GET ${listLine}`, stands(list(entry))],
          [`DELETE ${v2}/manifests/${describeBytes(list(entry), "").digest}`, refused()],
          [`PUT ${listLine}`, answer(201)],
          [`GET ${listLine}`, stands(list())]
        ],
        (sent) => Effect.map(gone, () => assert.deepStrictEqual(sent[4]?.body, list()))
      )
    )
  }

  it.effect("R22 writes an empty list where the tag outlives its manifest", () =>
    play(
      [
        ...deleted(),
        [`GET ${listLine}`, stands(list(entry))],
        [`DELETE ${v2}/manifests/${describeBytes(list(entry), "").digest}`, answer(202)],
        [`GET ${listLine}`, stands(list(entry))],
        [`PUT ${listLine}`, answer(201)],
        [`GET ${listLine}`, stands(list())]
      ],
      () => gone
    )
  )

  for (const [what, answered] of [
    ["is none", () => answer(404)],
    ["does not name it", () => stands(list(other))]
  ] as const) {
    it.effect(`R22 writes nothing when the list ${what}`, () =>
      play([...deleted(), [`GET ${listLine}`, answered()]], () => gone)
    )
  }

  it.effect("R22 R10 says that it is deleted when what stands there is no list", () =>
    play([...deleted(), [`GET ${listLine}`, manifestAnswer()]], () =>
      Effect.map(failing("ReferrersNotUpdated", gone), ({ change, message, retryable }) => {
        assert.include(message, `${digest} is deleted but may still be listed`)
        assert.deepStrictEqual([change, retryable], ["deleted", false])
      })
    )
  )

  it.effect("D13 asks for no more than the delete where the registry is known to list referrers", () =>
    play(
      [
        [`GET ${v2}/referrers/${subject.digest}`, stands(list(entry))],
        [deleteLine, answer(202)]
      ],
      () => Effect.zipRight(Referrers.list(repository, subject.digest), gone)
    )
  )

  const without: ReadonlyArray<readonly [name: string, answer: () => Response]> = [
    ["has no subject", () => manifestAnswer(encode(decode(sbom.bytes).replace(/,"subject":.*/, "}")))],
    ["is no manifest", () => answer(200, { "content-type": "text/plain" }, "?")],
    ["is of a kind that is not read", () => answer(200, { "content-type": "application/vnd.x" }, "{}")]
  ]
  for (const [name, answered] of without) {
    it.effect(`D13 D1 deletes a manifest that ${name}, and looks for no list`, () => {
      const body = answered()
      return Effect.gen(function* () {
        const bytes = new Uint8Array(yield* Effect.promise(() => body.arrayBuffer()))
        const { digest } = describeBytes(bytes, "")
        const type = body.headers.get("content-type") ?? ""
        yield* play(
          [
            [`GET ${v2}/manifests/${digest}`, answer(200, { "content-type": type }, bytes)],
            [`DELETE ${v2}/manifests/${digest}`, answer(202)]
          ],
          () => Manifests.delete(repository, digest)
        )
      })
    })
  }

  it.effect("D13 deletes nothing when it cannot be told what it refers to", () =>
    play([[readLine, answer(500)]], () => failing("RegistryUnavailable", gone))
  )

  it.effect("R22 DS59 DS60 the list goes with its last referrer, and stays when the subject is deleted", () =>
    Effect.gen(function* () {
      const { descriptor: image } = yield* Manifests.put(Reference.make(repository, { tag: "1.2" }), manifestContent)
      const attach = (name: string) => Referrers.attach(repository, image, referrerTo(image, { annotations: { name } }))
      const [a, b] = [yield* attach("a"), yield* attach("b")]
      yield* Manifests.delete(repository, a.descriptor.digest)
      assert.deepStrictEqual(yield* Referrers.list(repository, image.digest), [b.descriptor])
      yield* Manifests.delete(repository, image.digest)
      assert.deepStrictEqual(yield* Referrers.list(repository, image.digest), [b.descriptor])
      yield* Manifests.delete(repository, b.descriptor.digest)
      assert.deepStrictEqual(yield* Referrers.list(repository, image.digest), [])
      assert.deepStrictEqual((yield* Tags.list(repository)).tags, [])
    }).pipe(Effect.provide(RegistryServer.layerTest({ referrers: false, sparse: true })))
  )
})
