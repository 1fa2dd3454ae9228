import type * as Headers from "@effect/platform/Headers"
import * as Data from "effect/Data"

/** A request as it came, and what became of its answer. */
export interface Received {
  /** As the script calls it: `https://registry.test`. */
  readonly origin: string
  readonly method: string
  /** Path and query as they go over the wire, nothing decoded. */
  readonly target: string
  /** By name in lower case; one that came twice is joined by a comma. */
  readonly headers: Headers.Headers
  /** Over a socket, each line as it came, in its case. */
  readonly rawHeaders: ReadonlyArray<readonly [name: string, value: string]>
  /** As far as it was read. */
  readonly body: Uint8Array
  /** Which connection it came over, from 1. In the process there are none: 0. */
  readonly connection: number
  /**
   * `none` until an answer comes, `open` until its body is read to the end or given up. A connection that the script ends is
   * consumed too. Over a socket all is consumed that the network has taken.
   */
  readonly answer: "none" | "open" | "consumed" | "cancelled"
  /** How many bytes of the answer's body have left. */
  readonly sent: number
}

/** The same for those who write it. */
export type Record = { -readonly [Key in keyof Received]: Received[Key] }

/** What was not as the script, or the test, has it. In a test it is a defect. */
export class Failure extends Data.TaggedError("ScriptFailure")<{ readonly problems: ReadonlyArray<string> }> {
  override get message(): string {
    const [first, ...more] = this.problems
    return more.length === 0 ? `${first}` : ["not as the script has it:", ...this.problems].join("\n  - ")
  }
}

/** `GET https://registry.test/v2/` */
export const nameOf = (request: { readonly method: string; readonly origin: string; readonly target: string }) =>
  `${request.method} ${request.origin}${request.target}`

/** Says how an answer ended, which it does once. */
export const settle = (record: Record, end: "consumed" | "cancelled"): void => {
  if (record.answer === "none" || record.answer === "open") record.answer = end
}
