import { RegistryServer } from "@effect-oci/registry"
import { Console, Effect } from "effect"
import { digestOf } from "./use-compose.js"

export const description = "runs on a mock registry, seeded in one line; no socket, whatever the host is called"

const MockRegistry = RegistryServer.layerTest({ seed: { "org/app:1.2": { platforms: ["linux/arm64"] } } })

export const program = () =>
  Effect.gen(function* () {
    yield* Console.log(`1.2 is ${yield* digestOf("registry.test/org/app:1.2")}`)
    yield* Console.log(`9 is ${yield* digestOf("registry.test/org/app:9")}`)
  }).pipe(Effect.provide(MockRegistry))
