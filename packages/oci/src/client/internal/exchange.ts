import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Operation } from "../Operation.js"
import { type CallError, Timeout, TransportError } from "../RegistryError.js"
import type { Limits } from "../RegistryHosts.js"
import type { Client } from "../RegistryMiddleware.js"
import type { Exchange, Service as RegistryObserver } from "../RegistryObserver.js"
import * as RegistryHttpClient from "./client.js"
import * as Facts from "./facts.js"
import * as Headers from "./headers.js"
import * as Transport from "./transport.js"
import * as Warnings from "./warnings.js"

/** The transport: one request, whatever comes back. */
export interface Send {
  (request: HttpClientRequest.HttpClientRequest): Effect.Effect<HttpClientResponse, HttpClientError>
}

/** What one exchange is part of. */
export interface Place {
  readonly operation: Operation
  readonly limits: Limits
  readonly observer: RegistryObserver
  readonly warnings: Warnings.Seen
  readonly attempt: number
  readonly hop: number
}

const duration = Metric.histogram(
  "http.client.request.duration",
  MetricBoundaries.fromIterable([0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]),
  "Seconds until the headers of an answer"
)

/** In a browser a redirect is either followed unseen or not readable at all; everywhere else we follow by hand. */
const redirect = "document" in globalThis ? "follow" : "manual"

/** `fetch` neither follows redirects by itself nor keeps cookies. Other transports do not look at this. */
const withoutRedirects = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.contextWithEffect((context) => {
    const given = Option.getOrUndefined(Context.getOption(context, FetchHttpClient.RequestInit))
    return Effect.provideService(self, FetchHttpClient.RequestInit, { ...given, redirect, credentials: "omit" })
  })

/**
 * Fails when nothing moves for longer than the limit: neither a piece of the request's body taken, nor an answer. An
 * in-memory body is not seen moving, so it gets its time on top, at 64 KiB a second.
 */
const withDeadline = (
  request: HttpClientRequest.HttpClientRequest,
  limit: Duration.Duration,
  late: () => Timeout,
  send: Send
): Effect.Effect<HttpClientResponse, HttpClientError | Timeout> => {
  const { body } = request
  if (body._tag !== "Stream") {
    const extra = body._tag === "Uint8Array" ? body.contentLength / 64 : 0
    return Effect.timeoutFail(send(request), { duration: Duration.sum(limit, Duration.millis(extra)), onTimeout: late })
  }
  let taken = 0
  const counted = HttpClientRequest.bodyStream(
    request,
    Stream.mapChunks(body.stream, (chunk) => {
      taken++
      return chunk
    }),
    { contentType: body.contentType, contentLength: body.contentLength }
  )
  const watch = (before: number): Effect.Effect<never, Timeout> =>
    Effect.flatMap(
      Effect.delay(
        Effect.sync(() => taken),
        limit
      ),
      (now) => (now === before ? late() : watch(now))
    )
  return Effect.raceFirst(send(counted), watch(-1))
}

const attributes = (place: Place, request: HttpClientRequest.HttpClientRequest) => {
  const url = new URL(request.url)
  return {
    "http.request.method": request.method,
    "server.address": url.hostname,
    "server.port": Number(url.port || (url.protocol === "https:" ? 443 : 80)),
    "url.full": Facts.shown(request.url),
    "url.scheme": url.protocol.slice(0, -1),
    "oci.operation": place.operation.name,
    ...(place.attempt > 1 ? { "http.request.resend_count": place.attempt - 1 } : {})
  }
}

const observe = (place: Place, exchange: Exchange) =>
  Effect.gen(function* () {
    const outcome = exchange.status === undefined ? (exchange.error?._tag ?? "error") : String(exchange.status)
    yield* Metric.update(
      duration.pipe(
        Metric.tagged("http.request.method", exchange.method),
        Metric.tagged("oci.operation", place.operation.name),
        Metric.tagged(exchange.status === undefined ? "error.type" : "http.response.status_code", outcome)
      ),
      exchange.millis / 1000
    )
    yield* Effect.logDebug(`${exchange.method} ${exchange.url} ${outcome} ${exchange.millis} ms`)
    yield* Effect.logTrace("request headers", exchange.request)
    if (exchange.response !== undefined) yield* Effect.logTrace("response headers", exchange.response)
    yield* place.observer.exchange(exchange)
  }).pipe(Effect.annotateLogs({ package: "effect-oci", operation: place.operation.name }))

/**
 * One request and the headers of its answer: the innermost of the client's loops. It bounds the wait, turns the
 * transport's failures into ours, and shows the exchange to logs, spans, metrics and the observer, without secrets.
 */
export const make = (send: Send, place: Place): Client =>
  RegistryHttpClient.make((request) => {
    const facts = Facts.ofRequest(place.operation, request.method, request.url)
    const failed = Headers.unsendable(request.headers)
    if (Option.isSome(failed)) {
      return new TransportError({
        ...facts,
        code: "ERR_HEADER",
        reason: `the header ${JSON.stringify(failed.value)} holds characters that cannot be sent`
      })
    }
    const late = () => new Timeout({ ...facts, phase: "answer", limit: Duration.toMillis(place.limits.answer) })
    return Effect.gen(function* () {
      const begun = yield* Clock.currentTimeMillis
      const seen = (outcome: Pick<Exchange, "status" | "response" | "error">) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          observe(place, {
            operation: place.operation,
            method: request.method,
            url: Facts.shown(request.url),
            request: Headers.redacted(request.headers),
            attempt: place.attempt,
            hop: place.hop,
            millis: now - begun,
            ...outcome
          })
        )
      return yield* withDeadline(request, place.limits.answer, late, send).pipe(
        withoutRedirects,
        Effect.mapError(
          (error): CallError =>
            error._tag === "Timeout" ? error : new TransportError({ ...facts, ...Transport.reason(error) })
        ),
        Effect.tapError((error) => seen({ error })),
        Effect.tap((response) => seen({ status: response.status, response: Headers.redacted(response.headers) })),
        Effect.tap((response) => Effect.annotateCurrentSpan("http.response.status_code", response.status)),
        Effect.tap((response) => Warnings.report(response, place)),
        Effect.tapError((error) => Effect.annotateCurrentSpan("error.type", error._tag))
      )
    }).pipe(
      Effect.withSpan(request.method, {
        kind: "client",
        captureStackTrace: false,
        attributes: attributes(place, request)
      })
    )
  })
