import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import { CredentialsInvalid } from "../../RegistryError.js"
import * as Document from "./document.js"

/** In bytes; what is larger was not written by anybody's login. */
const limit = 4 * 1024 * 1024

const because = (error: PlatformError): string => (error._tag === "SystemError" ? error.reason : error._tag)

/** Why a file cannot be used; nothing of what is in it. */
export const invalid = (name: string, reason: string): CredentialsInvalid =>
  new CredentialsInvalid({ reason: `${name}: ${reason}` })

/** The text of a file; none when it is not there. */
export const read = (file: string): Effect.Effect<Option.Option<string>, CredentialsInvalid, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const { size, type } = yield* fs.stat(file)
    if (type === "Directory") return yield* invalid(file, "it is a folder")
    if (size > limit) return yield* invalid(file, `it is larger than ${limit / 1024 / 1024} MiB`)
    return Option.some(yield* fs.readFileString(file))
  }).pipe(
    Effect.catchIf(
      (error) => error._tag === "SystemError" && error.reason === "NotFound",
      () => Effect.succeedNone
    ),
    Effect.mapError((error) =>
      error._tag === "CredentialsInvalid" ? error : invalid(file, `it cannot be read (${because(error)})`)
    )
  )

/** The file that a path stands for, which may be a link to one that is not there yet. */
const target = (file: string, links = 10): Effect.Effect<string, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const link = yield* Effect.option(fs.readLink(file))
    return Option.isNone(link) || links === 0
      ? file
      : yield* target(path.resolve(path.dirname(file), link.value), links - 1)
  })

/** Puts a file in another's place in one step, readable by its owner alone, as the owner has it. */
const replace = (file: string, text: string): Effect.Effect<void, PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const folder = path.dirname(file)
    yield* fs.makeDirectory(folder, { recursive: true, mode: 0o700 })
    const suffix = yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)
    const draft = path.join(folder, `.${path.basename(file)}.${suffix.toString(36)}`)
    const write = Effect.scoped(
      Effect.gen(function* () {
        const open = yield* fs.open(draft, { flag: "wx", mode: 0o600 })
        yield* open.writeAll(new TextEncoder().encode(text))
        yield* open.sync
      })
    )
    const before = yield* Effect.option(fs.stat(file))
    const keepOwner = Effect.gen(function* () {
      const { gid, uid } = yield* before
      yield* fs.chown(draft, yield* uid, yield* gid)
    })
    yield* write.pipe(
      Effect.zipRight(Effect.ignore(keepOwner)),
      Effect.zipRight(fs.rename(draft, file)),
      Effect.onError(() => Effect.ignore(fs.remove(draft)))
    )
  })

/** Whoever reads a file to write it again must not be overtaken, whichever layer or client it belongs to. */
const writing = Effect.unsafeMakeSemaphore(1)

/** Changes the object that a file holds. What the change leaves as it is, stays as it is, and so does a file without change. */
export const edit = (
  file: string,
  change: (
    document: Readonly<Record<string, unknown>>
  ) => Either.Either<Readonly<Record<string, unknown>>, Document.Fault>
): Effect.Effect<void, CredentialsInvalid, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const text = Option.getOrElse(yield* read(file), () => "")
    const before = yield* Document.object(text)
    const after = yield* change(before)
    if (after !== before) yield* replace(yield* target(file), `${JSON.stringify(after, null, "\t")}\n`)
  }).pipe(
    Effect.mapError((error) =>
      typeof error === "string"
        ? invalid(file, error)
        : error._tag === "CredentialsInvalid"
          ? error
          : invalid(file, `it cannot be written (${because(error)})`)
    ),
    writing.withPermits(1)
  )
