/**
 * Writes blobs to files with one system call for each batch, the next one on its way while it lasts, and reads them with no
 * more around each piece than that takes.
 */
import * as fs from "node:fs"
import { type PlatformError, SystemError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as BlobFiles from "effect-oci/BlobFiles"
import * as Pieces from "./internal/pieces.js"

/** How many batches are on their way to the disk at a time. More of them hold more memory, and win nothing. */
const most = 2

/** The first piece of a file, in bytes. */
const small = 128 * 1024

const failure = (method: "read" | "writev", path: string, cause: NodeJS.ErrnoException): PlatformError =>
  new SystemError({
    reason: "Unknown",
    module: "FileSystem",
    method,
    pathOrDescriptor: path,
    syscall: cause.syscall,
    description: cause.message,
    cause
  })

/** What is left of some pieces after so many of their bytes. */
const after = (pieces: ReadonlyArray<Uint8Array>, written: number): ReadonlyArray<Uint8Array> => {
  let left = written
  return pieces.flatMap((piece) => {
    const done = Math.min(left, piece.length)
    left -= done
    return done === piece.length ? [] : [piece.subarray(done)]
  })
}

const open: BlobFiles.Service["open"] = (path, size) =>
  Effect.gen(function* () {
    const file = yield* Effect.flatMap(FileSystem.FileSystem, ({ open }) =>
      open(path, { flag: size === 0 ? "w" : "r+" })
    )
    if (size > 0) yield* file.truncate(FileSystem.Size(size))
    let position = size
    let under = 0
    let fault: PlatformError | undefined
    let wake: (() => void) | undefined

    const put = (all: ReadonlyArray<Uint8Array>, at: number, pieces = all): void =>
      fs.writev(file.fd, pieces, at, (error, written) => {
        const rest = error === null ? after(pieces, written) : []
        if (rest.length > 0) return put(all, at + written, rest)
        if (error !== null) fault = failure("writev", path, error)
        under--
        all.forEach(Pieces.giveBack)
        wake?.()
      })
    /** Waits until fewer writes than that are under way, whatever became of the others. */
    const until = (fewer: number): Effect.Effect<void> =>
      Effect.async((resume) => {
        wake = () => {
          if (under < fewer) resume(Effect.void)
        }
        wake()
      })
    const checked = (fewer: number): Effect.Effect<void, PlatformError> =>
      Effect.zipRight(
        until(fewer),
        Effect.suspend((): Effect.Effect<void, PlatformError> => fault ?? Effect.void)
      )
    // the file is closed after that
    yield* Effect.addFinalizer(() => until(1))
    return {
      write: (pieces) =>
        Effect.suspend(() => {
          under++
          put(pieces, position)
          for (const { length } of pieces) position += length
          return checked(most)
        }),
      flush: checked(1)
    }
  })

/** Pieces are filled again once our own transport has sent them. */
const read: BlobFiles.Service["read"] = (path, from) =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      const file = yield* Effect.flatMap(FileSystem.FileSystem, ({ open }) => open(path, { flag: "r" }))
      let position = from
      let ended = false
      const next = Effect.async<Chunk.Chunk<Uint8Array>, Option.Option<PlatformError>>((resume) => {
        // most files are small
        const piece = position === from ? new Uint8Array(small) : Pieces.forFile()
        fs.read(file.fd, piece, 0, piece.length, position, (error, count) => {
          ended = count < piece.length
          position += count
          if (error === null && !ended) return resume(Effect.succeed(Chunk.of(piece)))
          if (error === null && count > 0) return resume(Effect.succeed(Chunk.of(piece.subarray(0, count))))
          Pieces.giveBack(piece)
          resume(Effect.fail(error === null ? Option.none() : Option.some(failure("read", path, error))))
        })
      })
      const pull = Effect.suspend(() => (ended ? Effect.fail(Option.none()) : Effect.uninterruptible(next)))
      return Stream.repeatEffectChunkOption(pull)
    })
  )

/** For the files of Node's own `FileSystem`. */
export const layer: Layer.Layer<BlobFiles.BlobFiles> = Layer.succeed(BlobFiles.BlobFiles, { open, read })
