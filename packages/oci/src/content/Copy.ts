/**
 * Copies of whole content graphs: an image or an index with all that it is made of, byte for byte, from one store to another.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Mirrors from "../client/internal/hosts/mirrors.js"
import type { DigestMismatch, ManifestInvalid, ManifestUnsupported, SizeMismatch } from "../client/RegistryError.js"
import type { Descriptor } from "../spec/Descriptor.js"
import * as Digest from "../spec/Digest.js"
import { ContentUnknown, type Source, type Target } from "./ContentStore.js"
import * as Graph from "./internal/graph.js"
import { GraphTooLarge } from "./internal/graphTooLarge.js"

export { GraphTooLarge }

/** What happens in a copy. Each piece of content is found once, and ends as one of the last three. */
export type Event = Data.TaggedEnum<{
  /** Content that is to be in the target. */
  Found: { readonly content: Descriptor }
  /** So many bytes of it are there: told ten times a second while they move. */
  Bytes: { readonly content: Descriptor; readonly bytes: number }
  /** It was there already, or is not to be copied: layers that must not be distributed stay where they are. */
  Skipped: { readonly content: Descriptor }
  /** The registry had it in another repository. */
  Mounted: { readonly content: Descriptor }
  /** It was sent. */
  Done: { readonly content: Descriptor }
}>

/** The constructors of events, with `$is` and `$match`. */
export const Event = Data.taggedEnum<Event>()

export interface Options {
  /** What is copied, with all that it is made of: a tag, a digest, or any content of the source. */
  readonly root: string | Descriptor
  /** What it is called in the target. By default as in the source, if `root` is a tag, and else it has no name there. */
  readonly tags?: ReadonlyArray<string> | undefined
  /**
   * Whether what refers to the manifests copied comes along, such as signatures and attestations, and what refers to those. Default: false.
   */
  readonly referrers?: boolean | undefined
  /**
   * Whether a manifest that the target has is taken apart all the same, for what may be missing below it. Default: false, since
   * registries take no manifest without what it is made of.
   */
  readonly deep?: boolean | undefined
  /** How many pieces of content are asked for and moved at a time; 6 by default. */
  readonly concurrency?: number | undefined
  /** The most pieces of content in one copy; 100,000 by default. */
  readonly most?: number | undefined
}

/** What a copy can fail with, beside what its stores fail with. */
export type CopyError =
  | ContentUnknown
  | GraphTooLarge
  | ManifestInvalid
  | ManifestUnsupported
  | DigestMismatch
  | SizeMismatch

const rootOf = <E, R>(
  source: Source<E, R>,
  root: string | Descriptor
): Effect.Effect<Descriptor, E | ContentUnknown, R> =>
  typeof root !== "string"
    ? Effect.succeed(root)
    : Effect.flatMap(
        source.resolve(root),
        Option.match({
          onNone: () => new ContentUnknown({ store: source.name, content: root }),
          onSome: Effect.succeed
        })
      )

const tagsOf = ({ root, tags }: Options): ReadonlyArray<string> =>
  tags ?? (typeof root === "string" && Either.isLeft(Digest.parse(root)) ? [root] : [])

const run = <E1, R1, E2, R2>(
  source: Source<E1, R1>,
  target: Target<E2, R2>,
  options: Options,
  emit: (event: Event) => void
): Effect.Effect<void, E1 | E2 | CopyError, R1 | R2 | Scope.Scope> =>
  Effect.gen(function* () {
    const root = yield* rootOf(source, options.root)
    const wanted = tagsOf(options)
    const tags = yield* Effect.filter(wanted, (tag) =>
      Effect.map(Mirrors.without(target.resolve(tag)), (named) =>
        Option.match(named, { onNone: () => true, onSome: ({ digest }) => digest !== root.digest })
      )
    )
    // names come last, so that one which is right says that all is there
    if (wanted.length > tags.length && tags.length === 0 && options.deep !== true && options.referrers !== true) {
      emit(Event.Found({ content: root }))
      return emit(Event.Skipped({ content: root }))
    }
    const walk = yield* Graph.make({ source, target, options, emit })
    const withRoot = options.referrers === true ? [] : tags
    const pushed = yield* walk.copy(root, withRoot)
    if (options.referrers === true) yield* walk.referrers
    if (pushed === "present" || withRoot !== tags) {
      yield* Effect.forEach(tags, (tag) => target.tag(root, tag), { discard: true })
    }
  })

/**
 * Copies content with all that it is made of, and tells what happens; the copy is made while the stream runs. What several
 * manifests share is copied once. Nothing is pushed before what it is made of, and the names come last: a copy that fails or is
 * interrupted leaves content without a name, and no upload open. Bytes go straight from one store to the other, verified, and are
 * read only where the target lacks them; between repositories of one registry blobs are mounted. Manifests stay as they are, byte for
 * byte. A manifest's subject is not part of it, and is not copied.
 *
 * ```ts
 * Copy.copy(RegistryStore.make(from), RegistryStore.make(to), { root: "1.2" })
 * ```
 */
export function copy<S extends Source<unknown, unknown>, T extends Target<unknown, unknown>>(
  source: S,
  target: T,
  options: Options
): Stream.Stream<Event, Source.Error<S> | Target.Error<T> | CopyError, Source.Context<S> | Target.Context<T>>
export function copy<E1, R1, E2, R2>(
  source: Source<E1, R1>,
  target: Target<E2, R2>,
  options: Options
): Stream.Stream<Event, E1 | E2 | CopyError, R1 | R2> {
  return Stream.asyncPush<Event, E1 | E2 | CopyError, R1 | R2>(
    (emit) =>
      run(source, target, options, emit.single).pipe(
        Effect.scoped,
        Effect.onExit((exit) => Effect.sync(() => (Exit.isSuccess(exit) ? emit.end() : emit.halt(exit.cause)))),
        Effect.forkScoped
      ),
    { bufferSize: "unbounded" }
  ).pipe(
    Stream.withSpan("oci.copy", {
      captureStackTrace: false,
      attributes: { "oci.copy.source": source.name, "oci.copy.target": target.name }
    })
  )
}
