/**
 * Whether and when a request is made again.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { Operation } from "./Operation.js"
import type { RegistryMemory } from "./RegistryMemory.js"
import type { Client } from "./RegistryMiddleware.js"

/** What a way of retrying is given for each call. */
export interface Request {
  readonly operation: Operation
  readonly memory: RegistryMemory
}

/** A way of retrying: a client that makes requests of the next one until it is content. */
export interface Service {
  (request: Request, next: Client): Client
}

/** Makes each request once. */
export const none: Service = (_, next) => next

/** Retries as a middleware. By default each request is made once. */
export class RegistryRetry extends Context.Reference<RegistryRetry>()("effect-oci/RegistryRetry", {
  defaultValue: (): Service => none
}) {}

/** No retries: the first answer counts. */
export const layerNone: Layer.Layer<RegistryRetry> = Layer.succeed(RegistryRetry, none)
