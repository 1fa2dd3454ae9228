import * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** A file or folder in the folder, by the names on the way to it. */
export type Place = ReadonlyArray<string>

type Result<A> = Effect.Effect<A, PlatformError.PlatformError>

/**
 * What is done in a folder, and in no way outside of it: a symbolic link counts as absent, and is not written
 * through. One that takes the place of a folder in use is seen at the next start.
 */
export interface Files {
  readonly fs: FileSystem.FileSystem
  /** The path of what is there. */
  readonly find: (place: Place) => Result<Option.Option<string>>
  readonly stat: (place: Place) => Result<Option.Option<FileSystem.File.Info>>
  readonly read: (place: Place) => Result<Option.Option<Uint8Array>>
  /** What is in a folder; nothing is in one that is not there. */
  readonly list: (place: Place) => Result<ReadonlyArray<string>>
  /** The path that something can be put at: the folder for it is made. */
  readonly makeRoom: (place: Place) => Result<string>
  /** Writes a file, whole or not at all, in the place of one that was there. */
  readonly write: (place: Place, bytes: Uint8Array) => Result<void>
  /** Gives a file another name. Nothing happens when something is there. Answers whether there is such a file. */
  readonly link: (from: Place, to: Place) => Result<boolean>
  /** Answers whether it was there. */
  readonly remove: (place: Place) => Result<boolean>
}

/** Where what is not whole yet is written. */
export const temp: Place = ["temp"]

const is =
  (...reasons: ReadonlyArray<PlatformError.SystemErrorReason>) =>
  (error: PlatformError.PlatformError): boolean =>
    error._tag === "SystemError" && reasons.includes(error.reason)

const isAbsent = is("NotFound", "BadResource")
const isThere = is("AlreadyExists")

const orAbsent = <A>(self: Result<A>): Result<Option.Option<A>> =>
  Effect.asSome(self).pipe(Effect.catchIf(isAbsent, () => Effect.succeedNone))

const isSafe = (name: string): boolean => /^[A-Za-z0-9_][A-Za-z0-9._+-]{0,254}$/.test(name)

/** How many folders are remembered to be none that a link leads to. */
const maxFolders = 10_000

/** `root` must be a real path. */
export const make = (root: string): Effect.Effect<Files, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const { dirname, join } = yield* Path.Path

    // names are checked where they come in: what is none by now is nothing that could be there
    const pathOf = (place: Place): Result<string> =>
      place.every(isSafe)
        ? Effect.succeed(join(root, ...place))
        : new PlatformError.SystemError({
            module: "FileSystem",
            method: "path",
            reason: "NotFound",
            pathOrDescriptor: place.join("/"),
            description: "no file is called so"
          })

    // resolved once: it takes a call for each name on the way
    const folders = new Set<string>()
    /** Where a folder really is; none where there is none. */
    const resolved = (path: string): Result<Option.Option<string>> =>
      folders.has(path)
        ? Effect.succeed(Option.some(path))
        : Effect.tap(orAbsent(fs.realPath(path)), (real) => {
            if (!Option.contains(real, path)) return
            if (folders.size >= maxFolders) folders.clear()
            folders.add(path)
          })

    // what is there and no link cannot be read as one
    const isNoLink = (path: string): Effect.Effect<boolean> =>
      Effect.match(fs.readLink(path), { onFailure: (error) => !isAbsent(error), onSuccess: () => false })

    const find = (place: Place) =>
      Effect.gen(function* () {
        const path = yield* orAbsent(pathOf(place))
        return Option.isSome(path) &&
          Option.contains(yield* resolved(dirname(path.value)), dirname(path.value)) &&
          (yield* isNoLink(path.value))
          ? path
          : Option.none<string>()
      })
    const whenThere = <A>(place: Place, use: (path: string) => Result<A>): Result<Option.Option<A>> =>
      Effect.flatMap(find(place), (path) => (Option.isNone(path) ? Effect.succeedNone : orAbsent(use(path.value))))

    const makeFolder = (path: string): Result<void> =>
      Effect.gen(function* () {
        const real = yield* resolved(path)
        if (Option.contains(real, path)) return
        if (Option.isSome(real)) {
          return yield* new PlatformError.SystemError({
            module: "FileSystem",
            method: "makeDirectory",
            reason: "PermissionDenied",
            pathOrDescriptor: path,
            description: "a symbolic link is in the way"
          })
        }
        yield* makeFolder(dirname(path))
        yield* Effect.catchIf(fs.makeDirectory(path), isThere, () => Effect.void)
      })
    const makeRoom = (place: Place) => Effect.tap(pathOf(place), (path) => makeFolder(dirname(path)))

    // makes names last; not every system lets a folder be flushed
    const flush = (folder: string) => Effect.ignore(Effect.scoped(Effect.flatMap(fs.open(folder), ({ sync }) => sync)))

    return {
      fs,
      find,
      makeRoom,
      stat: (place) => whenThere(place, fs.stat),
      read: (place) => whenThere(place, fs.readFile),
      list: (place) =>
        Effect.map(
          whenThere(place, fs.readDirectory),
          Option.getOrElse(() => [])
        ),
      write: (place, bytes) =>
        Effect.gen(function* () {
          const path = yield* makeRoom(place)
          const written = join(root, ...temp, crypto.randomUUID())
          yield* Effect.scoped(
            Effect.flatMap(fs.open(written, { flag: "wx" }), (file) => Effect.zipRight(file.writeAll(bytes), file.sync))
          ).pipe(
            Effect.zipRight(fs.rename(written, path)),
            Effect.onError(() => Effect.ignore(fs.remove(written)))
          )
          yield* flush(dirname(path))
        }).pipe(Effect.uninterruptible),
      link: (from, to) =>
        Effect.gen(function* () {
          const source = yield* find(from)
          if (Option.isNone(source)) return false
          const path = yield* makeRoom(to)
          const linked = yield* orAbsent(Effect.catchIf(fs.link(source.value, path), isThere, () => Effect.void))
          yield* flush(dirname(path))
          return Option.isSome(linked)
        }).pipe(Effect.uninterruptible),
      remove: (place) =>
        Effect.gen(function* () {
          const folder = yield* find(place.slice(0, -1))
          const path = yield* orAbsent(pathOf(place))
          if (Option.isNone(folder) || Option.isNone(path)) return false
          const removed = Option.isSome(yield* orAbsent(fs.remove(path.value)))
          if (removed) yield* flush(folder.value)
          return removed
        }).pipe(Effect.uninterruptible)
    }
  })
