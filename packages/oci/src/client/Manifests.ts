/**
 * Manifests: what a tag or a digest names (end-3, end-7, end-9). Their bytes are kept and verified; what is read from them
 * is beside.
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Descriptor } from "../spec/Descriptor.js"
import * as Digest from "../spec/Digest.js"
import * as Manifest from "../spec/Manifest.js"
import * as MediaType from "../spec/MediaType.js"
import * as Platform from "../spec/Platform.js"
import * as Reference from "../spec/Reference.js"
import type { InvalidReference } from "../spec/RegistryName.js"
import type { Repository } from "../spec/Repository.js"
import type { BlobSource } from "./BlobSource.js"
import type * as Body from "./internal/body.js"
import * as Call from "./internal/call.js"
import * as Features from "./internal/features.js"
import * as Mirrors from "./internal/hosts/mirrors.js"
import * as ManifestAnswer from "./internal/manifestAnswer.js"
import * as ManifestBlobs from "./internal/manifestBlobs.js"
import * as ManifestDelete from "./internal/manifestDelete.js"
import * as ManifestPut from "./internal/manifestPut.js"
import * as ReferrersUpdate from "./internal/referrersUpdate.js"
import * as Refused from "./internal/refused.js"
import * as Request from "./internal/request.js"
import * as Verify from "./internal/verify.js"
import type { RegistryClient } from "./RegistryClient.js"
import {
  type BlobUploadInvalid,
  type BlobUploadUnknown,
  type CallError,
  type DigestInvalid,
  type DigestMismatch,
  type ManifestBlobUnknown,
  ManifestInvalid,
  ManifestUnknown,
  type NameInvalid,
  type NameUnknown,
  type PayloadTooLarge,
  type RangeNotSatisfiable,
  type ReferrersNotUpdated,
  type SizeInvalid,
  type SizeMismatch,
  type SourceNotReplayable,
  type TagImmutable,
  type Unsupported
} from "./RegistryError.js"

export interface GetOptions {
  /** The media types to ask for, best first. By default all that are understood, indexes before images. */
  readonly accept?: ReadonlyArray<string> | undefined
}

export interface ResolveOptions {
  /** What the image is to run on: `linux/arm64/v8` or a `Platform`. By default `linux/amd64`. */
  readonly platform?: string | Platform.Platform | undefined
}

type GetError = ManifestUnknown | NameUnknown | ManifestInvalid | DigestMismatch | CallError

const target = (reference: Reference.Reference) => Request.manifest(reference.repository, reference.target)

const operation = (name: "manifests.get" | "manifests.head" | "manifests.put", reference: Reference.Reference) =>
  Request.onRepository(name, reference.repository, reference.target)

const accepting = (options?: GetOptions) =>
  HttpClientRequest.setHeader("accept", options?.accept?.join(", ") ?? MediaType.accept)

const fetch = (
  reference: Reference.Reference,
  options?: GetOptions & { readonly mediaType?: string | undefined }
): Effect.Effect<Manifest.ManifestContent, GetError, RegistryClient> =>
  Effect.suspend(() => {
    const { digest } = reference
    const read = Call.read(
      {
        operation: operation("manifests.get", reference),
        request: HttpClientRequest.get(target(reference)).pipe(accepting(options)),
        accepts: [200],
        refused: Refused.manifestGone
      },
      (limits) => limits.manifest,
      (answer, bytes) => ManifestAnswer.read(answer, bytes, { digest, mediaType: options?.mediaType })
    )
    return digest === undefined ? read : Effect.zipRight(Verify.algorithm(digest, Request.facts(reference)), read)
  })

const getAny = (reference: Reference.Reference, options?: GetOptions & ResolveOptions) => {
  const wanted = options?.platform
  const found =
    wanted === undefined
      ? fetch(reference, options)
      : Effect.flatMap(platformOf(wanted), (wanted) =>
          Effect.flatMap(fetch(reference, options), (content) => select(reference, content, wanted))
        )
  return Call.spanned("oci.manifests.get", reference.repository, reference.target)(found)
}

const platformOf = (platform: string | Platform.Platform) =>
  typeof platform === "string" ? Platform.parse(platform) : Either.right(platform)

/**
 * Fetches a manifest and verifies it (end-3). By digest, the bytes must hash to that digest. By tag, the digest is that of
 * the bytes, whatever the registry says.
 *
 * With a `platform` an index is answered with the manifest that it names for it, as by `resolve`.
 */
export function get(
  reference: Reference.Reference,
  options?: GetOptions & { readonly platform?: undefined }
): Effect.Effect<
  Manifest.ManifestContent,
  ManifestUnknown | NameUnknown | ManifestInvalid | DigestMismatch | CallError,
  RegistryClient
>
export function get(
  reference: Reference.Reference,
  options: GetOptions & ResolveOptions
): Effect.Effect<
  Manifest.ManifestContent,
  | ManifestUnknown
  | NameUnknown
  | ManifestInvalid
  | DigestMismatch
  | Platform.PlatformUnknown
  | Platform.InvalidPlatform
  | CallError,
  RegistryClient
>
export function get(reference: Reference.Reference, options?: GetOptions & ResolveOptions) {
  return getAny(reference, options)
}

/** An index within an index within an index: deeper than this is an attack, or a mistake. */
const deepest = 5

const select = (
  reference: Reference.Reference,
  content: Manifest.ManifestContent,
  wanted: Platform.Platform
): Effect.Effect<Manifest.ManifestContent, GetError | Platform.PlatformUnknown, RegistryClient> =>
  Effect.gen(function* () {
    let current = content
    for (let depth = 0; Manifest.isIndex(current.manifest); depth++) {
      if (depth === deepest) {
        return yield* new ManifestInvalid({
          ...Request.facts(reference),
          reason: `indexes within indexes, more than ${deepest} deep`
        })
      }
      current = yield* fetchDescribed(reference.repository, yield* Platform.select(current.manifest, wanted))
    }
    return current
  })

/** A manifest that another one describes. Its digest is verified; then its size was a lie, or is right. */
const fetchDescribed = (repository: Repository, descriptor: Descriptor) =>
  Effect.filterOrFail(
    fetch(Reference.make(repository, { digest: descriptor.digest }), { mediaType: descriptor.mediaType }),
    ({ bytes }) => bytes.length === descriptor.size,
    ({ bytes }) =>
      new ManifestInvalid({
        ...Request.facts(Reference.make(repository, { digest: descriptor.digest })),
        reason: `its index says ${descriptor.size} bytes, it has ${bytes.length}`
      })
  )

/**
 * Goes from a name to the manifest of one image: fetches it, and where that is an index, the entry for the platform. What
 * is no index is answered as it is, whatever it runs on.
 */
export const resolve: (
  reference: Reference.Reference,
  options?: ResolveOptions
) => Effect.Effect<
  Manifest.ManifestContent,
  | ManifestUnknown
  | NameUnknown
  | ManifestInvalid
  | DigestMismatch
  | Platform.PlatformUnknown
  | Platform.InvalidPlatform
  | CallError,
  RegistryClient
> = Effect.fn("oci.manifests.resolve")(function* (reference, options) {
  yield* Request.annotate(reference.repository, reference.target)
  const wanted = yield* platformOf(options?.platform ?? "linux/amd64")
  return yield* select(reference, yield* fetch(reference), wanted)
})

/** Statuses that some registries give to HEAD alone. */
const headless = [400, 405, 501]

const ask = (reference: Reference.Reference, options?: GetOptions) =>
  Call.head({
    operation: operation("manifests.head", reference),
    request: HttpClientRequest.head(target(reference)).pipe(accepting(options)),
    accepts: [200, ...headless],
    refused: ({ facts, status }) => (status === 404 ? new ManifestUnknown(facts) : undefined)
  })

/** The descriptor that the headers of a `HEAD` tell, if they tell all of it. */
const described = ({ response }: Body.Answer, reference: Reference.Reference): Option.Option<Descriptor> => {
  if (response.status !== 200) return Option.none()
  const {
    "content-length": length = "",
    "content-type": type = "",
    "docker-content-digest": claimed = ""
  } = response.headers
  const mediaType = MediaType.essence(type)
  const size = /^[1-9]\d{0,14}$/.test(length) ? Number(length) : undefined
  if (size === undefined || !MediaType.isManifest(mediaType)) return Option.none()
  const digest = reference.digest === undefined ? Either.getRight(Digest.parse(claimed)) : Option.some(reference.digest)
  return Option.map(digest, (digest) => ({ mediaType, digest, size }))
}

/**
 * The descriptor of a manifest, by one request without a body (end-3). It is the registry's word, unverified. Where that
 * word lacks the type, the size or, for a tag, the digest, or the registry does not take `HEAD`, the manifest is fetched
 * and verified instead.
 */
export const head: (
  reference: Reference.Reference,
  options?: GetOptions
) => Effect.Effect<
  Descriptor,
  ManifestUnknown | NameUnknown | ManifestInvalid | DigestMismatch | CallError,
  RegistryClient
> = (reference, options) =>
  Effect.flatMap(ask(reference, options), (answer) =>
    Option.match(described(answer, reference), {
      onNone: () => Effect.map(fetch(reference, options), ({ descriptor }) => descriptor),
      onSome: Effect.succeed
    })
  ).pipe(Call.spanned("oci.manifests.head", reference.repository, reference.target))

/**
 * Whether there is such a manifest (end-3). A registry that wants to know who asks before it tells is an error, not a no.
 */
export const exists: (reference: Reference.Reference) => Effect.Effect<boolean, CallError, RegistryClient> = Effect.fn(
  "oci.manifests.exists"
)(function* (reference) {
  yield* Request.annotate(reference.repository, reference.target)
  return yield* Effect.flatMap(ask(reference), ({ response }) =>
    response.status === 200 ? Effect.void : fetch(reference)
  ).pipe(
    Effect.as(true),
    Effect.catchTags({
      ManifestUnknown: () => Effect.succeed(false),
      NameUnknown: () => Effect.succeed(false),
      // it is there, though it is not what it should be
      ManifestInvalid: () => Effect.succeed(true),
      ManifestUnsupported: () => Effect.succeed(true),
      DigestMismatch: () => Effect.succeed(true)
    })
  )
})

export interface PutOptions {
  /** Further tags for the manifest. */
  readonly tags?: ReadonlyArray<string> | undefined
  /**
   * Whether tags that name this manifest already are left as they are: some registries refuse even that. Each is looked at
   * first. Default: false.
   */
  readonly skipIfSame?: boolean | undefined
}

/** Where to get blobs that a registry turns out to lack when the manifest comes. */
export interface SupplyOptions<out E, out R> {
  /** The content of a blob of the manifest, if it is to be had. It is pushed, and then the manifest once more. */
  readonly blobs: (digest: Digest.Digest) => Option.Option<Uint8Array | BlobSource<E, R>>
}

/** What a registry took. */
export interface Put {
  readonly descriptor: Descriptor
  /**
   * The subject that the registry has noted (`OCI-Subject`). None for a manifest without one, and on a registry without
   * the referrers API: there, referrers are found by a tag that clients write. None also where nothing was sent.
   */
  readonly subject: Option.Option<Digest.Digest>
  /** All tags that now name the manifest. */
  readonly tags: ReadonlyArray<string>
}

/** Whether a tag, or a digest, names this manifest at the registry, as far as it tells. */
const names = (reference: Reference.Reference, { descriptor }: Manifest.ManifestContent) =>
  ask(reference).pipe(
    Effect.map(
      ({ response }) => response.status === 200 && response.headers["docker-content-digest"] === descriptor.digest
    ),
    Effect.orElseSucceed(() => false),
    Mirrors.without
  )

type PutError =
  | ManifestInvalid
  | ManifestBlobUnknown
  | NameUnknown
  | NameInvalid
  | DigestInvalid
  | DigestMismatch
  | TagImmutable
  | PayloadTooLarge
  | Unsupported
  | InvalidReference
  | CallError

const putAny = <E, R>(
  reference: Reference.Reference,
  manifest: Manifest.ManifestContent | Manifest.Manifest,
  options?: PutOptions & { readonly blobs?: SupplyOptions<E, R>["blobs"] | undefined }
) =>
  Effect.gen(function* () {
    const { repository } = reference
    const whole = "bytes" in manifest ? manifest : yield* Manifest.content(manifest)
    const { content, digest } = yield* ManifestPut.identified(whole, reference)
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
    const send: Effect.Effect<Put, PutError, RegistryClient> =
      reference.digest === undefined && more.length === 0
        ? ManifestPut.one(repository, content, first.target)
        : ManifestPut.many(
            repository,
            content,
            digest,
            left.flatMap(({ tag }) => tag ?? [])
          )
    const supply = options?.blobs
    const sent =
      supply === undefined
        ? yield* send
        : yield* Effect.catchTag(send, "ManifestBlobUnknown", (error) =>
            Effect.zipRight(ManifestBlobs.supplied(repository, content.manifest, supply, error), send)
          )
    return { ...sent, tags }
  }).pipe(Call.spanned("oci.manifests.put", reference.repository, reference.target))

/**
 * Pushes a manifest under a tag, a digest or both (end-7a), and under further tags: with one request where the registry
 * takes them so (end-7b), else with one for each. The bytes of a `ManifestContent` go out as they are; a manifest of one's
 * own is encoded first. What it names must be there before it; blobs that the registry lacks all the same are pushed where
 * `blobs` has them.
 *
 * A reference with a digest must have that of the manifest. Where neither tag nor digest is given, the tag is `latest`.
 */
export function put(
  reference: Reference.Reference,
  manifest: Manifest.ManifestContent | Manifest.Manifest,
  options?: PutOptions & { readonly blobs?: undefined }
): Effect.Effect<
  Put,
  | ManifestInvalid
  | ManifestBlobUnknown
  | NameUnknown
  | NameInvalid
  | DigestInvalid
  | DigestMismatch
  | TagImmutable
  | PayloadTooLarge
  | Unsupported
  | InvalidReference
  | CallError,
  RegistryClient
>
export function put<E = never, R = never>(
  reference: Reference.Reference,
  manifest: Manifest.ManifestContent | Manifest.Manifest,
  options: PutOptions & SupplyOptions<E, R>
): Effect.Effect<
  Put,
  | E
  | ManifestInvalid
  | ManifestBlobUnknown
  | NameUnknown
  | NameInvalid
  | BlobUploadUnknown
  | BlobUploadInvalid
  | DigestInvalid
  | DigestMismatch
  | SizeInvalid
  | SizeMismatch
  | RangeNotSatisfiable
  | TagImmutable
  | PayloadTooLarge
  | SourceNotReplayable
  | Unsupported
  | InvalidReference
  | CallError,
  R | RegistryClient
>
export function put<E = never, R = never>(
  reference: Reference.Reference,
  manifest: Manifest.ManifestContent | Manifest.Manifest,
  options?: PutOptions & { readonly blobs?: SupplyOptions<E, R>["blobs"] | undefined }
): Effect.Effect<
  Put,
  | E
  | PutError
  | BlobUploadUnknown
  | BlobUploadInvalid
  | SizeInvalid
  | SizeMismatch
  | RangeNotSatisfiable
  | SourceNotReplayable,
  R | RegistryClient
> {
  // they are looked for in the first of the signatures
  // @effect-diagnostics-next-line missingEffectError:off missingEffectContext:off
  return putAny(reference, manifest, options)
}

/** What a manifest refers to, as far as it can be read: one that cannot be is there to be deleted too. */
const referredTo = (
  repository: Repository,
  digest: Digest.Digest
): Effect.Effect<Option.Option<Descriptor>, ManifestUnknown | NameUnknown | CallError, RegistryClient> =>
  Effect.map(fetch(Reference.make(repository, { digest })), ({ manifest }) => Manifest.subject(manifest)).pipe(
    Effect.catchTags({
      ManifestInvalid: () => Effect.succeedNone,
      ManifestUnsupported: () => Effect.succeedNone,
      DigestMismatch: () => Effect.succeedNone,
      ResponseTooLarge: () => Effect.succeedNone
    })
  )

const remove: (
  repository: Repository,
  digest: Digest.Digest
) => Effect.Effect<
  void,
  ManifestUnknown | NameUnknown | Unsupported | ReferrersNotUpdated | CallError,
  RegistryClient
> = Effect.fn("oci.manifests.delete")(function* (repository, digest) {
  yield* Request.annotate(repository, digest)
  const listedByRegistry = (yield* Features.known(repository, "referrers")) === true
  const subject = listedByRegistry ? Option.none() : yield* referredTo(repository, digest)
  yield* ManifestDelete.one(repository, digest)
  if (Option.isSome(subject)) {
    yield* ReferrersUpdate.update(repository, subject.value.digest, { _tag: "Removed", digest })
  }
})

export {
  /**
   * Deletes a manifest, and with it every tag that names it (end-9). `Tags.delete` takes away one tag.
   *
   * Unless the registry is known to have the referrers API, the manifest is read first: one that has a subject is taken from
   * the list of referrers that clients keep under a tag. A list that is then empty is deleted too. When the list cannot be
   * written, this fails with `ReferrersNotUpdated`, and the manifest is deleted all the same.
   */
  remove as delete
}
