/**
 * Where the bytes of a blob come from when it is pushed: memory, a file, or any stream.
 */
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Digest } from "../spec/Digest.js"
import * as BlobFiles from "./BlobFiles.js"

/** What may be known of a blob before it is read. */
export interface Known {
  /** The registry verifies it, and so it is not computed again, unless the push is told to. */
  readonly digest?: Digest | undefined
  readonly mediaType?: string | undefined
}

/** Bytes that can be sent. Nothing is opened before it is needed, and whatever was opened is closed with the stream. */
export interface BlobSource<out E = never, out R = never> extends Known {
  /** In bytes, or how to find that out. Left out where nobody knows before the end. */
  readonly size?: number | Effect.Effect<number, E, R> | undefined
  /** All of it. The stream must start anew each time it runs, unless `once` says that it cannot. */
  readonly stream: Stream.Stream<Uint8Array, E, R>
  /** What comes after so many bytes. Without it, that many bytes of `stream` are read and dropped. */
  readonly from?: ((offset: number) => Stream.Stream<Uint8Array, E, R>) | undefined
  /** Whether the stream can be run only once: what is lost on the way cannot be sent again. Default: false. */
  readonly once?: boolean | undefined
  /** All of it, where it is in memory. */
  readonly bytes?: Uint8Array | undefined
  /** All of it in one piece, where that costs less than a stream. Only used for what is small. */
  readonly load?: Effect.Effect<Uint8Array, E, R> | undefined
}

/** A source whose size is known. */
export interface Sized<out E = never, out R = never> extends BlobSource<E, R> {
  /** In bytes. */
  readonly size: number
}

/** Bytes in memory. */
export const bytes = (content: Uint8Array, known?: Known): Sized & { readonly bytes: Uint8Array } => ({
  ...known,
  bytes: content,
  size: content.length,
  stream: Stream.succeed(content),
  from: (offset) => Stream.succeed(content.subarray(offset))
})

/**
 * A file, read in pieces of 1 MiB. A size that is not given is looked up when it is pushed; a file that has another one then, or
 * that changes, is refused.
 */
export const file = (
  path: string,
  known?: Known & { readonly size?: number | undefined }
): BlobSource<PlatformError, FileSystem.FileSystem> => {
  const from = (offset: number) => Stream.unwrap(Effect.map(BlobFiles.BlobFiles, (files) => files.read(path, offset)))
  return {
    ...known,
    size:
      known?.size ??
      Effect.flatMap(FileSystem.FileSystem, (files) => Effect.map(files.stat(path), ({ size }) => Number(size))),
    stream: from(0),
    from,
    load: Effect.flatMap(FileSystem.FileSystem, (files) => files.readFile(path))
  }
}

/**
 * Any stream of bytes. One that is known to the last byte (digest and size) is sent as a whole; one that is not, in chunks,
 * each held in memory until the registry has it.
 */
export function stream<E, R>(
  stream: Stream.Stream<Uint8Array, E, R>,
  known: Known & Omit<Sized<E, R>, "stream" | "bytes">
): Sized<E, R>
export function stream<E, R>(
  stream: Stream.Stream<Uint8Array, E, R>,
  known?: Known & Omit<BlobSource<E, R>, "stream" | "bytes">
): BlobSource<E, R>
export function stream<E, R>(
  stream: Stream.Stream<Uint8Array, E, R>,
  known?: Known & Omit<BlobSource<E, R>, "stream" | "bytes">
): BlobSource<E, R> {
  return { ...known, stream }
}
