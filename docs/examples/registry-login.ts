import { Config, Console, Effect, Layer, Option, Redacted } from "effect"
import { Credentials, type Reference, Registry } from "effect-oci"

export const description = "end-1: signs in, and keeps the credential if the registry takes it"

/** Lasts as long as the program. `Credentials.dockerConfig` keeps credentials where Docker does. */
// #region keychain
export const keychain = Layer.sync(Credentials.Credentials, () => {
  const kept = new Map<string, Credentials.Credential>()
  return {
    lookup: (registry) => Effect.sync(() => Option.fromNullable(kept.get(registry.authority))),
    store: (registry, credential) =>
      Effect.sync(() => {
        kept.set(registry.authority, credential)
        return Option.some("memory")
      }),
    erase: (registry) => Effect.sync(() => void kept.delete(registry.authority))
  }
})
// #endregion

const credential = Config.all({
  username: Config.withDefault(Config.string("OCI_USERNAME"), "me"),
  password: Config.withDefault(Config.redacted("OCI_PASSWORD"), Redacted.make("secret"))
})

export const program = ({ registry }: Reference.Reference) =>
  Effect.gen(function* () {
    const { username, password } = yield* credential
    const { scheme, stored } = yield* Registry.login(registry, { username, password })
    yield* Console.log(`signed in to ${registry} as ${username}, by ${scheme ?? "no scheme: it answers everybody"}`)
    yield* Console.log(`kept in ${stored ?? "nothing"}`)
  }).pipe(Effect.provide(keychain))
