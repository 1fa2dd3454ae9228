import { Console, Effect } from "effect"
import { Credentials, type Reference, Registry } from "effect-oci"
import { keychain } from "./registry-login.js"

export const description = "forgets the credential of a registry"

export const program = ({ registry }: Reference.Reference) =>
  Effect.gen(function* () {
    const { lookup } = yield* Credentials.Credentials
    yield* Registry.login(registry, { identityToken: process.env.OCI_TOKEN ?? "secret" })
    yield* Console.log(`kept for ${registry}: ${(yield* lookup(registry))._tag}`)
    yield* Registry.logout(registry)
    yield* Console.log(`after logout: ${(yield* lookup(registry))._tag}`)
  }).pipe(Effect.provide(keychain))
