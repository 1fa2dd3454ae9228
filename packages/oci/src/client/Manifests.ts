/**
 * Manifests: what a tag or a digest names (end-3, end-7, end-9). Their bytes are kept and verified; what is read from them
 * is beside.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Descriptor } from "../spec/Descriptor.js"
import type * as Digest from "../spec/Digest.js"
import * as Manifest from "../spec/Manifest.js"
import * as Platform from "../spec/Platform.js"
import * as Reference from "../spec/Reference.js"
import type { InvalidReference } from "../spec/RegistryName.js"
import type { Repository } from "../spec/Repository.js"
import type { BlobSource } from "./BlobSource.js"
import * as Call from "./internal/call.js"
import * as Features from "./internal/features.js"
import * as ManifestDelete from "./internal/manifestDelete.js"
import * as ManifestPut from "./internal/manifestPut.js"
import * as ManifestRead from "./internal/manifestRead.js"
import * as ReferrersUpdate from "./internal/referrersUpdate.js"
import * as Request from "./internal/request.js"
import type { RegistryClient } from "./RegistryClient.js"
import type {
  BlobUploadInvalid,
  BlobUploadUnknown,
  CallError,
  DigestInvalid,
  DigestMismatch,
  ManifestBlobUnknown,
  ManifestInvalid,
  ManifestUnknown,
  NameInvalid,
  NameUnknown,
  PayloadTooLarge,
  RangeNotSatisfiable,
  ReferrersNotUpdated,
  SizeInvalid,
  SizeMismatch,
  SourceNotReplayable,
  TagImmutable,
  Unsupported
} from "./RegistryError.js"

export interface GetOptions {
  /** The media types to ask for, best first. By default all that are understood, indexes before images. */
  readonly accept?: ReadonlyArray<string> | undefined
}

export interface ResolveOptions {
  /** What the image is to run on: `linux/arm64/v8` or a `Platform`. By default `linux/amd64`. */
  readonly platform?: string | Platform.Platform | undefined
}

const platformOf = (platform: string | Platform.Platform) =>
  typeof platform === "string" ? Platform.parse(platform) : Either.right(platform)

const getAny = (reference: Reference.Reference, options?: GetOptions & ResolveOptions) => {
  const wanted = options?.platform
  const found =
    wanted === undefined
      ? ManifestRead.fetch(reference, options)
      : Effect.flatMap(platformOf(wanted), (wanted) =>
          Effect.flatMap(ManifestRead.fetch(reference, options), (content) =>
            ManifestRead.select(reference, content, wanted)
          )
        )
  return Call.spanned("oci.manifests.get", reference.repository, reference.target)(found)
}

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
  return yield* ManifestRead.select(reference, yield* ManifestRead.fetch(reference), wanted)
})

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
  Effect.flatMap(ManifestRead.ask(reference, options), (answer) =>
    Option.match(ManifestRead.described(answer, reference), {
      onNone: () => Effect.map(ManifestRead.fetch(reference, options), ({ descriptor }) => descriptor),
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
  return yield* Effect.flatMap(ManifestRead.ask(reference), ({ response }) =>
    response.status === 200 ? Effect.void : ManifestRead.fetch(reference)
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
  | ManifestPut.PutError
  | InvalidReference
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
  return ManifestPut.put(reference, manifest, options)
}

/** What a manifest refers to, as far as it can be read: one that cannot be is there to be deleted too. */
const referredTo = (
  repository: Repository,
  digest: Digest.Digest
): Effect.Effect<Option.Option<Descriptor>, ManifestUnknown | NameUnknown | CallError, RegistryClient> =>
  Effect.map(ManifestRead.fetch(Reference.make(repository, { digest })), ({ manifest }) =>
    Manifest.subject(manifest)
  ).pipe(
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
