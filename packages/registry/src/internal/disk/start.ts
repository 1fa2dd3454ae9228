import * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Store from "../store.js"
import * as Files from "./files.js"
import * as Layout from "./layout.js"
import * as Upload from "./upload.js"

/** Says that a folder is a registry's, and in which form. */
const marker = { file: "effect-oci-registry.json", text: `{"version":1}\n` }

const concurrency = 8

/** Takes the content of a blob away when no repository has it any more. */
export const collect = (files: Files.Files, content: Files.Place): Effect.Effect<void, PlatformError.PlatformError> =>
  Effect.flatMap(files.stat(content), (info) =>
    Option.contains(
      Option.flatMap(info, ({ nlink }) => nlink),
      1
    )
      ? files.remove(content)
      : Effect.void
  )

/** Takes away what was not given to a repository any more, or not taken away with the last one. */
export const collectAll = (files: Files.Files) =>
  Effect.gen(function* () {
    for (const algorithm of yield* files.list(Layout.contents)) {
      const folder = [...Layout.contents, algorithm]
      const encoded = yield* files.list(folder)
      yield* Effect.forEach(encoded, (each) => collect(files, [...folder, each]), { concurrency, discard: true })
    }
  })

const clear = (files: Files.Files, folder: Files.Place, names: ReadonlyArray<string>) =>
  Effect.forEach(names, (name) => files.remove([...folder, name]), { discard: true })

/** Takes a folder into use: it is a registry's or becomes one, and what was not finished in it is gone. */
export const open = (
  directory: string
): Effect.Effect<Files.Files, PlatformError.PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const { join, resolve } = yield* Path.Path
    yield* fs.makeDirectory(resolve(directory), { recursive: true })
    const root = yield* fs.realPath(resolve(directory))
    const there = yield* fs.readDirectory(root)
    if (!there.includes(marker.file)) {
      if (there.length > 0) {
        return yield* new PlatformError.SystemError({
          module: "FileSystem",
          method: "open",
          reason: "AlreadyExists",
          pathOrDescriptor: root,
          description: "the folder is not empty, and not that of a registry"
        })
      }
      yield* fs.writeFileString(join(root, marker.file), marker.text)
    }
    const files = yield* Files.make(root)
    yield* files.makeRoom([...Files.temp, "any"])
    yield* clear(files, Files.temp, yield* files.list(Files.temp))
    return files
  })

/** The uploads that can go on. What is left of others is cleared away. */
export const restore = (
  files: Files.Files,
  forget: (id: string) => void
): Effect.Effect<ReadonlyArray<Store.Upload>, PlatformError.PlatformError> =>
  Effect.gen(function* () {
    const names = yield* files.list(Layout.uploads)
    const ids = names.filter((name) => /^[0-9a-f-]{36}$/.test(name))
    const uploads = (yield* Effect.forEach(ids, (id) => Upload.restore(files, id, forget), { concurrency })).flatMap(
      Option.toArray
    )
    const kept = new Set(uploads.flatMap(({ id }) => [id, `${id}.json`]))
    yield* clear(
      files,
      Layout.uploads,
      names.filter((name) => !kept.has(name))
    )
    return uploads
  })
