import type { PlatformError } from "@effect/platform/Error"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Descriptor } from "effect-oci/Descriptor"
import type { Algorithm, Digest } from "effect-oci/Digest"
import * as Manifest from "effect-oci/Manifest"
import * as MediaType from "effect-oci/MediaType"
import * as Reference from "effect-oci/Reference"
import * as Incoming from "../incoming.js"
import * as Names from "../names.js"
import * as Preconditions from "../preconditions.js"
import { Refusal, refuse } from "../refusal.js"
import type { Answer, Registry } from "../registry.js"
import * as Store from "../store.js"

const unknown = (reference: string): Refusal =>
  refuse(404, "MANIFEST_UNKNOWN", "manifest unknown to registry", { detail: { reference } })

/** What a reference points to, if anything. */
const resolve = (
  { store }: Registry,
  name: string,
  reference: string
): Effect.Effect<Option.Option<Digest>, Refusal | PlatformError> =>
  Names.isDigest(reference)
    ? Effect.asSome(Names.digest(reference))
    : Reference.isTag(reference)
      ? store.tag(name, reference)
      : Effect.succeedNone

const find = (registry: Registry, name: string, reference: string) =>
  Effect.gen(function* () {
    const digest = yield* resolve(registry, name, reference)
    const stored = Option.isNone(digest) ? Option.none() : yield* registry.store.manifest(name, digest.value)
    return Option.zipWith(digest, stored, (digest, { bytes, mediaType }) => ({ digest, bytes, mediaType }))
  })

/** end-3: a manifest by tag or digest, in the bytes it was pushed in. */
export const get = (registry: Registry, incoming: Incoming.Incoming, name: string, reference: string): Answer =>
  Effect.gen(function* () {
    const found = yield* find(registry, name, reference)
    if (Option.isNone(found)) return yield* Store.missing(registry.store, name, unknown(reference))
    const { bytes, digest, mediaType } = found.value
    const headers = { "docker-content-digest": digest, etag: Preconditions.etagOf(digest) }
    return Preconditions.unchanged(incoming, digest)
      ? HttpServerResponse.empty({ status: 304, headers })
      : HttpServerResponse.uint8Array(bytes, { contentType: mediaType, headers })
  })

/** end-7a and 7b: stores a manifest under its digest and gives it the tags of the path and of the query. */
export const put = (registry: Registry, incoming: Incoming.Incoming, name: string, reference: string): Answer =>
  Effect.gen(function* () {
    const { settings, store } = registry
    const limit = settings.maxManifestSize
    const expected = Names.isDigest(reference) ? yield* Names.digest(reference) : undefined
    const algorithm = expected === undefined ? "sha256" : yield* Names.algorithm(expected)
    const extraTags = yield* Effect.forEach(incoming.query.getAll("tag"), Names.tag)
    const tags = expected === undefined ? [yield* Names.tag(reference), ...extraTags] : extraTags
    const content = yield* decode(
      yield* Incoming.read(incoming, limit, refuse(413, "MANIFEST_INVALID", `manifest is larger than ${limit} bytes`)),
      incoming.headers["content-type"],
      algorithm
    )
    const { digest } = content.descriptor
    if (expected !== undefined && digest !== expected) {
      const detail = { provided: expected, computed: digest }
      return yield* refuse(400, "DIGEST_INVALID", "provided digest did not match the manifest", { detail })
    }
    if (!settings.sparse) yield* complete(content.manifest, store, name)
    yield* Effect.gen(function* () {
      const current = Option.map(yield* find(registry, name, reference), ({ digest }) => digest)
      if (!Preconditions.hold(incoming, Option.getOrUndefined(current))) {
        return yield* new Refusal({ status: 412, problems: [] })
      }
      yield* store.putManifest(name, content)
      yield* Effect.forEach(tags, (tag) => store.putTag(name, tag, digest), { discard: true })
    }).pipe(store.exclusively(name))
    const subject = settings.referrers ? Manifest.subject(content.manifest) : Option.none()
    return HttpServerResponse.empty({
      status: 201,
      headers: {
        location: `/v2/${name}/manifests/${digest}`,
        "docker-content-digest": digest,
        etag: Preconditions.etagOf(digest),
        "content-length": "0",
        ...(extraTags.length === 0 ? {} : { "oci-tag": extraTags.join(", ") }),
        ...(Option.isNone(subject) ? {} : { "oci-subject": subject.value.digest })
      }
    })
  })

/** end-9: takes away a tag only, or a manifest with all tags that point to it. */
export const remove = (registry: Registry, name: string, reference: string): Answer =>
  Effect.gen(function* () {
    const { store } = registry
    const found = yield* find(registry, name, reference)
    if (Option.isNone(found)) return yield* Store.missing(store, name, unknown(reference))
    yield* Names.isDigest(reference) ? store.removeManifest(name, found.value.digest) : store.removeTag(name, reference)
    return HttpServerResponse.empty({ status: 202, headers: { "content-length": "0" } })
  }).pipe(registry.store.exclusively(name))

const decode = (
  bytes: Uint8Array,
  mediaType: string | undefined,
  algorithm: Algorithm
): Effect.Effect<Manifest.ManifestContent, Refusal> =>
  Manifest.ManifestContent.fromBytes(bytes, { algorithm, mediaType }).pipe(
    Effect.catchTags({
      ManifestInvalid: ({ reason }) => Effect.fail(refuse(400, "MANIFEST_INVALID", `manifest invalid: ${reason}`)),
      ManifestUnsupported: ({ mediaType }) =>
        Effect.fail(refuse(400, "MANIFEST_INVALID", `manifests of type ${mediaType} are not supported`))
    })
  )

/** What a manifest is made of; the subject is no part of it, nor what may not be distributed. */
const partsOf = (manifest: Manifest.Manifest): ReadonlyArray<Descriptor> =>
  (Manifest.isImage(manifest)
    ? [manifest.config, ...manifest.layers]
    : Manifest.isIndex(manifest)
      ? manifest.manifests
      : manifest.blobs
  ).filter(({ mediaType }) => MediaType.isDistributable(mediaType))

/** Refuses a manifest that names what is not here (code-5), with one entry for each digest. */
const complete = (
  manifest: Manifest.Manifest,
  store: Store.Store,
  name: string
): Effect.Effect<void, Refusal | PlatformError> =>
  Effect.gen(function* () {
    // An index may name a blob too.
    const lacks = (digest: Digest) =>
      Effect.gen(function* () {
        if (Option.isSome(yield* store.blob(name, digest))) return false
        return !Manifest.isIndex(manifest) || Option.isNone(yield* store.manifest(name, digest))
      })
    const missing = yield* Effect.filter(new Set(partsOf(manifest).map(({ digest }) => digest)), lacks)
    if (missing.length === 0) return
    return yield* new Refusal({
      status: 400,
      problems: missing.map((digest) => ({
        code: "MANIFEST_BLOB_UNKNOWN",
        message: "manifest references a manifest or blob unknown to registry",
        detail: { digest }
      }))
    })
  })
