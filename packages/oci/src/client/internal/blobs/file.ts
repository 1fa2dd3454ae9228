import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as MutableRef from "effect/MutableRef"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Digest from "../../../spec/Digest.js"
import type { Repository } from "../../../spec/Repository.js"
import * as BlobFiles from "../../BlobFiles.js"
import type { FileOptions, Target } from "../../Blobs.js"
import * as RegistryClient from "../../RegistryClient.js"
import type { DigestMismatch, SizeMismatch } from "../../RegistryError.js"
import * as Request from "../request.js"
import * as Verify from "../verify.js"
import * as Content from "./content.js"
import * as Turn from "./turn.js"

/** Bytes that are written at a time. What has no more is fetched whole, for less than it costs to go on with a part. */
const batch = 1024 * 1024

/** What of a blob is in a file already, fed to the hash; what cannot be its beginning is not. */
const kept = (
  files: BlobFiles.Service,
  path: string,
  size: number | undefined,
  hash: Verify.Hash
): Effect.Effect<number, PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const found = yield* Effect.option(fs.stat(path))
    const length = Option.match(found, { onNone: () => 0, onSome: (info) => Number(info.size) })
    if (length === 0 || (size !== undefined && length > size)) return 0
    let at = 0
    yield* Stream.runForEachChunk(files.read(path, 0), (chunk) =>
      Effect.sync(() => {
        for (const bytes of chunk) {
          hash.update(bytes)
          at += bytes.length
        }
      })
    )
    return at
  })

/** Writes bytes after those that are there, also what has come before a failure, and tells how many there are then. */
const written = <E, R>(files: BlobFiles.Service, bytes: Stream.Stream<Uint8Array, E, R>, path: string, size: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const writer = yield* files.open(path, size)
      let pieces: Array<Uint8Array> = []
      let held = 0
      let total = size
      const write = Effect.suspend(() => {
        const full = pieces
        pieces = []
        held = 0
        return full.length === 0 ? Effect.void : writer.write(full)
      })
      yield* Stream.runForEachChunk(bytes, (chunk) => {
        for (const piece of chunk) {
          pieces.push(piece)
          held += piece.length
          total += piece.length
        }
        return held < batch ? Effect.void : write
      }).pipe(Effect.onError(() => Effect.ignore(write)))
      yield* write
      yield* writer.flush
      return total
    })
  )

/** Comes to the size of the blob. */
type Saving = Effect.Effect<
  number,
  Content.ReadError | PlatformError,
  RegistryClient.RegistryClient | FileSystem.FileSystem
>

/**
 * Brings a blob into a file. It is written beside its path, under a name of its own that a later call finds again, and gets
 * its final one when all of it is verified.
 */
export const save = (repository: Repository, target: Target, path: string, options?: FileOptions): Saving =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const client = yield* RegistryClient.RegistryClient
    const files = yield* client.provide(BlobFiles.BlobFiles)
    const digest = Content.digestOf(target)
    const partial = `${path}.${Digest.encoded(digest).slice(0, 16)}.partial`
    const size = Content.sizeOf(target)
    const inline = yield* client.provide(Content.embedded(target))

    const attempt = (
      anew: boolean
    ): Effect.Effect<
      number,
      Content.ReadError | PlatformError,
      RegistryClient.RegistryClient | FileSystem.FileSystem
    > =>
      Effect.gen(function* () {
        const hash = yield* client.provide(Verify.hash(digest, Request.blobFacts(repository, digest)))
        const from = anew ? 0 : yield* kept(files, partial, size, hash)
        const content = Content.open(repository, target, { ...options, from, hash, toFile: true })
        // what is wrong may be what was there before, or a mirror's
        const wrong = (error: DigestMismatch | SizeMismatch): Saving =>
          Effect.zipRight(
            fs.remove(partial, { force: true }),
            !anew && (from > 0 || content.mirrored()) ? attempt(true) : Effect.fail(error)
          )
        const saved = Effect.tap(written(files, content.bytes, partial, from), () => content.check)
        return yield* Effect.catchTags(saved, {
          DigestMismatch: wrong,
          SizeMismatch: wrong
        })
      })

    const small = Effect.gen(function* () {
      const bytes = Option.isSome(inline) ? inline.value : yield* Content.held(repository, target, size ?? 0, options)
      yield* fs.writeFile(partial, bytes)
      if (options?.progress !== undefined) MutableRef.set(options.progress, bytes.length)
      return bytes.length
    })
    return yield* Turn.take(
      partial,
      Effect.tap(Option.isSome(inline) || (size !== undefined && size <= batch) ? small : attempt(false), () =>
        fs.rename(partial, path)
      )
    )
  })
