import { Console, Effect } from "effect"
import { type Reference, Registry } from "effect-oci"

export const description = "end-1: whether a registry is there and lets us in"

export const program = ({ registry }: Reference.Reference) =>
  Effect.gen(function* () {
    const { apiVersion, server } = yield* Registry.ping(registry)
    yield* Console.log(`${registry} is there`)
    yield* Console.log(`API: ${apiVersion ?? "it does not say"}, software: ${server ?? "it does not say"}`)
  })
