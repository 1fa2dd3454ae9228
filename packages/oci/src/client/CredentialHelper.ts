/**
 * Programs that keep credentials: Docker's credential helpers, which are found on the PATH as `docker-credential-<name>`.
 */
import type { CommandExecutor } from "@effect/platform/CommandExecutor"
import type { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Credentials from "./Credentials.js"
import * as Helper from "./internal/credentials/helper.js"
import * as Source from "./internal/credentials/source.js"
import type { CredentialsInvalid } from "./RegistryError.js"

/** An entry of what a helper keeps. */
export interface Listed {
  readonly server: string
  readonly username: string
}

/**
 * A helper, spoken to over its protocol. It is run without a shell, and has 10 seconds and 64 KiB for an answer. A server is
 * one line without spaces; Docker names registries by their host, and Docker Hub `https://index.docker.io/v1/`. A helper
 * that is not there, fails or makes no sense is `CredentialsInvalid`; nothing of what it says is in the error.
 */
export interface CredentialHelper {
  /** What is run: `docker-credential-<name>`. */
  readonly program: string
  /** What is kept for a server; none when there is nothing. */
  readonly get: (server: string) => Effect.Effect<Option.Option<Credentials.Credential>, CredentialsInvalid>
  readonly store: (
    server: string,
    credential: Credentials.Basic | Credentials.IdentityToken
  ) => Effect.Effect<void, CredentialsInvalid>
  readonly erase: (server: string) => Effect.Effect<void, CredentialsInvalid>
  readonly list: Effect.Effect<ReadonlyArray<Listed>, CredentialsInvalid>
}

/** The helper of a name, such as `pass` or `ecr-login`. It is looked for, and its name judged, when it is used. */
export const make: (name: string) => Effect.Effect<CredentialHelper, never, FileSystem | Path | CommandExecutor> =
  Helper.make

/**
 * Credentials from one helper, whatever the registry, without a file that names it. Answers are kept for 5 minutes.
 *
 * ```ts
 * CredentialHelper.layer("ecr-login").pipe(Credentials.forHost("1234.dkr.ecr.eu-west-1.amazonaws.com"))
 * ```
 */
export const layer = (name: string): Layer.Layer<Credentials.Credentials, never, FileSystem | Path | CommandExecutor> =>
  Layer.effect(Credentials.Credentials, Effect.map(make(name), Source.fromHelper))
