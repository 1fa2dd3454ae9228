import type { HttpClientError } from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import type { Service as OriginPolicy } from "../OriginPolicy.js"
import { type CallError, Timeout, TransportError, type UnsafeLocation } from "../RegistryError.js"
import type { Limits } from "../RegistryHosts.js"
import type { Client } from "../RegistryMiddleware.js"
import * as ScopedTransport from "../ScopedTransport.js"
import * as Browser from "./browser.js"
import * as RegistryHttpClient from "./client.js"
import * as Deadline from "./deadline.js"
import * as Facts from "./facts.js"
import * as Headers from "./headers.js"
import * as Telemetry from "./telemetry.js"
import * as Reason from "./transport.js"
import * as Warnings from "./warnings.js"

/** What one exchange is part of. */
export interface Place extends Telemetry.Place {
  readonly policy: OriginPolicy
  readonly limits: Limits
  readonly warnings: Warnings.Seen
  /** What the answer's body belongs to. */
  readonly scope: Scope.Scope
}

/** How long an answer is waited for. An in-memory body is not seen moving, so it gets its time on top, at 64 KiB a second. */
const patience = ({ body }: HttpClientRequest.HttpClientRequest, limit: Duration.Duration): Duration.Duration =>
  body._tag === "Uint8Array" ? Duration.sum(limit, Duration.millis(body.contentLength / 64)) : limit

/** Fails when nothing moves for longer than the limit: neither a piece of the request's body taken, nor an answer. */
const withDeadline = (
  request: HttpClientRequest.HttpClientRequest,
  limit: Duration.Duration,
  late: () => Timeout,
  send: ScopedTransport.Transport["execute"],
  surroundings: (context: Context.Context<never>) => Context.Context<Scope.Scope>
): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError | Timeout> => {
  const { body } = request
  if (body._tag !== "Stream") {
    return Deadline.withinIn(send(request), patience(request, limit), late, surroundings)
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
  return Effect.mapInputContext(Effect.raceFirst(send(counted), watch(-1)), surroundings)
}

/** In a page `fetch` has followed redirects by itself, and the policy judges where that has led. */
const judged = (
  { operation, policy }: Place,
  request: HttpClientRequest.HttpClientRequest,
  landed: Response
): Effect.Effect<HttpClientResponse.HttpClientResponse, UnsafeLocation> =>
  Either.map(
    policy.judge({ kind: "redirect", operation, method: request.method, from: request.url, to: landed.url }),
    () => HttpClientResponse.fromWeb(HttpClientRequest.setUrl(request, landed.url), landed)
  )

const parsed = (url: string): URL | undefined => {
  if (!/^https?:/i.test(url)) return undefined
  try {
    return new URL(url)
  } catch {
    return undefined
  }
}

/**
 * One request and the headers of its answer: the innermost of the client's loops. It bounds the wait, turns the
 * transport's failures into ours, and lets the exchange be seen, without secrets.
 */
export const make = ({ execute, send }: ScopedTransport.Transport, place: Place): Client =>
  RegistryHttpClient.make((request) => {
    const facts = () => Facts.ofRequest(place.operation, request.method, request.url)
    const url = parsed(request.url)
    if (url === undefined) {
      return new TransportError({ ...facts(), code: "ERR_INVALID_URL", reason: "there is no such URL" })
    }
    const failed = Headers.unsendable(request.headers)
    if (failed !== undefined) {
      return new TransportError({
        ...facts(),
        code: "ERR_HEADER",
        reason: `the header ${JSON.stringify(failed)} holds characters that cannot be sent`
      })
    }
    const late = () => new Timeout({ ...facts(), phase: "answer", limit: Duration.toMillis(place.limits.answer) })
    const silence = (why: ReturnType<typeof Reason.reason>) => {
      if (why.code === ScopedTransport.late) return late()
      const limit = Reason.connecting(why)
      return limit === undefined
        ? new TransportError({ ...facts(), ...why })
        : new Timeout({ ...facts(), phase: "connect", limit })
    }
    const exchanged = Telemetry.observed(place, request, url, (span, clock) => {
      // a transport that keeps time goes by the machine's own clock
      if (send !== undefined && request.body._tag !== "Stream" && clock === Deadline.live) {
        return Effect.mapError(
          send(request, place.scope, Duration.toMillis(patience(request, place.limits.answer))),
          (error) => silence(Reason.reason(error))
        )
      }
      let landed: Response | undefined
      const surroundings = (context: Context.Context<never>) =>
        Browser.withFetch(context, (response) => {
          landed = response
        }).pipe(Context.add(Tracer.ParentSpan, span), Context.add(Scope.Scope, place.scope))
      return Effect.matchEffect(withDeadline(request, place.limits.answer, late, execute, surroundings), {
        onFailure: (error): Effect.Effect<never, CallError> =>
          error._tag === "Timeout" ? error : silence(Reason.reason(error)),
        onSuccess: (response): Effect.Effect<HttpClientResponse.HttpClientResponse, CallError> =>
          landed === undefined ? Effect.succeed(response) : judged(place, request, landed)
      })
    })
    return Effect.flatMap(exchanged, (response) =>
      response.headers.warning === undefined
        ? Effect.succeed(response)
        : Effect.as(Warnings.report(response, place), response)
    )
  })
