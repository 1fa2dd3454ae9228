/**
 * A transport that ties answers to a Scope, and bounds the wait for them, by itself. For every other one the client does it,
 * by an `AbortSignal` and a fiber for each request, which cost as much as sending a small one.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import type * as Scope from "effect/Scope"

export const TypeId: unique symbol = Symbol.for("effect-oci/ScopedTransport")

/** The code of the cause with which a request fails whose answer was waited for too long. */
export const late = "ERR_ANSWER_TIMEOUT"

/**
 * Sends a request, without a span and without trace headers. What has not been read of the answer when the Scope is closed is
 * given up, and its connection with it. When no answer has begun within `limit` milliseconds, the request is given up and
 * fails with `late`.
 */
export interface Send {
  (request: HttpClientRequest, scope: Scope.Scope, limit: number): Effect.Effect<HttpClientResponse, HttpClientError>
}

/**
 * Whether chunks of an answer's body may be filled again when `BlobFiles` has written them; `false` by default. Who asks for
 * that hands on all of them, and keeps none.
 */
export class Refilled extends Context.Reference<Refilled>()("effect-oci/ScopedTransport/Refilled", {
  defaultValue: () => false
}) {}

/** Such a transport is an `HttpClient` besides. A client that is made of it, by a middleware, is one like any other. */
export interface ScopedTransport extends HttpClient.HttpClient {
  readonly [TypeId]: Send
}

export const isScopedTransport = (client: HttpClient.HttpClient): client is ScopedTransport =>
  hasProperty(client, TypeId)

/** What a client sends requests with. */
export interface Transport {
  /** The answer belongs to the Scope. */
  readonly execute: (request: HttpClientRequest) => Effect.Effect<HttpClientResponse, HttpClientError, Scope.Scope>
  /** Where the transport can do it by itself. */
  readonly send?: Send
}

/** How a client sends requests over an `HttpClient`, whichever it is. */
export const of = (client: HttpClient.HttpClient): Transport => {
  if (isScopedTransport(client)) {
    const send = client[TypeId]
    return {
      execute: (request) => Effect.scopeWith((scope) => send(request, scope, Number.POSITIVE_INFINITY)),
      send
    }
  }
  // the platform's own spans hold whole URLs, and its trace headers go to every host
  const { execute } = client.pipe(
    HttpClient.withTracerDisabledWhen(() => true),
    HttpClient.withScope
  )
  return { execute }
}
