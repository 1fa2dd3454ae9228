import type { Answer, Raw } from "./lines.js"
import { bytesOf, delay, type Piece } from "./pieces.js"

/** An answer with all that HTTP/1.1 adds to it. */
export interface Reply {
  readonly status: number
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly pieces: Iterable<Piece>
  readonly after: ReadonlyArray<Piece>
}

const pairs = (headers: Answer["headers"] = {}): ReadonlyArray<readonly [string, string]> =>
  Symbol.iterator in headers
    ? [...headers]
    : Object.entries(headers).flatMap(([name, value]) =>
        (typeof value === "string" ? [value] : (value ?? [])).map((one): readonly [string, string] => [name, one])
      )

/** Puts the body of an answer, and what it says of it, into one form. */
export const make = (answer: Answer, method: string): Reply => {
  const given = pairs(answer.headers)
  const headers = [...given]
  const has = (name: string) => given.some(([other]) => other.toLowerCase() === name)
  const body = answer.json === undefined ? (answer.body ?? "") : JSON.stringify(answer.json)
  const whole = typeof body === "string" || body instanceof Uint8Array ? bytesOf(body) : undefined
  const without = answer.status < 200 || answer.status === 204 || answer.status === 304
  const empty = method === "HEAD" || without

  if (answer.json !== undefined && !has("content-type")) headers.push(["content-type", "application/json"])
  if (!has("content-length") && !has("transfer-encoding") && !without) {
    if (whole === undefined) headers.push(["transfer-encoding", "chunked"])
    // an answer to HEAD says nothing of a length that it was not given
    else if (!empty || whole.length > 0) headers.push(["content-length", String(whole.length)])
  }
  const after = answer.after === undefined ? [] : [isHold(answer.after) ? answer.after : delay(answer.after)]
  return { status: answer.status, headers, pieces: empty ? [] : whole === undefined ? body : [whole], after }
}

export const isRaw = (answer: Answer | Raw): answer is Raw => "raw" in answer
