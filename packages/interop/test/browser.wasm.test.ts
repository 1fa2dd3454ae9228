import { fileURLToPath } from "node:url"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, layer, makeMethods } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Chromium from "../src/browser/Chromium.js"
import * as ScriptPage from "../src/browser/ScriptPage.js"

const script = fileURLToPath(new URL("../src/browser/wasm.ts", import.meta.url))

/** What a page says to `abc` under a policy. */
const hashed = (policy: string) =>
  Effect.gen(function* () {
    const page = yield* ScriptPage.open(script, { headers: { "content-security-policy": policy } })
    return yield* Effect.promise(() => page.evaluate(() => hashInWasm("abc")))
  })

const chromium = Layer.provide(Chromium.layer, NodeContext.layer)

layer(chromium, { excludeTestServices: true, timeout: "60 seconds" })("hashing in WebAssembly in Chromium", (it) => {
  it.scoped("works in a page that allows it", () =>
    Effect.map(hashed("script-src 'self' 'wasm-unsafe-eval'"), (digest) =>
      assert.strictEqual(digest, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    )
  )

  it.scoped("is a WasmUnavailable in a page that does not", () =>
    Effect.map(hashed("script-src 'self'"), (message) =>
      assert.match(message, /^no hashing in WebAssembly: .*must allow 'wasm-unsafe-eval'$/s)
    )
  )

  // `layer` changes the `it` that all tests of this worker share; this changes it back
  makeMethods(it)
})
