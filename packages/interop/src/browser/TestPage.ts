/**
 * The page that tests run in.
 */
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"
import type { CommandExecutor } from "@effect/platform/CommandExecutor"
import type { ServeError } from "@effect/platform/HttpServerError"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ToolMissing } from "../Tool.js"
import * as Chromium from "./Chromium.js"
import * as Origins from "./origins.js"
import * as ScriptPage from "./ScriptPage.js"
import type { Suites } from "./suites.js"

/** What went wrong in the page, with the page's own stack. */
export class TestFailed extends Data.TaggedError("TestFailed")<{ readonly message: string }> {}

export class TestPage extends Context.Tag("@effect-oci/interop/TestPage")<
  TestPage,
  { readonly run: (suite: keyof Suites, name: string) => Effect.Effect<void, TestFailed> }
>() {}

const { resolve } = createRequire(createRequire(import.meta.url).resolve("vitest/package.json"))

// a page has no vitest; its `assert` is chai's
const alias = { "@effect/vitest": resolve("chai") }

/** A page on an origin of its own, and the registries on theirs. */
export const layer: Layer.Layer<TestPage, ToolMissing | ServeError, CommandExecutor> = Layer.scoped(
  TestPage,
  Effect.gen(function* () {
    const tab = yield* ScriptPage.open(fileURLToPath(new URL("page.ts", import.meta.url)), { build: { alias } })
    const registries = yield* Origins.registries
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
