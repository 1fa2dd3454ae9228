import { parseArgs } from "node:util"
import type { FileSystem } from "@effect/platform/FileSystem"
import * as Terminal from "@effect/platform/Terminal"
import * as NodeRegistry from "@effect-oci/node/NodeRegistry"
import * as Arr from "effect/Array"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Credentials from "effect-oci/Credentials"
import type * as RegistryClient from "effect-oci/RegistryClient"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import type { InvalidReference, RegistryName } from "effect-oci/RegistryName"

/** What is wrong with how the program was called. */
export class UsageError extends Data.TaggedError("UsageError")<{ readonly message: string }> {}

export interface Options {
  readonly positionals: ReadonlyArray<string>
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly plainHttp: boolean
  readonly insecure: boolean
  readonly ca?: string | undefined
  readonly verbose: boolean
  readonly help: boolean
}

export const optionsHelp = `  -u, --username NAME      sign in
  -p, --password PASSWORD  else OCI_PASSWORD, else asked for
      --plain-http         http in place of https
      --insecure           any certificate will do
      --ca FILE            trust the authorities in a PEM file as well
  -v, --verbose            show the requests
  -h, --help`

export const parse = (args: ReadonlyArray<string>): Effect.Effect<Options, UsageError> =>
  Effect.try({
    try: () =>
      parseArgs({
        // pnpm hands its own `--` on
        args: args.filter((argument) => argument !== "--"),
        allowPositionals: true,
        options: {
          username: { type: "string", short: "u" },
          password: { type: "string", short: "p" },
          "plain-http": { type: "boolean", default: false },
          insecure: { type: "boolean", default: false },
          ca: { type: "string" },
          verbose: { type: "boolean", short: "v", default: false },
          help: { type: "boolean", short: "h", default: false }
        }
      }),
    catch: (error) => new UsageError({ message: error instanceof Error ? error.message : String(error) })
  }).pipe(Effect.map(({ positionals, values }) => ({ ...values, positionals, plainHttp: values["plain-http"] })))

/** Reads a line from the terminal and shows nothing of it. */
const readHidden = Effect.gen(function* () {
  const terminal = yield* Terminal.Terminal
  const keys = yield* terminal.readInput
  yield* terminal.display("Password: ")
  let text = ""
  while (true) {
    const { input, key } = yield* keys.take
    if (key.name === "return" || key.name === "enter") break
    if (key.name === "backspace") text = text.slice(0, -1)
    else if (!key.ctrl && !key.meta) text += Option.getOrElse(input, () => "")
  }
  yield* terminal.display("\n")
  return Redacted.make(text)
}).pipe(
  Effect.scoped,
  Effect.mapError(() => new UsageError({ message: "no password was given" }))
)

const password = (options: Options) =>
  options.password !== undefined
    ? Effect.succeed(Redacted.make(options.password))
    : Effect.orElse(Config.redacted("OCI_PASSWORD"), () =>
        process.stdin.isTTY
          ? readHidden
          : new UsageError({ message: "no password: give -p, set OCI_PASSWORD or run in a terminal" })
      )

/** A client for a real registry, as the options say. */
export const layerReal = (
  registry: RegistryName,
  options: Options
): Layer.Layer<
  RegistryClient.RegistryClient | FileSystem,
  UsageError | InvalidReference | RegistryHosts.HostsInvalid,
  Terminal.Terminal
> => {
  const { username } = options
  const signIn =
    username === undefined
      ? Layer.empty
      : Layer.unwrapEffect(
          Effect.map(password(options), (password) =>
            Layer.merge(
              Credentials.basic(registry.toString(), username, password),
              // for the example that signs in by itself
              Layer.setConfigProvider(
                ConfigProvider.fromMap(
                  new Map([
                    ["OCI_USERNAME", username],
                    ["OCI_PASSWORD", Redacted.value(password)]
                  ])
                ).pipe(ConfigProvider.orElse(ConfigProvider.fromEnv))
              )
            )
          )
        )
  const { ca, insecure, plainHttp } = options
  const settings = {
    ...(plainHttp ? { scheme: "http" as const } : {}),
    ...(insecure ? { insecure } : {}),
    ...(ca === undefined ? {} : { tls: { ca: [ca] } })
  }
  // what this machine has stays in place unless an option says otherwise
  const hosts =
    Object.keys(settings).length === 0 ? Layer.empty : RegistryHosts.fromRecord({ [registry.toString()]: settings })
  return Layer.mergeAll(NodeRegistry.layer, signIn, hosts)
}

/** One line for each message, on the error stream; with `-v` for each request too. */
export const layerLogger = (options: Options): Layer.Layer<never> =>
  Layer.merge(
    Logger.replace(
      Logger.defaultLogger,
      Logger.withConsoleError(Logger.make(({ message }) => Arr.ensure(message).join(" ")))
    ),
    Logger.minimumLogLevel(options.verbose ? LogLevel.Debug : LogLevel.Warning)
  )

/** Shows a failure by its message alone and leaves with 1. */
export const orExit = <A, R>(self: Effect.Effect<A, Error, R>): Effect.Effect<A | undefined, never, R> =>
  Effect.catchAll(self, (error) =>
    Effect.zipRight(
      Console.error(error.message),
      Effect.sync(() => {
        process.exitCode = 1
        return undefined
      })
    )
  )
