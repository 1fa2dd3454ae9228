import * as Cookies from "@effect/platform/Cookies"
import type * as Headers from "@effect/platform/Headers"
import { ResponseError } from "@effect/platform/HttpClientError"
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { concat } from "./pieces.js"

export interface Parts {
  readonly request: HttpClientRequest
  readonly status: number
  readonly headers: Headers.Headers
  readonly setCookie: ReadonlyArray<string>
  /** The next bytes each time it is run, `none` at the end. */
  readonly pull: Effect.Effect<Uint8Array, Option.Option<unknown>>
  /** What is to be done when a reader leaves, wherever it is. */
  readonly left: Effect.Effect<void>
}

/**
 * A response whose body is drawn in the fiber that reads it, on its clock. The platform's own responses read web streams,
 * which live outside of it. As there, a stream is read once.
 */
export const make = (parts: Parts): Effect.Effect<HttpClientResponse.HttpClientResponse> =>
  Effect.gen(function* () {
    const { headers, request, status } = parts
    const broken = (cause: unknown) => new ResponseError({ request, response, reason: "Decode", cause })
    let begun = false
    const stream = Stream.suspend(() => {
      if (begun) return Stream.fail(broken(new TypeError("the body was read before")))
      begun = true
      return Stream.repeatEffectOption(Effect.mapError(parts.pull, Option.map(broken)))
    }).pipe(Stream.ensuring(parts.left))

    const bytes = yield* Effect.cached(Effect.map(Stream.runCollect(stream), concat))
    const text = Effect.map(bytes, (all) => new TextDecoder().decode(all))
    const response: HttpClientResponse.HttpClientResponse = {
      ...Inspectable.BaseProto,
      [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId,
      [HttpClientResponse.TypeId]: HttpClientResponse.TypeId,
      request,
      status,
      headers,
      cookies: Cookies.fromSetCookie(parts.setCookie),
      remoteAddress: Option.none(),
      stream,
      arrayBuffer: Effect.map(bytes, (all) => all.slice().buffer),
      text,
      json: Effect.tryMap(text, {
        try: (text): unknown => (text === "" ? null : JSON.parse(text)),
        catch: broken
      }),
      urlParamsBody: Effect.map(text, (text) => UrlParams.fromInput(new URLSearchParams(text))),
      formData: Effect.flatMap(bytes, (all) =>
        Effect.tryPromise({ try: () => new Response(all.slice(), { headers }).formData(), catch: broken })
      ),
      toJSON: () => ({
        _id: "@effect/platform/HttpClientResponse",
        request: request.toJSON(),
        status,
        headers: Inspectable.redact(headers)
      })
    }
    return response
  })
