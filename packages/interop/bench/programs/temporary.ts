/** Stands in for `Blobs.toFile` and `Blobs.push` until they are in the library: then this file goes. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as MutableRef from "effect/MutableRef"
import * as Stream from "effect/Stream"
import * as Blobs from "effect-oci/Blobs"
import type { Descriptor } from "effect-oci/Descriptor"
import type { Repository } from "effect-oci/Repository"
import * as Uploads from "effect-oci/Uploads"

export interface Options {
  readonly progress?: MutableRef.MutableRef<number> | undefined
  readonly ranges?: number | undefined
}

const counted = <E, R>(stream: Stream.Stream<Uint8Array, E, R>, { progress }: Options) =>
  progress === undefined
    ? stream
    : Stream.mapChunks(stream, (chunk) => {
        for (const piece of chunk) MutableRef.update(progress, (moved) => moved + piece.length)
        return chunk
      })

export const toFile = (repository: Repository, target: Descriptor, path: string, options: Options = {}) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const file = yield* fs.open(path, { flag: "w" })
    yield* Stream.runForEachChunk(counted(Blobs.stream(repository, target), options), (pieces) =>
      Effect.forEach(pieces, (piece) => (piece.length === 0 ? Effect.void : file.writeAll(piece)), { discard: true })
    )
    return target
  }).pipe(Effect.scoped)

export const fromFile = (path: string) =>
  Stream.unwrap(Effect.map(FileSystem.FileSystem, (fs) => fs.stream(path, { chunkSize: 1024 * 1024 })))

export const push = <E, R>(
  repository: Repository,
  descriptor: Descriptor,
  stream: Stream.Stream<Uint8Array, E, R>,
  options: Options = {}
) =>
  Effect.flatMap(Uploads.start(repository), (session) =>
    Uploads.finish(session, descriptor.digest, { size: descriptor.size, stream: counted(stream, options) })
  )
