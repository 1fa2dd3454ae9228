import { FileSystem } from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Option from "effect/Option"
import { hasProperty } from "effect/Predicate"
import * as Schema from "effect/Schema"
import { printable } from "../../../spec/internal/facts.js"
import type { InvalidReference } from "../../../spec/internal/referenceText.js"
import { HostsInvalid } from "./invalid.js"

/** More is nobody's list of hosts, in bytes. */
const largest = 4 * 1024 * 1024

/** A file as it was read. */
export interface Source {
  readonly file: string
  readonly text: string
}

/** A file's text; nothing where there is no such file. */
export const read = (file: string): Effect.Effect<Option.Option<Source>, HostsInvalid, FileSystem> =>
  Effect.flatMap(FileSystem, (files) => files.readFile(file)).pipe(
    Effect.flatMap((bytes) =>
      bytes.length > largest
        ? new HostsInvalid({ file, reason: `it is larger than ${largest} bytes` })
        : Effect.succeedSome({ file, text: new TextDecoder().decode(bytes) })
    ),
    Effect.catchTags({
      SystemError: (error) =>
        error.reason === "NotFound"
          ? Effect.succeedNone
          : new HostsInvalid({ file, reason: `it cannot be read: ${error.reason}` }),
      BadArgument: (error) => new HostsInvalid({ file, reason: error.message })
    })
  )

/** The names in a folder, sorted; none where there is no such folder. */
export const names = (folder: string): Effect.Effect<ReadonlyArray<string>, HostsInvalid, FileSystem> =>
  Effect.flatMap(FileSystem, (files) => files.readDirectory(folder)).pipe(
    Effect.map((all) => all.toSorted()),
    Effect.catchTags({
      SystemError: (error) =>
        error.reason === "NotFound"
          ? Effect.succeed([])
          : new HostsInvalid({ file: folder, reason: `it cannot be read: ${error.reason}` }),
      BadArgument: (error) => new HostsInvalid({ file: folder, reason: error.message })
    })
  )

/** What a file says, when it is TOML of that shape. The parser is only loaded by programs that read such files. */
export const decode =
  <A, I>(schema: Schema.Schema<A, I>) =>
  ({ file, text }: Source): Effect.Effect<A, HostsInvalid> =>
    Effect.promise(() => import("smol-toml")).pipe(
      Effect.flatMap(({ parse }) =>
        Effect.try({
          try: () => parse(text, { maxDepth: 20, unsafeKeyBehaviour: "throw" }),
          catch: (error) =>
            new HostsInvalid({
              file,
              line: hasProperty(error, "line") && typeof error.line === "number" ? error.line : undefined,
              reason: error instanceof Error ? printable(error.message.split("\n")[0] ?? "") : "it is not TOML"
            })
        })
      ),
      Effect.flatMap((document) =>
        Effect.mapError(
          Schema.decodeUnknown(schema)(document),
          (error) => new HostsInvalid({ file, reason: printable(error.message, 1000) })
        )
      )
    )

/** A fault of a file, in the line that says so first. */
export const fault = ({ file, text }: Source, said: string, reason: string): HostsInvalid => {
  const at = text.indexOf(said)
  return new HostsInvalid({ file, line: at === -1 ? undefined : text.slice(0, at).split("\n").length, reason })
}

/** Blames a name that is none on the line that it stands in. */
export const blaming = <A>(
  source: Source,
  said: string,
  made: Either.Either<A, InvalidReference>
): Either.Either<A, HostsInvalid> =>
  Either.mapLeft(made, ({ reason, text }) => fault(source, said, `“${text}” names no host: ${reason}`))
