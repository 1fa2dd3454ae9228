/**
 * A place for the user's own: rewrite paths, add headers, record, cache. It sees each request of an operation before
 * retries and authentication, and the final answer after them.
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { Operation } from "./Operation.js"
import type { CallError } from "./RegistryError.js"

/** An `HttpClient` within this library: its failures are ours. */
export interface Client extends HttpClient.HttpClient.With<CallError> {}

/**
 * Makes a client of the next one. It is applied anew for each request and keeps no state of its own. Headers that it
 * adds do not go along to other hosts.
 */
export interface Middleware {
  (operation: Operation, next: Client): Client
}

/** Changes nothing. */
export const none: Middleware = (_, next) => next

/** The user's own middleware; `none` by default. */
export class RegistryMiddleware extends Context.Reference<RegistryMiddleware>()("effect-oci/RegistryMiddleware", {
  defaultValue: () => none
}) {}

/** Puts a middleware in place: `layer((operation, next) => HttpClient.mapRequest(next, …))`. */
export const layer = (middleware: Middleware): Layer.Layer<RegistryMiddleware> =>
  Layer.succeed(RegistryMiddleware, middleware)
