/**
 * Pages that are nothing but a script.
 */
import type { ServeError } from "@effect/platform/HttpServerError"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type BuildOptions, build } from "esbuild"
import type { Page } from "playwright-core"
import * as Chromium from "./Chromium.js"
import { serve } from "./serve.js"

/** A module with all that it imports, as pages load it. */
export const bundle = (options: BuildOptions): Effect.Effect<Uint8Array> =>
  Effect.promise(() => build({ bundle: true, format: "esm", target: "es2022", ...options, write: false })).pipe(
    Effect.map(({ outputFiles: [file] }) => file?.contents ?? new Uint8Array())
  )

/** Shows a page that runs a module. */
export const open = (
  module: string,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly build?: BuildOptions } = {}
): Effect.Effect<Page, ServeError, Chromium.Chromium | Scope.Scope> =>
  Effect.gen(function* () {
    const script = yield* bundle({ entryPoints: [module], ...options.build })
    const code = HttpServerResponse.uint8Array(script, { contentType: "text/javascript" })
    const html = HttpServerResponse.text(
      '<!doctype html><link rel="icon" href="data:," /><script type="module" src="/page.js"></script>',
      { contentType: "text/html", headers: options.headers ?? {} }
    )
    const host = yield* serve(
      Effect.map(HttpServerRequest.HttpServerRequest, ({ url }) => (url === "/page.js" ? code : html))
    )
    const { open } = yield* Chromium.Chromium
    return yield* open(`http://${host}/`)
  })
