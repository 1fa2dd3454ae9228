import { Console, Effect } from "effect"
import { type Reference, Registry } from "effect-oci"

export const description = "end-1: whether a host is a registry at all, signed in or not"

export const program = ({ registry }: Reference.Reference) =>
  Effect.gen(function* () {
    const supported = yield* Registry.supports(registry)
    yield* Console.log(`${registry} ${supported ? "is" : "is not"} a registry`)
  })
