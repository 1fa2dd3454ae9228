import type * as Headers from "@effect/platform/Headers"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Cue, Hold, Piece } from "./pieces.js"
import type { Received } from "./record.js"

/** What a request must be like, beside its method and target. What is not named here is not looked at. */
export interface Match {
  /** By name in any case: the whole value, or a pattern in it. `undefined`: the header must not be there. */
  readonly headers?: { readonly [name: string]: string | RegExp | undefined } | undefined
  /** The whole body. */
  readonly body?: string | Uint8Array | undefined
  /** The whole body as JSON, whatever its spaces and the order of its keys. */
  readonly json?: unknown
  /** Answers before the body is read: in the process it is never drawn, over a socket it is read after the answer. */
  readonly unread?: boolean | undefined
}

/** What an answer has beside its status. */
export interface AnswerOptions {
  /** A header that comes twice has a list; pairs keep their order, and over a socket their case. */
  readonly headers?: Headers.Input | undefined
  /**
   * Text and bytes get a `Content-Length`, and what comes in pieces, which may be endless, is chunked. Headers that are
   * given stay as they are, right or wrong.
   */
  readonly body?: string | Uint8Array | Iterable<Piece> | undefined
  /** A body in JSON, with its `Content-Type`. */
  readonly json?: unknown
  /** What is waited for before the answer. */
  readonly after?: Duration.DurationInput | Hold | undefined
}

/** An answer, worked out from its request. */
export interface Answer extends AnswerOptions {
  readonly status: number
}

/** Where an origin of the script is found: over a socket at 127.0.0.1, else under its own name. */
export type Address = (origin: string) => string

/** What comes over the wire and nothing else. */
export interface Raw {
  readonly raw: ReadonlyArray<Piece>
}

/** One request that is expected, and its answer. */
export interface Step {
  readonly _tag: "Step"
  readonly origin: string
  readonly method: string
  readonly target: string
  readonly match: Match
  readonly reply: (request: Received, address: Address) => Effect.Effect<Answer | Raw>
  readonly count: number
  /** The same, so many times in a row. */
  readonly times: (count: number) => Step
}

/** Steps that come in any order. */
export interface Unordered {
  readonly _tag: "Unordered"
  readonly steps: ReadonlyArray<Step>
}

/** Text that may go to some origins and to no other. */
export interface Secret {
  readonly _tag: "Secret"
  readonly value: string
  readonly origins: ReadonlyArray<string>
}

/** A line of a script. */
export type Line = Step | Unordered | Secret

/** A request that waits for its answer to be written. */
export interface Expectation {
  readonly answer: {
    (status: number, options?: AnswerOptions): Step
    /** No answer but this: a reset, say, or a stall. */
    (cue: Cue): Step
    /** An answer made of the request, whose body has been read, and of where the origins are, for a `Location`. */
    (make: (request: Received, address: Address) => Answer | Effect.Effect<Answer>): Step
  }
  /**
   * Bytes as they go over the wire, from the status line on, which only a socket can do. The connection stays open after
   * them, unless they end with a cut or a reset.
   */
  readonly raw: (...pieces: ReadonlyArray<Piece>) => Step
}

/** One of the hosts of a script. */
export interface Origin {
  /** A request to this host; its target is path and query as they go over the wire. */
  readonly expect: (method: string, target: string, match?: Match) => Expectation
  /**
   * A connection that gets no further than its TLS handshake: what it is answered when its first bytes have come, a cut, say,
   * or plain HTTP. Only `ScriptServer.layerTls` can play it; among the requests its method is `TLS`.
   */
  readonly handshake: (...pieces: ReadonlyArray<Piece>) => Step
}

/** How a handshake that ends there is called among the steps and requests. */
export const handshake = { method: "TLS", target: "" } as const

const step = (fields: Omit<Step, "_tag" | "times">): Step => ({
  ...fields,
  _tag: "Step",
  times: (count) => step({ ...fields, count })
})

const replying = (
  how: number | Cue | ((request: Received, address: Address) => Answer | Effect.Effect<Answer>),
  options: AnswerOptions | undefined
): Step["reply"] => {
  if (typeof how === "number") return () => Effect.succeed({ ...options, status: how })
  if (typeof how !== "function") return raw([how])
  return (request, address) =>
    Effect.suspend(() => {
      const answer = how(request, address)
      return Effect.isEffect(answer) ? answer : Effect.succeed(answer)
    })
}

const raw = (pieces: ReadonlyArray<Piece>): Step["reply"] => {
  const reply = Effect.succeed({ raw: pieces })
  return () => reply
}

export const on = (url: string): Origin => {
  const { origin } = new URL(url)
  return {
    handshake: (...pieces) => step({ ...handshake, origin, match: {}, reply: raw(pieces), count: 1 }),
    expect: (method, target, match = {}) => {
      const reply = (reply: Step["reply"]) => step({ origin, method, target, match, reply, count: 1 })
      return {
        answer: (how: Parameters<typeof replying>[0], options?: AnswerOptions) => reply(replying(how, options)),
        raw: (...pieces) => reply(raw(pieces))
      }
    }
  }
}

export const secret = (value: string, options: { readonly onlyTo: ReadonlyArray<string> }): Secret => ({
  _tag: "Secret",
  value,
  origins: options.onlyTo.map((url) => new URL(url).origin)
})
