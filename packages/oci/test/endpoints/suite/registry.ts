import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Registry from "effect-oci/Registry"
import { type It, Subject } from "./support.js"

export const registry = (it: It): void => {
  it.effect("end-1 answers a ping", () =>
    Effect.gen(function* () {
      const name = yield* Subject
      const info = yield* Registry.ping(name)
      assert.strictEqual(info.registry, name)
      assert.strictEqual(info.apiVersion, "registry/2.0")
    })
  )

  it.effect("end-1 is known to speak the protocol", () =>
    Effect.gen(function* () {
      assert.isTrue(yield* Registry.supports(yield* Subject))
    })
  )
}
