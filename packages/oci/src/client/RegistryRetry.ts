/**
 * Whether and when a request is made again.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { Middleware } from "./RegistryMiddleware.js"

const none: Middleware = (_, next) => next

/** Retries as a middleware. By default each request is made once. */
export class RegistryRetry extends Context.Reference<RegistryRetry>()("effect-oci/RegistryRetry", {
  defaultValue: (): Middleware => none
}) {}

/** No retries: the first answer counts. */
export const layerNone: Layer.Layer<RegistryRetry> = Layer.succeed(RegistryRetry, none)
