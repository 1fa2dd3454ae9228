/**
 * A transport that ties answers to a Scope by itself. `HttpClient.withScope` does it for every other one, by an
 * `AbortSignal` for each request, which costs as much as sending a small one.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import type * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import type * as Scope from "effect/Scope"

export const TypeId: unique symbol = Symbol.for("effect-oci/ScopedTransport")

/**
 * Sends a request, without a span and without trace headers. What has not been read of the answer when its Scope is closed
 * is given up, and its connection with it.
 */
export interface Execute {
  (request: HttpClientRequest): Effect.Effect<HttpClientResponse, HttpClientError, Scope.Scope>
}

/** Such a transport is an `HttpClient` besides. A client that is made of it, by a middleware, is one like any other. */
export interface ScopedTransport extends HttpClient.HttpClient {
  readonly [TypeId]: Execute
}

export const isScopedTransport = (client: HttpClient.HttpClient): client is ScopedTransport =>
  hasProperty(client, TypeId)

/** What a client sends requests with when their answers belong to a Scope. */
export const of = (client: HttpClient.HttpClient): Execute => {
  if (isScopedTransport(client)) return client[TypeId]
  // the platform's own spans hold whole URLs, and its trace headers go to every host
  const scoped = client.pipe(
    HttpClient.withTracerDisabledWhen(() => true),
    HttpClient.withScope
  )
  return scoped.execute
}
