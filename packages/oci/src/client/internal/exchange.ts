import type { HttpClientError } from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Service as OriginPolicy } from "../OriginPolicy.js"
import { type CallError, Timeout, TransportError } from "../RegistryError.js"
import type { Limits } from "../RegistryHosts.js"
import type { Client } from "../RegistryMiddleware.js"
import * as Browser from "./browser.js"
import * as RegistryHttpClient from "./client.js"
import * as Facts from "./facts.js"
import * as Headers from "./headers.js"
import * as Telemetry from "./telemetry.js"
import * as Transport from "./transport.js"
import * as Warnings from "./warnings.js"

/** The transport: one request, whatever comes back. */
export interface Send {
  (request: HttpClientRequest.HttpClientRequest): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError>
}

/** What one exchange is part of. */
export interface Place extends Telemetry.Place {
  readonly policy: OriginPolicy
  readonly limits: Limits
  readonly warnings: Warnings.Seen
}

/**
 * Fails when nothing moves for longer than the limit: neither a piece of the request's body taken, nor an answer. An
 * in-memory body is not seen moving, so it gets its time on top, at 64 KiB a second.
 */
const withDeadline = (
  request: HttpClientRequest.HttpClientRequest,
  limit: Duration.Duration,
  late: () => Timeout,
  send: Send
): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError | Timeout> => {
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

/**
 * One request and the headers of its answer: the innermost of the client's loops. It bounds the wait, turns the
 * transport's failures into ours, and lets the exchange be seen, without secrets.
 */
export const make = (send: Send, place: Place): Client =>
  RegistryHttpClient.make((request) => {
    const facts = () => Facts.ofRequest(place.operation, request.method, request.url)
    if (!/^https?:/i.test(request.url) || !URL.canParse(request.url)) {
      return new TransportError({ ...facts(), code: "ERR_INVALID_URL", reason: "there is no such URL" })
    }
    const failed = Headers.unsendable(request.headers)
    if (Option.isSome(failed)) {
      return new TransportError({
        ...facts(),
        code: "ERR_HEADER",
        reason: `the header ${JSON.stringify(failed.value)} holds characters that cannot be sent`
      })
    }
    const late = () => new Timeout({ ...facts(), phase: "answer", limit: Duration.toMillis(place.limits.answer) })
    const silence = (why: ReturnType<typeof Transport.reason>) => {
      const limit = Transport.connecting(why)
      return limit === undefined
        ? new TransportError({ ...facts(), ...why })
        : new Timeout({ ...facts(), phase: "connect", limit })
    }
    let landed: Response | undefined
    const sent = withDeadline(request, place.limits.answer, late, send).pipe(
      Browser.withFetch((response) => {
        landed = response
      }),
      Effect.mapError((error): CallError => (error._tag === "Timeout" ? error : silence(Transport.reason(error)))),
      Effect.flatMap((response) => {
        if (landed === undefined) return Effect.succeed(response)
        const { operation, policy } = place
        const { method, url: from } = request
        const moved = HttpClientResponse.fromWeb(HttpClientRequest.setUrl(request, landed.url), landed)
        return Effect.as(policy.judge({ kind: "redirect", operation, method, from, to: landed.url }), moved)
      })
    )
    return Effect.tap(Telemetry.observed(place, request, sent), (response) => Warnings.report(response, place))
  })
