import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { PCGRandom } from "effect/Utils"
import type { Name } from "effect-oci/Operation"
import { closed, type Ended } from "./ending.js"
import type { Incoming } from "./incoming.js"
import { type Refusal, refuse, toResponse } from "./refusal.js"
import { operation, type Route } from "./route.js"

/**
 * What can go wrong. A status stands in the place of the answer, and nothing was done. `reset` is a connection reset before
 * anything was done. With `cut` and `stall` all was done, but the answer ends, or stays away, after half of its body, and from
 * its beginning when it has none. `slow` is an answer that comes late. `lost upload` forgets the session that a request is about.
 */
export type Fault = 401 | 403 | 408 | 429 | 500 | 502 | 503 | 504 | "reset" | "cut" | "stall" | "slow" | "lost upload"

/** A plan of what goes wrong. It is the same each time for requests that come in the same order. */
export interface Faults {
  readonly seed: number
  /** How many requests of one go wrong; of all, or of those to each endpoint that is named, as clients name it. Default: 0.1 */
  readonly rate?: number | Readonly<Partial<Record<Name, number>>> | undefined
  /** What goes wrong, each as often as the others. Default: all there is. */
  readonly kinds?: ReadonlyArray<Fault> | undefined
  /** After so many nothing more goes wrong. Default: there is no end. */
  readonly limit?: number | undefined
  /** How late a slow answer comes. Default: one second. */
  readonly delay?: Duration.DurationInput | undefined
  /** The `Retry-After` of 429, in seconds or as a date. Default: one second. */
  readonly retryAfter?: Duration.DurationInput | undefined
}

const all: ReadonlyArray<Fault> = [
  401,
  403,
  408,
  429,
  500,
  502,
  503,
  504,
  "reset",
  "cut",
  "stall",
  "slow",
  "lost upload"
]

/** What a registry is to its faults. */
export interface Victim {
  readonly challenge: (route: Route, incoming: Incoming) => Refusal
  readonly loseUpload: (id: string) => Effect.Effect<void>
}

type Response = HttpServerResponse.HttpServerResponse

export interface Plan {
  /** Answers a request, unless something goes wrong. */
  readonly around: (
    route: Route | undefined,
    incoming: Incoming,
    answer: Effect.Effect<Response>
  ) => Effect.Effect<Response, Ended>
  /** How often each has happened. */
  readonly injected: Effect.Effect<Readonly<Partial<Record<Fault, number>>>>
}

/** What a proxy says whose registry does not answer. */
const plain = (status: number, text: string, headers: Readonly<Record<string, string>> = {}): Response =>
  HttpServerResponse.text(`${text}\n`, { status, headers })

const streamOf = (body: HttpBody.HttpBody): Stream.Stream<Uint8Array, unknown> => {
  switch (body._tag) {
    case "Uint8Array":
      return Stream.succeed(body.body)
    case "Stream":
      return body.stream
    default:
      return Stream.empty
  }
}

/** The first `length` bytes. */
const take = (stream: Stream.Stream<Uint8Array, unknown>, length: number): Stream.Stream<Uint8Array, unknown> =>
  stream.pipe(
    Stream.mapAccum(length, (left, bytes) => [left - bytes.length, bytes.subarray(0, Math.max(0, left))]),
    Stream.takeWhile((bytes) => bytes.length > 0)
  )

/** An answer that comes to half of its body, and what happens then. */
const half = (
  response: Response,
  { method }: Incoming,
  then: Effect.Effect<never, Ended>
): Effect.Effect<Response, Ended> => {
  const length = Number(response.headers["content-length"] ?? 0)
  if (method === "HEAD" || length === 0) return then
  const body = Stream.concat(take(streamOf(response.body), Math.floor(length / 2)), Stream.fromEffect(then))
  return Effect.succeed(
    HttpServerResponse.setBody(response, HttpBody.stream(body, response.headers["content-type"], length))
  )
}

const none: Plan = { around: (_route, _incoming, answer) => answer, injected: Effect.succeed({}) }

export const make = (options: Faults | undefined, { challenge, loseUpload }: Victim): Plan => {
  if (options === undefined) return none
  const { kinds = all, limit = Number.POSITIVE_INFINITY, rate = 0.1, seed } = options
  const delay = Duration.decode(options.delay ?? "1 second")
  const retryAfter = Duration.toMillis(options.retryAfter ?? "1 second")
  const random = new PCGRandom(seed)
  const injected: Partial<Record<Fault, number>> = {}
  let count = 0

  /** Whether something goes wrong with a request, and what. */
  const draw = (route: Route, incoming: Incoming): Fault | undefined => {
    if (count >= limit) return undefined
    const wanted = typeof rate === "number" ? rate : (rate[operation(route, incoming)] ?? 0)
    if (random.number() >= wanted) return undefined
    const possible = kinds.filter((kind) => kind !== "lost upload" || route._tag === "Upload")
    const fault = possible[random.integer(possible.length)]
    if (fault === undefined) return undefined
    count++
    injected[fault] = (injected[fault] ?? 0) + 1
    return fault
  }

  const retryAfterHeader = Effect.map(Clock.currentTimeMillis, (now) =>
    random.number() < 0.5 ? String(Math.ceil(retryAfter / 1000)) : new Date(now + retryAfter + 999).toUTCString()
  )

  const breaking = (
    fault: Fault,
    route: Route,
    incoming: Incoming,
    answer: Effect.Effect<Response>
  ): Effect.Effect<Response, Ended> => {
    switch (fault) {
      case 401:
        return Effect.succeed(toResponse(challenge(route, incoming)))
      case 403:
        return Effect.succeed(toResponse(refuse(403, "DENIED", "requested access to the resource is denied")))
      case 408:
        return Effect.succeed(plain(408, "Request Timeout", { connection: "close" }))
      case 429:
        return Effect.map(retryAfterHeader, (value) =>
          toResponse(refuse(429, "TOOMANYREQUESTS", "too many requests", { headers: { "retry-after": value } }))
        )
      case 500:
        return Effect.succeed(plain(500, "Internal Server Error"))
      case 502:
        return Effect.succeed(plain(502, "Bad Gateway"))
      case 503:
        return Effect.succeed(plain(503, "Service Unavailable"))
      case 504:
        return Effect.succeed(plain(504, "Gateway Timeout"))
      case "reset":
        return incoming.end("reset")
      case "cut":
        return Effect.flatMap(answer, (response) => half(response, incoming, incoming.end("cut")))
      case "stall":
        return Effect.flatMap(answer, (response) => half(response, incoming, closed))
      case "slow":
        return Effect.delay(answer, delay)
      case "lost upload":
        return route._tag === "Upload" ? Effect.zipRight(loseUpload(route.id), answer) : answer
    }
  }

  return {
    around: (route, incoming, answer) =>
      Effect.suspend(() => {
        const fault = route === undefined ? undefined : draw(route, incoming)
        return route === undefined || fault === undefined ? answer : breaking(fault, route, incoming, answer)
      }),
    injected: Effect.sync(() => ({ ...injected }))
  }
}
