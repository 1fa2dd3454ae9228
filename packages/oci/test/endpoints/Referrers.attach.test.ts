import * as Headers from "@effect/platform/Headers"
import { assert, describe, it } from "@effect/vitest"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Descriptor } from "effect-oci/Descriptor"
import { type ImageManifest, type Manifest, type ManifestContent, subject as subjectOf } from "effect-oci/Manifest"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import * as Reference from "effect-oci/Reference"
import * as Referrers from "effect-oci/Referrers"
import * as RegistryError from "effect-oci/RegistryError"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import { elapsing } from "../client/elapsing.js"
import { play, refusal, type Sent, type Step } from "../scripted.js"
import {
  answer,
  decode,
  describeBytes,
  failing,
  json,
  manifestAnswer,
  manifestContent,
  manifestDigest,
  referrerTo,
  repository,
  sha512,
  tagged,
  v2
} from "./given.js"

const subject = manifestContent.descriptor
const sbom = referrerTo(subject)
const pushLine = `PUT ${v2}/manifests/${sbom.descriptor.digest}`
const tag = `sha256-${manifestDigest.slice(7)}`
const readLine = `GET ${v2}/manifests/${tag}`
const writeLine = `PUT ${v2}/manifests/${tag}`

const entry = { ...sbom.descriptor, artifactType: "application/x-sbom" }
const signature = { ...describeBytes("signature", MediaType.ociManifest), artifactType: "application/x-signature" }

const list = (...manifests: ReadonlyArray<unknown>) => ({
  schemaVersion: 2,
  mediaType: MediaType.ociIndex,
  manifests
})
const stands = (document: unknown, headers: Record<string, string> = {}) =>
  answer(200, { "content-type": MediaType.ociIndex, ...headers }, json(document))

/** The push of the manifest itself, on a registry without the API. */
const pushed = (): Step => [pushLine, answer(201)]
const attach = Referrers.attach(repository, subject, sbom)

/** What was written under the tag, in the order of the writes. */
const written = (sent: ReadonlyArray<Sent>): ReadonlyArray<unknown> =>
  sent.filter((one) => `${one.method} ${one.url}` === writeLine).map(({ body }) => JSON.parse(decode(body)))

describe("Referrers.attach", () => {
  it.effect("R11 leaves the list to a registry that notes the subject", () =>
    play([[pushLine, answer(201, { "oci-subject": manifestDigest })]], () =>
      Effect.map(attach, (attached) => {
        assert.deepStrictEqual(attached.descriptor, entry)
        assert.strictEqual(Option.getOrUndefined(attached.subject), manifestDigest)
      })
    )
  )

  it.effect("R13 R15 DS44 DS46 DS50 DS51 DS67 begins a list under the tag, if there is still none, and looks", () =>
    play([pushed(), [readLine, answer(404)], [writeLine, answer(201)], [readLine, stands(list(entry))]], (sent) =>
      Effect.map(attach, (attached) => {
        assert.isTrue(Option.isNone(attached.subject))
        assert.deepStrictEqual(written(sent), [list(entry)])
        const {
          accept,
          "content-type": type,
          "if-match": match,
          "if-none-match": none
        } = sent[2]?.headers ?? Headers.empty
        assert.deepStrictEqual([type, none, match, accept], [MediaType.ociIndex, "*", undefined, undefined])
        assert.strictEqual(sent[1]?.headers.accept, MediaType.accept)
      })
    )
  )

  it.effect("R15 DS50 DS51 DS70 adds to a list, if it is still the same, and keeps all that others wrote", () => {
    const other = { ...signature, annotations: { a: "1" }, "x-unknown": [1, { deep: null }], data: "e30=" }
    const before = { ...list(other), annotations: { of: "list" }, "x-also": true }
    const after = { ...before, manifests: [other, entry] }
    return play(
      [
        pushed(),
        [readLine, stands(before, { etag: '"1"' })],
        [writeLine, answer(201)],
        [readLine, stands(after, { etag: '"2"' })]
      ],
      (sent) =>
        Effect.map(attach, () => {
          assert.deepStrictEqual(written(sent), [after])
          assert.strictEqual(sent[2]?.headers["if-match"], '"1"')
          assert.isUndefined(sent[2]?.headers["if-none-match"])
        })
    )
  })

  it.effect("R16 DS47 writes nothing when it is listed", () =>
    play([pushed(), [readLine, stands(list(signature, entry, "nothing"))]], () => attach)
  )

  it.effect("R14 goes by no other subject that a registry says it noted", () =>
    play(
      [
        [pushLine, answer(201, { "oci-subject": sha512("other") })],
        [readLine, stands(list(entry))]
      ],
      () => Effect.map(attach, (attached) => assert.isTrue(Option.isNone(attached.subject)))
    )
  )

  it.effect("R13 R32 one subject that was noted does not mean that the next one was", () =>
    play(
      [
        [pushLine, answer(201, { "oci-subject": manifestDigest })],
        [pushLine, answer(201)],
        [readLine, stands(list(entry))]
      ],
      () => Effect.zipRight(attach, attach)
    )
  )

  for (const [referrers, steps] of [
    [true, (): ReadonlyArray<Step> => [pushed()]],
    [
      false,
      (): ReadonlyArray<Step> => [
        [pushLine, answer(201, { "oci-subject": manifestDigest })],
        [readLine, stands(list(entry))]
      ]
    ]
  ] as const) {
    it.effect(`R11 R13 believes the settings first: referrers ${referrers}`, () =>
      play(steps(), () => Effect.map(attach, ({ subject }) => assert.isTrue(Option.isNone(subject)))).pipe(
        Effect.provide(RegistryHosts.layer({ capabilities: { referrers } }))
      )
    )
  }

  const cleaned: ReadonlyArray<readonly [name: string, manifests: unknown]> = [
    ["null", null],
    ["an entry without a digest", [{ ...signature, digest: "" }, signature]],
    ["an entry without a type", [signature, { ...signature, mediaType: "" }]],
    ["entries that are none", [null, 1, "x", [], {}, signature]],
    ["a digest that is a path", [signature, { ...signature, digest: "sha256:../x" }]],
    ["an entry twice", [signature, { ...signature, size: 1 }]]
  ]
  for (const [name, manifests] of cleaned) {
    it.effect(`R18 writes no list with ${name}`, () => {
      const after = list(...(manifests === null ? [] : [signature]), entry)
      return play(
        [pushed(), [readLine, stands({ ...list(), manifests })], [writeLine, answer(201)], [readLine, stands(after)]],
        (sent) => Effect.map(attach, () => assert.deepStrictEqual(written(sent), [after]))
      )
    })
  }

  const others: ReadonlyArray<readonly [name: string, answer: () => Response]> = [
    ["an image", () => manifestAnswer()],
    [
      "a Docker list",
      () =>
        stands({ ...list(), mediaType: MediaType.dockerManifestList }, { "content-type": MediaType.dockerManifestList })
    ],
    ["a web page", () => answer(200, { "content-type": "text/html" }, "<html>")],
    ["an ambiguous document", () => stands({ ...list(), layers: [] })],
    ["an index of no list", () => stands({ ...list(), manifests: {} })],
    ["Docker schema 1", () => answer(200, { "content-type": MediaType.dockerManifestV1 }, json({ schemaVersion: 1 }))]
  ]
  for (const [name, answered] of others) {
    it.effect(`R10 DS45 overwrites no ${name} under the tag, and says that the manifest is there`, () =>
      play([pushed(), [readLine, answered()]], () =>
        Effect.map(failing("ReferrersNotUpdated", attach), (error) => {
          assert.include(error.message, `${sbom.descriptor.digest} is pushed but not listed`)
          assert.include(error.message, "it is no list of referrers")
          assert.deepStrictEqual([error.reference, error.subject, error.change], [tag, manifestDigest, "pushed"])
          assert.isFalse(RegistryError.isRetryable(error))
        })
      )
    )
  }

  it.effect("R34 does not hold a list that is too large, and names the limit", () =>
    play([pushed(), [readLine, stands(list(signature))]], () =>
      Effect.map(
        failing("ReferrersNotUpdated", Effect.provide(attach, RegistryHosts.layer({ limits: { manifest: 9 } }))),
        ({ message }) => assert.include(message, "larger than 9 bytes")
      )
    )
  )

  const failed: ReadonlyArray<readonly [name: string, steps: () => ReadonlyArray<Step>, retryable: boolean]> = [
    ["an outage of the tag", () => [[readLine, answer(500)]], true],
    [
      "a write that is refused",
      () => [
        [readLine, answer(404)],
        [writeLine, refusal(403, "DENIED")]
      ],
      false
    ],
    [
      "a write that is not supported",
      () => [
        [readLine, answer(404)],
        [writeLine, refusal(405, "UNSUPPORTED")]
      ],
      false
    ]
  ]
  for (const [name, steps, retryable] of failed) {
    it.effect(`R15 says after ${name} what there is, and attaches it again`, () =>
      play([pushed(), ...steps(), pushed(), [readLine, stands(list(entry))]], () =>
        Effect.gen(function* () {
          const error = yield* failing("ReferrersNotUpdated", attach)
          assert.strictEqual(error.referrer, sbom.descriptor.digest)
          assert.strictEqual(RegistryError.isRetryable(error), retryable)
          yield* attach
        })
      )
    )
  }
})

describe("Referrers.attach beside other writers", () => {
  const etag = (value: string) => ({ etag: `"${value}"` })

  it.effect("R19 reads again when the list has changed since", () =>
    play(
      [
        pushed(),
        [readLine, stands(list(), etag("1"))],
        [writeLine, answer(412)],
        [readLine, stands(list(signature), etag("2"))],
        [writeLine, answer(201)],
        [readLine, stands(list(signature, entry), etag("3"))]
      ],
      (sent) =>
        Effect.map(elapsing(attach), () => {
          assert.deepStrictEqual(written(sent), [list(entry), list(signature, entry)])
          assert.deepStrictEqual(
            sent.flatMap(({ headers }) => headers["if-match"] ?? []),
            ['"1"', '"2"']
          )
        })
    )
  )

  it.effect("R19 reads again when somebody else began the list", () =>
    play(
      [
        pushed(),
        [readLine, answer(404)],
        [writeLine, answer(412)],
        [readLine, stands(list(signature))],
        [writeLine, answer(201)],
        [readLine, stands(list(signature, entry))]
      ],
      (sent) => Effect.map(attach, () => assert.deepStrictEqual(written(sent).at(-1), list(signature, entry)))
    )
  )

  it.effect("R19 writes again when its entry was lost", () =>
    play(
      [
        pushed(),
        [readLine, stands(list())],
        [writeLine, answer(201)],
        [readLine, stands(list(signature))],
        [writeLine, answer(201)],
        [readLine, stands(list(signature, entry))]
      ],
      (sent) =>
        Effect.map(elapsing(attach), () => assert.deepStrictEqual(written(sent), [list(entry), list(signature, entry)]))
    )
  )

  it.effect("R19 gives up after five writes, and may be asked again", () =>
    play(
      [
        pushed(),
        ...Array.from(
          { length: 5 },
          (_, at): ReadonlyArray<Step> => [
            ...Array.from({ length: at < 2 ? 1 : 2 }, (): Step => [readLine, stands(list(), etag(`${at}`))]),
            [writeLine, answer(412)]
          ]
        ).flat(),
        [readLine, stands(list(), etag("5"))]
      ],
      () =>
        Effect.map(failing("ReferrersNotUpdated", elapsing(attach)), (error) => {
          assert.include(error.message, "written 5 times in vain")
          assert.isTrue(RegistryError.isRetryable(error))
        })
    )
  )

  it.effect("R19 leaves out a condition that a registry refuses though nothing has changed", () =>
    play(
      [
        pushed(),
        [readLine, stands(list(), etag("1"))],
        [writeLine, answer(412)],
        [readLine, stands(list(), etag("1"))],
        [writeLine, answer(201)],
        [readLine, stands(list(entry))]
      ],
      (sent) =>
        Effect.map(attach, () =>
          assert.deepStrictEqual(
            sent.flatMap(({ headers, method }) => (method === "PUT" ? [headers["if-match"]] : [])),
            [undefined, '"1"', undefined]
          )
        )
    )
  )

  it.effect("R19 does not go on against a refusal that has nothing to do with its condition (Harbor)", () =>
    play(
      [
        pushed(),
        [readLine, answer(404)],
        [writeLine, refusal(412, "PRECONDITION", "immutable")],
        [readLine, answer(404)],
        [writeLine, refusal(412, "PRECONDITION", "immutable")]
      ],
      () => Effect.map(failing("ReferrersNotUpdated", attach), ({ status }) => assert.strictEqual(status, 412))
    )
  )

  for (const value of ['W/"1"', "1", '"a"b"', '"\u00e9"', `"${"a".repeat(300)}"`]) {
    it.effect(`R19 S20 makes no condition of the entity tag ${value.slice(0, 12)}`, () =>
      play(
        [
          pushed(),
          [readLine, stands(list(), { etag: value })],
          [writeLine, answer(201)],
          [readLine, stands(list(entry))]
        ],
        (sent) => Effect.map(attach, () => assert.isUndefined(sent[2]?.headers["if-match"]))
      )
    )
  }

  it.effect("R19 reads the list from the registry itself and from no mirror, whose copy may be old", () =>
    play(
      [pushed(), [readLine, answer(404)], [writeLine, answer(201)], [readLine, stands(list(entry))]],
      () => attach
    ).pipe(Effect.provide(RegistryHosts.fromRecord({ "registry.test": { mirrors: [{ location: "mirror.test" }] } })))
  )

  it.effect("R19 looks whether a write was done whose answer was lost", () =>
    play(
      [
        pushed(),
        [readLine, stands(list(), etag("1"))],
        [writeLine, Effect.fail(new Error("ECONNRESET"))],
        [readLine, stands(list(entry), etag("2"))]
      ],
      () => attach
    )
  )
})

/** A registry with the API and one without, which take manifests whose parts they do not have. */
const registries = [true, false].map(
  (referrers) =>
    [
      referrers ? "the API" : "the tag",
      RegistryServer.layerTest({ referrers, sparse: true, seed: { "org/app:1.2": {}, "org/app:1.3": {} } })
    ] as const
)

const base: ImageManifest = {
  schemaVersion: 2,
  mediaType: MediaType.ociManifest,
  config: describeBytes("{}", "application/x-config"),
  layers: []
}

describe("what Referrers.attach lists", () => {
  const cases: ReadonlyArray<readonly [name: string, manifest: Manifest, more: Partial<Descriptor>]> = [
    ["DS48 the artifact type", { ...base, artifactType: "application/x-type" }, { artifactType: "application/x-type" }],
    ["DS48 its config's type for want of one", base, { artifactType: "application/x-config" }],
    [
      "DS49 all annotations",
      { ...base, artifactType: "a/b", annotations: { b: "2", a: "1" } },
      { artifactType: "a/b", annotations: { a: "1", b: "2" } }
    ],
    ["no artifact type of an index", { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] }, {}]
  ]
  for (const [by, layer] of registries) {
    for (const [name, manifest, more] of cases) {
      it.effect(`R17 by ${by}: ${name}, and no more`, () =>
        Effect.gen(function* () {
          const { descriptor } = yield* Referrers.attach(repository, subject, manifest)
          const { bytes, manifest: pushed } = yield* Manifests.get(
            Reference.make(repository, { digest: descriptor.digest })
          )
          const { digest, mediaType, size } = describeBytes(bytes, manifest.mediaType)
          assert.deepStrictEqual(descriptor, { mediaType, digest, size, ...more })
          assert.deepStrictEqual(yield* Referrers.list(repository, subject.digest), [descriptor])
          assert.deepStrictEqual(Option.getOrUndefined(subjectOf(pushed)), {
            mediaType: subject.mediaType,
            digest: subject.digest,
            size: subject.size
          })
        }).pipe(Effect.provide(layer))
      )
    }
  }
})

describe("the subject of Referrers.attach", () => {
  for (const [by, layer] of registries) {
    const listed = (subject: Descriptor) =>
      Effect.gen(function* () {
        const { descriptor } = yield* Referrers.attach(repository, subject, base)
        assert.deepStrictEqual(yield* Referrers.list(repository, subject.digest), [descriptor])
        const content = yield* Referrers.get(repository, subject.digest, descriptor)
        assert.strictEqual(content.descriptor.digest, descriptor.digest)
      }).pipe(Effect.provide(layer))

    it.effect(`R29 need not be in the repository: ${by}`, () => listed(describeBytes("none", MediaType.ociManifest)))
    it.effect(`R30 may be of Docker's type: ${by}`, () => listed(describeBytes("none", MediaType.dockerManifest)))
    it.effect(`R31 may have a sha512 digest: ${by}`, () => listed({ ...subject, digest: sha512("none") }))

    it.effect(`R31 is what a tag names, where it is given by tag: ${by}`, () =>
      Effect.gen(function* () {
        const { digest } = yield* Manifests.head(tagged)
        const { descriptor } = yield* Referrers.attach(repository, tagged, base)
        assert.deepStrictEqual(yield* Referrers.list(repository, digest), [descriptor])
        const elsewhere = Reference.make(repository, { tag: "none" })
        yield* failing("ManifestUnknown", Referrers.attach(repository, elsewhere, base))
      }).pipe(Effect.provide(layer))
    )

    it.effect(`R27 may be a referrer itself: ${by}`, () =>
      Effect.gen(function* () {
        const first = yield* Referrers.attach(repository, subject, base)
        const second = yield* Referrers.attach(repository, first.descriptor, base)
        assert.deepStrictEqual(yield* Referrers.list(repository, subject.digest), [first.descriptor])
        assert.deepStrictEqual(yield* Referrers.list(repository, first.descriptor.digest), [second.descriptor])
      }).pipe(Effect.provide(layer))
    )

    it.effect(`R33 its tags of other tools stay as they are, and those asked for are written: ${by}`, () =>
      Effect.gen(function* () {
        const signature = Reference.make(repository, { tag: `${tag}.sig` })
        const { descriptor } = yield* Manifests.put(signature, manifestContent)
        const attached = yield* Referrers.attach(repository, subject, base, { tags: [`${tag}.sbom`] })
        assert.deepStrictEqual(attached.tags, [`${tag}.sbom`])
        assert.strictEqual((yield* Manifests.head(signature)).digest, descriptor.digest)
        assert.deepStrictEqual(yield* Referrers.list(repository, subject.digest), [attached.descriptor])
      }).pipe(Effect.provide(layer))
    )
  }

  const refused: ReadonlyArray<readonly [name: string, given: Manifest | ManifestContent, says: string]> = [
    [
      "a manifest that refers to another",
      { ...base, subject: describeBytes("other", "a/b") },
      `not to ${manifestDigest}`
    ],
    ["an encoded one that refers to another", referrerTo(describeBytes("other", "a/b")), `not to ${manifestDigest}`],
    ["an encoded one that refers to nothing", manifestContent, "it refers to nothing"],
    [
      "a Docker manifest",
      { schemaVersion: 2, mediaType: MediaType.dockerManifest, config: base.config, layers: [] },
      "can have no subject"
    ]
  ]
  for (const [name, given, says] of refused) {
    it.effect(`R28 pushes no ${name}`, () =>
      play([], () =>
        Effect.map(failing("ManifestInvalid", Referrers.attach(repository, subject, given)), ({ message }) =>
          assert.include(message, says)
        )
      )
    )
  }

  it.effect("pushes a manifest as it is that has the subject already", () =>
    play([[pushLine, answer(201, { "oci-subject": manifestDigest })]], (sent) =>
      Effect.map(attach, () => assert.deepStrictEqual(sent[0]?.body, sbom.bytes))
    )
  )
})
