import type { PlatformError } from "@effect/platform/Error"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import type { Descriptor } from "effect-oci/Descriptor"
import type { Algorithm, Digest } from "effect-oci/Digest"
import type { ManifestContent } from "effect-oci/Manifest"
import type { Tag } from "effect-oci/Reference"
import type { Range } from "./ranges.js"
import { type Refusal, refuse } from "./refusal.js"

/** A blob that a repository has. */
export interface Content {
  readonly digest: Digest
  readonly size: number
  readonly bytes: (range: Range) => Stream.Stream<Uint8Array, PlatformError>
}

/** A manifest in the bytes it was pushed in. */
export interface Stored {
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/** An upload session: what has arrived, hashed on its way with the `Hasher` that is there. */
export interface Upload {
  readonly id: string
  readonly repository: string
  /** One request at a time: two that wrote at once would mix their bytes. */
  readonly turn: Effect.Semaphore
  readonly size: number
  /** A chunk below the minimum came, so that nothing may follow it. */
  readonly ended: boolean
  /** A request is at it. */
  busy: boolean
  /** When it was last used, in milliseconds. */
  readonly touched: number
  readonly touch: (now: number) => Effect.Effect<void, PlatformError>
  /** Remembers the session for as long as the storage does. */
  readonly keep: Effect.Effect<void, PlatformError>
  readonly end: Effect.Effect<void, PlatformError>
  /** Appends a body as it comes; what arrived before it broke off stays. */
  readonly append: <E>(body: Stream.Stream<Uint8Array, E>) => Effect.Effect<void, E | PlatformError>
  /** Turns to another algorithm. Before the first byte it costs nothing; after it, what has arrived is hashed again. */
  readonly hashWith: (algorithm: Algorithm) => void
  /** The digest that it really has. Nothing can be appended to a finished hash. */
  readonly digest: Effect.Effect<Digest, PlatformError>
  /** Puts it into its repository under its digest, and ends the session. */
  readonly commit: (digest: Digest) => Effect.Effect<void, PlatformError>
  /** Forgets it, and what it has. */
  readonly discard: Effect.Effect<void, PlatformError>
}

/** All that a registry knows. The first write to a repository makes it. */
export interface Store {
  readonly repositories: Effect.Effect<ReadonlyArray<string>, PlatformError>
  /** Whether something was pushed to it once. */
  readonly has: (name: string) => Effect.Effect<boolean, PlatformError>
  /** Keeps other writes of manifests and tags to a repository waiting. */
  readonly exclusively: (name: string) => <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

  readonly blob: (name: string, digest: Digest) => Effect.Effect<Option.Option<Content>, PlatformError>
  /** Whether it could be had from there. */
  readonly mount: (from: string, name: string, digest: Digest) => Effect.Effect<boolean, PlatformError>
  /** Takes it out of this repository; others that have it keep it. Answers whether it was there. */
  readonly removeBlob: (name: string, digest: Digest) => Effect.Effect<boolean, PlatformError>

  readonly manifest: (name: string, digest: Digest) => Effect.Effect<Option.Option<Stored>, PlatformError>
  readonly putManifest: (name: string, content: ManifestContent) => Effect.Effect<void, PlatformError>
  /** Takes it away, and the tags that point to it before. */
  readonly removeManifest: (name: string, digest: Digest) => Effect.Effect<void, PlatformError>
  /** What names this digest as its subject, described as the referrers API wants it. */
  readonly referrers: (name: string, subject: Digest) => Effect.Effect<ReadonlyArray<Descriptor>, PlatformError>

  readonly tags: (name: string) => Effect.Effect<ReadonlyArray<Tag>, PlatformError>
  readonly tag: (name: string, tag: Tag) => Effect.Effect<Option.Option<Digest>, PlatformError>
  readonly putTag: (name: string, tag: Tag, digest: Digest) => Effect.Effect<void, PlatformError>
  readonly removeTag: (name: string, tag: Tag) => Effect.Effect<void, PlatformError>

  /** The sessions that can be found, by id. */
  readonly uploads: Map<string, Upload>
  /** A new session, not yet to be found. */
  readonly newUpload: (name: string, algorithm: Algorithm) => Effect.Effect<Upload, PlatformError>
}

export const nameUnknown = (name: string): Refusal =>
  refuse(404, "NAME_UNKNOWN", "repository name not known to registry", { detail: { name } })

/** What is not there: in a repository that is not there either, that is what there is to say. */
export const missing = (store: Store, name: string, refusal: Refusal): Effect.Effect<never, Refusal | PlatformError> =>
  Effect.flatMap(store.has(name), (has) => Effect.fail(has ? refusal : nameUnknown(name)))

/** Semaphores by name, for `Store.exclusively`. */
export const exclusively = (): Store["exclusively"] => {
  const semaphores = new Map<string, Effect.Semaphore>()
  return (name) => {
    const semaphore = semaphores.get(name) ?? Effect.unsafeMakeSemaphore(1)
    semaphores.set(name, semaphore)
    return semaphore.withPermits(1)
  }
}
