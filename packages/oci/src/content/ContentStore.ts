/**
 * Places that hold content: by its digest, and by the names that some of it has. A store is a plain value; what reads and what
 * writes are apart, so that what can only be read is no target.
 */
import type * as Effect from "effect/Effect"
import type * as MutableRef from "effect/MutableRef"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { Sized } from "../client/BlobSource.js"
import type { Descriptor } from "../spec/Descriptor.js"
import { printable } from "../spec/internal/facts.js"
import type { Repository } from "../spec/Repository.js"

/** A store has nothing of this name or digest. */
export class ContentUnknown extends Schema.TaggedError<ContentUnknown>("effect-oci/ContentUnknown")("ContentUnknown", {
  /** What the store is called. */
  store: Schema.String,
  /** A tag or a digest. */
  content: Schema.String
}) {
  override get message(): string {
    return printable(`${this.store} has no ${this.content}`, 2000)
  }
}

/** Content by digest, to be read. */
export interface ContentReader<out E = never, out R = never> {
  /** What errors call it, such as `ghcr.io/org/app`. */
  readonly name: string
  /** The repository that this is, if it is one: others of its registry may mount blobs from there. */
  readonly repository: Option.Option<Repository>
  readonly exists: (content: Descriptor) => Effect.Effect<boolean, E, R>
  /** The bytes, verified: what is not as its descriptor says fails before its last chunk. */
  readonly fetch: (content: Descriptor) => Stream.Stream<Uint8Array, E, R>
  /**
   * The bytes after so many, unverified, where the store can begin there: an upload that breaks goes on from where it stands. Without
   * it, all is read again.
   */
  readonly fetchFrom: Option.Option<(content: Descriptor, offset: number) => Stream.Stream<Uint8Array, E, R>>
  /** The manifests that have this one as their subject, where the store can tell. They are the store's word, unverified. */
  readonly referrers: Option.Option<(subject: Descriptor) => Stream.Stream<Descriptor, E, R>>
}

export interface PushOptions {
  /** Names for a manifest, given once it is whole. */
  readonly tags?: ReadonlyArray<string> | undefined
  /** The repository that the content comes from: from one of the same registry it may be mounted. */
  readonly from?: Repository | undefined
  /** Set to the number of bytes that are here, as they go. */
  readonly progress?: MutableRef.MutableRef<number> | undefined
}

/** How content got to where it is: it was there already, it was mounted, or its bytes were sent. */
export type Pushed = "present" | "mounted" | "sent"

/** Content by digest, to be written. */
export interface ContentWriter<out E = never, out R = never> {
  /**
   * Puts content there. The source is opened only where its bytes are needed: a blob that is there is not sent again, a manifest may
   * be. Nothing is there before it is whole and verified. What a manifest is made of is pushed before it.
   */
  readonly push: <E2, R2>(
    content: Descriptor,
    source: Sized<E2, R2>,
    options?: PushOptions
  ) => Effect.Effect<Pushed, E | E2, R | R2>
  /** Takes content away, with all its names. */
  readonly delete: (content: Descriptor) => Effect.Effect<void, E, R>
}

/** Names, to be read. */
export interface NameReader<out E = never, out R = never> {
  /** What a tag or a digest names, if anything. */
  readonly resolve: (name: string) => Effect.Effect<Option.Option<Descriptor>, E, R>
  readonly tags: Stream.Stream<string, E, R>
}

/** Names, to be written. */
export interface NameWriter<out E = never, out R = never> {
  /** Names a manifest that is there; the name is taken from whatever had it. */
  readonly tag: (content: Descriptor, name: string) => Effect.Effect<void, E, R>
  /** Takes away a name, and nothing of what it named. */
  readonly untag: (name: string) => Effect.Effect<void, E, R>
}

/** Where content can be copied from. */
export interface Source<out E = never, out R = never> extends ContentReader<E, R>, NameReader<E, R> {}

export declare namespace Source {
  /** What reading a store can fail with. */
  type Error<S> = S extends Source<infer E, unknown> ? E : never
  /** What reading a store needs. */
  type Context<S> = S extends Source<unknown, infer R> ? R : never
}

/** Where content can be copied to. */
export interface Target<out E = never, out R = never>
  extends ContentReader<E, R>,
    ContentWriter<E, R>,
    NameReader<E, R>,
    NameWriter<E, R> {}

export declare namespace Target {
  /** What writing to a store can fail with. */
  type Error<T> = T extends Target<infer E, unknown> ? E : never
  /** What writing to a store needs. */
  type Context<T> = T extends Target<unknown, infer R> ? R : never
}
