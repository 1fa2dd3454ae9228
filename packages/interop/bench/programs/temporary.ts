/** Stands in for `Blobs.push` until it is in the library: then this file goes. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as MutableRef from "effect/MutableRef"
import * as Stream from "effect/Stream"
import type { Descriptor } from "effect-oci/Descriptor"
import type { Repository } from "effect-oci/Repository"
import * as Uploads from "effect-oci/Uploads"

export interface Options {
  readonly progress?: MutableRef.MutableRef<number> | undefined
}

const counted = <E, R>(stream: Stream.Stream<Uint8Array, E, R>, { progress }: Options) =>
  progress === undefined
    ? stream
    : Stream.mapChunks(stream, (chunk) => {
        for (const piece of chunk) MutableRef.update(progress, (moved) => moved + piece.length)
        return chunk
      })

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
