import { assert, it } from "@effect/vitest"
import { RegistryServer } from "@effect-oci/registry"
import { Effect } from "effect"
import { digestOf } from "../examples/use-compose.js"

// #region test
const MockRegistry = RegistryServer.layerTest({ seed: { "org/app:1.2": { platforms: ["linux/arm64"] } } })

it.effect("finds the digest", () =>
  Effect.gen(function* () {
    assert.isDefined(yield* digestOf("registry.test/org/app:1.2"))
    assert.isUndefined(yield* digestOf("registry.test/org/app:9"))
  }).pipe(Effect.provide(MockRegistry))
)
// #endregion
