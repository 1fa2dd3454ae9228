import type * as Terminal from "@effect/platform/Terminal"
import type { ConfigError } from "effect/ConfigError"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Reference from "effect-oci/Reference"
import * as Command from "./command.js"
import * as Embedded from "./embedded.js"
import * as List from "./list.js"

const usage = `One small program for each thing the library does; the files are in docs/examples.

  pnpm example NAME            runs one on a registry in this process
  pnpm example NAME REFERENCE  runs it on a real registry, where it writes only into REFERENCE's
                               repository and those below it, and says what

${Command.optionsHelp}
`

const section = (title: string, imports: { readonly [name: string]: () => Promise<List.Example | List.Parser> }) =>
  Effect.gen(function* () {
    yield* Console.log(title)
    for (const [name, load] of Object.entries(imports)) {
      const { description } = yield* Effect.promise(load)
      yield* Console.log(`  ${name.padEnd(20)}${description}`)
    }
    yield* Console.log("")
  })

const help = Effect.gen(function* () {
  yield* Console.log(usage)
  yield* section("endpoints", List.endpoints)
  yield* section("parsers (with TEXT in place of REFERENCE)", List.parsers)
  yield* section("uses", List.uses)
})

const shown = (error: Error | ConfigError): Error => (error instanceof Error ? error : new Error(String(error)))

const onRegistry = (load: () => Promise<List.Example>, text: string | undefined, options: Command.Options) =>
  Effect.gen(function* () {
    const { program } = yield* Effect.promise(load)
    const reference = yield* Reference.parse(text ?? Embedded.reference)
    const layer = text === undefined ? Embedded.layer : Command.layerReal(reference.registry, options)
    yield* Effect.provide(Effect.mapError(program(reference), shown), layer)
  })

/** The command, given the arguments after `pnpm example`. */
export const run = (args: ReadonlyArray<string>): Effect.Effect<void, Error, Terminal.Terminal> =>
  Effect.gen(function* () {
    const options = yield* Command.parse(args)
    const [name, text, ...more] = options.positionals
    if (name === undefined || options.help) return yield* help
    if (more.length > 0) return yield* new Command.UsageError({ message: `too many arguments: ${more.join(" ")}` })
    const example = List.find(List.endpoints, name) ?? List.find(List.uses, name)
    const parser = List.find(List.parsers, name)
    const logger = Command.layerLogger(options)
    if (example !== undefined) return yield* Effect.provide(onRegistry(example, text, options), logger)
    if (parser !== undefined) return yield* (yield* Effect.promise(parser)).program(text)
    return yield* new Command.UsageError({ message: `no example is called ${name}; pnpm example lists them` })
  })
