import { STATUS_CODES } from "node:http"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import { handshake } from "../../internal/script/lines.js"
import { type Cut, type Piece, pull, type Reset } from "../../internal/script/pieces.js"
import { type Failure, type Record, settle } from "../../internal/script/record.js"
import type { Reply } from "../../internal/script/reply.js"
import type { Scene, Stage } from "../../internal/script/stage.js"
import * as Wire from "../../internal/script/wire.js"
import type { Connection, Over } from "./connection.js"

const latin1 = (text: string): Uint8Array => Buffer.from(text, "latin1")

const headOf = ({ headers, status }: Pick<Reply, "headers" | "status">): Uint8Array =>
  latin1(
    [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`, ...headers.map((line) => line.join(": ")), "", ""].join("\r\n")
  )

const chunk = (bytes: Uint8Array): Uint8Array =>
  Buffer.concat([latin1(`${bytes.length.toString(16)}\r\n`), bytes, latin1("\r\n")])

interface Place {
  readonly connection: Connection
  readonly record: Record
}

type Ending = Cut | Reset | Over

/** Sends pieces one by one, and ends the connection where they say so. */
const send = (
  { connection, record }: Place,
  pieces: Iterable<Piece>,
  encode: (bytes: Uint8Array) => Uint8Array = identity
): Effect.Effect<void, Over> =>
  pull<Over>(pieces, identity).pipe(
    Effect.flatMap((bytes) =>
      connection.write(encode(bytes)).pipe(
        Effect.mapError((end): Option.Option<Ending> => Option.some(end)),
        Effect.tap(() => {
          record.sent += bytes.length
        })
      )
    ),
    Effect.forever,
    Effect.catchAll((end) => {
      const last = Option.getOrUndefined(end)
      if (last === undefined) return Effect.void
      if (last._tag === "Over") return Effect.fail(last)
      settle(record, "consumed")
      return last._tag === "Cut" ? connection.end : connection.reset
    })
  )

const play = (place: Place, reply: Scene["reply"]): Effect.Effect<void, Over> =>
  Effect.gen(function* () {
    const { connection, record } = place
    if ("raw" in reply) {
      if (reply.raw.some((piece) => typeof piece === "string" || piece instanceof Uint8Array)) record.answer = "open"
      return yield* send(place, reply.raw)
    }
    yield* send(place, reply.after)
    record.answer = reply.empty ? "consumed" : "open"
    yield* connection.write(headOf(reply))
    const chunked = !reply.empty && Wire.header(reply, "transfer-encoding").includes("chunked")
    yield* send(place, reply.pieces, chunked ? chunk : identity)
    if (chunked) yield* connection.write(latin1("0\r\n\r\n"))
  }).pipe(
    Effect.tap(() => settle(place.record, "consumed")),
    Effect.onError(() => Effect.sync(() => settle(place.record, "cancelled")))
  )

/** Tells the client what is wrong, for a reader of its errors, and ends the connection. */
const refuse = (connection: Connection, { message }: Failure): Effect.Effect<never, Over> => {
  const headers = [["connection", "close"] as const]
  return Effect.zipRight(
    connection.write(Buffer.concat([headOf({ status: 501, headers }), Buffer.from(message)])),
    connection.end
  )
}

interface From {
  readonly origin: string
  readonly connection: number
}

/** Answers a handshake as the script has it, and lets it come no further. */
export const breakHandshake = (stage: Stage, connection: Connection, from: From): Effect.Effect<never, Over> =>
  Effect.gen(function* () {
    const { record, reply } = yield* Effect.orDie(
      stage.enter({ ...from, ...handshake, headers: [] }, Effect.succeed(new Uint8Array()))
    )
    yield* connection.read
    yield* play({ connection, record }, reply)
    return yield* connection.closed
  }).pipe(Effect.raceFirst(connection.closed))

/** Answers the requests of a connection, one after the other, until it is over. */
export const serve = (stage: Stage, connection: Connection, from: From): Effect.Effect<never, Over> => {
  const reader = Wire.make(connection.read)
  return Effect.gen(function* () {
    const head = yield* reader.head
    const { record, reply, unread } = yield* stage
      .enter({ ...head, ...from }, reader.body(head))
      .pipe(Effect.catchTag("ScriptFailure", (failure) => refuse(connection, failure)))
    if (unread) yield* connection.pause
    yield* play({ connection, record }, reply)
    if (unread) {
      yield* connection.resume
      record.body = yield* reader.body(head)
    }
    const closes = [head, "raw" in reply ? { headers: [] } : reply].some(
      (side) => Wire.header(side, "connection") === "close"
    )
    if (closes) yield* connection.end
  }).pipe(Effect.forever, Effect.raceFirst(connection.closed))
}
