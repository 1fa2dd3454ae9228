/**
 * Referrers: the manifests that name another one as their subject, such as signatures and SBOMs (end-12), and how to attach
 * one (end-7).
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Descriptor } from "../spec/Descriptor.js"
import type * as Digest from "../spec/Digest.js"
import { isOci } from "../spec/internal/describe.js"
import * as Manifest from "../spec/Manifest.js"
import * as MediaType from "../spec/MediaType.js"
import * as Reference from "../spec/Reference.js"
import type { InvalidReference } from "../spec/RegistryName.js"
import type { Repository } from "../spec/Repository.js"
import * as Body from "./internal/body.js"
import * as Features from "./internal/features.js"
import * as Paging from "./internal/paging.js"
import * as List from "./internal/referrersList.js"
import * as ReferrersUpdate from "./internal/referrersUpdate.js"
import type { Refusal } from "./internal/refusal.js"
import * as Request from "./internal/request.js"
import * as Manifests from "./Manifests.js"
import { RegistryClient } from "./RegistryClient.js"
import {
  type CallError,
  type DigestInvalid,
  type DigestMismatch,
  type ManifestBlobUnknown,
  ManifestInvalid,
  type ManifestUnknown,
  type NameInvalid,
  type NameUnknown,
  type PaginationLoop,
  type PayloadTooLarge,
  type ReferrersNotUpdated,
  type TagImmutable,
  UnexpectedResponse,
  Unsupported
} from "./RegistryError.js"

export interface ListOptions {
  /** Only referrers of this type. Registries that do not filter are filtered here. */
  readonly artifactType?: string | undefined
}

/** An answer that says the API is not here, whichever way. A 5xx or a denial says nothing of the sort and is an error. */
const absent = ({ facts, status }: Refusal): Unsupported | undefined =>
  [400, 404, 405, 406, 501].includes(status) ? new Unsupported(facts) : undefined

const entries = ({
  answer,
  bytes
}: Paging.Page): Effect.Effect<ReadonlyArray<Descriptor>, Unsupported | ManifestInvalid> =>
  Effect.gen(function* () {
    const facts = Body.facts(answer)
    const type = MediaType.essence(answer.response.headers["content-type"] ?? "")
    // some hosts answer every path with 200 and a page of their own
    if (type !== MediaType.ociIndex) return yield* new Unsupported(facts)
    const index = yield* Effect.mapError(
      Manifest.decode(bytes, type),
      (error) => new ManifestInvalid({ ...facts, mediaType: type, reason: error.message })
    )
    return Manifest.isIndex(index) ? index.manifests : []
  })

const api = (
  repository: Repository,
  digest: Digest.Digest,
  artifactType: string | undefined,
  onPage: Effect.Effect<void>
) =>
  Paging.stream({
    operation: Request.onRepository("referrers.list", repository, digest),
    path: `/v2/${repository.name}/referrers/${digest}${Request.query([["artifactType", artifactType]])}`,
    accept: MediaType.ociIndex,
    accepts: [200],
    refused: absent,
    entries: (page) => Effect.tap(entries(page), onPage)
  })

/**
 * The tag under which clients keep the list of referrers where a registry has no API for it: algorithm, `-` and encoded
 * part, each cut and made to fit a tag.
 */
export const tag: (digest: Digest.Digest) => string = List.tag

const none: ReadonlyArray<Descriptor> = []

/** The list under the tag. Something else under that tag is no list: other tools use such names too. */
const tagged = (
  repository: Repository,
  digest: Digest.Digest,
  onFound: Effect.Effect<void, never, RegistryClient>
): Effect.Effect<ReadonlyArray<Descriptor>, NameUnknown | CallError, RegistryClient> => {
  const reference = Reference.make(repository, { tag: tag(digest) })
  const ignored = ({ message }: { readonly message: string }) =>
    Effect.as(Effect.logWarning(`${Reference.format(reference)} is no list of referrers: ${message}`), none)
  return Manifests.get(reference).pipe(
    Effect.tap(() => onFound),
    Effect.flatMap(({ manifest }) =>
      manifest.mediaType === MediaType.ociIndex
        ? Effect.succeed(manifest.manifests)
        : ignored({ message: `it is of type ${manifest.mediaType}` })
    ),
    Effect.catchTags({
      ManifestUnknown: () => Effect.succeed(none),
      ManifestInvalid: ignored,
      ManifestUnsupported: ignored,
      DigestMismatch: ignored
    })
  )
}

/**
 * The referrers of a manifest, page by page as they are wanted (end-12a, end-12b). Where the registry has no API for them,
 * they are read from the tag that clients keep. What a list says of a referrer is not verified: `get` is for that.
 */
export const stream = (
  repository: Repository,
  digest: Digest.Digest,
  options?: ListOptions
): Stream.Stream<Descriptor, NameUnknown | ManifestInvalid | PaginationLoop | CallError, RegistryClient> => {
  const wanted = options?.artifactType
  return Stream.suspend(() => {
    let pages = 0
    const listed = new Set<string>()
    const fresh = ({ digest }: Descriptor) => listed.size < listed.add(digest).size
    const absent = Features.found(repository, "referrers", false)
    // whether there is an API is settled by its first page; a later one that is missing must not pass for the end
    const orTagged = <E extends { readonly status?: number | undefined }>(error: E) => {
      if (pages > 0) return Stream.fail(error)
      // 404 may be said of the repository: it takes a list under the tag to know that only the API is missing
      const said = error.status === 404 ? Effect.void : absent
      return Stream.fromIterableEffect(Effect.zipRight(said, tagged(repository, digest, absent)))
    }
    const asked = (present: Effect.Effect<void>) =>
      api(
        repository,
        digest,
        wanted,
        Effect.suspend(() => (pages++ === 0 ? present : Effect.void))
      ).pipe(
        Stream.catchTags({
          Unsupported: (error) =>
            orTagged(new UnexpectedResponse({ ...error, reason: "a page of referrers is missing" })),
          // a redirect to a page elsewhere is how one large registry says that it has no API
          UnsafeLocation: (error) => (error.kind === "redirect" ? orTagged(error) : Stream.fail(error))
        })
      )
    return Stream.unwrap(
      Effect.zipWith(RegistryClient, Features.known(repository, "referrers"), (client, there) =>
        there === false
          ? Stream.fromIterableEffect(tagged(repository, digest, Effect.void))
          : asked(Effect.provideService(Features.found(repository, "referrers", true), RegistryClient, client))
      )
    ).pipe(
      // pages may overlap when the list changes between them
      Stream.filter((descriptor) => (wanted === undefined || descriptor.artifactType === wanted) && fresh(descriptor))
    )
  })
}

/** All referrers of a manifest, as by `stream`. */
export const list: (
  repository: Repository,
  digest: Digest.Digest,
  options?: ListOptions
) => Effect.Effect<
  ReadonlyArray<Descriptor>,
  NameUnknown | ManifestInvalid | PaginationLoop | CallError,
  RegistryClient
> = Effect.fn("oci.referrers.list")(function* (repository, digest, options) {
  yield* Request.annotate(repository, digest)
  return Chunk.toReadonlyArray(yield* Stream.runCollect(stream(repository, digest, options)))
})

/**
 * A referrer that a list names, fetched by its digest and verified (end-3). A list is a claim of whoever wrote it: when the
 * manifest itself names another subject, or none, this fails with `ManifestInvalid`.
 */
export const get: (
  repository: Repository,
  subject: Digest.Digest,
  referrer: Descriptor
) => Effect.Effect<
  Manifest.ManifestContent,
  ManifestUnknown | NameUnknown | ManifestInvalid | DigestMismatch | CallError,
  RegistryClient
> = Effect.fn("oci.referrers.get")(function* (repository, subject, { digest }) {
  const reference = Reference.make(repository, { digest })
  const content = yield* Manifests.get(reference)
  const named = Option.getOrUndefined(Manifest.subject(content.manifest))?.digest
  if (named === subject) return content
  return yield* new ManifestInvalid({
    ...Request.facts(reference),
    mediaType: content.descriptor.mediaType,
    reason: `it refers to ${named ?? "nothing"}, not to ${subject}`
  })
})

/** What attaching can fail with: as `Manifests.put`, and when the list under the tag cannot be written. */
export type AttachError =
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
  | ReferrersNotUpdated
  | CallError

export interface AttachOptions {
  /** Tags for the manifest, which needs none. */
  readonly tags?: ReadonlyArray<string> | undefined
}

type Given = Manifest.ManifestContent | Manifest.Manifest

/** The manifest with its subject. One that is encoded already must have it. */
const referring = (
  repository: Repository,
  { digest, mediaType, size }: Descriptor,
  given: Given
): Effect.Effect<Manifest.ManifestContent, ManifestInvalid> =>
  Effect.suspend(() => {
    const manifest = "bytes" in given ? given.manifest : given
    const invalid = (reason: string) =>
      new ManifestInvalid({ ...Request.repositoryFacts(repository), mediaType: manifest.mediaType, reason })
    if (!isOci(manifest)) return invalid(`a manifest of type ${manifest.mediaType} can have no subject`)
    const named = Option.getOrUndefined(Manifest.subject(manifest))?.digest
    if (named !== undefined && named !== digest) return invalid(`it refers to ${named}, not to ${digest}`)
    if ("bytes" in given)
      return named === undefined ? invalid(`it refers to nothing, not to ${digest}`) : Effect.succeed(given)
    return Manifest.content(named === undefined ? { ...manifest, subject: { mediaType, digest, size } } : manifest)
  })

/** What a list says of a manifest: all that a reader may want to choose by, and nothing that is long. */
const listed = ({ descriptor: { digest, mediaType, size }, manifest }: Manifest.ManifestContent): Descriptor => {
  const annotations = isOci(manifest) ? manifest.annotations : undefined
  const artifactType = Option.getOrUndefined(Manifest.artifactType(manifest))
  return {
    mediaType,
    digest,
    size,
    ...(annotations !== undefined && { annotations }),
    ...(artifactType !== undefined && { artifactType })
  }
}

const attachTo = Effect.fn("oci.referrers.attach")(function* (
  repository: Repository,
  subject: Descriptor | Reference.Reference,
  manifest: Given,
  options?: AttachOptions
) {
  const target = "mediaType" in subject ? subject : (yield* Manifests.get(subject)).descriptor
  yield* Request.annotate(repository, target.digest)
  const content = yield* referring(repository, target, manifest)
  const descriptor = listed(content)
  const put = yield* Manifests.put(Reference.make(repository, { digest: descriptor.digest }), content, {
    tags: options?.tags
  })
  const stated = yield* Features.stated(repository, "referrers")
  const byRegistry = stated ?? Option.isSome(put.subject)
  if (!byRegistry) yield* ReferrersUpdate.update(repository, target.digest, { _tag: "Added", descriptor })
  return { ...put, descriptor, subject: byRegistry ? put.subject : Option.none() }
})

/**
 * Pushes a manifest that refers to a subject, by its digest (end-7a). A manifest of one's own is given the subject; one that
 * is encoded already must name it, else this fails with `ManifestInvalid`. What it is made of must be in the repository before it;
 * the subject need not. A subject that is given by a tag is what the tag names now; it may be in another repository.
 *
 * A registry that says that it has noted the subject (`OCI-Subject`) lists it by itself. On any other the list under the
 * tag of the subject is brought up to date: entries of others are kept, writers in this process share few writes, and
 * against those in other processes the list is written under a condition, read again, and written again if the entry was
 * lost. A tag that holds anything but a list is not overwritten. When the list cannot be written, this fails with
 * `ReferrersNotUpdated`, and the manifest is there all the same; attaching it again adds what is missing.
 *
 * Answers with the descriptor as lists have it; `subject` is none where the tag keeps the list.
 */
export function attach(
  repository: Repository,
  subject: Descriptor,
  manifest: Manifest.ManifestContent | Manifest.Manifest,
  options?: AttachOptions
): Effect.Effect<Manifests.Put, AttachError, RegistryClient>
export function attach(
  repository: Repository,
  subject: Descriptor | Reference.Reference,
  manifest: Manifest.ManifestContent | Manifest.Manifest,
  options?: AttachOptions
): Effect.Effect<Manifests.Put, AttachError | ManifestUnknown, RegistryClient>
export function attach(
  repository: Repository,
  subject: Descriptor | Reference.Reference,
  manifest: Given,
  options?: AttachOptions
) {
  return attachTo(repository, subject, manifest, options)
}
