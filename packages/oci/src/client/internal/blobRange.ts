import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Digest } from "../../spec/Digest.js"
import type { Repository } from "../../spec/Repository.js"
import type { RegistryClient } from "../RegistryClient.js"
import {
  type BlobUnknown,
  type CallError,
  type NameUnknown,
  RangeNotSatisfiable,
  type SizeMismatch,
  UnexpectedResponse
} from "../RegistryError.js"
import * as Body from "./body.js"
import * as Browser from "./browser.js"
import * as Call from "./call.js"
import * as Refused from "./refused.js"
import * as Request from "./request.js"
import * as Verify from "./verify.js"

/** A part of a blob, in bytes: from `start` to `end`, both included and `end` the last byte by default; or its `last` bytes. */
export type Range = { readonly start: number; readonly end?: number | undefined } | { readonly last: number }

const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0

const valid = (range: Range): boolean =>
  "last" in range
    ? isCount(range.last) && range.last > 0
    : isCount(range.start) && (range.end === undefined || (isCount(range.end) && range.end >= range.start))

const header = (range: Range): string =>
  "last" in range ? `bytes=-${range.last}` : `bytes=${range.start}-${range.end ?? ""}`

/** The first and last byte of what was asked for, in a blob of a size; nothing when it has no such part. */
const extent = (range: Range, size: number): { readonly start: number; readonly end: number } | undefined => {
  const start = "last" in range ? Math.max(0, size - range.last) : range.start
  const end = "last" in range ? size - 1 : Math.min(range.end ?? size - 1, size - 1)
  return start <= end ? { start, end } : undefined
}

const contentRange = (text: string) => {
  const match = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/.exec(text.trim())
  if (match === null) return undefined
  const [, start, end, size] = match
  return { start: Number(start), end: Number(end), size: size === "*" ? undefined : Number(size) }
}

/** Whether a part is the one that was asked for, as far as the size of the whole is known. */
const answers = (range: Range, part: { start: number; end: number; size: number | undefined }): boolean => {
  if (part.end < part.start) return false
  if (part.size !== undefined) {
    const wanted = extent(range, part.size)
    return wanted?.start === part.start && wanted.end === part.end
  }
  return "last" in range
    ? part.end - part.start < range.last
    : part.start === range.start && (range.end === undefined || part.end <= range.end)
}

const drop = <E, R>(stream: Stream.Stream<Uint8Array, E, R>, start: number, end: number) => {
  let at = 0
  return stream.pipe(
    Stream.map((bytes) => {
      const piece = bytes.subarray(Math.max(0, start - at), Math.max(0, end + 1 - at))
      at += bytes.length
      return piece
    }),
    Stream.takeUntil(() => at > end),
    Stream.filter((piece) => piece.length > 0)
  )
}

/** The part as a stream, which fails rather than be another part, or longer or shorter than it said. */
export const open = (
  repository: Repository,
  digest: Digest,
  range: Range
): Effect.Effect<
  Stream.Stream<Uint8Array, SizeMismatch | CallError>,
  BlobUnknown | NameUnknown | RangeNotSatisfiable | CallError,
  RegistryClient | Scope.Scope
> =>
  Effect.gen(function* () {
    if (!valid(range)) return yield* new RangeNotSatisfiable(Request.blobFacts(repository, digest))
    const answer = yield* Call.open({
      operation: Request.onRepository("blobs.range", repository, digest),
      request: HttpClientRequest.get(Request.blob(repository, digest)).pipe(
        HttpClientRequest.setHeader("range", header(range))
      ),
      accepts: [200, 206],
      refused: (refusal) =>
        refusal.status === 416 ? new RangeNotSatisfiable(refusal.facts) : Refused.blobGone(refusal)
    })
    const facts = Body.facts(answer)
    const body = Body.stream(answer)
    const failing = <E>(error: E) => Call.orAgain(answer, error, open(repository, digest, range))
    if (answer.response.status === 200) {
      const size = Body.length(answer)
      if (size === undefined) {
        return yield* failing(
          new UnexpectedResponse({ ...facts, reason: "sent the whole blob for a part, and not its size" })
        )
      }
      const part = extent(range, size)
      if (part === undefined) return yield* failing(new RangeNotSatisfiable(facts))
      return Verify.sized(drop(body, part.start, part.end), part.end - part.start + 1, facts)
    }
    const said = answer.response.headers["content-range"]
    const part = contentRange(said ?? "")
    if (part === undefined || !answers(range, part)) {
      const reason = `sent another part than ${header(range)}${said === undefined ? Browser.hidden("Content-Range") : ""}`
      return yield* failing(new UnexpectedResponse({ ...facts, reason }))
    }
    return Verify.sized(body, part.end - part.start + 1, facts)
  })
