/**
 * The page that tests run in.
 */
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"
import type { CommandExecutor } from "@effect/platform/CommandExecutor"
import type { ServeError } from "@effect/platform/HttpServerError"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { build } from "esbuild"
import type { ToolMissing } from "../Tool.js"
import * as Chromium from "./Chromium.js"
import * as Origins from "./origins.js"
import type { Suites } from "./suites.js"

/** What went wrong in the page, with the page's own stack. */
export class TestFailed extends Data.TaggedError("TestFailed")<{ readonly message: string }> {}

export class TestPage extends Context.Tag("@effect-oci/interop/TestPage")<
  TestPage,
  { readonly run: (suite: keyof Suites, name: string) => Effect.Effect<void, TestFailed> }
>() {}

const { resolve } = createRequire(createRequire(import.meta.url).resolve("vitest/package.json"))

const script = Effect.promise(() =>
  build({
    entryPoints: [fileURLToPath(new URL("page.ts", import.meta.url))],
    // a page has no vitest; its `assert` is chai's
    alias: { "@effect/vitest": resolve("chai") },
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false
  })
).pipe(Effect.map(({ outputFiles: [file] }) => file?.text ?? ""))

const html =
  '<!doctype html><title>tests</title><link rel="icon" href="data:," /><script type="module" src="/page.js"></script>'

/** A page on an origin of its own, and the registries on theirs. */
export const layer: Layer.Layer<TestPage, ToolMissing | ServeError, CommandExecutor> = Layer.scoped(
  TestPage,
  Effect.gen(function* () {
    const page = HttpServerResponse.text(html, { contentType: "text/html" })
    const code = HttpServerResponse.text(yield* script, { contentType: "text/javascript" })
    const host = yield* Origins.serve(
      Effect.map(HttpServerRequest.HttpServerRequest, ({ url }) => (url === "/page.js" ? code : page))
    )
    const registries = yield* Origins.registries
    const { open } = yield* Chromium.Chromium
    const tab = yield* open(`http://${host}/`)
    return {
      run: (suite, name) =>
        Effect.promise(() =>
          tab.evaluate(([suite, name, host]) => globalThis.runTest(suite, name, host), [
            suite,
            name,
            registries[suite]
          ] as const)
        ).pipe(Effect.flatMap((message) => (message === undefined ? Effect.void : new TestFailed({ message }))))
    }
  })
).pipe(Layer.provide(Chromium.layer))
