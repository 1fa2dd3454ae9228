import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import type * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { Operation } from "../Operation.js"
import type { ExecuteOptions, Service } from "../RegistryClient.js"
import type { CallError } from "../RegistryError.js"

/** As a client's `execute`, in a Scope that is given: to put one in place costs as much as a policy. */
export interface Within {
  (
    scope: Scope.Scope,
    operation: Operation,
    request: HttpClientRequest,
    options: ExecuteOptions | undefined
  ): Effect.Effect<HttpClientResponse, CallError>
}

const all = new WeakMap<Service["execute"], Within>()

/** Keeps how a client's `execute` sends. One that somebody puts around it has none, and is given a Scope as any effect. */
export const keep = (execute: Service["execute"], within: Within): void => {
  all.set(execute, within)
}

export const by =
  ({ execute }: Service): Within =>
  (scope, operation, request, options) =>
    all.get(execute)?.(scope, operation, request, options) ?? Scope.extend(execute(operation, request, options), scope)
