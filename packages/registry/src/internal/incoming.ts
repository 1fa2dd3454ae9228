import type * as Headers from "@effect/platform/Headers"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import { type Refusal, refuse } from "./refusal.js"

/** A request, however it came: over a socket, or straight from an `HttpClient` in this process. */
export interface Incoming {
  readonly method: string
  /** Percent-decoded, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Headers.Headers
  readonly body: Stream.Stream<Uint8Array, Refusal>
}

/** The sender stopped before its body ended. Nobody may be there to read this. */
export const broken: Refusal = refuse(400, "BLOB_UPLOAD_INVALID", "the request body broke off")

const decoded = (path: string): string => Either.try(() => decodeURIComponent(path)).pipe(Either.getOrElse(() => path))

/** `target` is a request target: path and query, no host. */
export const make = (
  method: string,
  target: string,
  headers: Headers.Headers,
  body: Stream.Stream<Uint8Array, Refusal>
): Incoming => {
  const end = target.indexOf("?")
  return {
    method,
    path: decoded(end === -1 ? target : target.slice(0, end)),
    query: new URLSearchParams(end === -1 ? "" : target.slice(end + 1)),
    headers,
    body
  }
}

// A web `Request` without a body fails when its stream is asked for.
const hasBody = (source: unknown): boolean => !Predicate.hasProperty(source, "body") || source.body !== null

export const fromServer = (request: HttpServerRequest.HttpServerRequest): Incoming =>
  make(
    request.method,
    request.url,
    request.headers,
    hasBody(request.source) ? Stream.mapError(request.stream, () => broken) : Stream.empty
  )
