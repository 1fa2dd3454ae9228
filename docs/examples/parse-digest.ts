import { Console, Effect, Option } from "effect"
import { Descriptor, Digest } from "effect-oci"

export const description = "a digest and its parts"

export const program = (text: string = Descriptor.empty.digest) =>
  Effect.gen(function* () {
    const digest = yield* Digest.parse(text)
    yield* Console.log(`algorithm: ${Digest.algorithm(digest)}`)
    yield* Console.log(`encoded: ${Digest.encoded(digest)}`)
    yield* Console.log(`content can be verified: ${Option.isSome(Digest.verifiable(digest))}`)
  })
