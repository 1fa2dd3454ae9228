import { createServer } from "node:http"
import { fileURLToPath } from "node:url"
import * as HttpClient from "@effect/platform/HttpClient"
import type { ServeError } from "@effect/platform/HttpServerError"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as RegistryClient from "effect-oci/RegistryClient"
import { context } from "esbuild"
import { toHash } from "./image.js"
import * as Sample from "./sample.js"

const servedir = fileURLToPath(new URL(".", import.meta.url))

/** The page, built anew for each request, on port 8000 or the next that is free. */
const page: Effect.Effect<string, never, Scope.Scope> = Effect.gen(function* () {
  const bundler = yield* Effect.acquireRelease(
    Effect.promise(() =>
      context({
        entryPoints: [`${servedir}main.ts`],
        outdir: servedir,
        bundle: true,
        format: "esm",
        target: "es2022",
        write: false
      })
    ),
    (bundler) => Effect.promise(() => bundler.dispose())
  )
  const server = yield* Effect.promise(() => bundler.serve({ servedir, host: "127.0.0.1" }))
  return `http://127.0.0.1:${server.port}/`
})

/** A registry that lets the page in, and nobody else's. */
const registry = (origin: string): Effect.Effect<string, ServeError, Scope.Scope> =>
  Effect.gen(function* () {
    const { app, client } = yield* RegistryServer.make({ cors: [origin] })
    const server = yield* NodeHttpServer.make(createServer, { host: "127.0.0.1", port: 0 })
    const reach = Layer.provide(RegistryClient.layer, Layer.succeed(HttpClient.HttpClient, client))
    yield* Effect.orDie(Effect.provide(Sample.push, reach))
    yield* server.serve(app)
    return server.address._tag === "TcpAddress" ? `127.0.0.1:${server.address.port}` : server.address.path
  })

/** Serves the page and something to look at, and tells the address that shows it. */
export const serve: Effect.Effect<string, ServeError, Scope.Scope> = Effect.gen(function* () {
  const url = yield* page
  const host = yield* registry(new URL(url).origin)
  return `${url}${toHash({ text: `${host}/org/hello:1.1` })}`
})
