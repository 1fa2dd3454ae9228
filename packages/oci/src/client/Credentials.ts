/**
 * Who we are to a registry. How that is said is `RegistryAuth`'s business.
 */
import type { CommandExecutor } from "@effect/platform/CommandExecutor"
import type { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { InvalidReference } from "../spec/RegistryName.js"
import * as RegistryName from "../spec/RegistryName.js"
import type { Repository } from "../spec/Repository.js"
import * as Combine from "./internal/credentials/combine.js"
import * as Keys from "./internal/credentials/keys.js"
import * as Places from "./internal/credentials/places.js"
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

/** A source of credentials. `lookup` is all that one needs; the rest are abilities that it may have. */
export interface Service {
  /** The credential for a repository of a registry, or for the registry as such; none means anonymous. */
  readonly lookup: (
    registry: RegistryName.RegistryName,
    repository?: Repository | undefined,
    options?: LookupOptions
  ) => Effect.Effect<Option.Option<Credential>, CredentialsInvalid>
  /**
   * Headers that the user wants sent to a registry with every request. They are treated as secrets: only the registry's own
   * origin gets them, over https or where credentials may be sent in plain text.
   */
  readonly headers?:
    | ((
        registry: RegistryName.RegistryName
      ) => Effect.Effect<Readonly<Record<string, Redacted.Redacted>>, CredentialsInvalid>)
    | undefined
  /**
   * Keeps a credential for a registry, in place of what is kept, and says where: the path of a file, or a program. None
   * means that this source does not keep it.
   */
  readonly store?:
    | ((
        registry: RegistryName.RegistryName,
        credential: Credential
      ) => Effect.Effect<Option.Option<string>, CredentialsInvalid>)
    | undefined
  /** Forgets what is kept for a registry; nothing happens when there is nothing. What is kept for its repositories stays. */
  readonly erase?: ((registry: RegistryName.RegistryName) => Effect.Effect<void, CredentialsInvalid>) | undefined
}

/** Where credentials come from. By default there are none. */
export class Credentials extends Context.Reference<Credentials>()("effect-oci/Credentials", {
  defaultValue: (): Service => ({ lookup: () => Effect.succeedNone })
}) {}

/** No credentials, whatever there is around. */
export const anonymous: Layer.Layer<Credentials> = Layer.succeed(Credentials, { lookup: () => Effect.succeedNone })

const redacted = (secret: string | Redacted.Redacted): Redacted.Redacted =>
  Redacted.isRedacted(secret) ? secret : Redacted.make(secret)

/** A credential as users write it: a user name with a password, a bearer token, or a refresh token. */
export type Entry =
  | { readonly username: string; readonly password: string | Redacted.Redacted }
  | { readonly token: string | Redacted.Redacted }
  | { readonly identityToken: string | Redacted.Redacted }

/** The credential that an entry means. */
export const fromEntry = (entry: Entry): Credential => {
  if ("token" in entry) return { _tag: "Token", token: redacted(entry.token) }
  if ("identityToken" in entry) return { _tag: "IdentityToken", token: redacted(entry.identityToken) }
  return { _tag: "Basic", username: entry.username, password: redacted(entry.password) }
}

/**
 * Credentials by registry, or by a part of one: `{ "ghcr.io": { username: "me", password }, "quay.io/org": { token } }`.
 * The longest key that a repository's name begins with counts. All of Docker Hub's names are one.
 */
export const fromRecord = (record: {
  readonly [registry: string]: Entry
}): Layer.Layer<Credentials, InvalidReference> =>
  Layer.effect(
    Credentials,
    Effect.gen(function* () {
      const byKey = new Map<string, Credential>()
      for (const [text, entry] of Object.entries(record)) byKey.set(yield* Keys.fromUser(text), fromEntry(entry))
      return Combine.fromMap(byKey)
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

/** One credential, read from Effect's `Config`. */
export type ConfigEntry = { readonly registry: string | Config.Config<string> } & (
  | { readonly username: string | Config.Config<string>; readonly password: Config.Config<Redacted.Redacted> }
  | { readonly token: Config.Config<Redacted.Redacted> }
  | { readonly identityToken: Config.Config<Redacted.Redacted> }
)

const config = (text: string | Config.Config<string>): Config.Config<string> =>
  typeof text === "string" ? Config.succeed(text) : text

/**
 * A credential from the environment, or wherever the `ConfigProvider` in place gets it:
 *
 * ```ts
 * Credentials.layerConfig({
 *   registry: "ghcr.io",
 *   username: Config.string("GITHUB_ACTOR"),
 *   password: Config.redacted("GITHUB_TOKEN")
 * })
 * ```
 */
export const layerConfig = (
  entry: ConfigEntry
): Layer.Layer<Credentials, ConfigError.ConfigError | InvalidReference> => {
  const secret: Config.Config<Entry> =
    "token" in entry
      ? Config.all({ token: entry.token })
      : "identityToken" in entry
        ? Config.all({ identityToken: entry.identityToken })
        : Config.all({ username: config(entry.username), password: entry.password })
  return Layer.unwrapEffect(
    Effect.map(Config.all([config(entry.registry), secret]), ([registry, secret]) => fromRecord({ [registry]: secret }))
  )
}

/**
 * Docker's credentials: those of `DOCKER_AUTH_CONFIG`, a config.json in a variable, and then of `config.json` in
 * `DOCKER_CONFIG` or `~/.docker`. The helper that `credHelpers` names for a host is asked first, or else that of
 * `credsStore`, and then `auths`; `HttpHeaders` are sent as well. A file that is not there or empty has no credentials; one
 * that cannot be read, and a helper that is not there, is the failure of each lookup that needs it. Files are read again
 * after a minute, helpers asked again after five, and at once when a registry did not accept what they gave.
 *
 * `Registry.login` keeps credentials in the file or with its helper.
 */
export const dockerConfig: Layer.Layer<Credentials, never, FileSystem | Path | CommandExecutor> = Layer.effect(
  Credentials,
  Places.docker
)

/**
 * Podman's credentials, which Skopeo and Buildah share: those of `REGISTRY_AUTH_FILE` alone, or else of
 * `containers/auth.json` in `XDG_RUNTIME_DIR`, then in `XDG_CONFIG_HOME` or `~/.config`, and then of Docker's file. All else is
 * as in `dockerConfig`.
 */
export const podmanAuth: Layer.Layer<Credentials, never, FileSystem | Path | CommandExecutor> = Layer.effect(
  Credentials,
  Places.podman
)

/**
 * What tools on this machine go by: Docker's credentials, and Podman's for what Docker does not know, as the default keychain of
 * go-containerregistry has them. As `dockerConfig` or else `podmanAuth`, but nothing is read or asked twice.
 */
export const defaultKeychain: Layer.Layer<Credentials, never, FileSystem | Path | CommandExecutor> = Layer.effect(
  Credentials,
  Places.keychain
)

/** The credentials in regctl's own file, `REGCTL_CONFIG` or `~/.regctl/config.json`. It is only read. */
export const regctl: Layer.Layer<Credentials, never, FileSystem | Path | CommandExecutor> = Layer.effect(
  Credentials,
  Places.regctl
)

const map = <E, R>(self: Layer.Layer<Credentials, E, R>, change: (service: Service) => Service) =>
  Layer.map(self, (context) => Context.make(Credentials, change(Context.get(context, Credentials))))

/**
 * The first credential that there is. A source that fails is a failure, never a reason to use another's credentials.
 * `Registry.login` keeps credentials in the first of the two that can, `Registry.logout` makes both forget.
 *
 * ```ts
 * Credentials.orElse(Credentials.defaultKeychain, Credentials.regctl)
 * ```
 */
export const orElse: {
  <E2, R2>(
    second: Layer.Layer<Credentials, E2, R2>
  ): <E, R>(first: Layer.Layer<Credentials, E, R>) => Layer.Layer<Credentials, E | E2, R | R2>
  <E, R, E2, R2>(
    first: Layer.Layer<Credentials, E, R>,
    second: Layer.Layer<Credentials, E2, R2>
  ): Layer.Layer<Credentials, E | E2, R | R2>
} = dual(2, <E, R, E2, R2>(first: Layer.Layer<Credentials, E, R>, second: Layer.Layer<Credentials, E2, R2>) =>
  Layer.zipWith(first, second, (first, second) =>
    Context.make(Credentials, Combine.orElse(Context.get(first, Credentials), Context.get(second, Credentials)))
  )
)

/**
 * Keeps the answers of a source for some time, for each registry and repository, and asks it once for all who want the same
 * one. Failures are not kept. A registry that does not accept an answer has it asked for again at once.
 */
export const cached: {
  (timeToLive: Duration.DurationInput): <E, R>(self: Layer.Layer<Credentials, E, R>) => Layer.Layer<Credentials, E, R>
  <E, R>(self: Layer.Layer<Credentials, E, R>, timeToLive: Duration.DurationInput): Layer.Layer<Credentials, E, R>
} = dual(2, <E, R>(self: Layer.Layer<Credentials, E, R>, timeToLive: Duration.DurationInput) =>
  map(self, (service) => Combine.cached(service, timeToLive))
)

/** A source for one registry alone; it is neither asked for nor told of any other. */
export const forHost: {
  (registry: string): <E, R>(self: Layer.Layer<Credentials, E, R>) => Layer.Layer<Credentials, E | InvalidReference, R>
  <E, R>(self: Layer.Layer<Credentials, E, R>, registry: string): Layer.Layer<Credentials, E | InvalidReference, R>
} = dual(2, <E, R>(self: Layer.Layer<Credentials, E, R>, registry: string) =>
  Layer.unwrapEffect(
    Effect.map(RegistryName.parse(registry), (name) => map(self, (service) => Combine.forHost(service, name)))
  )
)
