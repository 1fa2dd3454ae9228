import * as Predicate from "effect/Predicate"
import type { Answer } from "./lines.js"
import { bytesOf, delay, type Piece } from "./pieces.js"

/** An answer with all that HTTP/1.1 adds to it. */
export interface Reply {
  readonly status: number
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly pieces: Iterable<Piece>
  /** Whether there is nothing to read. */
  readonly empty: boolean
  readonly after: ReadonlyArray<Piece>
}

const pairs = (headers: Answer["headers"] = {}): ReadonlyArray<readonly [string, string]> =>
  Symbol.iterator in headers
    ? [...headers]
    : Object.entries(headers).flatMap(([name, value]) =>
        (typeof value === "string" ? [value] : (value ?? [])).map((one): readonly [string, string] => [name, one])
      )

interface Body {
  readonly pieces: Iterable<Piece>
  /** Unknown for what comes in pieces. */
  readonly length?: number
}

const bodyOf = ({ body = "", json }: Answer): Body => {
  const given = json === undefined ? body : JSON.stringify(json)
  if (typeof given !== "string" && !(given instanceof Uint8Array)) return { pieces: given }
  const bytes = bytesOf(given)
  return { pieces: [bytes], length: bytes.length }
}

/** Brings an answer into one form, with a length or a coding that fits its body unless it has its own. */
export const make = (answer: Answer, method: string): Reply => {
  const headers = [...pairs(answer.headers)]
  const has = (name: string) => headers.some(([other]) => other.toLowerCase() === name)
  const { length, pieces } = bodyOf(answer)
  const without = answer.status < 200 || answer.status === 204 || answer.status === 304
  const head = method === "HEAD"
  const empty = head || without || length === 0

  if (answer.json !== undefined && !has("content-type")) headers.push(["content-type", "application/json"])
  if (!without && !has("content-length") && !has("transfer-encoding")) {
    if (length === undefined) headers.push(["transfer-encoding", "chunked"])
    // an answer to HEAD that has no body may be to something that has
    else if (length > 0 || !head) headers.push(["content-length", String(length)])
  }
  return {
    status: answer.status,
    headers,
    pieces: empty ? [] : pieces,
    empty,
    after:
      answer.after === undefined ? [] : [Predicate.isTagged(answer.after, "Hold") ? answer.after : delay(answer.after)]
  }
}
