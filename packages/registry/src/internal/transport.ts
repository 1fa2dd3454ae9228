import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Ending from "./ending.js"
import * as Incoming from "./incoming.js"

type Source = Stream.Stream<Uint8Array, unknown>

const bodyOf = (request: HttpClientRequest.HttpClientRequest): Option.Option<Source> => {
  switch (request.body._tag) {
    case "Empty":
      return Option.some(Stream.empty)
    case "Uint8Array":
      return Option.some(Stream.succeed(request.body.body))
    case "Stream":
      return Option.some(request.body.stream)
    default:
      return Option.none()
  }
}

/** A body that ends when its reader gives it up: a web stream that is being read cannot be cancelled from without. */
const until = (signal: AbortSignal, response: HttpServerResponse.HttpServerResponse) => {
  const { body } = response
  if (body._tag !== "Stream") return response
  const given = Effect.async<void>((resume) => {
    signal.addEventListener("abort", () => resume(Effect.void), { once: true })
  })
  const stream = Stream.interruptWhen(body.stream, given)
  return HttpServerResponse.setBody(response, HttpBody.stream(stream, body.contentType, body.contentLength))
}

/**
 * An `HttpClient` whose requests are handled in the fiber that sends them: no socket, no second runtime, the caller's
 * clock. Bodies stream both ways, and a request body is drawn only as far as it is read.
 */
export const make = (
  handle: (incoming: Incoming.Incoming) => Effect.Effect<HttpServerResponse.HttpServerResponse, Ending.Ended>
): HttpClient.HttpClient =>
  HttpClient.make((request, url, signal) =>
    Effect.gen(function* () {
      const source = bodyOf(request)
      if (Option.isNone(source)) {
        return yield* new HttpClientError.RequestError({
          request,
          reason: "Encode",
          description: `a ${request.body._tag} body does not pass here: give bytes or a stream`
        })
      }
      let failure = Option.none<unknown>()
      const body = source.value.pipe(
        // The sender may fill its buffer again, as it may after a write to a socket.
        Stream.map((bytes) => new Uint8Array(bytes)),
        Stream.mapError((cause) => {
          failure = Option.some(cause)
          return Incoming.broken
        })
      )
      const incoming = Incoming.make({
        method: request.method,
        origin: url.origin,
        target: url.pathname + url.search,
        headers: request.headers,
        body,
        end: Ending.failing
      })
      const response = yield* Effect.mapError(
        handle(incoming),
        (cause) => new HttpClientError.RequestError({ request, reason: "Transport", cause })
      )
      if (Option.isSome(failure)) {
        return yield* new HttpClientError.RequestError({ request, reason: "Transport", cause: failure.value })
      }
      const runtime = yield* Effect.runtime<never>()
      return HttpClientResponse.fromWeb(
        request,
        HttpServerResponse.toWeb(until(signal, response), { withoutBody: request.method === "HEAD", runtime })
      )
    })
  )
