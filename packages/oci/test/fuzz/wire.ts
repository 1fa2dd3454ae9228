/** A transport that answers as it was drawn, whatever it is asked, and notes what becomes of its answers. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** A body in pieces. After them it closes, breaks, or neither goes on nor ends. */
export interface Body {
  readonly pieces: ReadonlyArray<Uint8Array>
  readonly end: "closes" | "breaks" | "stalls"
}

export type Answer =
  | {
      readonly _tag: "Answer"
      readonly status: number
      readonly headers: ReadonlyArray<readonly [name: string, value: string]>
      readonly body?: Body | undefined
    }
  | { readonly _tag: "Broken"; readonly cause: unknown }
  | { readonly _tag: "Silent" }

/** One request, its answer, and how far the answer's body was read. */
export interface Exchange {
  readonly method: string
  readonly url: string
  readonly authorization: string | undefined
  readonly status: number | undefined
  readonly headers: Headers
  /** What the body would be when it is read to its end, as the transport delivers it. */
  readonly served: Uint8Array
  readonly body: "none" | "held" | "read" | "given up"
}

type Recording = { -readonly [Key in keyof Exchange]: Exchange[Key] }

const join = (pieces: ReadonlyArray<Uint8Array>) => new Uint8Array(Buffer.concat(pieces))

const empty = new Uint8Array()

/** Transports end a body at the length that its headers say, and call one that is shorter broken. */
const delivered = (body: Body, headers: Headers): Body => {
  const length = headers.get("content-length") ?? ""
  const coded = !["", "identity"].includes((headers.get("content-encoding") ?? "").trim().toLowerCase())
  if (!/^\d{1,15}$/.test(length) || headers.has("transfer-encoding") || coded) return body
  const whole = join(body.pieces)
  const left = Number(length) - whole.length
  if (left > 0) return { ...body, end: body.end === "stalls" ? "stalls" : "breaks" }
  return { pieces: left === 0 ? body.pieces : [whole.subarray(0, Number(length))], end: "closes" }
}

/** Statuses whose answers have no body. */
const bodiless = new Set([101, 103, 204, 205, 304])

/** The body as the client reads it, drawn piece by piece. */
const watched = (
  { end, pieces }: Body,
  record: Recording,
  signal: AbortSignal,
  stalled: () => void
): ReadableStream<Uint8Array> => {
  const left = [...pieces]
  const settle = (how: "read" | "given up") => {
    if (record.body === "held") record.body = how
  }
  record.body = "held"
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) =>
        signal.addEventListener("abort", () => {
          if (record.body === "held") controller.error(signal.reason)
          settle("given up")
        }),
      pull: (controller) => {
        const piece = left.shift()
        if (piece !== undefined) return controller.enqueue(piece)
        if (end === "stalls") {
          stalled()
          return new Promise(() => {})
        }
        settle("read")
        if (end === "breaks") controller.error(new Error("other side closed"))
        else controller.close()
      },
      cancel: () => settle("given up")
    },
    { highWaterMark: 0 }
  )
}

/** What a client was given and asked for. */
export interface Wire {
  readonly client: HttpClient.HttpClient
  readonly exchanges: ReadonlyArray<Exchange>
  /** Waits until nothing more comes without the passing of time. */
  readonly stalled: Effect.Effect<void>
}

/** Gives these answers, from the first again after the last. */
export const make = (answers: readonly [Answer, ...ReadonlyArray<Answer>]): Effect.Effect<Wire> =>
  Effect.map(Deferred.make<void>(), (still) => {
    const exchanges: Array<Recording> = []
    const stalled = () => Deferred.unsafeDone(still, Effect.void)
    const client = HttpClient.make((request, { href: url }, signal) =>
      Effect.gen(function* () {
        const answer = answers[exchanges.length % answers.length] ?? answers[0]
        const status = answer._tag === "Answer" ? answer.status : undefined
        const headers = new Headers(
          answer._tag === "Answer" ? answer.headers.map(([name, value]): [string, string] => [name, value]) : []
        )
        const { authorization } = request.headers
        const { method } = request
        const record: Recording = { method, url, authorization, status, headers, served: empty, body: "none" }
        exchanges.push(record)
        yield* sent(request)
        if (answer._tag === "Silent") {
          stalled()
          return yield* Effect.never
        }
        if (answer._tag === "Broken") {
          return yield* new HttpClientError.RequestError({ request, reason: "Transport", cause: answer.cause })
        }
        const hasBody = answer.body !== undefined && method !== "HEAD" && !bodiless.has(answer.status)
        const body = hasBody && answer.body !== undefined ? delivered(answer.body, headers) : undefined
        record.served = join(body?.pieces ?? [])
        const response = new Response(body === undefined ? null : watched(body, record, signal, stalled), { headers })
        return HttpClientResponse.fromWeb(request, Object.defineProperty(response, "status", { value: answer.status }))
      })
    )
    return { client, exchanges, stalled: Deferred.await(still) }
  })

/** Takes the body of a request to its end, as a transport does. */
const sent = (request: HttpClientRequest.HttpClientRequest) =>
  request.body._tag === "Stream"
    ? Effect.mapError(
        Stream.runDrain(request.body.stream),
        (cause) => new HttpClientError.RequestError({ request, reason: "Encode", cause })
      )
    : Effect.void
