/**
 * How blobs come into files, and out of them. The default goes over `FileSystem`; a platform may know a faster way.
 */
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { key } from "./internal/blobFilesKey.js"
import { joined } from "./internal/joined.js"

/** A file that is written from its end on, by one caller. Its last writes are done before its Scope is closed. */
export interface Writer {
  /**
   * Puts pieces after what is there, in their order: better a few of about 1 MiB than many small ones. It may return before
   * they are written; what goes wrong with them then is the next call's failure. Pieces that a transport was asked to fill
   * again (`ScopedTransport.Refilled`) are so from then on.
   */
  readonly write: (pieces: ReadonlyArray<Uint8Array>) => Effect.Effect<void, PlatformError>
  /** Waits until all is written. */
  readonly flush: Effect.Effect<void, PlatformError>
}

export interface Service {
  /** Opens a file to be written after its first `size` bytes, which it must have. What it has beyond them is gone. */
  readonly open: (
    path: string,
    size: number
  ) => Effect.Effect<Writer, PlatformError, FileSystem.FileSystem | Scope.Scope>
  /**
   * What a file has from this byte on, in pieces of about 1 MiB. A transport that has sent a piece may have it filled again:
   * whoever sends pieces and keeps them, keeps copies.
   */
  readonly read: (path: string, from: number) => Stream.Stream<Uint8Array, PlatformError, FileSystem.FileSystem>
}

/** How much of a file is read at a time: less costs more for each byte. */
const piece = 1024 * 1024

const overFileSystem: Service = {
  read: (path, from) =>
    Stream.unwrapScoped(
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const file = yield* fs.open(path, { flag: "r" })
        yield* file.seek(FileSystem.Size(from), "start")
        // FileSystem.stream reads ahead, and what lives longer costs more to collect than to read
        return Stream.repeatEffectOption(
          Effect.flatMap(Effect.mapError(file.readAlloc(piece), Option.some), (bytes) =>
            Effect.mapError(bytes, () => Option.none())
          )
        )
      })
    ),
  open: (path, size) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const file = yield* fs.open(path, { flag: size === 0 ? "w" : "r+" })
      if (size > 0) {
        yield* file.truncate(FileSystem.Size(size))
        yield* file.seek(FileSystem.Size(size), "start")
      }
      return {
        write: (pieces) => {
          const bytes = joined(pieces)
          // nothing written counts as a failure
          return bytes.length === 0 ? Effect.void : file.writeAll(bytes)
        },
        flush: Effect.void
      }
    })
}

/**
 * The service that writes blobs to files and reads them. Whose files they are, the `FileSystem` of the caller says.
 *
 * @effect-expect-leaking FileSystem
 */
export class BlobFiles extends Context.Reference<BlobFiles>()(key, {
  defaultValue: (): Service => overFileSystem
}) {}
