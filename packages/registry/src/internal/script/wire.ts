import * as Effect from "effect/Effect"
import { concat } from "./pieces.js"

/** The start of a request, byte for byte. */
export interface Head {
  readonly method: string
  readonly target: string
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
}

/** Reads the requests of a connection, one after the other; fails as its input does. */
export interface Reader<E> {
  readonly head: Effect.Effect<Head, E>
  /** The body that comes after a head. */
  readonly body: (head: Head) => Effect.Effect<Uint8Array, E>
}

/** What a header says, in lower case. */
export const header = ({ headers }: Pick<Head, "headers">, name: string): string =>
  (headers.find(([other]) => other.toLowerCase() === name)?.[1] ?? "").toLowerCase()

/** A reader of HTTP/1.1 over bytes as they come. It is lenient, since its clients are known to write what is right. */
export const make = <E>(next: Effect.Effect<Uint8Array, E>): Reader<E> => {
  const decoder = new TextDecoder("latin1")
  let rest: Uint8Array = new Uint8Array()
  const more = Effect.map(next, (bytes) => {
    rest = concat([rest, bytes])
  })
  const cut = (length: number): Uint8Array => {
    const first = rest.subarray(0, length)
    rest = rest.subarray(first.length)
    return first
  }

  const line: Effect.Effect<string, E> = Effect.suspend(() => {
    const end = rest.indexOf(10) + 1
    return end === 0 ? Effect.zipRight(more, line) : Effect.succeed(decoder.decode(cut(end)).trimEnd())
  })
  const take = (length: number): Effect.Effect<Uint8Array, E> =>
    Effect.gen(function* () {
      const pieces: Array<Uint8Array> = []
      for (let left = length; left > 0; ) {
        if (rest.length === 0) yield* more
        const piece = cut(left)
        pieces.push(piece)
        left -= piece.length
      }
      return concat(pieces)
    })
  const chunks = Effect.gen(function* () {
    const pieces: Array<Uint8Array> = []
    for (let size = Number.parseInt(yield* line, 16); size > 0; size = Number.parseInt(yield* line, 16)) {
      pieces.push(yield* take(size))
      yield* line
    }
    // trailers
    while ((yield* line) !== "") {}
    return concat(pieces)
  })

  return {
    head: Effect.gen(function* () {
      const [method = "", target = ""] = (yield* line).split(" ")
      const headers: Array<readonly [string, string]> = []
      for (let field = yield* line; field !== ""; field = yield* line) {
        const colon = field.indexOf(":")
        headers.push([field.slice(0, colon), field.slice(colon + 1).trim()])
      }
      return { method, target, headers }
    }),
    body: (head) =>
      header(head, "transfer-encoding") === "chunked" ? chunks : take(Number(header(head, "content-length") || 0))
  }
}
