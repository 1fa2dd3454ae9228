import { createHash, randomBytes } from "node:crypto"
import { createServer } from "node:http"
import { parseArgs } from "node:util"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Hasher } from "effect-oci/Hasher"
import * as RegistryServer from "../RegistryServer.js"
import * as RegistryStorage from "../RegistryStorage.js"
import { howTo, usage } from "./internal/usage.js"

/** Node's own hashing, several times as fast as the portable one. */
const HasherLive = Layer.succeed(Hasher, {
  make: (algorithm) => {
    const hash = createHash(algorithm)
    return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() }
  }
})

interface Options {
  readonly port: number
  readonly host: string
  readonly strict: boolean
  readonly cors: boolean
  readonly dir?: string | undefined
  readonly auth?: RegistryServer.Auth | undefined
  readonly faults?: RegistryServer.Faults | undefined
}

const logged = (app: RegistryServer.Service["app"]): RegistryServer.Service["app"] =>
  Effect.gen(function* () {
    const { method, url } = yield* HttpServerRequest.HttpServerRequest
    // Without the query, where a client may have put what it keeps to itself.
    const target = `${method} ${url.split("?", 1)}`
    const [elapsed, response] = yield* Effect.timed(app).pipe(
      Effect.onInterrupt(() => Console.log(`${target} ended without an answer`))
    )
    yield* Console.log(`${target} ${response.status} ${Duration.toMillis(elapsed).toFixed(1)} ms`)
    return response
  })

const serve = (options: Options) => {
  // An upload may take longer than the five minutes that Node grants a request.
  const node = createServer({ requestTimeout: 0 })
  return Effect.gen(function* () {
    const { app } = yield* RegistryServer.RegistryServer
    const server = yield* HttpServer.HttpServer
    yield* server.serve(logged(app))
    // it would wait for those that stall
    yield* Effect.addFinalizer(() => Effect.sync(() => node.closeAllConnections()))
    const port = server.address._tag === "TcpAddress" ? server.address.port : options.port
    yield* Console.log(howTo(`${options.host.includes(":") ? `[${options.host}]` : options.host}:${port}`, options))
    return yield* Effect.never
  }).pipe(
    Effect.scoped,
    Effect.provide([
      Layer.provide(
        RegistryServer.layer({
          sparse: !options.strict,
          cors: options.cors ? "*" : undefined,
          auth: options.auth,
          faults: options.faults
        }),
        [HasherLive, options.dir === undefined ? RegistryStorage.layerMemory : RegistryStorage.layerDisk(options.dir)]
      ),
      NodeHttpServer.layer(() => node, { port: options.port, host: options.host })
    ]),
    Effect.provide(NodeContext.layer),
    Effect.catchTags({
      ServeError: (error) => failed(`cannot listen on ${options.host}:${options.port}: ${String(error.cause)}`),
      SystemError: (error) => failed(`cannot keep anything in ${options.dir}: ${error.description ?? error.message}`),
      BadArgument: (error) => failed(`cannot keep anything in ${options.dir}: ${error.message}`)
    })
  )
}

const failed = (message: string): Effect.Effect<void> =>
  Effect.zipRight(
    Console.error(message),
    Effect.sync(() => {
      process.exitCode = 1
    })
  )

const usersOf = (given: ReadonlyArray<string>): Readonly<Record<string, string>> =>
  given.length === 0
    ? { me: randomBytes(8).toString("hex") }
    : Object.fromEntries(
        given.map((user) => [user.slice(0, user.indexOf(":")), user.slice(user.indexOf(":") + 1)] as const)
      )

const main = Effect.gen(function* () {
  const { values } = yield* Effect.try(() =>
    parseArgs({
      args: process.argv.slice(2).filter((argument) => argument !== "--"),
      options: {
        port: { type: "string", default: "5000" },
        host: { type: "string", default: "127.0.0.1" },
        dir: { type: "string" },
        strict: { type: "boolean", default: false },
        cors: { type: "boolean", default: false },
        auth: { type: "string" },
        user: { type: "string", multiple: true, default: [] },
        faults: { type: "string" },
        help: { type: "boolean", default: false }
      }
    })
  )
  if (values.help) return yield* Console.log(usage)
  if (!/^[0-9]{1,5}$/.test(values.port)) return yield* failed(`--port must be a number, not ${values.port}`)
  if (values.auth !== undefined && values.auth !== "basic" && values.auth !== "token") {
    return yield* failed(`--auth must be basic or token, not ${values.auth}`)
  }
  if (values.auth === undefined && values.user.length > 0)
    return yield* failed("--user is for --auth basic or --auth token")
  // what is no user may be a password: it is not said again
  if (!values.user.every((user) => user.includes(":")))
    return yield* failed("--user must be a name and a password: me:secret")
  if (values.faults !== undefined && !/^[0-9]{1,9}$/.test(values.faults)) {
    return yield* failed(`--faults must be a seed, a number, not ${values.faults}`)
  }
  return yield* serve({
    ...values,
    port: Number(values.port),
    auth: values.auth === undefined ? undefined : { type: values.auth, users: usersOf(values.user) },
    faults: values.faults === undefined ? undefined : { seed: Number(values.faults) }
  })
}).pipe(
  Effect.catchTag("UnknownException", ({ error }) =>
    failed(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
  )
)

NodeRuntime.runMain(main)
