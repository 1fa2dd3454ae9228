import type * as Terminal from "@effect/platform/Terminal"
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

export interface Printed {
  readonly out: ReadonlyArray<string>
  readonly err: ReadonlyArray<string>
}

/** Runs a command and gives what it printed, digests as `sha256:…`. */
export const printed = <E>(command: Effect.Effect<void, E, Terminal.Terminal>): Effect.Effect<Printed, E> =>
  Effect.gen(function* () {
    const [out, err]: [Array<string>, Array<string>] = [[], []]
    const add = (lines: Array<string>) => (text: unknown) =>
      void lines.push(
        ...String(text)
          .replace(/(sha\d+):[0-9a-f]+/g, "$1:…")
          .split("\n")
      )
    const [log, error] = [add(out), add(err)]
    const console = yield* Console.consoleWith(Effect.succeed)
    yield* command.pipe(
      Effect.provide(NodeTerminal.layer),
      Effect.withConsole({
        ...console,
        log: (text) => Effect.sync(() => log(text)),
        error: (text) => Effect.sync(() => error(text)),
        unsafe: { ...console.unsafe, log, error }
      })
    )
    return { out, err }
  })
