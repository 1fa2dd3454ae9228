import { createHash } from "node:crypto"
import { createServer } from "node:http"
import { parseArgs } from "node:util"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Hasher } from "effect-oci/Hasher"
import * as RegistryServer from "../RegistryServer.js"

const usage = `An OCI registry in memory, for tests, demos and work offline. What it has is gone when it stops.

  pnpm registry [options]

  --port <number>   where to listen (default 5000, 0 for any free port)
  --host <address>  default 127.0.0.1: this machine only
  --strict          refuse manifests that name blobs which were not pushed
  --cors            let web pages of any origin use it
  --help`

const howTo = (host: string) => `An OCI registry listens on http://${host}, with nothing in it. Ctrl-C stops it.

  skopeo copy --dest-tls-verify=false docker://alpine:3 docker://${host}/library/alpine:3
  crane copy alpine:3 ${host}/library/alpine:3
  oras push --plain-http ${host}/notes:1 README.md
  curl http://${host}/v2/_catalog
`

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
}

const logged = (app: RegistryServer.Service["app"]): RegistryServer.Service["app"] =>
  Effect.gen(function* () {
    const { method, url } = yield* HttpServerRequest.HttpServerRequest
    const [elapsed, response] = yield* Effect.timed(app)
    // Without the query, where a client may have put what it keeps to itself.
    yield* Console.log(`${method} ${url.split("?", 1)} ${response.status} ${Duration.toMillis(elapsed).toFixed(1)} ms`)
    return response
  })

const serve = (options: Options) =>
  Effect.gen(function* () {
    const { app } = yield* RegistryServer.RegistryServer
    const server = yield* HttpServer.HttpServer
    yield* server.serve(logged(app))
    const port = server.address._tag === "TcpAddress" ? server.address.port : options.port
    yield* Console.log(howTo(`${options.host.includes(":") ? `[${options.host}]` : options.host}:${port}`))
    return yield* Effect.never
  }).pipe(
    Effect.scoped,
    Effect.provide([
      Layer.provide(
        RegistryServer.layer({ sparse: !options.strict, cors: options.cors ? "*" : undefined }),
        HasherLive
      ),
      // An upload may take longer than the five minutes that Node grants a request.
      NodeHttpServer.layer(() => createServer({ requestTimeout: 0 }), { port: options.port, host: options.host })
    ]),
    Effect.catchTag("ServeError", (error) =>
      failed(`cannot listen on ${options.host}:${options.port}: ${String(error.cause)}`)
    )
  )

const failed = (message: string): Effect.Effect<void> =>
  Effect.zipRight(
    Console.error(message),
    Effect.sync(() => {
      process.exitCode = 1
    })
  )

const main = Effect.gen(function* () {
  const { values } = yield* Effect.try(() =>
    parseArgs({
      args: process.argv.slice(2).filter((argument) => argument !== "--"),
      options: {
        port: { type: "string", default: "5000" },
        host: { type: "string", default: "127.0.0.1" },
        strict: { type: "boolean", default: false },
        cors: { type: "boolean", default: false },
        help: { type: "boolean", default: false }
      }
    })
  )
  if (values.help) return yield* Console.log(usage)
  if (!/^[0-9]{1,5}$/.test(values.port)) return yield* failed(`--port must be a number, not ${values.port}`)
  return yield* serve({ ...values, port: Number(values.port) })
}).pipe(
  Effect.catchTag("UnknownException", ({ error }) =>
    failed(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
  )
)

NodeRuntime.runMain(main)
