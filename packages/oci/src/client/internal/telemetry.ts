import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as LogLevel from "effect/LogLevel"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"
import * as MetricLabel from "effect/MetricLabel"
import type * as Tracer from "effect/Tracer"
import type { Operation } from "../Operation.js"
import type { CallError } from "../RegistryError.js"
import * as RegistryObserver from "../RegistryObserver.js"
import * as Facts from "./facts.js"
import * as Headers from "./headers.js"
import * as RateLimit from "./rateLimit.js"

/** Which exchange of which call this is. */
export interface Place {
  readonly operation: Operation
  readonly observer: RegistryObserver.Service
  readonly attempt: number
  readonly hop: number
}

const duration = MetricKey.histogram(
  "http.client.request.duration",
  MetricBoundaries.fromIterable([0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]),
  "Seconds until the headers of an answer"
)

/** The metric of one kind of exchange. The kinds are few, and a metric that is tagged when it is used is looked for each time. */
const durations = new Map<string, Metric.Metric.Histogram<number>>()

const durationOf = (operation: string, method: string, [tag, outcome]: readonly [string, string]) => {
  const key = `${operation} ${method} ${outcome}`
  const known = durations.get(key)
  if (known !== undefined) return known
  const labels = [
    MetricLabel.make("http.request.method", method),
    MetricLabel.make("oci.operation", operation),
    MetricLabel.make(tag, outcome)
  ]
  const tagged = Metric.fromMetricKey(MetricKey.taggedWithLabels(duration, labels))
  durations.set(key, tagged)
  return tagged
}

const attributes = (place: Place, request: HttpClientRequest, url: URL) => ({
  "http.request.method": request.method,
  "server.address": url.hostname,
  "server.port": Number(url.port || (url.protocol === "https:" ? 443 : 80)),
  "url.full": Facts.shown(request.url),
  "url.scheme": url.protocol.slice(0, -1),
  "oci.operation": place.operation.name,
  ...(place.attempt > 1 ? { "http.request.resend_count": place.attempt - 1 } : undefined)
})

const log = ({ error, method, millis, operation, request, response, status, url }: RegistryObserver.Exchange) =>
  Effect.logDebug(`${method} ${url} ${status ?? error?._tag} ${millis} ms`).pipe(
    Effect.zipRight(Effect.logTrace("request headers", request)),
    Effect.zipRight(response === undefined ? Effect.void : Effect.logTrace("response headers", response)),
    Effect.annotateLogs({ package: "effect-oci", operation: operation.name })
  )

type Outcome = { readonly error: CallError } | { readonly response: HttpClientResponse }

/** Shows an exchange to those who look. */
const show = (
  place: Place,
  request: HttpClientRequest,
  begun: number,
  now: number,
  logged: boolean,
  outcome: Outcome
) => {
  const exchange: RegistryObserver.Exchange = {
    operation: place.operation,
    method: request.method,
    url: Facts.shown(request.url),
    request: Headers.redacted(request.headers),
    attempt: place.attempt,
    hop: place.hop,
    millis: now - begun,
    ...("error" in outcome
      ? outcome
      : {
          status: outcome.response.status,
          response: Headers.redacted(outcome.response.headers),
          rateLimit: RateLimit.of(outcome.response.headers, now)
        })
  }
  return Effect.zipRight(logged ? log(exchange) : Effect.void, place.observer.exchange(exchange))
}

/** Puts an exchange into a span of its own (OpenTelemetry's HTTP client span) and shows it to metric, log and observer. */
export const observed = (
  place: Place,
  request: HttpClientRequest,
  url: URL,
  send: (span: Tracer.Span, clock: Clock.Clock) => Effect.Effect<HttpClientResponse, CallError>
): Effect.Effect<HttpClientResponse, CallError> =>
  Effect.useSpan(
    request.method,
    { kind: "client", captureStackTrace: false, attributes: attributes(place, request, url) },
    (span) =>
      Effect.withFiberRuntime((fiber) => {
        const clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
        const begun = clock.unsafeCurrentTimeMillis()
        const seen = <A, E>(kind: readonly [string, string], outcome: Outcome, result: Exit.Exit<A, E>) => {
          span.attribute(kind[0], "error" in outcome ? outcome.error._tag : outcome.response.status)
          const now = clock.unsafeCurrentTimeMillis()
          durationOf(place.operation.name, request.method, kind).unsafeUpdate(
            (now - begun) / 1000,
            fiber.getFiberRef(FiberRef.currentMetricLabels)
          )
          const logged = LogLevel.lessThanEqual(fiber.getFiberRef(FiberRef.currentMinimumLogLevel), LogLevel.Debug)
          // when nobody looks, nothing is prepared for them
          return !logged && place.observer === RegistryObserver.silent
            ? result
            : Effect.zipRight(show(place, request, begun, now, logged, outcome), result)
        }
        return Effect.matchEffect(send(span, clock), {
          onFailure: (error) => seen(["error.type", error._tag], { error }, Exit.fail(error)),
          onSuccess: (response) =>
            seen(["http.response.status_code", String(response.status)], { response }, Exit.succeed(response))
        })
      })
  )
