import * as Command from "@effect/platform/Command"
import * as CommandExecutor from "@effect/platform/CommandExecutor"
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { isString } from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import type { CredentialHelper } from "../../CredentialHelper.js"
import type { Credential } from "../../Credentials.js"
import { CredentialsInvalid } from "../../RegistryError.js"
import * as Document from "./document.js"
import * as Environment from "./environment.js"

/** What the surroundings give to run helpers with. */
export type Platform = FileSystem.FileSystem | Path.Path | CommandExecutor.CommandExecutor

/** The user name that says: the secret is an identity token. */
const tokenUser = "<token>"

const limit = 64 * 1024

type Verb = "get" | "store" | "erase" | "list"

interface Outcome {
  readonly code: number
  readonly output: string
}

const isHelper = (program: string): boolean => {
  const prefix = "docker-credential-"
  const name = program.slice(prefix.length)
  return (
    program.startsWith(prefix) && name.length <= 100 && /^[A-Za-z0-9._-]+$/.test(name) && name !== "." && name !== ".."
  )
}

/** Where programs are looked for. Only absolute folders count: what lies in the working directory is not to be trusted. */
const folders: Effect.Effect<ReadonlyArray<string>, never, Path.Path> = Effect.gen(function* () {
  const path = yield* Path.Path
  const all = (yield* Environment.variable("PATH")) ?? ""
  return all.split(path.sep === "\\" ? ";" : ":").filter((folder) => path.isAbsolute(folder))
})

const find = (
  program: string,
  folders: ReadonlyArray<string>
): Effect.Effect<Option.Option<string>, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const files = folders.map((folder) => path.join(folder, path.sep === "\\" ? `${program}.exe` : program))
    return yield* Effect.findFirst(files, (file) =>
      fs.stat(file).pipe(
        Effect.map(({ type }) => type === "File"),
        Effect.orElseSucceed(() => false)
      )
    )
  })

/** All that a program says, up to a limit; nothing when it says more. */
const collect = <E>(output: Stream.Stream<Uint8Array, E>): Effect.Effect<string | undefined, E> => {
  const decoder = new TextDecoder()
  let size = 0
  return output.pipe(
    Stream.takeWhile((bytes) => {
      size += bytes.length
      return size <= limit
    }),
    Stream.runFold("", (text, bytes) => text + decoder.decode(bytes, { stream: true })),
    Effect.map((text) => (size > limit ? undefined : text))
  )
}

/** Runs a program without a shell, gives it a line, and waits for its answer. Nothing of it outlives the call. */
const dialog = (
  command: Command.Command,
  line: string
): Effect.Effect<Outcome | undefined, PlatformError, CommandExecutor.CommandExecutor> =>
  Effect.gen(function* () {
    const executor = yield* CommandExecutor.CommandExecutor
    const process = yield* executor.start(command)
    // it may not listen to less
    yield* Effect.addFinalizer(() =>
      Effect.ignore(Effect.flatMap(process.isRunning, (running) => (running ? process.kill("SIGKILL") : Effect.void)))
    )
    yield* Effect.forkScoped(Effect.ignore(Stream.runDrain(process.stderr)))
    // a helper need not read what it is told
    const input = Stream.make(new TextEncoder().encode(line))
    yield* Effect.forkScoped(Effect.ignore(Stream.run(input, process.stdin)))
    const output = yield* collect(process.stdout)
    return output === undefined ? undefined : { output, code: yield* process.exitCode }
  }).pipe(Effect.scoped)

const isNothing = (output: string): boolean =>
  output.trim().toLowerCase() === "credentials not found in native keychain"

const credential = (output: string): Option.Option<Credential> | undefined => {
  const answer = Either.getOrUndefined(Document.object(output))
  if (answer === undefined) return undefined
  const { Secret: secret, Username: username } = answer
  if (!isString(secret) || !isString(username)) return undefined
  if (secret === "") return Option.none()
  const hidden = Redacted.make(secret)
  return Option.some(
    username === tokenUser ? { _tag: "IdentityToken", token: hidden } : { _tag: "Basic", username, password: hidden }
  )
}

/** Helpers by the names of their programs. One is looked for, and its name judged, when it is needed. */
export const all: Effect.Effect<(program: string) => CredentialHelper, never, Platform> = Effect.gen(function* () {
  const context = yield* Effect.context<Platform>()
  const places = yield* folders
  return (program) => {
    const invalid = (server: string | undefined, reason: string) => new CredentialsInvalid({ registry: server, reason })

    const run = (verb: Verb, line: string, server?: string): Effect.Effect<Outcome, CredentialsInvalid> =>
      Effect.gen(function* () {
        if (!isHelper(program)) {
          return yield* invalid(server, `${JSON.stringify(program)} is no credential helper`)
        }
        if (server !== undefined && !/^[\x21-\x7e]{1,512}$/.test(server)) {
          return yield* invalid(undefined, `${program} is asked for no address of a server`)
        }
        const file = yield* find(program, places)
        if (Option.isNone(file)) {
          return yield* invalid(
            server,
            `${program} is not on the PATH. Install it, or take it out of the configuration`
          )
        }
        const outcome = yield* dialog(Command.make(file.value, verb), line).pipe(
          Effect.mapError((error) =>
            invalid(
              server,
              `${program} ${verb} cannot be run (${error._tag === "SystemError" ? error.reason : error._tag})`
            )
          ),
          Effect.timeoutFail({
            duration: "10 seconds",
            onTimeout: () => invalid(server, `${program} ${verb} did not answer within 10 seconds`)
          })
        )
        return outcome ?? (yield* invalid(server, `${program} ${verb} answers more than ${limit / 1024} KiB`))
      }).pipe(Effect.provide(context))

    // what it says may be a secret, so people have to ask it themselves
    const failed = (verb: Verb, { code }: Outcome, server?: string) =>
      invalid(server, `${program} ${verb} failed with exit code ${code}. Run it by hand to see what it says`)

    const senseless = (verb: Verb, server?: string) =>
      invalid(server, `${program} ${verb} does not answer as credential helpers do`)

    return {
      program,
      get: (server) =>
        Effect.flatMap(run("get", `${server}\n`, server), (outcome) => {
          if (outcome.code !== 0) return isNothing(outcome.output) ? Effect.succeedNone : failed("get", outcome, server)
          const found = credential(outcome.output)
          return found === undefined ? senseless("get", server) : Effect.succeed(found)
        }),
      store: (server, credential) => {
        const [username, secret] =
          credential._tag === "Basic" ? [credential.username, credential.password] : [tokenUser, credential.token]
        const line = JSON.stringify({ ServerURL: server, Username: username, Secret: Redacted.value(secret) })
        return Effect.flatMap(run("store", `${line}\n`, server), (outcome) =>
          outcome.code === 0 ? Effect.void : failed("store", outcome, server)
        )
      },
      erase: (server) =>
        Effect.flatMap(run("erase", `${server}\n`, server), (outcome) =>
          outcome.code === 0 || isNothing(outcome.output) ? Effect.void : failed("erase", outcome, server)
        ),
      list: Effect.flatMap(run("list", ""), (outcome) => {
        if (outcome.code !== 0) return failed("list", outcome)
        const answer = Either.getOrUndefined(Document.object(outcome.output))
        const all = answer === undefined ? undefined : Object.entries(answer)
        return all?.every((entry): entry is [string, string] => isString(entry[1]))
          ? Effect.succeed(all.map(([server, username]) => ({ server, username })))
          : senseless("list")
      })
    }
  }
})

/** The helper `docker-credential-<name>`. */
export const make = (name: string): Effect.Effect<CredentialHelper, never, Platform> =>
  Effect.map(all, (helper) => helper(`docker-credential-${name}`))
