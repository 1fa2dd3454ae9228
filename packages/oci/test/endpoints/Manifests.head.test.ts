import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import { play, refusal, type Step } from "../scripted.js"
import {
  answer,
  encode,
  failing,
  json,
  manifest,
  manifestAnswer,
  manifestContent,
  manifestDigest,
  pinned,
  sha512,
  tagged,
  v2
} from "./given.js"

const line = `GET ${v2}/manifests/1.2`
const pinnedLine = `GET ${v2}/manifests/${manifestDigest}`

const other = json({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] })

describe("Manifests.head and Manifests.exists", () => {
  const headLine = `HEAD ${v2}/manifests/1.2`
  const pinnedHeadLine = `HEAD ${v2}/manifests/${manifestDigest}`
  const told = (headers: Record<string, string> = {}) =>
    answer(200, {
      "content-length": String(manifest.length),
      "content-type": MediaType.ociManifest,
      "docker-content-digest": manifestDigest,
      ...headers
    })
  const head = Manifests.head(tagged)

  it.effect("M2 M3 P35 asks with HEAD for all kinds, and takes the registry's word", () =>
    play([[headLine, told()]], (sent) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* head, manifestContent.descriptor)
        assert.strictEqual(sent[0]?.headers.accept, MediaType.accept)
      })
    )
  )

  it.effect("P31 P33 needs no digest from the registry for a manifest asked for by digest", () =>
    play(
      [
        [pinnedHeadLine, told({ "docker-content-digest": "" })],
        [pinnedHeadLine, told({ "docker-content-digest": sha512(manifest) })]
      ],
      () =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* Manifests.head(pinned), manifestContent.descriptor)
          assert.deepStrictEqual(yield* Manifests.head(pinned), manifestContent.descriptor)
        })
    )
  )

  it.effect("P38 takes the length of a HEAD, though a GET might have another", () =>
    play([[headLine, told({ "content-length": "999" })]], () =>
      Effect.map(head, ({ size }) => assert.strictEqual(size, 999))
    )
  )

  const silent: ReadonlyArray<readonly [name: string, answer: () => Response]> = [
    ["P31 with an empty digest", () => told({ "docker-content-digest": "" })],
    ["P31 with a digest that is none", () => told({ "docker-content-digest": "sha256:XYZ" })],
    ["P37 with 400", () => answer(400)],
    ["P37 with 405", () => answer(405)],
    ["P37 with 501", () => answer(501)],
    ["P39 of no length", () => answer(200, { "content-type": MediaType.ociManifest })],
    ["P39 of length 0", () => told({ "content-length": "0" })],
    ["P39 of a negative length", () => told({ "content-length": "-1" })],
    ["P39 of a length that is no number", () => told({ "content-length": "abc" })],
    ["P40 without a type", () => told({ "content-type": "" })],
    ["P40 of a type that says nothing", () => told({ "content-type": "application/json" })]
  ]
  for (const [name, answered] of silent) {
    it.effect(`fetches and verifies after a HEAD ${name}`, () =>
      play(
        [
          [headLine, answered()],
          [line, manifestAnswer()]
        ],
        () => Effect.map(head, (found) => assert.deepStrictEqual(found, manifestContent.descriptor))
      )
    )
  }

  const refused = [
    ["P41 412", "PolicyViolation", 412],
    ["P41 403", "Denied", 403],
    ["P41 429", "TooManyRequests", 429],
    ["P41 404", "ManifestUnknown", 404],
    ["P41 500", "RegistryUnavailable", 500]
  ] as const
  for (const [name, tag, status] of refused) {
    it.effect(`${name} is ${tag} by the status alone`, () =>
      play([[headLine, answer(status, { "content-length": "157" })]], () => failing(tag, head))
    )
  }

  const there: ReadonlyArray<readonly [name: string, steps: () => ReadonlyArray<Step>, exists: boolean]> = [
    ["200", () => [[headLine, answer(200)]], true],
    ["404", () => [[headLine, answer(404)]], false],
    [
      "405, then 200",
      () => [
        [headLine, answer(405)],
        [line, manifestAnswer()]
      ],
      true
    ],
    [
      "400, then 404",
      () => [
        [headLine, answer(400)],
        [line, answer(404)]
      ],
      false
    ],
    [
      "501, then NAME_UNKNOWN",
      () => [
        [headLine, answer(501)],
        [line, refusal(404, "NAME_UNKNOWN")]
      ],
      false
    ],
    [
      "405, then no manifest",
      () => [
        [headLine, answer(405)],
        [line, manifestAnswer(encode("{}"))]
      ],
      true
    ],
    [
      "405, then M11 Docker schema 1",
      () => [
        [headLine, answer(405)],
        [line, answer(200, { "content-type": MediaType.dockerManifestV1 }, json({ schemaVersion: 1 }))]
      ],
      true
    ]
  ]
  for (const [name, steps, exists] of there) {
    it.effect(`exists: ${exists} after ${name}`, () =>
      play(steps(), () => Effect.map(Manifests.exists(tagged), (found) => assert.strictEqual(found, exists)))
    )
  }

  it.effect("exists: true of a manifest that is not the one asked for", () =>
    play(
      [
        [pinnedHeadLine, answer(405)],
        [pinnedLine, answer(200, { "content-type": MediaType.ociIndex }, other)]
      ],
      () => Effect.map(Manifests.exists(pinned), (found) => assert.isTrue(found))
    )
  )
})
