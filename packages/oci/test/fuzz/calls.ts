/** Every endpoint: what it asks, what it expects, how it may fail, and what makes its result right for what was served. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { isRecord } from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Blobs from "effect-oci/Blobs"
import * as Catalog from "effect-oci/Catalog"
import type { Descriptor } from "effect-oci/Descriptor"
import * as Manifest from "effect-oci/Manifest"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import * as Referrers from "effect-oci/Referrers"
import * as Registry from "effect-oci/Registry"
import type { RegistryClient } from "effect-oci/RegistryClient"
import type { CallError } from "effect-oci/RegistryError"
import * as Tags from "effect-oci/Tags"
import * as Uploads from "effect-oci/Uploads"
import {
  blob,
  collect,
  content,
  encode,
  manifestContent,
  manifestDigest,
  pinned,
  referrerTo,
  registry,
  repository,
  session,
  sha256,
  tagged
} from "../endpoints/given.js"
import type { Expected } from "./answers.js"
import { nearBytes, nearJson } from "./arbitraries.js"
import * as Samples from "./samples.js"
import type { Exchange } from "./wire.js"

const referrer = referrerTo(manifestContent.descriptor)

type Exchanges = ReadonlyArray<Exchange>

/** One endpoint, ready to be played; a result that is not right for the exchanges is a defect. */
export interface Call {
  readonly name: string
  readonly expected: Expected
  /** The tags of all failures that its type declares. */
  readonly tags: ReadonlyArray<string>
  readonly run: (exchanges: Exchanges) => Effect.Effect<void, unknown, RegistryClient>
}

const common: ReadonlyArray<CallError["_tag"]> = [
  "TransportError",
  "Timeout",
  "Unauthorized",
  "Denied",
  "PolicyViolation",
  "TooManyRequests",
  "RegistryUnavailable",
  "UnexpectedResponse",
  "ResponseTooLarge",
  "UnsafeLocation",
  "TooManyRedirects",
  "ChallengeInvalid",
  "TokenInvalid",
  "CredentialsInvalid",
  "ManifestUnsupported"
]

const call = <A, E extends { readonly _tag: string }>(
  name: string,
  expected: Expected,
  effect: Effect.Effect<A, E, RegistryClient>,
  particular: ReadonlyArray<Exclude<E["_tag"], CallError["_tag"]>>,
  right: (value: A, exchanges: Exchanges) => void
): Call => ({
  name,
  expected,
  tags: [...common, ...particular],
  run: (exchanges) => Effect.map(effect, (value) => right(value, exchanges))
})

const last = (exchanges: Exchanges): Exchange => {
  const exchange = exchanges[exchanges.length - 1]
  assert(exchange !== undefined, "nothing was asked")
  return exchange
}

const answered =
  (...statuses: ReadonlyArray<number>) =>
  (_: unknown, exchanges: Exchanges): void =>
    assert.oneOf(last(exchanges).status, [...statuses])

const assertBytes = (actual: Uint8Array, expected: Uint8Array): void =>
  assert.strictEqual(Buffer.from(actual).toString("hex"), Buffer.from(expected).toString("hex"))

const joined = <E, R>(stream: Stream.Stream<Uint8Array, E, R>): Effect.Effect<Uint8Array, E, R> =>
  Effect.map(collect(stream), (pieces) => new Uint8Array(Buffer.concat(pieces)))

const nothing: Expected = { yes: [200, 202], content: nearBytes(new Uint8Array()) }

const bytes: Expected = { yes: [200], content: nearBytes(encode(content)) }

const part: Expected = {
  yes: [206, 206, 200],
  content: nearBytes(encode("234"), encode("789"), encode("23456789"), encode(content)),
  headers: { "content-range": "bytes 2-4/10" }
}

const manifests: Expected = {
  yes: [200],
  content: FastCheck.oneof(nearBytes(Samples.imageBytes, Samples.indexBytes), nearJson(...Samples.manifests)),
  headers: { "content-type": "application/json" }
}

const began: Expected = {
  yes: [202, 202, 201],
  content: nothing.content,
  headers: { location: "/v2/org/app/blobs/uploads/2" }
}

const page = (name: string): Expected => ({
  yes: [200],
  content: nearJson({ name: "org/app", [name]: ["a", "b", "\u001b[31m"] }, { [name]: null }, { [name]: ["a", null, 1] })
})

const referrers: Expected = {
  yes: [200],
  content: nearJson(Samples.index, { ...Samples.index, manifests: [Samples.image.subject] }),
  headers: { "content-type": MediaType.ociIndex }
}

const isBlob = (read: Uint8Array, exchanges: Exchanges): void => {
  assert.strictEqual(sha256(read), blob.digest)
  assertBytes(read, last(exchanges).served)
}

/** The part is what was served for it, or its place in the whole. */
const isPart =
  (start: number, end: number) =>
  (read: Uint8Array, exchanges: Exchanges): void => {
    const { served, status } = last(exchanges)
    assertBytes(read, status === 206 ? served : served.subarray(start, end))
  }

const isHead = ({ digest, size }: Descriptor, exchanges: Exchanges): void => {
  assert.strictEqual(digest, blob.digest)
  assert.isTrue(Number.isSafeInteger(size) && size >= 0)
  assert.include(
    exchanges.map(({ headers }) => Number(headers.get("content-length") ?? Number.NaN)),
    size
  )
}

/** What a manifest says is what was served, under the digest of its bytes. */
const isServed = ({ bytes, descriptor }: Manifest.ManifestContent, exchanges: Exchanges): void => {
  assertBytes(bytes, last(exchanges).served)
  assert.strictEqual(descriptor.size, bytes.length)
  if (descriptor.digest.startsWith("sha256:")) assert.strictEqual(descriptor.digest, sha256(bytes))
}

const isImage = (found: Manifest.ManifestContent, exchanges: Exchanges): void => {
  isServed(found, exchanges)
  assert.isFalse(Manifest.isIndex(found.manifest))
}

const isSession = (next: Uploads.UploadSession): void => {
  assert.strictEqual(new URL(Redacted.value(next.location)).origin, "https://registry.test")
  assert.isTrue(Number.isSafeInteger(next.offset) && next.offset >= 0)
  assert.isTrue(next.minChunk === undefined || next.minChunk > 0)
}

/** The strings under a name of a page that was served. */
const listed = ({ served }: Exchange, name: string): ReadonlyArray<string> => {
  const document: unknown = JSON.parse(new TextDecoder().decode(served))
  const list: unknown = isRecord(document) ? document[name] : undefined
  return Array.isArray(list) ? list.filter((entry): entry is string => typeof entry === "string") : []
}

const pages = (exchanges: Exchanges, name: string) =>
  exchanges.filter(({ status }) => status === 200).flatMap((exchange) => listed(exchange, name))

const areReferrers = (found: ReadonlyArray<Descriptor>, exchanges: Exchanges): void => {
  const served = exchanges.map((exchange) => new TextDecoder().decode(exchange.served)).join()
  for (const { digest } of found) assert.include(served, digest)
  assert.strictEqual(new Set(found.map(({ digest }) => digest)).size, found.length)
}

const blobGone = ["BlobUnknown", "NameUnknown"] as const
const blobRead = [...blobGone, "DigestMismatch", "SizeMismatch"] as const
const manifestGone = ["ManifestUnknown", "NameUnknown"] as const
const manifestRead = [...manifestGone, "ManifestInvalid", "DigestMismatch"] as const
const start = ["NameUnknown", "NameInvalid", "DigestInvalid", "Unsupported"] as const
const sending = [
  "BlobUploadUnknown",
  "BlobUploadInvalid",
  "DigestInvalid",
  "SizeInvalid",
  "SizeMismatch",
  "RangeNotSatisfiable",
  "PayloadTooLarge"
] as const

const chunk = encode("56789")

const source = { size: chunk.length, stream: Stream.make(chunk.subarray(0, 2), chunk.subarray(2)) }

const isDescriptor = (descriptor: Descriptor): void => {
  assert.strictEqual(descriptor.digest, blob.digest)
}

const moved = (next: Uploads.UploadSession): void => {
  isSession(next)
  assert.isTrue(next.offset >= 5 && next.offset <= 10)
}

/** By module. */
export const calls: { readonly [module: string]: ReadonlyArray<Call> } = {
  Registry: [
    call("Registry.ping", nothing, Registry.ping(registry), ["Unsupported"], answered(200)),
    call("Registry.supports", nothing, Registry.supports(registry), [], (supported, exchanges) =>
      assert.isTrue(!supported || [200, 401].includes(last(exchanges).status ?? 0))
    )
  ],
  Blobs: [
    call("Blobs.head", bytes, Blobs.head(repository, blob.digest), blobGone, isHead),
    call("Blobs.exists", bytes, Blobs.exists(repository, blob.digest), [], (found, exchanges) => {
      answered(...(found ? [200] : [404, 400]))(found, exchanges)
    }),
    call("Blobs.get", bytes, Blobs.get(repository, blob), blobRead, isBlob),
    call("Blobs.get by digest", bytes, Blobs.get(repository, blob.digest), blobRead, isBlob),
    call("Blobs.stream", bytes, joined(Blobs.stream(repository, blob)), blobRead, isBlob),
    call("Blobs.stream by digest", bytes, joined(Blobs.stream(repository, blob.digest)), blobRead, isBlob),
    call(
      "Blobs.range",
      part,
      joined(Blobs.range(repository, blob.digest, { start: 2, end: 4 })),
      [...blobGone, "RangeNotSatisfiable", "SizeMismatch"],
      isPart(2, 5)
    ),
    call(
      "Blobs.range of the last bytes",
      { ...part, headers: { "content-range": "bytes 7-9/10" } },
      joined(Blobs.range(repository, blob.digest, { last: 3 })),
      [...blobGone, "RangeNotSatisfiable", "SizeMismatch"],
      (read, exchanges) =>
        isPart(Math.max(0, last(exchanges).served.length - 3), Number.MAX_SAFE_INTEGER)(read, exchanges)
    ),
    call(
      "Blobs.delete",
      nothing,
      Blobs.delete(repository, blob.digest),
      [...blobGone, "Unsupported"],
      answered(200, 202, 204)
    )
  ],
  Manifests: [
    call("Manifests.head", manifests, Manifests.head(tagged), manifestRead, ({ mediaType, size }) => {
      assert.isTrue(MediaType.isManifest(mediaType) && size > 0)
    }),
    call("Manifests.exists", manifests, Manifests.exists(tagged), [], (found, exchanges) =>
      answered(...(found ? [200] : [404, 400]))(found, exchanges)
    ),
    call("Manifests.get", manifests, Manifests.get(tagged), manifestRead, isServed),
    call("Manifests.get by digest", manifests, Manifests.get(pinned), manifestRead, (found, exchanges) => {
      isServed(found, exchanges)
      assert.strictEqual(found.descriptor.digest, manifestDigest)
    }),
    call(
      "Manifests.get for a platform",
      manifests,
      Manifests.get(tagged, { platform: "linux/arm64" }),
      [...manifestRead, "PlatformUnknown", "InvalidPlatform"],
      isImage
    ),
    call(
      "Manifests.resolve",
      manifests,
      Manifests.resolve(tagged),
      [...manifestRead, "PlatformUnknown", "InvalidPlatform"],
      isImage
    ),
    call(
      "Manifests.put",
      { ...nothing, yes: [201] },
      Manifests.put(tagged, manifestContent, { tags: ["1.3"] }),
      [
        "ManifestInvalid",
        "ManifestBlobUnknown",
        "NameUnknown",
        "NameInvalid",
        "DigestInvalid",
        "DigestMismatch",
        "TagImmutable",
        "PayloadTooLarge",
        "Unsupported",
        "InvalidReference"
      ],
      ({ descriptor, tags }, exchanges) => {
        assert.strictEqual(descriptor.digest, manifestDigest)
        assert.deepStrictEqual(tags, ["1.2", "1.3"])
        answered(200, 201, 202)(tags, exchanges)
      }
    ),
    call(
      "Manifests.delete",
      nothing,
      Manifests.delete(repository, manifestDigest),
      [...manifestGone, "Unsupported", "ReferrersNotUpdated"],
      answered(200, 202, 204)
    )
  ],
  Uploads: [
    call("Uploads.start", began, Uploads.start(repository), start, isSession),
    call(
      "Uploads.post",
      began,
      Uploads.post(repository, blob, encode(content)),
      [...start, ...sending, "DigestMismatch", "SourceNotReplayable"],
      isDescriptor
    ),
    call(
      "Uploads.post of a source",
      began,
      Uploads.post(repository, blob, Stream.make(encode(content))),
      [...start, ...sending, "DigestMismatch", "SourceNotReplayable"],
      isDescriptor
    ),
    call("Uploads.patch", began, Uploads.patch(session(5), chunk), sending, moved),
    call("Uploads.patch of a source", began, Uploads.patch(session(5), source), sending, moved),
    call(
      "Uploads.finish",
      { ...nothing, yes: [201] },
      Uploads.finish(session(5), blob.digest, chunk),
      [...sending, "DigestMismatch"],
      isDescriptor
    ),
    call(
      "Uploads.finish of a source",
      { ...nothing, yes: [201] },
      Uploads.finish(session(5), blob.digest, source),
      [...sending, "DigestMismatch"],
      isDescriptor
    ),
    call("Uploads.mount", began, Uploads.mount(repository, blob.digest), [...start, "DigestMismatch"], (result) =>
      result._tag === "Mounted" ? assert.strictEqual(result.digest, blob.digest) : isSession(result)
    ),
    call(
      "Uploads.status",
      { ...nothing, yes: [204], headers: { range: "0-4" } },
      Uploads.status(session(5)),
      ["BlobUploadUnknown"],
      isSession
    ),
    call(
      "Uploads.cancel",
      { ...nothing, yes: [204] },
      Uploads.cancel(session(5)),
      ["BlobUploadUnknown", "Unsupported"],
      answered(200, 202, 204)
    )
  ],
  Tags: [
    call("Tags.list", page("tags"), Tags.list(repository), ["NameUnknown", "Unsupported"], ({ tags }, exchanges) =>
      assert.deepStrictEqual(tags, listed(last(exchanges), "tags"))
    ),
    call(
      "Tags.stream",
      page("tags"),
      collect(Tags.stream(repository)),
      ["NameUnknown", "Unsupported", "PaginationLoop"],
      (tags, exchanges) => assert.deepStrictEqual(tags, pages(exchanges, "tags"))
    ),
    call(
      "Tags.delete",
      nothing,
      Tags.delete(repository, "latest"),
      [...manifestGone, "Unsupported", "InvalidReference"],
      answered(200, 202, 204)
    ),
    call(
      "Tags.delete by a dummy",
      { ...manifests, yes: [200, 201, 202, 404, 405] },
      Tags.delete(repository, "latest", { fallback: "dummy" }),
      [...manifestGone, "Unsupported", "InvalidReference"],
      answered(200, 202, 204)
    )
  ],
  Referrers: [
    call(
      "Referrers.list",
      referrers,
      Referrers.list(repository, manifestDigest),
      ["NameUnknown", "ManifestInvalid", "PaginationLoop"],
      areReferrers
    ),
    call(
      "Referrers.stream of a type",
      referrers,
      collect(Referrers.stream(repository, manifestDigest, { artifactType: "application/vnd.example+type" })),
      ["NameUnknown", "ManifestInvalid", "PaginationLoop"],
      (found, exchanges) => {
        areReferrers(found, exchanges)
        for (const { artifactType } of found) assert.strictEqual(artifactType, "application/vnd.example+type")
      }
    ),
    call(
      "Referrers.attach",
      { ...referrers, yes: [200, 201] },
      Referrers.attach(repository, manifestContent.descriptor, referrer),
      [
        "ManifestInvalid",
        "ManifestBlobUnknown",
        "NameUnknown",
        "NameInvalid",
        "DigestInvalid",
        "DigestMismatch",
        "TagImmutable",
        "PayloadTooLarge",
        "Unsupported",
        "InvalidReference",
        "ReferrersNotUpdated"
      ],
      ({ descriptor }) => assert.strictEqual(descriptor.digest, referrer.descriptor.digest)
    )
  ],
  Catalog: [
    call("Catalog.list", page("repositories"), Catalog.list(registry), ["Unsupported"], ({ repositories }, exchanges) =>
      assert.deepStrictEqual(repositories, listed(last(exchanges), "repositories"))
    ),
    call(
      "Catalog.stream",
      page("repositories"),
      collect(Catalog.stream(registry)),
      ["Unsupported", "PaginationLoop"],
      (repositories, exchanges) => assert.deepStrictEqual(repositories, pages(exchanges, "repositories"))
    )
  ]
}
