import type * as Headers from "@effect/platform/Headers"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import * as Ending from "./ending.js"
import { type Refusal, refuse } from "./refusal.js"

/** A request, however it came: over a socket, or straight from an `HttpClient` in this process. */
export interface Incoming {
  readonly method: string
  /** Where it was sent to, as the sender sees it: `https://registry.test`. */
  readonly origin: string
  /** Percent-decoded, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Headers.Headers
  readonly body: Stream.Stream<Uint8Array, Refusal>
  /** Ends the connection that it came over. */
  readonly end: (way: Ending.Way) => Effect.Effect<never, Ending.Ended>
}

/** The sender stopped before its body ended. Nobody may be there to read this. */
export const broken: Refusal = refuse(400, "BLOB_UPLOAD_INVALID", "the request body broke off")

const decoded = (path: string): string => Either.try(() => decodeURIComponent(path)).pipe(Either.getOrElse(() => path))

/** `target` is a request target: path and query, no host. */
export const make = ({ target, ...rest }: Omit<Incoming, "path" | "query"> & { readonly target: string }): Incoming => {
  const end = target.indexOf("?")
  return {
    ...rest,
    path: decoded(end === -1 ? target : target.slice(0, end)),
    query: new URLSearchParams(end === -1 ? "" : target.slice(end + 1))
  }
}

// A web `Request` without a body fails when its stream is asked for.
const hasBody = (source: unknown): boolean => !Predicate.hasProperty(source, "body") || source.body !== null

const isSecure = ({ headers, source }: HttpServerRequest.HttpServerRequest): boolean =>
  headers["x-forwarded-proto"] === "https" ||
  (Predicate.hasProperty(source, "socket") &&
    Predicate.hasProperty(source.socket, "encrypted") &&
    source.socket.encrypted === true)

/** The URL of a web `Request` has it; else the `Host` that was asked for. */
const originOf = (request: HttpServerRequest.HttpServerRequest): string => {
  const { headers, source } = request
  const given = Predicate.hasProperty(source, "url") ? String(source.url) : ""
  const url = URL.canParse(given) ? given : `${isSecure(request) ? "https" : "http"}://${headers.host ?? ""}`
  return URL.canParse(url) ? new URL(url).origin : "http://localhost"
}

export const fromServer = (request: HttpServerRequest.HttpServerRequest): Incoming =>
  make({
    method: request.method,
    origin: originOf(request),
    target: request.url,
    headers: request.headers,
    body: hasBody(request.source) ? Stream.mapError(request.stream, () => broken) : Stream.empty,
    end: Ending.ofSource(request.source)
  })

/** A body of at most `limit` bytes. A longer one is drawn to its end, so that the sender is there to read the answer. */
export const read = (incoming: Incoming, limit: number, tooLarge: Refusal): Effect.Effect<Uint8Array, Refusal> =>
  Effect.gen(function* () {
    if (Number(incoming.headers["content-length"] ?? 0) > limit) return yield* tooLarge
    const pieces: Array<Uint8Array> = []
    let size = 0
    yield* Stream.runForEach(incoming.body, (piece) =>
      Effect.sync(() => {
        size += piece.length
        if (size <= limit) pieces.push(piece)
      })
    )
    if (size > limit) return yield* tooLarge
    const bytes = new Uint8Array(size)
    let offset = 0
    for (const piece of pieces) {
      bytes.set(piece, offset)
      offset += piece.length
    }
    return bytes
  })
