/**
 * Registries as web pages meet them, each on an origin of its own.
 */
import { gzipSync } from "node:zlib"
import type { ServeError } from "@effect/platform/HttpServerError"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { serve } from "./serve.js"
import { codedContent } from "./suite/hiding.js"
import type { Suites } from "./suites.js"

const exposing = Effect.map(RegistryServer.make({ cors: "*" }), ({ app }) => app)

const anyOrigin = { "access-control-allow-origin": "*" }

/** Lets pages use it, but see no more headers than any page may. */
const hiding = Effect.gen(function* () {
  const { app } = yield* RegistryServer.make({ cors: "*", pageSize: 2 })
  const challenge = HttpServerResponse.empty({ status: 401, headers: { "www-authenticate": "Basic", ...anyOrigin } })
  const coded = HttpServerResponse.uint8Array(gzipSync(codedContent), {
    headers: { "content-encoding": "gzip", ...anyOrigin }
  })
  return Effect.gen(function* () {
    const { method, url } = yield* HttpServerRequest.HttpServerRequest
    if (method === "GET" && url.startsWith("/v2/secret/")) return challenge
    if (method === "GET" && url.startsWith("/v2/coded/")) return coded
    return HttpServerResponse.setHeader(yield* app, "access-control-expose-headers", "")
  })
})

const closed = Effect.map(RegistryServer.make(), ({ app }) => app)

/** Keeps its blobs at another origin, which must not be told who asks; other things it redirects too, as nobody should. */
const redirecting = Effect.gen(function* () {
  const { app } = yield* RegistryServer.make({ cors: "*" })
  const storage = yield* serve(
    Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers }) =>
      headers.authorization === undefined ? app : Effect.succeed(HttpServerResponse.empty({ status: 400 }))
    )
  )
  return Effect.gen(function* () {
    const { headers, method, url } = yield* HttpServerRequest.HttpServerRequest
    const to = (host: string) =>
      HttpServerResponse.empty({
        status: 307,
        headers: { location: `http://${host}${url}`, ...anyOrigin }
      })
    const reading = method === "GET" || method === "HEAD"
    if (reading && url.includes("/manifests/round")) return to(headers.host ?? "")
    if (reading && /\/blobs\/|\/tags\/list/.test(url)) return to(storage)
    if (method === "PUT" && url.includes("/manifests/moved")) return to(storage)
    return yield* app
  })
})

/** One registry for each of the suites, and where it is. */
export const registries: Effect.Effect<Readonly<Record<keyof Suites, string>>, ServeError, Scope.Scope> = Effect.all({
  exposing: Effect.flatMap(exposing, serve),
  hiding: Effect.flatMap(hiding, serve),
  redirecting: Effect.flatMap(redirecting, serve),
  closed: Effect.flatMap(closed, serve)
})
