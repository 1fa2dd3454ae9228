import * as HttpClient from "@effect/platform/HttpClient"
import { RequestError } from "@effect/platform/HttpClientError"
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { type Cut, concat, type Piece, pull, type Reset } from "./pieces.js"
import { type Record, settle } from "./record.js"
import * as Response from "./response.js"
import * as Stage from "./stage.js"

/** The errors that undici has for a connection that ends. */
const errors = {
  Cut: ["UND_ERR_SOCKET", "other side closed"],
  Reset: ["ECONNRESET", "read ECONNRESET"],
  Aborted: ["UND_ERR_ABORTED", "the request was aborted"]
} as const

interface Aborted {
  readonly _tag: "Aborted"
}

type Ending = Cut | Reset | Aborted

const errorOf = ({ _tag }: Ending): Error => {
  const [code, message] = errors[_tag]
  return Object.assign(new Error(message), { code })
}

const wayOf = ({ _tag }: Ending) => (_tag === "Aborted" ? "cancelled" : "consumed")

const bodyOf = (request: HttpClientRequest): Effect.Effect<Uint8Array, RequestError> => {
  const { body } = request
  switch (body._tag) {
    case "Empty":
      return Effect.succeed(new Uint8Array())
    case "Uint8Array":
      return Effect.succeed(body.body.slice())
    case "Stream":
      // the sender may fill its buffer again, as it may after a write to a socket
      return body.stream.pipe(
        Stream.mapError((cause) => new RequestError({ request, reason: "Transport", cause })),
        Stream.map((bytes) => bytes.slice()),
        Stream.runCollect,
        Effect.map(concat)
      )
    default: {
      const description = `a ${body._tag} body does not pass here: give bytes or a stream`
      return new RequestError({ request, reason: "Encode", description })
    }
  }
}

/** Fails when the request is aborted, as the owner of its answer may do at any time. */
const aborted = (signal: AbortSignal): Effect.Effect<never, Aborted> =>
  Effect.async((resume) => {
    const abort = () => resume(Effect.fail<Aborted>({ _tag: "Aborted" }))
    if (signal.aborted) return abort()
    signal.addEventListener("abort", abort, { once: true })
    return Effect.sync(() => signal.removeEventListener("abort", abort))
  })

/** A request as it would go over the wire. */
export const headOf = (request: HttpClientRequest, url: URL): Stage.Head => ({
  origin: url.origin,
  method: request.method,
  target: url.pathname + url.search + url.hash,
  headers: Object.entries(request.headers),
  connection: 0
})

/** An `HttpClient` that plays a script in the fibers of its callers. A request that the script does not have is a defect. */
export const make = (stage: Stage.Stage): HttpClient.HttpClient =>
  HttpClient.make((request, url, signal) => {
    const within = (waiting: Effect.Effect<void>) => Effect.raceFirst(waiting, aborted(signal))
    const failed = (end: Ending) => new RequestError({ request, reason: "Transport", cause: errorOf(end) })

    /** What happens before an answer, or instead of it. */
    const wait = (record: Record, pieces: Iterable<Piece>): Effect.Effect<void, RequestError> =>
      Effect.matchEffect(pull(pieces, within), {
        onSuccess: () => Effect.dieMessage("bytes of the wire need a socket: play this script on a ScriptServer"),
        onFailure: Option.match({
          onNone: () => Effect.void,
          onSome: (end) => {
            settle(record, wayOf(end))
            return failed(end)
          }
        })
      })

    const body = (record: Record, pieces: Iterable<Piece>): Response.Parts["pull"] =>
      pull(pieces, within).pipe(
        Effect.tap((bytes) => {
          record.sent += bytes.length
        }),
        Effect.mapError((end) => {
          settle(record, Option.isNone(end) ? "consumed" : wayOf(end.value))
          return Option.map(end, errorOf)
        })
      )

    return Effect.gen(function* () {
      const { record, reply } = yield* Effect.catchTag(
        stage.enter(headOf(request, url), bodyOf(request)),
        "ScriptFailure",
        Effect.die
      )
      const left = Effect.sync(() => settle(record, "cancelled"))
      signal.addEventListener("abort", () => settle(record, "cancelled"), { once: true })
      yield* Effect.onInterrupt(wait(record, "raw" in reply ? reply.raw : reply.after), () => left)
      if ("raw" in reply) return yield* Effect.onInterrupt(Effect.mapError(aborted(signal), failed), () => left)
      record.answer = reply.empty ? "consumed" : "open"
      return yield* Response.make({
        request,
        status: reply.status,
        headers: Stage.joined(reply.headers),
        setCookie: reply.headers.flatMap(([name, value]) => (name.toLowerCase() === "set-cookie" ? [value] : [])),
        pull: body(record, reply.pieces),
        left
      })
    })
  })
