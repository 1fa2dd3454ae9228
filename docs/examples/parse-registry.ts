import { Console, Effect } from "effect"
import { RegistryName } from "effect-oci"

export const description = "a registry's name"

export const program = (text = "https://index.docker.io/v1/") =>
  Effect.gen(function* () {
    const registry = yield* RegistryName.parse(text)
    yield* Console.log(`name: ${registry}`)
    yield* Console.log(`Docker Hub: ${registry.official}`)
    yield* Console.log(`API at: ${registry.apiAuthority}`)
    yield* Console.log(`this machine: ${registry.isLoopback}`)
  })
