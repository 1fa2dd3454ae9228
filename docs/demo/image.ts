import { createGzip } from "node:zlib"
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as Digest from "effect-oci/Digest"
import * as Hasher from "effect-oci/Hasher"
import type { ImageConfig } from "effect-oci/ImageConfig"
import { createTar } from "nanotar"

/** The files of an image's only layer. */
export interface Layer {
  readonly names: ReadonlyArray<string>
  readonly tar: Uint8Array
  /** The digest of the tar, which the image's config holds: the layer's own is that of the gzipped bytes. */
  readonly diffId: Digest.Digest
}

/** A tar of the files below a folder. Names and contents alone decide its bytes, not owners or times. */
export const layerOf = (folder: string): Effect.Effect<Layer, PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const all = yield* fs.readDirectory(folder, { recursive: true })
    const names = all
      .filter((name) => name.endsWith(".ts"))
      .map((name) => name.replaceAll("\\", "/"))
      .sort()
    const files = yield* Effect.forEach(names, (name) =>
      Effect.map(fs.readFile(`${folder}/${name}`), (data) => ({ name: `src/${name}`, data }))
    )
    const tar = createTar(files, { attrs: { mode: "644", uid: 0, gid: 0, mtime: 0 } })
    return { names, tar, diffId: yield* Hasher.digest(tar) }
  })

/** In pieces of 16 KiB, as they are ready. */
export const gzip = (bytes: Uint8Array): Stream.Stream<Uint8Array> =>
  Stream.make(bytes).pipe(
    NodeStream.pipeThroughDuplex(
      () => createGzip({ level: 9, chunkSize: 16 * 1024 }),
      (cause) => cause
    ),
    Stream.orDie
  )

/** The same for every platform but for its name: sources run anywhere. */
export const config = (architecture: string, { diffId }: Layer): ImageConfig => ({
  architecture,
  os: "linux",
  config: { Cmd: ["/bin/cat", "src/index.ts"] },
  rootfs: { type: "layers", diff_ids: [diffId] }
})
