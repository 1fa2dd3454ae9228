import { Console, Effect } from "effect"
import { Repository } from "effect-oci"

export const description = "a repository and its names"

export const program = (text = "mongo") =>
  Effect.gen(function* () {
    const repository = yield* Repository.parse(text)
    yield* Console.log(`registry: ${repository.registry}`)
    yield* Console.log(`official: ${repository.official}`)
    yield* Console.log(`remote name: ${repository.remoteName}`)
    yield* Console.log(`local name: ${repository.localName}`)
    yield* Console.log(`canonical name: ${repository.canonicalName}`)
  })
