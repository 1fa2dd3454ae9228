/**
 * Who we are to a registry. How that is said is `RegistryAuth`'s business.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { InvalidReference } from "../spec/RegistryName.js"
import * as RegistryName from "../spec/RegistryName.js"
import type { Repository } from "../spec/Repository.js"
import type { CredentialsInvalid } from "./RegistryError.js"

export interface Basic {
  readonly _tag: "Basic"
  readonly username: string
  readonly password: Redacted.Redacted
}

/** A bearer token that the registry takes as it is. */
export interface Token {
  readonly _tag: "Token"
  readonly token: Redacted.Redacted
}

/** A refresh token: the registry's token service gives bearer tokens for it. Docker's `identitytoken`. */
export interface IdentityToken {
  readonly _tag: "IdentityToken"
  readonly token: Redacted.Redacted
}

export type Credential = Basic | Token | IdentityToken

/** How a credential is looked up. */
export interface LookupOptions {
  /** Asks the source again, past whatever it keeps: the registry did not accept what it got. */
  readonly fresh?: boolean | undefined
}

export interface Service {
  /** The credential for a repository of a registry, or for the registry as such; none means anonymous. */
  readonly lookup: (
    registry: RegistryName.RegistryName,
    repository?: Repository | undefined,
    options?: LookupOptions
  ) => Effect.Effect<Option.Option<Credential>, CredentialsInvalid>
}

/** Where credentials come from. By default there are none. */
export class Credentials extends Context.Reference<Credentials>()("effect-oci/Credentials", {
  defaultValue: (): Service => ({ lookup: () => Effect.succeedNone })
}) {}

const redacted = (secret: string | Redacted.Redacted): Redacted.Redacted =>
  Redacted.isRedacted(secret) ? secret : Redacted.make(secret)

/** What `fromRecord` takes for a host: a user name with a password, or a token. */
export type Entry =
  | { readonly username: string; readonly password: string | Redacted.Redacted }
  | { readonly token: string | Redacted.Redacted }

const credential = (entry: Entry): Credential =>
  "token" in entry
    ? { _tag: "Token", token: redacted(entry.token) }
    : { _tag: "Basic", username: entry.username, password: redacted(entry.password) }

/** Credentials by registry: `{ "ghcr.io": { username: "me", password } }`. All of Docker Hub's names are one. */
export const fromRecord = (record: {
  readonly [registry: string]: Entry
}): Layer.Layer<Credentials, InvalidReference> =>
  Layer.effect(
    Credentials,
    Effect.gen(function* () {
      const byName = new Map<string, Credential>()
      for (const [text, entry] of Object.entries(record)) {
        const name = yield* RegistryName.parse(text)
        byName.set(name.toString(), credential(entry))
      }
      return { lookup: (registry) => Effect.succeed(Option.fromNullable(byName.get(registry.toString()))) }
    })
  )

/** A user name and password for one registry. */
export const basic = (
  registry: string,
  username: string,
  password: string | Redacted.Redacted
): Layer.Layer<Credentials, InvalidReference> => fromRecord({ [registry]: { username, password } })

/** A bearer token for one registry. */
export const token = (
  registry: string,
  token: string | Redacted.Redacted
): Layer.Layer<Credentials, InvalidReference> => fromRecord({ [registry]: { token } })
