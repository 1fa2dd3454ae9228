/**
 * How we say who we are.
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type { Credential, LookupOptions } from "./Credentials.js"
import * as Identity from "./internal/auth/identity.js"
import * as SignIn from "./internal/auth/signIn.js"
import * as Client from "./internal/client.js"
import * as Facts from "./internal/facts.js"
import type { Operation } from "./Operation.js"
import type { Service as OriginPolicy } from "./OriginPolicy.js"
import { type CallError, CredentialsInvalid } from "./RegistryError.js"
import type { Host } from "./RegistryHosts.js"
import type { RegistryMemory } from "./RegistryMemory.js"
import type { Client as RegistryHttpClient } from "./RegistryMiddleware.js"

/** What a way of signing in is given for each request. */
export interface Request {
  readonly operation: Operation
  /** Where the registry is. */
  readonly host: Host
  /** Looks the credential up; only when it is asked for. Fails where it must not be sent. */
  readonly credential: (options?: LookupOptions) => Effect.Effect<Option.Option<Credential>, CallError>
  /**
   * Sends a request to a token service as it is: bounded, seen by observers and retried like any other, but neither signed
   * in nor redirected. Its URL must have passed the origin policy.
   */
  readonly exchange: RegistryHttpClient
  readonly policy: OriginPolicy
  readonly memory: RegistryMemory
}

/** A way of signing in: a middleware that is told whose credential to use. */
export interface Service {
  (request: Request, next: RegistryHttpClient): RegistryHttpClient
}

const none: Service = (_, next) => next

const basic: Service = ({ credential, operation }, next) =>
  Client.make((request) =>
    Effect.flatMap(credential(), (found) => {
      if (found._tag === "None") return next.execute(request)
      const invalid = Identity.fault(found.value)
      return invalid === undefined
        ? next.execute(HttpClientRequest.setHeader(request, "authorization", Identity.header(found.value)))
        : new CredentialsInvalid({ ...Facts.ofRequest(operation, request.method, request.url), reason: invalid })
    })
  )

/** The way of signing in; by default as the registry's challenges ask for. */
export class RegistryAuth extends Context.Reference<RegistryAuth>()("effect-oci/RegistryAuth", {
  defaultValue: (): Service => SignIn.challenged
}) {}

/**
 * Signs in as the registry's challenges ask for: with a token of the token service that it names, for what the request
 * needs, or else with the user name and password. Nothing is sent before it is asked for; once it is known how, requests
 * sign in without being asked. Tokens are kept until shortly before they expire and fetched once for all that wait, and the
 * origin policy decides which token services get credentials. Each request is sent once more at most. This is the default.
 */
export const layer: Layer.Layer<RegistryAuth> = Layer.succeed(RegistryAuth, SignIn.challenged)

/** Never signs in, whatever credentials there are. */
export const layerNone: Layer.Layer<RegistryAuth> = Layer.succeed(RegistryAuth, none)

/**
 * Sends the credential with every request to its registry, without waiting for a challenge: a user name and password as
 * `Basic` in UTF-8, a token as `Bearer`.
 */
export const layerBasic: Layer.Layer<RegistryAuth> = Layer.succeed(RegistryAuth, basic)
