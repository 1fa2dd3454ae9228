import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Registry from "effect-oci/Registry"
import * as RegistryError from "effect-oci/RegistryError"
import { type It, Subject } from "../../../../oci/test/endpoints/suite/support.js"

export const closed = (it: It): void => {
  it.effect("says that the registry may not let pages in", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Registry.ping(yield* Subject))
      assert(error._tag === "TransportError")
      assert.include(error.reason, `often the registry lets no pages of ${location.origin} in (CORS)`)
      assert.isTrue(RegistryError.isRetryable(error))
    })
  )
}
