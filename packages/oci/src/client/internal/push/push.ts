import * as Effect from "effect/Effect"
import type * as MutableRef from "effect/MutableRef"
import * as Option from "effect/Option"
import type { Descriptor } from "../../../spec/Descriptor.js"
import * as Digest from "../../../spec/Digest.js"
import * as Hasher from "../../../spec/Hasher.js"
import type { Repository } from "../../../spec/Repository.js"
import * as BlobSource from "../../BlobSource.js"
import { RegistryClient } from "../../RegistryClient.js"
import { DigestMismatch, SizeMismatch, UnexpectedResponse } from "../../RegistryError.js"
import * as RegistryHosts from "../../RegistryHosts.js"
import * as RegistryRetry from "../../RegistryRetry.js"
import * as Uploads from "../../Uploads.js"
import * as Browser from "../browser.js"
import * as Features from "../features.js"
import * as Request from "../request.js"
import * as UploadAnswer from "../uploadAnswer.js"
import * as UploadPost from "../uploadPost.js"
import { Chunks } from "./chunks.js"
import * as Held from "./held.js"
import * as Present from "./present.js"
import { Reader } from "./reader.js"
import * as Source from "./source.js"
import { type Failure, type Measure, Upload } from "./upload.js"

export interface PushOptions {
  /** Another repository of the same registry that may have the blob: it is mounted from there where that can be done. */
  readonly from?: Repository | undefined
  /**
   * Whether the registry is asked first if it has the blob. Default: true. Without, it is sent in any case: for blobs that are
   * known to be new, and for those that a registry says it has and then has not.
   */
  readonly check?: boolean | undefined
  /**
   * Whether a digest that the source is said to have is computed here too, before anything is accepted. Default: false, since
   * the registry computes it.
   */
  readonly verify?: boolean | undefined
  /** The media type of the descriptor. Default: the source's, else `application/octet-stream`. */
  readonly mediaType?: string | undefined
  /** How many bytes the registry has been sent, set as they go. What is sent again counts once. */
  readonly progress?: MutableRef.MutableRef<number> | undefined
  /**
   * An upload to go on with. One in a `MutableRef` is not given up when the push ends early: the newest session always stands
   * there, to be saved and resumed, and nothing once the blob is there. It may be empty at first.
   */
  readonly session?: Uploads.UploadSession | MutableRef.MutableRef<Uploads.UploadSession | undefined> | undefined
}

/** What is no larger is read into memory before it is sent: then every transport sends its length. */
const small = 1024 * 1024

/** So much of a source of unknown length is read before the registry hears of it: mostly that is all. */
const start = 16 * 1024 * 1024

/** One push, and what it stands on. */
interface Job<E, R> {
  readonly repository: Repository
  readonly source: BlobSource.BlobSource<E, R>
  readonly size: number | undefined
  readonly options: PushOptions
  readonly held: Held.Held
  readonly host: RegistryHosts.Host
  readonly client: RegistryClient["Type"]
  readonly facts: object
}

type Sent<E, R, A = Measure> = Effect.Effect<A, Source.SourceFailed<E> | Failure, R | RegistryClient>

const algorithmOf = (digest: Digest.Digest | undefined, facts: object) =>
  digest === undefined
    ? Effect.succeed<Digest.Algorithm>("sha256")
    : Option.match(Digest.verifiable(digest), {
        onNone: () => new DigestMismatch({ ...facts, expected: digest }),
        onSome: Effect.succeed
      })

/** What was measured, if it is what the source is said to be. */
const agreed = <E, R>({ facts, size, source: { digest } }: Job<E, R>, measure: Measure) => {
  if (size !== undefined && size !== measure.size) {
    return new SizeMismatch({ ...facts, expected: size, actual: measure.size })
  }
  return digest !== undefined && digest !== measure.digest
    ? new DigestMismatch({ ...facts, expected: digest, actual: measure.digest })
    : Effect.succeed(measure)
}

const measured = <E, R>(job: Job<E, R>): Effect.Effect<Measure, Source.SourceFailed<E> | Failure, R> =>
  Effect.gen(function* () {
    const { client, facts, source } = job
    const algorithm = yield* algorithmOf(source.digest, facts)
    const hasher = yield* client.provide(Hasher.Hasher)
    return yield* agreed(job, yield* Source.measured(source, algorithm, hasher))
  })

/** The blob without its bytes: it is there, or is mounted. Else there may be a session to go on with. */
const found = <E, R>(
  { facts, held, options, repository, size }: Job<E, R>,
  digest: Digest.Digest
): Sent<E, R, Measure | undefined> =>
  Effect.gen(function* () {
    const look = Effect.map(Present.find(repository, digest, size), (size) =>
      size === undefined ? undefined : { digest, size }
    )
    const { from } = options
    if (from === undefined || held.current !== undefined || `${from.registry}` !== `${repository.registry}`) {
      return options.check === false ? undefined : yield* look
    }
    // one try: whatever is against a mount, there is the upload
    const mount = Uploads.mount(repository, digest, from).pipe(
      Effect.provideService(RegistryRetry.RegistryRetry, RegistryRetry.none),
      Effect.option,
      Effect.map(Option.getOrUndefined)
    )
    const mounted = yield* held.beginning(mount, (begun) => (begun?._tag === "UploadSession" ? begun : undefined))
    if (mounted?._tag !== "Mounted") return undefined
    if (size !== undefined) return { digest, size }
    return (
      (yield* look) ?? (yield* new UnexpectedResponse({ ...facts, reason: "mounted a blob and does not say its size" }))
    )
  })

/** What is known of a blob, or said of it. */
interface Said {
  readonly digest: Digest.Digest | undefined
  readonly size: number | undefined
}

/** Sends what is to be sent, through as many sessions as it takes. */
const upload = <E, R>(job: Job<E, R>, measure: Said, reader: Hashing<E, R>, way: "whole" | "chunks"): Sent<E, R> =>
  Effect.gen(function* () {
    const { held, host, options, repository, source } = job
    const { digest, size } = measure
    const upload = new Upload(
      {
        repository,
        source,
        algorithm: Option.getOrElse(
          digest === undefined ? Option.none() : Digest.verifiable(digest),
          () => "sha256" as const
        ),
        digest,
        size
      },
      {
        ...reader,
        held,
        chunks: new Chunks(host.chunk),
        takesChunks: yield* Features.known(repository, "chunks"),
        progress: options.progress,
        measure: measured(job)
      },
      way
    )
    return yield* Effect.ensuring(upload.run, reader.reader.close)
  })

interface Hashing<E, R> {
  readonly reader: Reader<E, R>
  readonly hash: Hasher.Incremental | undefined
}

const reading = <E, R>({ facts, size, source }: Job<E, R>, hash?: Hasher.Incremental): Hashing<E, R> => ({
  reader: new Reader({ source, size, hash, facts }),
  hash
})

/** One request with the whole blob, where that is known to be taken; nothing where it is not after all. */
const posted = <E, R>(
  { held, repository }: Job<E, R>,
  { digest, size }: Measure,
  bytes: Uint8Array
): Sent<E, R, Measure | undefined> =>
  Effect.gen(function* () {
    const answer = yield* UploadPost.send(repository, digest, bytes)
    if (answer.response.status === 201) {
      yield* UploadAnswer.finished(answer, { mediaType: Request.octets, digest, size })
      return { digest, size }
    }
    yield* held.taking(UploadAnswer.begun(answer, repository))
    return undefined
  }).pipe(
    Effect.catchTags({
      Unsupported: () => Effect.as(Features.found(repository, "singlePost", false), undefined),
      UnexpectedResponse: () => Effect.as(Features.found(repository, "singlePost", false), undefined)
    })
  )

/** A blob that is known to its end: the cheapest way first. */
const known = <E, R>(job: Job<E, R>, measure: Measure): Sent<E, R> =>
  Effect.gen(function* () {
    const { facts, held, repository, source } = job
    const before = yield* found(job, measure.digest)
    if (before !== undefined) return before
    const bytes =
      source.bytes ?? (measure.size <= small ? yield* Source.collect(source, measure.size, facts) : undefined)
    const loaded = bytes === undefined ? job : { ...job, source: { ...source, bytes } }
    if (bytes !== undefined && bytes.length <= small && held.current === undefined) {
      const single = yield* Features.known(repository, "singlePost")
      const sent = single === true ? yield* posted(job, measure, bytes) : undefined
      if (sent !== undefined) return sent
    }
    // a page that streams at all sends no length in front
    const way = bytes === undefined && Browser.inPage() ? "chunks" : "whole"
    return yield* upload(loaded, measure, reading(loaded), way)
  })

/** Bytes in memory. A digest that is said to be theirs is computed only where it is to be verified. */
const inMemory = <E, R>(job: Job<E, R>, bytes: Uint8Array): Sent<E, R> =>
  Effect.gen(function* () {
    const { client, facts, options, source } = job
    const said = options.verify === true ? undefined : source.digest
    const digest = said ?? (yield* client.provide(Hasher.digest(bytes, yield* algorithmOf(source.digest, facts))))
    const measure = yield* agreed(job, { digest, size: bytes.length })
    return yield* known({ ...job, source: { ...source, bytes } }, measure)
  })

/** A source that is not known to its end, or is to be verified and can be read once: hashed as it goes, in chunks. */
const streamed = <E, R>(job: Job<E, R>): Sent<E, R> =>
  Effect.gen(function* () {
    const { client, facts, host, options, size, source } = job
    const { digest } = source
    // without chunks it must be known before
    const readFirst = source.once !== true && (yield* Features.known(job.repository, "chunks")) === false
    if (readFirst) return yield* Effect.flatMap(measured(job), (measure) => known(job, measure))
    if (digest !== undefined && options.verify !== true) {
      const before = yield* found(job, digest)
      return before ?? (yield* upload(job, { digest, size }, reading(job), "chunks"))
    }
    const algorithm = yield* algorithmOf(digest, facts)
    const { make } = yield* client.provide(Hasher.Hasher)
    const hashing = reading(job, make(algorithm))
    const length = Math.min(start, host.chunk.max)
    const begin = yield* Effect.onError(hashing.reader.read(0, length + 1), () => hashing.reader.close)
    if (begin.length > length) return yield* upload(job, { digest, size }, hashing, "chunks")
    yield* hashing.reader.close
    return yield* inMemory(job, begin)
  })

const sent = <E, R>(job: Job<E, R>): Sent<E, R> => {
  const { facts, options, size, source } = job
  const { bytes, digest, once } = source
  if (bytes !== undefined) return inMemory(job, bytes)
  const said = options.verify === true ? undefined : digest
  if (size === undefined) return streamed(job)
  if (said !== undefined) return known(job, { digest: said, size })
  if (size <= small) return Effect.flatMap(Source.collect(source, size, facts), (bytes) => inMemory(job, bytes))
  return once === true ? streamed(job) : Effect.flatMap(measured(job), (measure) => known(job, measure))
}

/** Puts a blob into a repository, by the cheapest way that the registry takes. */
export const push = <E, R>(
  repository: Repository,
  given: Uint8Array | BlobSource.BlobSource<E, R>,
  options: PushOptions
): Effect.Effect<Descriptor, E | Failure, R | RegistryClient> =>
  Held.using(options.session, (held) =>
    Effect.gen(function* () {
      const source: BlobSource.BlobSource<E, R> = given instanceof Uint8Array ? BlobSource.bytes(given) : given
      const { digest, mediaType = Request.octets } = source
      const client = yield* RegistryClient
      const blob = yield* sent({
        repository,
        source,
        size: yield* Source.sizeOf(source),
        options,
        held,
        host: yield* client.provide(RegistryHosts.of(repository.registry, repository)),
        client,
        facts: digest === undefined ? Request.repositoryFacts(repository) : Request.blobFacts(repository, digest)
      })
      return { mediaType: options.mediaType ?? mediaType, ...blob }
    })
  ).pipe(Effect.mapError((error) => (error instanceof Source.SourceFailed ? error.error : error)))
