/**
 * A registry as such: whether it is there and speaks the protocol (end-1).
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import type { RegistryName } from "../spec/RegistryName.js"
import * as Call from "./internal/call.js"
import * as Request from "./internal/request.js"
import type { RegistryClient } from "./RegistryClient.js"
import { type CallError, Unsupported } from "./RegistryError.js"

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

/**
 * Asks whether the registry is there and lets us in (end-1). Fails with `Unsupported` when the host knows no `/v2/`.
 */
export const ping: (registry: RegistryName) => Effect.Effect<Info, Unsupported | CallError, RegistryClient> = Effect.fn(
  "oci.registry.ping"
)(function* (registry) {
  yield* Effect.annotateCurrentSpan({ "oci.registry": registry.toString() })
  const { response } = yield* Call.head({
    ...request(registry, [200]),
    refused: ({ facts, status }) => (status === 404 ? new Unsupported(facts) : undefined)
  })
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
