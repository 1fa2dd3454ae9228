import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as MutableRef from "effect/MutableRef"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Stream from "effect/Stream"
import * as BlobSource from "../../client/BlobSource.js"
import * as Mirrors from "../../client/internal/hosts/mirrors.js"
import * as Request from "../../client/internal/request.js"
import type { Descriptor } from "../../spec/Descriptor.js"
import type { Digest } from "../../spec/Digest.js"
import * as Manifest from "../../spec/Manifest.js"
import * as MediaType from "../../spec/MediaType.js"
import type { Pushed, Source, Target } from "../ContentStore.js"
import type { CopyError, Event, Options } from "../Copy.js"
import { GraphTooLarge } from "./graphTooLarge.js"
import * as Whole from "./whole.js"

/** Indexes within indexes, at most. */
const deepest = 8

/** The largest manifest, in bytes. Registries have a limit of their own. */
const largest = 32 * 1024 * 1024

/** How often it is told how far content has come. */
const pace = "100 millis"

export interface Settings<E1, R1, E2, R2> {
  readonly source: Source<E1, R1>
  readonly target: Target<E2, R2>
  readonly options: Options
  readonly emit: (event: Event) => void
}

const isManifest = ({ mediaType }: Descriptor): boolean => MediaType.isManifest(mediaType)

const largestFirst = Order.reverse(Order.mapInput(Order.number, ({ size }: Descriptor) => size))

/** Only indexes have manifests: among layers a manifest is a blob like any other. */
const asBlob = (part: Descriptor): Descriptor => (isManifest(part) ? { ...part, mediaType: Request.octets } : part)

/** What a manifest is made of: manifests as they stand, then blobs, so that the largest is not the last. */
const partsOf = (manifest: Manifest.Manifest): ReadonlyArray<Descriptor> => {
  const parts = Manifest.isIndex(manifest)
    ? manifest.manifests
    : (Manifest.isImage(manifest) ? [manifest.config, ...manifest.layers] : manifest.blobs).map(asBlob)
  return [...parts.filter(isManifest), ...parts.filter((part) => !isManifest(part)).sort(largestFirst)]
}

/** What a copy does with each piece of content. */
export const make = <E1, R1, E2, R2>({ emit, options, source, target }: Settings<E1, R1, E2, R2>) =>
  Effect.gen(function* () {
    type Copied<A> = Effect.Effect<A, E1 | E2 | CopyError, R1 | R2>
    const { concurrency = 6, deep = false, most = 100_000, referrers = false } = options
    const slots = yield* Effect.makeSemaphore(concurrency)
    /** Each piece of content and what becomes of it. */
    const known = new Map<Digest, Deferred.Deferred<Pushed, E1 | E2 | CopyError>>()
    const moving = new Set<{
      readonly content: Descriptor
      readonly bytes: MutableRef.MutableRef<number>
      told: number
    }>()
    /** Manifests that were not asked yet what refers to them. */
    let unasked: Array<Descriptor> = []

    yield* Effect.sync(() => {
      for (const piece of moving) {
        const bytes = MutableRef.get(piece.bytes)
        if (bytes !== piece.told) emit({ _tag: "Bytes", content: piece.content, bytes })
        piece.told = bytes
      }
    }).pipe(Effect.delay(pace), Effect.forever, Effect.forkScoped)

    const tooLarge = (kind: GraphTooLarge["kind"], limit: number, { digest }: Descriptor) =>
      new GraphTooLarge({ store: source.name, kind, limit, digest })

    const ended = (content: Descriptor, pushed: Pushed): Pushed => {
      emit({ _tag: pushed === "sent" ? "Done" : pushed === "mounted" ? "Mounted" : "Skipped", content })
      return pushed
    }

    const isThere = (content: Descriptor) => slots.withPermits(1)(Mirrors.without(target.exists(content)))

    const fetch = (content: Descriptor): Copied<Manifest.ManifestContent> =>
      content.size > largest
        ? tooLarge("manifest", largest, content)
        : slots.withPermits(1)(
            Effect.flatMap(
              Whole.bytes(content, source.fetch(content), Whole.facts(source.repository, content)),
              (bytes) => Whole.manifest(content, bytes)
            )
          )

    const blob = (content: Descriptor): Copied<Pushed> =>
      MediaType.isDistributable(content.mediaType)
        ? Effect.suspend(() => {
            const piece = { content, bytes: MutableRef.make(0), told: 0 }
            moving.add(piece)
            const { digest, mediaType, size } = content
            const from = Option.map(source.fetchFrom, (fetch) => (offset: number) => fetch(content, offset))
            const bytes = BlobSource.stream(source.fetch(content), {
              digest,
              mediaType,
              size,
              from: Option.getOrUndefined(from)
            })
            return target
              .push(content, bytes, { from: Option.getOrUndefined(source.repository), progress: piece.bytes })
              .pipe(Effect.ensuring(Effect.sync(() => moving.delete(piece))))
          }).pipe(slots.withPermits(1))
        : Effect.succeed("present")

    const manifest = (
      content: Descriptor,
      depth: number,
      tags: ReadonlyArray<string>,
      fetched?: Manifest.ManifestContent
    ): Copied<Pushed> =>
      Effect.gen(function* () {
        if (depth > deepest) return yield* tooLarge("depth", deepest, content)
        const there = yield* isThere(content)
        unasked.push(content)
        // what refers to parts that are there may not be
        if (there && !deep && !(referrers && MediaType.isIndex(content.mediaType))) return "present"
        const { bytes, manifest } = fetched ?? (yield* fetch(content))
        const parts = partsOf(manifest)
        yield* Effect.forEach(there && !deep ? parts.filter(isManifest) : parts, (part) => once(part, depth + 1, []), {
          concurrency,
          discard: true
        })
        if (there) return "present"
        return yield* slots.withPermits(1)(target.push(content, BlobSource.bytes(bytes), { tags }))
      })

    const once = (
      content: Descriptor,
      depth: number,
      tags: ReadonlyArray<string>,
      fetched?: Manifest.ManifestContent
    ): Copied<Pushed> =>
      Effect.suspend(() => {
        const before = known.get(content.digest)
        if (before !== undefined) return Deferred.await(before)
        if (known.size === most) return tooLarge("pieces", most, content)
        const result = Deferred.unsafeMake<Pushed, E1 | E2 | CopyError>(FiberId.none)
        known.set(content.digest, result)
        emit({ _tag: "Found", content })
        const copied = isManifest(content) ? manifest(content, depth, tags, fetched) : blob(content)
        return copied.pipe(
          Effect.map((pushed) => ended(content, pushed)),
          Effect.onExit((exit) => Deferred.done(result, exit))
        )
      })

    /** A list is its writer's word: what is not there, or refers to something else, is passed over. */
    const referrer = (subject: Descriptor, listed: Descriptor): Copied<void> =>
      Effect.gen(function* () {
        if (known.has(listed.digest) || !isManifest(listed)) return
        if (!(yield* slots.withPermits(1)(source.exists(listed)))) return
        const content = yield* fetch(listed)
        const named = Option.map(Manifest.subject(content.manifest), ({ digest }) => digest)
        if (Option.contains(named, subject.digest)) yield* once(listed, 0, [], content)
      })

    const askAll: Copied<void> = Effect.suspend(() => {
      const subjects = unasked
      unasked = []
      const { referrers } = source
      if (subjects.length === 0 || Option.isNone(referrers)) return Effect.void
      return Effect.forEach(
        subjects,
        (subject) =>
          Effect.flatMap(slots.withPermits(1)(Stream.runCollect(referrers.value(subject))), (listed) =>
            Effect.forEach(listed, (one) => referrer(subject, one), { concurrency, discard: true })
          ),
        { concurrency, discard: true }
      ).pipe(Effect.zipRight(askAll))
    })

    return {
      /** Copies content and what it is made of, each piece once, and says how it got there. */
      copy: (content: Descriptor, tags: ReadonlyArray<string>): Copied<Pushed> => once(content, 0, tags),
      /** Copies what refers to the manifests so far, and what refers to that. */
      referrers: askAll
    }
  })
