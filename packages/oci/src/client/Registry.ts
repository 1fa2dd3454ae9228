/**
 * A registry as such: whether it is there and speaks the protocol (end-1).
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { RegistryName } from "../spec/RegistryName.js"
import * as Credentials from "./Credentials.js"
import * as Call from "./internal/call.js"
import * as Request from "./internal/request.js"
import * as RegistryAuth from "./RegistryAuth.js"
import { RegistryClient } from "./RegistryClient.js"
import { type CallError, type CredentialsInvalid, Unsupported } from "./RegistryError.js"

/** What a registry says of itself. */
export interface Info {
  readonly registry: RegistryName
  /** `Docker-Distribution-API-Version`, such as `registry/2.0`. Many registries leave it out. */
  readonly apiVersion?: string | undefined
  /** The software, as the `Server` header names it. */
  readonly server?: string | undefined
}

const request = (registry: RegistryName, accepts: ReadonlyArray<number>) => ({
  operation: Request.onRegistry("registry.ping", registry),
  request: HttpClientRequest.get("/v2/"),
  accepts
})

const ask = (registry: RegistryName, accepts: ReadonlyArray<number>) =>
  Call.head({
    ...request(registry, accepts),
    refused: ({ facts, status }) => (status === 404 ? new Unsupported(facts) : undefined)
  })

/**
 * Asks whether the registry is there and lets us in (end-1). Fails with `Unsupported` when the host knows no `/v2/`.
 */
export const ping: (registry: RegistryName) => Effect.Effect<Info, Unsupported | CallError, RegistryClient> = Effect.fn(
  "oci.registry.ping"
)(function* (registry) {
  yield* Effect.annotateCurrentSpan({ "oci.registry": registry.toString() })
  const { response } = yield* ask(registry, [200])
  return {
    registry,
    apiVersion: response.headers["docker-distribution-api-version"],
    server: response.headers.server
  }
})

/**
 * Whether the host speaks the protocol, signed in or not: it answers `/v2/` with 200, or with 401 and a challenge. Fails
 * only when there is no answer to judge by.
 */
export const supports: (registry: RegistryName) => Effect.Effect<boolean, CallError, RegistryClient> = Effect.fn(
  "oci.registry.supports"
)(function* (registry) {
  yield* Effect.annotateCurrentSpan({ "oci.registry": registry.toString() })
  const { response } = yield* Call.head(request(registry, [200, 401, 404]))
  return response.status === 200 || (response.status === 401 && response.headers["www-authenticate"] !== undefined)
})

/** What a registry was signed in to with. */
export interface SignedIn {
  readonly registry: RegistryName
  /** None for tokens, which do not say whose they are. */
  readonly username?: string | undefined
  /** How the registry wants to be told who asks, such as `Basic` or `Bearer`; none when it does not want to know. */
  readonly scheme?: string | undefined
  /** Where the credential is kept: the path of a file, or a helper's program. None where nothing keeps it. */
  readonly stored?: string | undefined
}

/** A source that knows one thing. All that the one in place does for other registries is left out. */
const only = (registry: RegistryName, credential: Credentials.Credential): Credentials.Service => ({
  lookup: ({ authority }) => Effect.succeed(authority === registry.authority ? Option.some(credential) : Option.none())
})

/**
 * Signs in to a registry: shows it the credential (end-1), and keeps the credential if it is accepted and the `Credentials`
 * in place keep any, as `dockerConfig` and `podmanAuth` do. One that is refused is `Unauthorized`, and nothing is kept.
 *
 * A registry that answers everybody takes any token for good; a user name and a password are shown to it all the same.
 */
export const login: (
  registry: RegistryName,
  entry: Credentials.Entry
) => Effect.Effect<SignedIn, Unsupported | CallError, RegistryClient> = Effect.fn("oci.registry.login")(
  function* (registry, entry) {
    yield* Effect.annotateCurrentSpan({ "oci.registry": registry.toString() })
    const credential = Credentials.fromEntry(entry)
    const client = yield* RegistryClient
    const credentials = yield* client.provide(Credentials.Credentials)
    const asked = Effect.provideService(ask(registry, [200]), Credentials.Credentials, {
      ...only(registry, credential),
      headers: credentials.headers
    })
    const everybody = yield* Effect.provide(ask(registry, [200, 401, 403]), RegistryAuth.layerNone)
    let scheme: string | undefined
    if (everybody.response.status === 200) {
      if (credential._tag === "Basic") yield* Effect.provide(asked, RegistryAuth.layerBasic)
    } else {
      const { response } = yield* asked
      scheme = response.request.headers.authorization?.split(" ")[0]
    }
    const kept = credentials.store === undefined ? Option.none() : yield* credentials.store(registry, credential)
    return {
      registry,
      username: credential._tag === "Basic" ? credential.username : undefined,
      scheme,
      stored: Option.getOrUndefined(kept)
    }
  }
)

/**
 * Forgets what the `Credentials` in place keep for a registry: in all files and helpers that are asked for it. Credentials
 * that a program was given by itself stay.
 */
export const logout: (registry: RegistryName) => Effect.Effect<void, CredentialsInvalid, RegistryClient> = Effect.fn(
  "oci.registry.logout"
)(function* (registry) {
  yield* Effect.annotateCurrentSpan({ "oci.registry": registry.toString() })
  const client = yield* RegistryClient
  const { erase } = yield* client.provide(Credentials.Credentials)
  if (erase !== undefined) yield* erase(registry)
})
