import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import type { Descriptor } from "effect-oci/Descriptor"
import * as MediaType from "effect-oci/MediaType"
import * as Referrers from "effect-oci/Referrers"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import { play, refusal, type Step } from "../scripted.js"
import {
  answer,
  collect,
  describeBytes,
  digestOf,
  failing,
  json,
  manifestAnswer,
  manifestDigest,
  notFound,
  repository,
  sha512,
  v2
} from "./given.js"

const line = `GET ${v2}/referrers/${manifestDigest}`
const fallbackLine = `GET ${v2}/manifests/sha256-${manifestDigest.slice(7)}`

const sbom: Descriptor = { ...describeBytes("sbom", MediaType.ociManifest), artifactType: "application/x-sbom" }
const signature: Descriptor = {
  ...describeBytes("signature", MediaType.ociManifest),
  artifactType: "application/x-signature",
  annotations: { of: "signature" }
}

const listing = (
  manifests: ReadonlyArray<Descriptor> | null,
  headers: Record<string, string> = {},
  type = MediaType.ociIndex
) =>
  answer(
    200,
    { "content-type": type, ...headers },
    json({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests })
  )
const next = (target: string) => ({ link: `<${target}>; rel="next"` })

const list = Referrers.list(repository, manifestDigest)

describe("Referrers.list", () => {
  it.effect("R1 R29 asks the API alone, not for the subject, and hands out what it lists", () =>
    play([[line, listing([sbom, signature])]], (sent) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* list, [sbom, signature])
        assert.strictEqual(sent[0]?.headers.accept, MediaType.ociIndex)
      })
    )
  )

  for (const [name, manifests] of [
    ["empty", []],
    ["null", null]
  ] as const) {
    it.effect(`R1 M13 takes an ${name} list for the last word`, () =>
      play([[line, listing(manifests)]], () => Effect.map(list, (found) => assert.deepStrictEqual(found, [])))
    )
  }

  it.effect("R1 M5 takes a type with parameters", () =>
    play([[line, listing([sbom], {}, `${MediaType.ociIndex}; charset=utf-8`)]], () =>
      Effect.map(list, (found) => assert.deepStrictEqual(found, [sbom]))
    )
  )

  const absent: ReadonlyArray<readonly [name: string, answer: () => Response]> = [
    ["R2 404", () => answer(404, { "content-type": "text/plain" }, "404 page not found\n")],
    ["R3 404 NAME_UNKNOWN", () => refusal(404, "NAME_UNKNOWN")],
    ["R4 400 (Quay)", () => answer(400)],
    ["R4 405", () => refusal(405, "UNSUPPORTED")],
    ["R4 406 (Artifactory)", () => answer(406)],
    ["R4 501", () => answer(501)],
    ["R5 200 in JSON", () => listing([sbom], {}, "application/json")],
    ["R5 200 of a web page", () => answer(200, { "content-type": "text/html" }, "<html>")],
    ["R5 200 of no type", () => answer(200, {}, "{}")],
    ["R6 303 to another host (GHCR)", () => answer(303, { location: "https://github.com/-/v2/packages/x" })]
  ]
  for (const [name, answered] of absent) {
    it.effect(`reads the tag instead after ${name}`, () =>
      play(
        [
          [line, answered()],
          [fallbackLine, listing([sbom, signature])]
        ],
        () => Effect.map(list, (found) => assert.deepStrictEqual(found, [sbom, signature]))
      )
    )
  }

  it.effect("R32 asks the API again after it was not there", () =>
    play(
      [
        [line, answer(404)],
        [fallbackLine, answer(404)],
        [line, listing([sbom])]
      ],
      () =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* list, [])
          assert.deepStrictEqual(yield* list, [sbom])
        })
    )
  )

  for (const [what, first, again] of [
    ["405", answer(405), answer(405)],
    ["404 and a list under the tag", answer(404), answer(404)]
  ] as const) {
    const fallback = () => listing([sbom])
    it.effect(`R32 leaves the API alone for five minutes after ${what}`, () =>
      play(
        [
          [line, first],
          [fallbackLine, fallback()],
          [fallbackLine, fallback()],
          [line, again],
          [fallbackLine, fallback()]
        ],
        () =>
          Effect.gen(function* () {
            assert.deepStrictEqual(yield* list, [sbom])
            yield* TestClock.adjust("4 minutes")
            assert.deepStrictEqual(yield* list, [sbom])
            yield* TestClock.adjust("61 seconds")
            assert.deepStrictEqual(yield* list, [sbom])
          })
      )
    )
  }

  it.effect("R32 does not ask an API that the settings say is not there", () =>
    play([[fallbackLine, listing([sbom])]], () =>
      Effect.map(list, (found) => assert.deepStrictEqual(found, [sbom]))
    ).pipe(Effect.provide(RegistryHosts.layer({ capabilities: { referrers: false } })))
  )

  for (const [shape, type, body] of notFound) {
    it.effect(`R2 knows of no referrers when there is no tag either: ${shape}`, () =>
      play(
        [
          [line, answer(404)],
          [fallbackLine, answer(404, { "content-type": type }, body)]
        ],
        () => Effect.map(list, (found) => assert.deepStrictEqual(found, []))
      )
    )
  }

  it.effect("R3 tells that there is no such repository", () =>
    play(
      [
        [line, refusal(404, "NAME_UNKNOWN")],
        [fallbackLine, refusal(404, "NAME_UNKNOWN")]
      ],
      () => failing("NameUnknown", list)
    )
  )

  const other: ReadonlyArray<readonly [name: string, answer: () => Response]> = [
    ["an image", () => manifestAnswer()],
    ["R33 the subject itself (GitLab)", () => manifestAnswer()],
    ["a web page", () => answer(200, { "content-type": "text/html" }, "<html>")],
    [
      "M11 Docker schema 1",
      () => answer(200, { "content-type": MediaType.dockerManifestV1 }, json({ schemaVersion: 1 }))
    ],
    [
      "a Docker list",
      () =>
        answer(
          200,
          { "content-type": MediaType.dockerManifestList },
          json({ schemaVersion: 2, mediaType: MediaType.dockerManifestList, manifests: [sbom] })
        )
    ]
  ]
  for (const [name, answered] of other) {
    it.effect(`R10 takes no list from a tag that is ${name}, and says so`, () =>
      Effect.gen(function* () {
        const logged: Array<unknown> = []
        const logger = Logger.replace(
          Logger.defaultLogger,
          Logger.make(({ message }) => logged.push(message))
        )
        const found = yield* play(
          [
            [line, answer(404)],
            [fallbackLine, answered()]
          ],
          () => list
        ).pipe(Effect.provide(logger))
        assert.deepStrictEqual(found, [])
        assert.include(String(logged[0]), "is no list of referrers")
      })
    )
  }

  const errors = [
    ["R7 S31 500", "RegistryUnavailable", () => answer(500)],
    ["R7 429", "TooManyRequests", () => answer(429)],
    ["R4 401", "Unauthorized", () => answer(401)],
    ["R4 403", "Denied", () => answer(403)],
    ["S11 a redirect to nowhere", "UnexpectedResponse", () => answer(303)]
  ] as const
  for (const [name, tag, answered] of errors) {
    it.effect(`${name} is ${tag}, and not “no referrers”`, () => play([[line, answered()]], () => failing(tag, list)))
    it.effect(`${name} of the tag is ${tag}, and not “no referrers”`, () =>
      play(
        [
          [line, answer(404)],
          [fallbackLine, answered()]
        ],
        () => failing(tag, list)
      )
    )
  }

  const invalid: ReadonlyArray<readonly [name: string, body: unknown]> = [
    ["M8 an ambiguous list", { schemaVersion: 2, manifests: [], layers: [] }],
    ["M13 no list", { schemaVersion: 2 }],
    ["S5 a digest that is a path", { schemaVersion: 2, manifests: [{ ...sbom, digest: "sha256:../x" }] }]
  ]
  for (const [name, body] of invalid) {
    it.effect(`refuses ${name} of the API`, () =>
      play([[line, answer(200, { "content-type": MediaType.ociIndex }, json(body))]], () =>
        Effect.map(failing("ManifestInvalid", list), ({ digest }) => assert.strictEqual(digest, manifestDigest))
      )
    )
  }

  it.effect("R34 does not hold a page that is too large", () =>
    play([[line, listing([sbom])]], () =>
      failing("ResponseTooLarge", Effect.provide(list, RegistryHosts.layer({ limits: { page: 9 } })))
    )
  )
})

describe("Referrers.list of one type", () => {
  const wanted = "application/vnd.example+type; a=b"
  const typed: Descriptor = { ...sbom, artifactType: wanted }
  const asked = `${line}?artifactType=application%2Fvnd.example%2Btype%3B%20a%3Db`
  const ofType = Referrers.list(repository, manifestDigest, { artifactType: wanted })

  it.effect("R24 asks for the type, every character of it escaped", () =>
    play([[asked, listing([typed], { "oci-filters-applied": "artifactType" })]], () =>
      Effect.map(ofType, (found) => assert.deepStrictEqual(found, [typed]))
    )
  )

  const unfiltered: ReadonlyArray<readonly [name: string, headers: Record<string, string>]> = [
    ["does not filter", {}],
    ["filters by something else", { "oci-filters-applied": "org.example, other" }],
    ["says that it filters and does not", { "oci-filters-applied": "artifactType" }]
  ]
  for (const [name, headers] of unfiltered) {
    it.effect(`R23 filters where the registry ${name}`, () =>
      play([[asked, listing([signature, typed, { ...sbom, artifactType: undefined }], headers)]], () =>
        Effect.map(ofType, (found) => assert.deepStrictEqual(found, [typed]))
      )
    )
  }

  it.effect("R23 filters what the tag lists", () =>
    play(
      [
        [asked, answer(404)],
        [fallbackLine, listing([signature, typed])]
      ],
      () => Effect.map(ofType, (found) => assert.deepStrictEqual(found, [typed]))
    )
  )
})

describe("Referrers.stream", () => {
  const all = collect(Referrers.stream(repository, manifestDigest))

  it.effect("R25 goes from page to page", () =>
    play(
      [
        [line, listing([sbom], next("?2"))],
        [`${line}?2`, listing([], next("?3"))],
        [`${line}?3`, listing([signature])]
      ],
      () => Effect.map(all, (found) => assert.deepStrictEqual(found, [sbom, signature]))
    )
  )

  it.effect("R25 lists each referrer once, though pages overlap", () =>
    play(
      [
        [line, listing([sbom, signature], next("?2"))],
        [`${line}?2`, listing([signature, sbom, signature])]
      ],
      () => Effect.map(all, (found) => assert.deepStrictEqual(found, [sbom, signature]))
    )
  )

  it.effect("R25 asks for no more pages than are wanted", () =>
    play([[line, listing([sbom, signature], next("?2"))]], () =>
      Effect.map(collect(Stream.take(Referrers.stream(repository, manifestDigest), 1)), (found) =>
        assert.deepStrictEqual(found, [sbom])
      )
    )
  )

  it.effect("R25 L13 notices pages that lead back", () =>
    play(
      [
        [line, listing([sbom], next("?2"))],
        [`${line}?2`, listing([signature], next(`./${manifestDigest}`))]
      ],
      () => failing("PaginationLoop", all)
    )
  )

  const missing: ReadonlyArray<readonly [name: string, answer: () => Response]> = [
    ["404", () => answer(404)],
    ["a page of another type", () => listing([signature], {}, "application/json")]
  ]
  for (const [name, answered] of missing) {
    it.effect(`S31 does not take ${name} in the middle for the end, nor for a registry without the API`, () =>
      play(
        [
          [line, listing([sbom], next("?2"))],
          [`${line}?2`, answered()]
        ],
        () =>
          Effect.map(failing("UnexpectedResponse", all), ({ message }) =>
            assert.include(message, "a page of referrers is missing")
          )
      )
    )
  }

  const away: ReadonlyArray<readonly [name: string, steps: () => ReadonlyArray<Step>]> = [
    ["S14 a link", () => [[line, listing([sbom], next("https://evil.test/2"))]]],
    [
      "R6 a redirect in the middle",
      () => [
        [line, listing([sbom], next("?2"))],
        [`${line}?2`, answer(303, { location: "https://evil.test/2" })]
      ]
    ]
  ]
  for (const [name, steps] of away) {
    it.effect(`does not follow ${name} to another host`, () => play(steps(), () => failing("UnsafeLocation", all)))
  }

  it.effect("decides anew for each run whether there is an API", () =>
    play(
      [
        [line, listing([sbom])],
        [line, answer(404)],
        [fallbackLine, listing([signature])]
      ],
      () =>
        Effect.gen(function* () {
          const stream = Referrers.stream(repository, manifestDigest)
          assert.deepStrictEqual(yield* collect(stream), [sbom])
          assert.deepStrictEqual(yield* collect(stream), [signature])
        })
    )
  )
})

describe("Referrers.tag", () => {
  const vectors: ReadonlyArray<readonly [digest: string, tag: string]> = [
    [`sha256:${"a".repeat(64)}`, `sha256-${"a".repeat(64)}`],
    [`sha512:${"b".repeat(128)}`, `sha512-${"b".repeat(64)}`],
    [
      "test+algorithm+using+algorithm+separators+and+lots+of+characters+to+excercise+the+length:alsoSome=In" +
        "TheEncodedSectionToShowHyphenReplacementAndLotsAndLotsOfCharactersToExerciseTheLengthTruncation",
      "test-algorithm-using-algorithm-s-alsoSome-InTheEncodedSectionToShowHyphenReplacementAndLotsAndLot"
    ]
  ]
  for (const [digest, tag] of vectors) {
    it.effect(`R8 is ${tag.slice(0, 40)}`, () =>
      Effect.sync(() => assert.strictEqual(Referrers.tag(digestOf(digest)), tag))
    )
  }

  it.effect("R31 is asked for a sha512 digest too", () => {
    const digest = sha512("subject")
    return play(
      [
        [`GET ${v2}/referrers/${digest}`, answer(404)],
        [`GET ${v2}/manifests/sha512-${digest.slice(7, 71)}`, listing([sbom])]
      ],
      () => Effect.map(Referrers.list(repository, digest), (found) => assert.deepStrictEqual(found, [sbom]))
    )
  })
})

describe("Referrers.get", () => {
  const referring = (subject: Descriptor | undefined) => {
    const bytes = json({
      schemaVersion: 2,
      mediaType: MediaType.ociManifest,
      config: describeBytes("{}", MediaType.ociEmpty),
      layers: [],
      ...(subject === undefined ? {} : { subject })
    })
    return { bytes, descriptor: describeBytes(bytes, MediaType.ociManifest) }
  }
  const subject: Descriptor = { mediaType: MediaType.ociManifest, digest: manifestDigest, size: 1 }

  it.effect("R28 S31 hands out a manifest that refers to what was asked for", () => {
    const { bytes, descriptor } = referring(subject)
    return play(
      [[`GET ${v2}/manifests/${descriptor.digest}`, answer(200, { "content-type": MediaType.ociManifest }, bytes)]],
      () =>
        Effect.map(Referrers.get(repository, manifestDigest, descriptor), (content) =>
          assert.strictEqual(content.descriptor.digest, descriptor.digest)
        )
    )
  })

  for (const [what, named, says] of [
    ["another manifest", describeBytes("other", MediaType.ociManifest), `not to ${manifestDigest}`],
    ["nothing", undefined, "refers to nothing"]
  ] as const) {
    it.effect(`R28 S31 refuses one that a list gives as a referrer, and that refers to ${what}`, () => {
      const { bytes, descriptor } = referring(named)
      return play(
        [[`GET ${v2}/manifests/${descriptor.digest}`, answer(200, { "content-type": MediaType.ociManifest }, bytes)]],
        () =>
          Effect.map(failing("ManifestInvalid", Referrers.get(repository, manifestDigest, descriptor)), ({ message }) =>
            assert.include(message, says)
          )
      )
    })
  }
})
