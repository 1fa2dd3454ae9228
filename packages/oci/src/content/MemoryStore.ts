/**
 * A store of content in the memory of this process: for tests, and for what is made here before it is pushed.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { DigestMismatch, SizeMismatch } from "../client/RegistryError.js"
import type { Descriptor } from "../spec/Descriptor.js"
import type { Digest } from "../spec/Digest.js"
import * as Manifest from "../spec/Manifest.js"
import * as MediaType from "../spec/MediaType.js"
import type * as ContentStore from "./ContentStore.js"
import { ContentUnknown } from "./ContentStore.js"
import * as Whole from "./internal/whole.js"

/** Source and target of copies. */
export interface MemoryStore
  extends ContentStore.Source<ContentUnknown>,
    ContentStore.ContentWriter<ContentUnknown | DigestMismatch | SizeMismatch>,
    ContentStore.NameWriter<ContentUnknown> {}

interface Held {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
  readonly subject: Digest | undefined
}

const subjectOf = ({ mediaType }: Descriptor, bytes: Uint8Array): Digest | undefined =>
  MediaType.isManifest(mediaType)
    ? Option.getOrUndefined(Option.flatMap(Either.getRight(Manifest.decode(bytes, mediaType)), Manifest.subject))
        ?.digest
    : undefined

/** An empty store, called `memory` in errors unless it is given a name. */
export const make = (name = "memory"): Effect.Effect<MemoryStore> =>
  Effect.sync(() => {
    const contents = new Map<string, Held>()
    const names = new Map<string, Digest>()
    const facts = (content: Descriptor) => Whole.facts(Option.none(), content)
    const find = (digest: string): Effect.Effect<Held, ContentUnknown> =>
      Effect.suspend(() => {
        const held = contents.get(digest)
        return held === undefined ? new ContentUnknown({ store: name, content: digest }) : Effect.succeed(held)
      })
    const tag = ({ digest }: Descriptor, tag: string) =>
      Effect.map(find(digest), () => {
        names.set(tag, digest)
      })
    return {
      name,
      repository: Option.none(),
      exists: ({ digest }) => Effect.sync(() => contents.has(digest)),
      fetch: ({ digest }) => Stream.fromEffect(Effect.map(find(digest), ({ bytes }) => bytes)),
      fetchFrom: Option.some(({ digest }, offset) =>
        Stream.fromEffect(Effect.map(find(digest), ({ bytes }) => bytes.subarray(offset)))
      ),
      referrers: Option.some(({ digest }) =>
        Stream.suspend(() =>
          Stream.fromIterable(
            [...contents.values()].flatMap(({ descriptor, subject }) => (subject === digest ? [descriptor] : []))
          )
        )
      ),
      push: (content, source, options = {}) =>
        Effect.gen(function* () {
          const there = contents.has(content.digest)
          if (!there) {
            const bytes = yield* Whole.bytes(content, source.stream, facts(content), options.progress)
            contents.set(content.digest, { descriptor: content, bytes, subject: subjectOf(content, bytes) })
          }
          yield* Effect.forEach(options.tags ?? [], (name) => tag(content, name))
          return there ? "present" : "sent"
        }),
      delete: ({ digest }) =>
        Effect.map(find(digest), () => {
          contents.delete(digest)
          for (const [name, named] of names) if (named === digest) names.delete(name)
        }),
      resolve: (name) => Effect.sync(() => Option.fromNullable(contents.get(names.get(name) ?? name)?.descriptor)),
      tags: Stream.suspend(() => Stream.fromIterable([...names.keys()].sort())),
      tag,
      untag: (tag) =>
        Effect.suspend(() => (names.delete(tag) ? Effect.void : new ContentUnknown({ store: name, content: tag })))
    }
  })
