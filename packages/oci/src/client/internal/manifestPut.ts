import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { isRecord } from "effect/Predicate"
import * as Digest from "../../spec/Digest.js"
import * as Hasher from "../../spec/Hasher.js"
import * as Manifest from "../../spec/Manifest.js"
import * as Reference from "../../spec/Reference.js"
import type { Repository } from "../../spec/Repository.js"
import type { Put, PutOptions, SupplyOptions } from "../Manifests.js"
import * as RegistryClient from "../RegistryClient.js"
import {
  type CallError,
  DigestInvalid,
  DigestMismatch,
  ManifestBlobUnknown,
  ManifestInvalid,
  NameInvalid,
  NameUnknown,
  PayloadTooLarge,
  TagImmutable,
  type Unsupported
} from "../RegistryError.js"
import * as Body from "./body.js"
import * as Call from "./call.js"
import * as Features from "./features.js"
import * as Mirrors from "./hosts/mirrors.js"
import * as ListHeader from "./listHeader.js"
import * as ManifestBlobs from "./manifestBlobs.js"
import * as ManifestRead from "./manifestRead.js"
import type { Refusal } from "./refusal.js"
import * as Refused from "./refused.js"
import * as Request from "./request.js"
import * as Verify from "./verify.js"

/** The manifest under the digest that its reference asks for, if that is its digest. */
const identified = (
  content: Manifest.ManifestContent,
  reference: Reference.Reference
): Effect.Effect<
  { readonly content: Manifest.ManifestContent; readonly digest: Digest.Digest },
  DigestMismatch,
  RegistryClient.RegistryClient
> =>
  Effect.flatMap(RegistryClient.RegistryClient, (client) =>
    Effect.gen(function* () {
      const expected = reference.digest
      if (expected === undefined || expected === content.descriptor.digest) {
        return { content, digest: content.descriptor.digest }
      }
      const facts = Request.facts(reference)
      const actual = yield* Hasher.digest(content.bytes, yield* Verify.algorithm(expected, facts))
      if (actual !== expected) return yield* new DigestMismatch({ ...facts, expected, actual })
      const descriptor = { ...content.descriptor, digest: actual }
      return { content: new Manifest.ManifestContent({ ...content, descriptor }), digest: actual }
    }).pipe(client.provide)
  )

type Refusals =
  | ManifestInvalid
  | ManifestBlobUnknown
  | NameUnknown
  | NameInvalid
  | DigestInvalid
  | TagImmutable
  | PayloadTooLarge
  | Unsupported

/** The digests in what a registry says is missing: `detail` is a digest, or has one somewhere inside. */
const missing = ({ facts }: Refusal): ReadonlyArray<string> => {
  const found = (detail: unknown, depth: number): ReadonlyArray<string> => {
    if (typeof detail === "string") return Either.isRight(Digest.parse(detail)) ? [detail] : []
    if (depth > 3) return []
    return Array.isArray(detail) || isRecord(detail)
      ? Object.values(detail).flatMap((part) => found(part, depth + 1))
      : []
  }
  return Arr.dedupe(facts.errors.flatMap(({ detail }) => found(detail, 0)))
}

/** No code says that a tag may not be moved; registries say it in words. */
const immutable = ({ facts, says, status }: Refusal): boolean =>
  says("TAG_IMMUTABLE") ||
  (status < 500 &&
    status >= 400 &&
    facts.errors.some(({ message }) => /immutable|cannot be overwritten/i.test(message)))

const refused = (refusal: Refusal): Refusals | undefined => {
  const { facts, says, status } = refusal
  if (status >= 500 && status !== 501) return undefined
  if (immutable(refusal)) return new TagImmutable(facts)
  if (status === 413) return new PayloadTooLarge(facts)
  if (says("MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"))
    return new ManifestBlobUnknown({ ...facts, missing: missing(refusal) })
  if (status === 404 && says("MANIFEST_UNKNOWN"))
    return new ManifestBlobUnknown({ ...facts, missing: missing(refusal) })
  if (says("NAME_INVALID")) return new NameInvalid(facts)
  if (says("DIGEST_INVALID")) return new DigestInvalid(facts)
  const unsupported = Refused.notDone(refusal)
  if (unsupported !== undefined) return unsupported
  if (says("MANIFEST_INVALID", "MANIFEST_UNVERIFIED", "SIZE_INVALID", "TAG_INVALID") || status === 415) {
    return new ManifestInvalid({ ...facts, reason: "the registry refuses it" })
  }
  return status === 404 ? new NameUnknown(facts) : undefined
}

/** What it can fail with to put a manifest under names that can be names. */
export type PutError = Refusals | DigestMismatch | CallError

const send = (
  repository: Repository,
  content: Manifest.ManifestContent,
  target: string,
  query = ""
): Effect.Effect<Body.Answer, PutError, RegistryClient.RegistryClient> =>
  Effect.gen(function* () {
    const { digest, mediaType } = content.descriptor
    const answer = yield* Call.head({
      operation: Request.onRepository("manifests.put", repository, target),
      request: HttpClientRequest.put(`${Request.manifest(repository, target)}${query}`).pipe(
        HttpClientRequest.bodyUint8Array(content.bytes, mediaType)
      ),
      accepts: [200, 201, 202],
      refused
    })
    const claimed = Either.getRight(Digest.parse(answer.response.headers["docker-content-digest"] ?? ""))
    if (
      Option.isSome(claimed) &&
      Digest.algorithm(claimed.value) === Digest.algorithm(digest) &&
      claimed.value !== digest
    ) {
      return yield* new DigestMismatch({ ...Body.facts(answer), expected: digest, actual: claimed.value })
    }
    return answer
  })

/** The subject that the registry says it noted, when it is the one we sent: then it has the referrers API. */
const noted = (
  { response }: Body.Answer,
  repository: Repository,
  content: Manifest.ManifestContent
): Effect.Effect<Option.Option<Digest.Digest>, never, RegistryClient.RegistryClient> => {
  const subject = Manifest.subject(content.manifest).pipe(
    Option.map(({ digest }) => digest),
    Option.filter((digest) => response.headers["oci-subject"]?.trim() === digest)
  )
  const learnt = Option.isNone(subject) ? Effect.void : Features.found(repository, "referrers", true)
  return Effect.as(learnt, subject)
}

/** One request, under one tag or digest. */
const one = (
  repository: Repository,
  content: Manifest.ManifestContent,
  tag: string
): Effect.Effect<Put, PutError, RegistryClient.RegistryClient> =>
  Effect.flatMap(send(repository, content, tag), (answer) =>
    Effect.map(noted(answer, repository, content), (subject) => ({
      descriptor: content.descriptor,
      subject,
      tags: [tag]
    }))
  )

/** As many as every registry that takes tags this way must take (end-7b). */
const batch = 10

/** Whether a registry, or a proxy before it, stumbles over the query: too long, or not known. */
const stumbles = (error: PutError): boolean =>
  error.status === 414 || error.status === 431 || (error.status === 400 && error._tag === "UnexpectedResponse")

/**
 * By digest with the tags in the query; tags that the registry does not confirm are pushed one by one, and so are all where
 * it is known to take no others.
 */
const many = (
  repository: Repository,
  content: Manifest.ManifestContent,
  digest: Digest.Digest,
  tags: ReadonlyArray<string>
): Effect.Effect<Put, PutError, RegistryClient.RegistryClient> =>
  Effect.gen(function* () {
    const confirmed = new Set<string>()
    const [first = [], ...rest] = Arr.chunksOf(tags, batch)
    const push = (some: ReadonlyArray<string>): Effect.Effect<Body.Answer, PutError, RegistryClient.RegistryClient> =>
      send(repository, content, digest, Request.query(some.map((tag) => ["tag", tag]))).pipe(
        Effect.tap(({ response }) =>
          Effect.sync(() => {
            for (const tag of ListHeader.split(response.headers["oci-tag"] ?? "")) confirmed.add(tag)
          })
        ),
        Effect.catchIf(
          (error) => some.length > 0 && stumbles(error),
          () => push(some.slice(0, Math.floor(some.length / 2)))
        )
      )
    const takesMany = tags.length === 0 ? false : yield* Features.known(repository, "multiTag")
    const answer = yield* push(takesMany === false ? [] : first)
    // a registry that confirms none of the first does not know of tags in a query
    if (takesMany === undefined) yield* Features.found(repository, "multiTag", confirmed.size > 0)
    if (confirmed.size > 0) yield* Effect.forEach(rest, push, { discard: true })
    yield* Effect.forEach(
      tags.filter((tag) => !confirmed.has(tag)),
      (tag) => send(repository, content, tag),
      { discard: true }
    )
    return { descriptor: content.descriptor, subject: yield* noted(answer, repository, content), tags }
  })

/** Whether a tag, or a digest, names this manifest at the registry, as far as it tells. */
const names = (reference: Reference.Reference, { descriptor }: Manifest.ManifestContent) =>
  ManifestRead.ask(reference).pipe(
    Effect.map(
      ({ response }) => response.status === 200 && response.headers["docker-content-digest"] === descriptor.digest
    ),
    Effect.orElseSucceed(() => false),
    Mirrors.without
  )

/** Puts a manifest under all that it is to be called, after what its registry turns out to lack. */
export const put = <E, R>(
  reference: Reference.Reference,
  manifest: Manifest.ManifestContent | Manifest.Manifest,
  options?: PutOptions & { readonly blobs?: SupplyOptions<E, R>["blobs"] | undefined }
) =>
  Effect.gen(function* () {
    const { repository } = reference
    const whole = "bytes" in manifest ? manifest : yield* Manifest.content(manifest)
    const { content, digest } = yield* identified(whole, reference)
    const further = yield* Effect.forEach(options?.tags ?? [], (tag) => Reference.withTag(reference, tag))
    const given = [reference, ...further].flatMap(({ tag }) => (tag === undefined ? [] : [tag]))
    const tags = Arr.dedupe(given.length === 0 && reference.digest === undefined ? ["latest"] : given)
    const targets = tags.length === 0 ? [reference] : tags.map((tag) => Reference.make(repository, { tag }))
    const left =
      options?.skipIfSame === true
        ? Arr.getSomes(
            yield* Effect.forEach(targets, (target) =>
              Effect.map(names(target, content), (same) => (same ? Option.none() : Option.some(target)))
            )
          )
        : targets
    const [first, ...more] = left
    if (first === undefined) return { descriptor: content.descriptor, subject: Option.none(), tags }
    const sending: Effect.Effect<Put, PutError, RegistryClient.RegistryClient> =
      reference.digest === undefined && more.length === 0
        ? one(repository, content, first.target)
        : many(
            repository,
            content,
            digest,
            left.flatMap(({ tag }) => tag ?? [])
          )
    const supply = options?.blobs
    const sent =
      supply === undefined
        ? yield* sending
        : yield* Effect.catchTag(sending, "ManifestBlobUnknown", (error) =>
            Effect.zipRight(ManifestBlobs.supplied(repository, content.manifest, supply, error), sending)
          )
    return { ...sent, tags }
  }).pipe(Call.spanned("oci.manifests.put", reference.repository, reference.target))
