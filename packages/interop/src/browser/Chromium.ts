/**
 * Debian's Chromium, without a window.
 */
import type { CommandExecutor } from "@effect/platform/CommandExecutor"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { chromium, type Page } from "playwright-core"
import * as Tool from "../Tool.js"

export class Chromium extends Context.Tag("@effect-oci/interop/Chromium")<
  Chromium,
  {
    /** Shows a page, as nobody who was there before, until its scope ends. */
    readonly open: (url: string, options?: { readonly dark?: boolean }) => Effect.Effect<Page, never, Scope.Scope>
  }
>() {}

/** It runs as root, on a machine whose network may be closed: it is not to call home. */
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync"
]

export const layer: Layer.Layer<Chromium, Tool.ToolMissing, CommandExecutor> = Layer.scoped(
  Chromium,
  Effect.gen(function* () {
    yield* Tool.program(Tool.chromium)
    const browser = yield* Effect.acquireRelease(
      Effect.promise(() => chromium.launch({ executablePath: "/usr/bin/chromium", args: flags })),
      (browser) => Effect.promise(() => browser.close())
    )
    return {
      open: (url, { dark = false } = {}) =>
        Effect.gen(function* () {
          const context = yield* Effect.acquireRelease(
            Effect.promise(() => browser.newContext({ colorScheme: dark ? "dark" : "light" })),
            (context) => Effect.promise(() => context.close())
          )
          const page = yield* Effect.promise(() => context.newPage())
          yield* Effect.promise(() => page.goto(url))
          return page
        })
    }
  })
)
