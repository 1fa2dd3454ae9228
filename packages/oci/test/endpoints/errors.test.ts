/** Every error that an endpoint's type names does arise, and its type names no other: the compiler reads this table too. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Blobs from "effect-oci/Blobs"
import * as Catalog from "effect-oci/Catalog"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import * as Referrers from "effect-oci/Referrers"
import * as Registry from "effect-oci/Registry"
import type { RegistryClient } from "effect-oci/RegistryClient"
import type { CallError } from "effect-oci/RegistryError"
import * as Tags from "effect-oci/Tags"
import * as Uploads from "effect-oci/Uploads"
import { type Answer, play, refusal, type Step } from "../scripted.js"
import * as Given from "./given.js"
import { answer, repository, v2 } from "./given.js"

type Call<E> = Effect.Effect<unknown, E, RegistryClient>

/** How an error comes about: what the registry answers, and the call where it is not the endpoint's usual one. */
interface Proof<E> {
  readonly steps: ReadonlyArray<Step>
  readonly call?: Call<E>
}

const by = (...steps: ReadonlyArray<Step>): Proof<never> => ({ steps })

interface Endpoint {
  readonly name: string
  /** Its first request. */
  readonly line: string
  readonly call: Call<Tagged>
  readonly errors: ReadonlyArray<readonly [tag: string, proof: Proof<Tagged>]>
}

interface Tagged {
  readonly _tag: string
}

const endpoint = <E extends Tagged>(
  name: string,
  line: string,
  call: Call<E>,
  errors: { readonly [Tag in Exclude<E["_tag"], CallError["_tag"]>]: Proof<NoInfer<E>> }
): Endpoint => ({ name, line, call, errors: Object.entries<Proof<E>>(errors) })

const { digest } = Given.blob
const bytes = Given.encode(Given.content)
const escaped = encodeURIComponent(digest)
const short = { size: 10, stream: Stream.make(bytes.subarray(4)) }

const session = Given.session()

/** Gives its bytes to the first that runs it, and nothing to the next. */
const onlyOnce = () => {
  let given = false
  return Stream.suspend(() => {
    if (given) return Stream.empty
    given = true
    return Stream.make(bytes)
  })
}

const blobLine = `GET ${v2}/blobs/${digest}`
const manifestLine = `GET ${v2}/manifests/${Given.manifestDigest}`
const tagLine = `GET ${v2}/manifests/1.2`
const postLine = `POST ${v2}/blobs/uploads/?digest=${escaped}`
const uploadLine = Given.upload
const finishLine = `PUT ${uploadLine}?digest=${escaped}`
const listLine = `GET ${v2}/tags/list`
const referrersLine = `GET ${v2}/referrers/${digest}`
const fallbackLine = `GET ${v2}/manifests/${digest.replace(":", "-")}`

const other = Given.json({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] })
const index = Given.json({
  schemaVersion: 2,
  mediaType: MediaType.ociIndex,
  manifests: [{ ...Given.describeBytes(other, MediaType.ociIndex), platform: { os: "linux", architecture: "amd64" } }]
})
const typed = (type: string, body: Uint8Array, headers: Record<string, string> = {}) =>
  answer(200, { "content-type": type, ...headers }, body)

const blobGone = (line: string) => ({
  BlobUnknown: by([line, refusal(404, "BLOB_UNKNOWN")]),
  NameUnknown: by([line, refusal(404, "NAME_UNKNOWN")])
})

const blobRead = () => ({
  ...blobGone(blobLine),
  DigestMismatch: by([blobLine, answer(200, {}, "abcdefghij")]),
  SizeMismatch: by([blobLine, answer(200, { "content-length": "11" }, Given.content)])
})

const manifestGone = (line: string) => ({
  ManifestUnknown: by([line, refusal(404, "MANIFEST_UNKNOWN")]),
  NameUnknown: by([line, refusal(404, "NAME_UNKNOWN")])
})

const manifestRead = () => ({
  ...manifestGone(tagLine),
  ManifestInvalid: by([tagLine, Given.manifestAnswer(Given.encode("{}"))])
})

const startRefused = (line: string) => ({
  NameUnknown: by([line, refusal(404, "NAME_UNKNOWN")]),
  NameInvalid: by([line, refusal(400, "NAME_INVALID")]),
  DigestInvalid: by([line, refusal(400, "DIGEST_INVALID")]),
  Unsupported: by([line, refusal(405, "UNSUPPORTED")])
})

const bytesRefused = (line: string) => ({
  BlobUploadUnknown: by([line, refusal(404, "BLOB_UPLOAD_UNKNOWN")]),
  BlobUploadInvalid: by([line, refusal(400, "BLOB_UPLOAD_INVALID")]),
  DigestInvalid: by([line, refusal(400, "DIGEST_INVALID")]),
  SizeInvalid: by([line, refusal(400, "SIZE_INVALID")]),
  RangeNotSatisfiable: by([line, answer(416)]),
  PayloadTooLarge: by([line, answer(413)])
})

const listed = (name: string, values: ReadonlyArray<string>, link?: string) =>
  typed("application/json", Given.json({ [name]: values }), link === undefined ? {} : { link })

const looping = '</v2/org/app/tags/list>; rel="next"'
const claimsOther = { "docker-content-digest": Given.sha256("other") }

const endpoints: ReadonlyArray<Endpoint> = [
  endpoint("Registry.ping", "GET https://registry.test/v2/", Registry.ping(Given.registry), {
    Unsupported: by(["GET https://registry.test/v2/", answer(404)])
  }),
  endpoint("Registry.supports", "GET https://registry.test/v2/", Registry.supports(Given.registry), {}),
  endpoint("Blobs.head", `HEAD ${v2}/blobs/${digest}`, Blobs.head(repository, digest), {
    BlobUnknown: by([`HEAD ${v2}/blobs/${digest}`, answer(404)]),
    NameUnknown: by([`HEAD ${v2}/blobs/${digest}`, answer(405)], [blobLine, refusal(404, "NAME_UNKNOWN")])
  }),
  endpoint("Blobs.exists", `HEAD ${v2}/blobs/${digest}`, Blobs.exists(repository, digest), {}),
  endpoint("Blobs.get", blobLine, Blobs.get(repository, Given.blob), blobRead()),
  endpoint("Blobs.stream", blobLine, Stream.runDrain(Blobs.stream(repository, Given.blob)), blobRead()),
  endpoint("Blobs.range", blobLine, Stream.runDrain(Blobs.range(repository, digest, { start: 2 })), {
    ...blobGone(blobLine),
    RangeNotSatisfiable: by([blobLine, answer(416)]),
    SizeMismatch: by([blobLine, answer(206, { "content-range": "bytes 2-9/10" }, "23456789x")])
  }),
  endpoint("Blobs.delete", `DELETE ${v2}/blobs/${digest}`, Blobs.delete(repository, digest), {
    ...blobGone(`DELETE ${v2}/blobs/${digest}`),
    Unsupported: by([`DELETE ${v2}/blobs/${digest}`, refusal(405, "UNSUPPORTED")])
  }),
  endpoint("Manifests.head", `HEAD ${v2}/manifests/${Given.manifestDigest}`, Manifests.head(Given.pinned), {
    ManifestUnknown: by([`HEAD ${v2}/manifests/${Given.manifestDigest}`, answer(404)]),
    NameUnknown: by(
      [`HEAD ${v2}/manifests/${Given.manifestDigest}`, answer(405)],
      [manifestLine, refusal(404, "NAME_UNKNOWN")]
    ),
    ManifestInvalid: {
      call: Manifests.head(Given.tagged),
      steps: [
        [`HEAD ${v2}/manifests/1.2`, answer(405)],
        [tagLine, Given.manifestAnswer(Given.encode("{}"))]
      ]
    },
    DigestMismatch: by(
      [`HEAD ${v2}/manifests/${Given.manifestDigest}`, answer(405)],
      [manifestLine, typed(MediaType.ociIndex, other)]
    )
  }),
  endpoint("Manifests.exists", `HEAD ${v2}/manifests/1.2`, Manifests.exists(Given.tagged), {}),
  endpoint("Manifests.get", tagLine, Manifests.get(Given.tagged), {
    ...manifestRead(),
    DigestMismatch: { call: Manifests.get(Given.pinned), steps: [[manifestLine, typed(MediaType.ociIndex, other)]] }
  }),
  endpoint("Manifests.get for a platform", tagLine, Manifests.get(Given.tagged, { platform: "linux/amd64" }), {
    ...manifestRead(),
    DigestMismatch: by(
      [tagLine, typed(MediaType.ociIndex, index)],
      [`GET ${v2}/manifests/${Given.sha256(other)}`, typed(MediaType.ociIndex, index)]
    ),
    PlatformUnknown: by([tagLine, typed(MediaType.ociIndex, other)]),
    InvalidPlatform: { call: Manifests.get(Given.tagged, { platform: "linux" }), steps: [] }
  }),
  endpoint("Manifests.resolve", tagLine, Manifests.resolve(Given.tagged), {
    ...manifestRead(),
    DigestMismatch: by(
      [tagLine, typed(MediaType.ociIndex, index)],
      [`GET ${v2}/manifests/${Given.sha256(other)}`, typed(MediaType.ociIndex, index)]
    ),
    PlatformUnknown: by([tagLine, typed(MediaType.ociIndex, other)]),
    InvalidPlatform: { call: Manifests.resolve(Given.tagged, { platform: "linux" }), steps: [] }
  }),
  endpoint("Manifests.put", `PUT ${v2}/manifests/1.2`, Manifests.put(Given.tagged, Given.manifestContent), {
    ManifestInvalid: by([`PUT ${v2}/manifests/1.2`, refusal(400, "MANIFEST_INVALID")]),
    ManifestBlobUnknown: by([`PUT ${v2}/manifests/1.2`, refusal(400, "MANIFEST_BLOB_UNKNOWN")]),
    NameUnknown: by([`PUT ${v2}/manifests/1.2`, refusal(404, "NAME_UNKNOWN")]),
    NameInvalid: by([`PUT ${v2}/manifests/1.2`, refusal(400, "NAME_INVALID")]),
    DigestInvalid: by([`PUT ${v2}/manifests/1.2`, refusal(400, "DIGEST_INVALID")]),
    DigestMismatch: by([`PUT ${v2}/manifests/1.2`, answer(201, claimsOther)]),
    TagImmutable: by([`PUT ${v2}/manifests/1.2`, refusal(409, "TAG_IMMUTABLE")]),
    PayloadTooLarge: by([`PUT ${v2}/manifests/1.2`, answer(413)]),
    Unsupported: by([`PUT ${v2}/manifests/1.2`, refusal(405, "UNSUPPORTED")]),
    InvalidReference: { call: Manifests.put(Given.tagged, Given.manifestContent, { tags: ["-"] }), steps: [] }
  }),
  endpoint(
    "Manifests.delete",
    `DELETE ${v2}/manifests/${Given.manifestDigest}`,
    Manifests.delete(repository, Given.manifestDigest),
    {
      ...manifestGone(`DELETE ${v2}/manifests/${Given.manifestDigest}`),
      Unsupported: by([`DELETE ${v2}/manifests/${Given.manifestDigest}`, refusal(405, "UNSUPPORTED")])
    }
  ),
  endpoint(
    "Uploads.start",
    `POST ${v2}/blobs/uploads/`,
    Uploads.start(repository),
    startRefused(`POST ${v2}/blobs/uploads/`)
  ),
  endpoint("Uploads.post", postLine, Uploads.post(repository, Given.blob, bytes), {
    ...startRefused(postLine),
    ...bytesRefused(postLine),
    BlobUploadUnknown: by(
      [postLine, answer(202, { location: uploadLine })],
      [finishLine, refusal(404, "BLOB_UPLOAD_UNKNOWN")]
    ),
    DigestMismatch: by([postLine, answer(201, claimsOther)]),
    SizeMismatch: { call: Uploads.post(repository, Given.blob, short.stream), steps: [[postLine, answer(201)]] },
    SourceNotReplayable: {
      call: Effect.suspend(() => Uploads.post(repository, Given.blob, onlyOnce())),
      steps: [
        [postLine, answer(202, { location: uploadLine })],
        [finishLine, answer(201)]
      ]
    }
  }),
  endpoint("Uploads.patch", `PATCH ${uploadLine}`, Uploads.patch(session, bytes), {
    ...bytesRefused(`PATCH ${uploadLine}`),
    SizeMismatch: { call: Uploads.patch(session, short), steps: [[`PATCH ${uploadLine}`, answer(202)]] }
  }),
  endpoint("Uploads.finish", finishLine, Uploads.finish(session, digest, bytes), {
    ...bytesRefused(finishLine),
    DigestMismatch: by([finishLine, answer(201, claimsOther)]),
    SizeMismatch: { call: Uploads.finish(session, digest, short), steps: [[finishLine, answer(201)]] }
  }),
  endpoint("Uploads.mount", `POST ${v2}/blobs/uploads/?mount=${escaped}`, Uploads.mount(repository, digest), {
    ...startRefused(`POST ${v2}/blobs/uploads/?mount=${escaped}`),
    DigestMismatch: by([`POST ${v2}/blobs/uploads/?mount=${escaped}`, answer(201, claimsOther)])
  }),
  endpoint("Uploads.status", `GET ${uploadLine}`, Uploads.status(session), {
    BlobUploadUnknown: by([`GET ${uploadLine}`, answer(404)])
  }),
  endpoint("Uploads.cancel", `DELETE ${uploadLine}`, Uploads.cancel(session), {
    BlobUploadUnknown: by([`DELETE ${uploadLine}`, answer(404)]),
    Unsupported: by([`DELETE ${uploadLine}`, answer(405)])
  }),
  endpoint("Tags.list", listLine, Tags.list(repository), {
    NameUnknown: by([listLine, refusal(404, "NAME_UNKNOWN")]),
    Unsupported: by([listLine, refusal(405, "UNSUPPORTED")])
  }),
  endpoint("Tags.stream", listLine, Stream.runDrain(Tags.stream(repository)), {
    NameUnknown: by([listLine, refusal(404, "NAME_UNKNOWN")]),
    Unsupported: by([listLine, refusal(405, "UNSUPPORTED")]),
    PaginationLoop: by([listLine, listed("tags", ["a"], looping)])
  }),
  endpoint("Tags.delete", `DELETE ${v2}/manifests/1.2`, Tags.delete(repository, "1.2"), {
    ...manifestGone(`DELETE ${v2}/manifests/1.2`),
    Unsupported: by([`DELETE ${v2}/manifests/1.2`, refusal(405, "UNSUPPORTED")]),
    InvalidReference: { call: Tags.delete(repository, "../1"), steps: [] }
  }),
  ...(["list", "stream"] as const).map((name) =>
    endpoint(
      `Referrers.${name}`,
      referrersLine,
      name === "list" ? Referrers.list(repository, digest) : Stream.runDrain(Referrers.stream(repository, digest)),
      {
        NameUnknown: by([referrersLine, answer(404)], [fallbackLine, refusal(404, "NAME_UNKNOWN")]),
        ManifestInvalid: by([referrersLine, typed(MediaType.ociIndex, Given.encode("{}"))]),
        PaginationLoop: by([
          referrersLine,
          typed(MediaType.ociIndex, other, { link: `</v2/org/app/referrers/${digest}>; rel="next"` })
        ])
      }
    )
  ),
  endpoint("Catalog.list", "GET https://registry.test/v2/_catalog", Catalog.list(Given.registry), {
    Unsupported: by(["GET https://registry.test/v2/_catalog", answer(404)])
  }),
  endpoint("Catalog.stream", "GET https://registry.test/v2/_catalog", Stream.runDrain(Catalog.stream(Given.registry)), {
    Unsupported: by(["GET https://registry.test/v2/_catalog", answer(404)]),
    PaginationLoop: by([
      "GET https://registry.test/v2/_catalog",
      listed("repositories", ["a"], '</v2/_catalog>; rel="next"')
    ])
  })
]

describe("what is particular to an endpoint", () => {
  for (const { call, errors, name } of endpoints) {
    for (const [tag, proof] of errors) {
      it.effect(`${name} fails with ${tag}`, () =>
        play(proof.steps, () =>
          Effect.map(Effect.flip(proof.call ?? call), (error) => {
            assert.strictEqual(error._tag, tag)
          })
        )
      )
    }
  }
})

/** What every call can meet, but for the endpoints that take such an answer for something else. */
const common: ReadonlyArray<
  readonly [tag: CallError["_tag"], name: string, answer: (line: string) => Answer, otherwise?: ReadonlyArray<string>]
> = [
  ["Unauthorized", "code-11", () => refusal(401, "UNAUTHORIZED"), ["Registry.supports"]],
  ["Denied", "code-12", () => refusal(403, "DENIED")],
  ["TooManyRequests", "code-14", () => refusal(429, "TOOMANYREQUESTS")],
  ["PolicyViolation", "P43 13b PROJECTPOLICYVIOLATION", () => refusal(412, "PROJECTPOLICYVIOLATION")],
  ["RegistryUnavailable", "13b UNAVAILABLE", () => refusal(503, "UNAVAILABLE")],
  ["RegistryUnavailable", "13b 499", () => answer(499)],
  ["UnsafeLocation", "S13 a redirect to http", () => answer(308, { location: "http://registry.test/" }), ["Referrers"]],
  ["TooManyRedirects", "S18 a redirect to itself", (line) => answer(308, { location: line.split(" ")[1] ?? "" })],
  ["TransportError", "a broken connection", () => Effect.fail(new Error("ECONNRESET"))]
]

describe("what every endpoint can meet", () => {
  for (const [tag, name, answered, otherwise] of common) {
    for (const endpoint of endpoints.filter((one) => !otherwise?.some((part) => one.name.startsWith(part)))) {
      it.effect(`${endpoint.name} fails with ${tag}: ${name}`, () =>
        play([[endpoint.line, answered(endpoint.line)]], () =>
          Effect.map(Effect.flip(endpoint.call), (error) => {
            assert.strictEqual(error._tag, tag)
          })
        )
      )
    }
  }

  for (const { call, line, name } of endpoints) {
    it.effect(`${name} fails with Timeout`, () =>
      play([[line, Effect.never]], () =>
        Effect.gen(function* () {
          const running = yield* Effect.fork(Effect.flip(call))
          yield* TestClock.adjust("61 seconds")
          assert.strictEqual((yield* Fiber.join(running))._tag, "Timeout")
        })
      )
    )
  }
})
