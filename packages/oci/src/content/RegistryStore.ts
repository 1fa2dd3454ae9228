/**
 * A repository of a registry as a store of content.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as BlobSource from "../client/BlobSource.js"
import * as Blobs from "../client/Blobs.js"
import * as Request from "../client/internal/request.js"
import * as Manifests from "../client/Manifests.js"
import * as Referrers from "../client/Referrers.js"
import * as RegistryClient from "../client/RegistryClient.js"
import {
  type BlobUnknown,
  type BlobUploadInvalid,
  type BlobUploadUnknown,
  type CallError,
  type DigestMismatch,
  type ManifestInvalid,
  type ManifestUnknown,
  type NameUnknown,
  type PaginationLoop,
  type RangeNotSatisfiable,
  type SizeInvalid,
  SizeMismatch,
  type SourceNotReplayable,
  type Unsupported
} from "../client/RegistryError.js"
import * as Tags from "../client/Tags.js"
import type { Descriptor } from "../spec/Descriptor.js"
import * as Digest from "../spec/Digest.js"
import * as Manifest from "../spec/Manifest.js"
import * as MediaType from "../spec/MediaType.js"
import * as Reference from "../spec/Reference.js"
import type { InvalidReference } from "../spec/RegistryName.js"
import type { Repository } from "../spec/Repository.js"
import type * as ContentStore from "./ContentStore.js"
import * as Whole from "./internal/whole.js"

/** What reading content can fail with. */
export type ReadError =
  | BlobUnknown
  | ManifestUnknown
  | NameUnknown
  | ManifestInvalid
  | DigestMismatch
  | SizeMismatch
  | RangeNotSatisfiable
  | PaginationLoop
  | CallError

/** What writing content can fail with. */
export type WriteError =
  | Referrers.AttachError
  | ManifestUnknown
  | BlobUnknown
  | BlobUploadUnknown
  | BlobUploadInvalid
  | SizeInvalid
  | SizeMismatch
  | RangeNotSatisfiable
  | SourceNotReplayable

/** What reading names can fail with. */
export type NameError =
  | NameUnknown
  | ManifestInvalid
  | DigestMismatch
  | InvalidReference
  | Unsupported
  | PaginationLoop
  | CallError

type Client = RegistryClient.RegistryClient

/** A repository: source and target of copies. */
export interface RegistryStore
  extends ContentStore.ContentReader<ReadError, Client>,
    ContentStore.ContentWriter<WriteError, Client>,
    ContentStore.NameReader<NameError, Client>,
    ContentStore.NameWriter<WriteError, Client> {}

const isManifest = ({ mediaType }: Descriptor): boolean => MediaType.isManifest(mediaType)

/** A tag or a digest, as users write it. */
const named = (repository: Repository, name: string): Effect.Effect<Reference.Reference, InvalidReference> =>
  Digest.parse(name).pipe(
    Effect.match({
      onFailure: () => Reference.withTag(Reference.make(repository), name),
      onSuccess: (digest) => Effect.succeed(Reference.make(repository, { digest }))
    }),
    Effect.flatten
  )

const fetchManifest = (
  repository: Repository,
  { digest, size }: Descriptor
): Effect.Effect<
  Manifest.ManifestContent,
  ManifestUnknown | NameUnknown | ManifestInvalid | DigestMismatch | SizeMismatch | CallError,
  Client
> =>
  Effect.filterOrFail(
    Manifests.get(Reference.make(repository, { digest })),
    ({ bytes }) => bytes.length === size,
    ({ bytes }) => new SizeMismatch({ ...Request.blobFacts(repository, digest), expected: size, actual: bytes.length })
  )

const putManifest = (
  repository: Repository,
  content: Manifest.ManifestContent,
  tags: ReadonlyArray<string>
): Effect.Effect<void, WriteError, Client> =>
  Option.match(Manifest.subject(content.manifest), {
    onNone: () => {
      const [tag, ...more] = tags
      const { digest } = content.descriptor
      // a tag alone is one request, and names a digest of its own only where that is not sha256
      const reference = Reference.make(
        repository,
        tag === undefined ? { digest } : Digest.algorithm(digest) === "sha256" ? { tag } : { tag, digest }
      )
      return Effect.asVoid(Manifests.put(reference, content, { tags: more }))
    },
    onSome: (subject) => Effect.asVoid(Referrers.attach(repository, subject, content, { tags }))
  })

const pushManifest = <E, R>(
  repository: Repository,
  content: Descriptor,
  { stream }: BlobSource.Sized<E, R>,
  tags: ReadonlyArray<string>
): Effect.Effect<ContentStore.Pushed, E | WriteError, R | Client> =>
  Effect.gen(function* () {
    const bytes = yield* Whole.bytes(content, stream, Request.blobFacts(repository, content.digest))
    yield* putManifest(repository, yield* Whole.manifest(content, bytes), tags)
    return "sent" as const
  })

const pushBlob = <E, R>(
  repository: Repository,
  content: Descriptor,
  source: BlobSource.Sized<E, R>,
  { from, progress }: ContentStore.PushOptions
): Effect.Effect<ContentStore.Pushed, E | WriteError, R | Client> =>
  Effect.suspend(() => {
    let opened = false
    const open = <A>(stream: Stream.Stream<A, E, R>) =>
      Stream.suspend(() => {
        opened = true
        return stream
      })
    const { from: later } = source
    const watched = BlobSource.stream(open(source.stream), {
      size: content.size,
      digest: content.digest,
      mediaType: content.mediaType,
      once: source.once,
      from: later && ((offset) => open(later(offset)))
    })
    const push = Blobs.push(repository, watched, { from, progress })
    const mounts = `${from?.registry}` === `${repository.registry}`
    return Effect.map(
      from === undefined ? push : RegistryClient.together([from, repository])(push),
      (): ContentStore.Pushed => (opened ? "sent" : mounts ? "mounted" : "present")
    )
  })

/** What a repository holds, and its names. */
export const make = (repository: Repository): RegistryStore => ({
  name: `${repository.registry}/${repository.name}`,
  repository: Option.some(repository),
  exists: (content) =>
    isManifest(content)
      ? Manifests.exists(Reference.make(repository, { digest: content.digest }))
      : Blobs.exists(repository, content.digest),
  fetch: (content) =>
    isManifest(content)
      ? Stream.fromEffect(Effect.map(fetchManifest(repository, content), ({ bytes }) => bytes))
      : Blobs.stream(repository, content),
  fetchFrom: Option.some((content, offset) =>
    offset >= content.size ? Stream.empty : Blobs.range(repository, content.digest, { start: offset })
  ),
  referrers: Option.some(({ digest }) => Referrers.stream(repository, digest)),
  push: (content, source, options = {}) =>
    isManifest(content)
      ? pushManifest(repository, content, source, options.tags ?? [])
      : pushBlob(repository, content, source, options),
  delete: (content) =>
    isManifest(content) ? Manifests.delete(repository, content.digest) : Blobs.delete(repository, content.digest),
  resolve: (name) =>
    Effect.flatMap(named(repository, name), Manifests.head).pipe(
      Effect.asSome,
      Effect.catchTags({ ManifestUnknown: () => Effect.succeedNone, NameUnknown: () => Effect.succeedNone })
    ),
  tags: Tags.stream(repository),
  tag: (content, name) =>
    Effect.gen(function* () {
      const reference = yield* Reference.withTag(Reference.make(repository), name)
      const manifest = yield* fetchManifest(repository, content)
      yield* Manifests.put(reference, manifest, { skipIfSame: true })
    }),
  untag: (name) => Tags.delete(repository, name)
})
