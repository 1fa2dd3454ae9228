import type { HttpClientError } from "@effect/platform/HttpClientError"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Operation } from "../Operation.js"
import { ResponseTooLarge, Timeout, TransportError } from "../RegistryError.js"
import type { Limits } from "../RegistryHosts.js"
import * as Deadline from "./deadline.js"
import * as Facts from "./facts.js"
import { HeldResponse } from "./heldResponse.js"
import * as Transport from "./transport.js"
import { upTo } from "./upTo.js"

/** An answer whose body nobody has read yet; it belongs to the Scope it was opened in. */
export interface Answer {
  readonly operation: Operation
  readonly response: HttpClientResponse
  readonly limits: Limits
  /** Gives up the connection, whoever waits for it. */
  readonly abort: Effect.Effect<void>
}

/** What is known of an answer. */
export const facts = ({ operation, response }: Answer) => ({
  ...Facts.ofRequest(operation, response.request.method, response.request.url),
  status: response.status,
  requestId: Facts.requestId(response.headers)
})

/** The `Content-Length`, where it is a length and tells of the bytes that we get to see. */
export const length = (answer: Answer): number | undefined => {
  const { headers } = answer.response
  const text = headers["content-length"]
  if (text === undefined || headers["transfer-encoding"] !== undefined || isCoded(answer)) return undefined
  return /^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined
}

/** Whether what comes, or what came before a transport decoded it, is not what the registry holds. */
export const isCoded = ({ response }: Answer): boolean => {
  const coding = response.headers["content-encoding"]?.trim().toLowerCase()
  return coding !== undefined && coding !== "" && coding !== "identity"
}

/** A `HEAD`, or a status that has no body: reading one would wait for it, or fail. */
const bodiless = ({ response }: Answer): boolean =>
  response.request.method === "HEAD" || response.status === 204 || response.status === 304

const failure = (answer: Answer) => (error: HttpClientError) =>
  new TransportError({ ...facts(answer), ...Transport.reason(error) })

const late = (answer: Answer) =>
  new Timeout({ ...facts(answer), phase: "body", limit: Duration.toMillis(answer.limits.idle) })

const plain = (answer: Answer): Stream.Stream<Uint8Array, TransportError> =>
  answer.response.stream.pipe(
    Stream.catchTag("ResponseError", (error) => (error.reason === "EmptyBody" ? Stream.empty : Stream.fail(error))),
    Stream.mapError(failure(answer))
  )

/**
 * The body as it comes, under the limit for pauses. Content codings are not asked for; where one comes all the same, the
 * length says nothing and the digest decides.
 */
export const stream = (answer: Answer): Stream.Stream<Uint8Array, TransportError | Timeout> =>
  bodiless(answer) ? Stream.empty : patient(answer, plain(answer))

/**
 * Gives up the connection when a piece of the body is waited for too long. A race for each piece would cost more than
 * hashing it, so one fiber looks now and then; a slow reader is none of its business.
 */
const patient = (
  answer: Answer,
  body: Stream.Stream<Uint8Array, TransportError>
): Stream.Stream<Uint8Array, TransportError | Timeout> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      const pull = yield* Stream.toPull(body)
      let pulls = 0
      let waiting = false
      let stalled = false
      const watch: Effect.Effect<void> = Effect.suspend(() => {
        const before = pulls
        return Effect.flatMap(Effect.sleep(answer.limits.idle), () => {
          if (!waiting || pulls !== before) return watch
          stalled = true
          return answer.abort
        })
      })
      yield* Effect.forkScoped(watch)
      const next = Effect.suspend(() => {
        pulls++
        waiting = true
        return pull
      }).pipe(
        Effect.tap(() => {
          waiting = false
        }),
        // transports make of a connection that was given up what they like, even an end
        Effect.mapError(
          (error): Option.Option<TransportError | Timeout> => (stalled ? Option.some(late(answer)) : error)
        )
      )
      return Stream.repeatEffectChunkOption(next)
    })
  )

/** A body that is not worth watching piece by piece, in bytes. */
const small = 1024 * 1024

/**
 * A body of a small declared length, where the transport ends it. In one piece it costs a third of what a stream does, and
 * where the transport has it already there is nothing to wait for.
 */
const whole = (answer: Answer): Effect.Effect<Uint8Array, TransportError | Timeout> => {
  const body = answer.response.arrayBuffer
  const waited = Exit.isExit(body) ? body : Deadline.within(body, answer.limits.idle, () => late(answer))
  return Effect.mapBoth(waited, {
    onFailure: (error) => (error._tag === "Timeout" ? error : failure(answer)(error)),
    onSuccess: (buffer) => new Uint8Array(buffer)
  })
}

/** A body that comes in pieces, none of which may be long in coming, nor all of them. */
const inTime = (answer: Answer, limit: number) =>
  Effect.suspend(() => {
    const { idle, total } = answer.limits
    let pieces = 0
    const watch = (before: number): Effect.Effect<never, Timeout> =>
      Effect.flatMap(Effect.sleep(idle), () => (pieces === before ? late(answer) : watch(pieces)))
    const slow = () => new Timeout({ ...facts(answer), phase: "total", limit: Duration.toMillis(total) })
    return upTo(plain(answer), limit, () => pieces++).pipe(
      Effect.raceFirst(watch(0)),
      Effect.timeoutFail({ duration: total, onTimeout: slow })
    )
  })

/** The whole body, at most `limit` bytes of it. */
export const collect = (
  answer: Answer,
  limit: number
): Effect.Effect<Uint8Array, ResponseTooLarge | TransportError | Timeout> => {
  if (bodiless(answer)) return Effect.succeed(new Uint8Array())
  const tooLarge = () => new ResponseTooLarge({ ...facts(answer), limit })
  const { response } = answer
  if (response instanceof HeldResponse) {
    return response.bytes.length > limit ? tooLarge() : Effect.succeed(response.bytes)
  }
  const declared = length(answer)
  if (declared !== undefined && declared > limit) return tooLarge()
  if (declared !== undefined && declared <= small) {
    return Effect.filterOrFail(whole(answer), ({ length }) => length <= limit, tooLarge)
  }
  return Effect.flatMap(inTime(answer, limit), (read) => (read.whole ? Effect.succeed(read.bytes) : tooLarge()))
}

/** The start of a body that is not worth a failure of its own: what cannot be read is left out. */
export const start = (answer: Answer, limit: number): Effect.Effect<Uint8Array> => {
  if (bodiless(answer)) return Effect.succeed(new Uint8Array())
  const declared = length(answer)
  if (declared === 0) return Effect.succeed(new Uint8Array())
  const read: Effect.Effect<Uint8Array, TransportError | Timeout> =
    declared !== undefined && declared <= Math.min(small, limit)
      ? whole(answer)
      : upTo(plain(answer), limit).pipe(
          Effect.timeoutFail({ duration: answer.limits.idle, onTimeout: () => late(answer) }),
          Effect.map(({ bytes }) => bytes)
        )
  return read.pipe(
    Effect.map((bytes) => bytes.subarray(0, limit)),
    Effect.orElseSucceed(() => new Uint8Array())
  )
}

/** Reads a small body to its end, so that the connection lives on, and gives up the connection of a large one. */
export const discard = (answer: Answer): Effect.Effect<void> =>
  bodiless(answer) || length(answer) === 0 ? Effect.void : Effect.asVoid(start(answer, 64 * 1024))
