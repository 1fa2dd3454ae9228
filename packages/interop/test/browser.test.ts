import * as NodeContext from "@effect/platform-node/NodeContext"
import { afterAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { type Suites, suites } from "../src/browser/suites.js"
import * as TestPage from "../src/browser/TestPage.js"

const registries: ReadonlyArray<readonly [suite: keyof Suites, name: string]> = [
  ["exposing", "the embedded registry over Chromium's fetch"],
  ["redirecting", "a registry that redirects a page"],
  ["hiding", "a registry that hides its headers from pages"],
  ["closed", "a registry that lets no page in"]
]

// one page for all of them
const runtime = ManagedRuntime.make(Layer.provide(TestPage.layer, NodeContext.layer))
afterAll(() => runtime.dispose())

for (const [suite, name] of registries) {
  describe(name, () => {
    suites[suite]({
      effect: (name) =>
        it(name, () => runtime.runPromise(Effect.flatMap(TestPage.TestPage, ({ run }) => run(suite, name))))
    })
  })
}
