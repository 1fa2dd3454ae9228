import type * as Terminal from "@effect/platform/Terminal"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Reference from "effect-oci/Reference"
import * as RegistryObserver from "effect-oci/RegistryObserver"
import * as Command from "../examples/internal/command.js"
import * as Page from "./page.js"
import * as Read from "./read.js"
import * as Write from "./write.js"

const usage = `The library at work, as a story.

  pnpm demo            on a registry in this process, from build to pull
  pnpm demo REFERENCE  the reading half, against a real registry

${Command.optionsHelp}
`

const here = Effect.gen(function* () {
  const reference = yield* Reference.parse("registry.test/demo/effect-oci:0.1.0")
  yield* Page.title("A registry inside this process, an image of this checkout")
  const layer = yield* Write.build
  yield* Write.push(reference, layer)
  yield* Read.list(reference)
  yield* Read.resolve(reference)
  yield* Write.attach(reference, layer)
  yield* Read.referrers(reference)
  yield* Read.pull(reference)
  yield* Read.miss(reference)
  yield* Write.cancel(reference, layer)
}).pipe(Effect.provide([RegistryServer.layerTest(), NodeFileSystem.layer]))

const there = (text: string, options: Command.Options) =>
  Effect.gen(function* () {
    const reference = yield* Reference.parse(text)
    yield* Effect.gen(function* () {
      yield* Page.title(`Reading ${reference}`)
      yield* Read.list(reference)
      yield* Read.resolve(reference)
      yield* Read.referrers(reference)
      yield* Read.pull(reference)
      yield* Read.miss(reference)
    }).pipe(Effect.provide(Command.layerReal(reference.registry, options)))
  })

/** The command, given the arguments after `pnpm demo`. */
export const run = (args: ReadonlyArray<string>): Effect.Effect<void, Error, Terminal.Terminal> =>
  Effect.gen(function* () {
    const options = yield* Command.parse(args)
    const [text, ...more] = options.positionals
    if (options.help) return yield* Console.log(usage)
    if (more.length > 0) return yield* new Command.UsageError({ message: `too many arguments: ${more.join(" ")}` })
    let requests = 0
    const counting = RegistryObserver.layer({ exchange: () => Effect.sync(() => void requests++) })
    const story: Effect.Effect<void, Error, Terminal.Terminal> = text === undefined ? here : there(text, options)
    const [elapsed] = yield* Effect.timed(Effect.provide(story, [counting, Command.layerLogger(options)]))
    yield* Page.title(`${requests} requests in ${Duration.toSeconds(elapsed).toFixed(1)} s`)
  })
