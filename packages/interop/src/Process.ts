/**
 * Programs that are run to their end.
 */
import * as Command from "@effect/platform/Command"
import type { CommandExecutor, ProcessId } from "@effect/platform/CommandExecutor"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** A program that could not be started, or that says with its exit code that it failed. */
export class ProcessFailed extends Data.TaggedError("ProcessFailed")<{
  readonly command: string
  /** Missing when it was not started. */
  readonly code?: number | undefined
  /** What it printed, or why it was not started. */
  readonly output: string
}> {
  override get message(): string {
    return `${this.command} ${this.code === undefined ? "was not started" : `ended with ${this.code}`}: ${this.output}`
  }
}

/** Runs a program and hands out what it prints. It is ended when the effect is interrupted. */
export const run = (
  name: string,
  ...args: ReadonlyArray<string>
): Effect.Effect<string, ProcessFailed, CommandExecutor> => output(Command.make(name, ...args))

/** A command as one would type it. */
export const show = (command: Command.Command): string =>
  Command.flatten(command)
    .map(({ args, command }) => [command, ...args].join(" "))
    .join(" | ")

/** As `run`, for a command with an environment or a folder of its own; with what is done as long as it runs. */
export const output = (
  command: Command.Command,
  meanwhile?: (pid: ProcessId) => Effect.Effect<unknown>
): Effect.Effect<string, ProcessFailed, CommandExecutor> => {
  const shown = show(command)
  return Effect.gen(function* () {
    const process = yield* Command.start(command)
    if (meanwhile !== undefined) yield* Effect.forkScoped(meanwhile(process.pid))
    const [stdout, stderr, code] = yield* Effect.all(
      [
        Stream.mkString(Stream.decodeText(process.stdout)),
        Stream.mkString(Stream.decodeText(process.stderr)),
        process.exitCode
      ],
      { concurrency: "unbounded" }
    )
    if (code === 0) return stdout
    return yield* new ProcessFailed({ command: shown, code, output: `${stdout}\n${stderr}`.trim() })
  }).pipe(
    Effect.scoped,
    Effect.catchTags({
      BadArgument: ({ message }) => new ProcessFailed({ command: shown, output: message }),
      SystemError: ({ message }) => new ProcessFailed({ command: shown, output: message })
    })
  )
}
