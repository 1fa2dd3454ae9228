import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Digest } from "../../../spec/Digest.js"
import type { Repository } from "../../../spec/Repository.js"
import type * as RegistryClient from "../../RegistryClient.js"
import {
  type BlobUnknown,
  type CallError,
  type NameUnknown,
  RangeNotSatisfiable,
  SizeMismatch,
  UnexpectedResponse
} from "../../RegistryError.js"
import * as Body from "../body.js"
import * as Browser from "../browser.js"
import * as Call from "../call.js"
import * as Refused from "../refused.js"
import * as Request from "../request.js"
import { slice } from "../slice.js"
import * as Extent from "./extent.js"
import type * as Reading from "./reading.js"

export type Opening<A, E> = Effect.Effect<A, E | CallError, RegistryClient.RegistryClient | Scope.Scope>

/** Sends the request for a blob, or for a part of it, wherever it is. */
export interface Ask {
  (range: Extent.Range | undefined, accepts: ReadonlyArray<number>): Opening<Body.Answer, BlobUnknown | NameUnknown>
}

const request = (repository: Repository, digest: Digest, range: Extent.Range | undefined) => {
  const whole = HttpClientRequest.get(Request.blob(repository, digest))
  return range === undefined ? whole : HttpClientRequest.setHeader(whole, "range", Extent.header(range))
}

/** Asks a registry. */
export const ask =
  (
    repository: Repository,
    digest: Digest,
    name: "blobs.get" | "blobs.range" = "blobs.get",
    options?: RegistryClient.ExecuteOptions
  ): Ask =>
  (range, accepts) =>
    Call.open(
      {
        operation: Request.onRepository(name, repository, digest),
        request: request(repository, digest, range),
        accepts,
        refused: Refused.blobGone
      },
      options
    )

/** What begins at a byte of an answer that is the whole blob, if that does not claim another size than it must have. */
const entire = (
  ask: Ask,
  answer: Body.Answer,
  size: number | undefined,
  start: number,
  last?: number
): Opening<Reading.Part, BlobUnknown | NameUnknown | SizeMismatch> => {
  // a page may not be shown that the body is coded, and then this length is not that of its bytes
  const claimed = Browser.inPage() ? undefined : Body.length(answer)
  if (claimed !== undefined && size !== undefined && claimed !== size) {
    const error = new SizeMismatch({ ...Body.facts(answer), expected: size, actual: claimed })
    return Call.orAgain(answer, error, whole(ask, size, start, last))
  }
  const end = last === undefined ? (size ?? claimed) : last + 1
  const bytes = slice(Body.stream(answer), start, last === undefined ? undefined : last + 1 - start)
  return Effect.succeed({ answer, bytes, start, end })
}

/** Asks for the whole blob. What is not wanted of it is passed over. */
export const whole = (
  ask: Ask,
  size: number | undefined,
  start = 0,
  last?: number
): Opening<Reading.Part, BlobUnknown | NameUnknown | SizeMismatch> =>
  Effect.flatMap(ask(undefined, [200]), (answer) => entire(ask, answer, size, start, last))

/** Asks for what there is of a blob from a byte on, up to a last one or its end; for nothing when there is no more. */
export const rest = (
  ask: Ask,
  start: number,
  size: number | undefined,
  last?: number
): Opening<Reading.Part | undefined, BlobUnknown | NameUnknown | SizeMismatch> =>
  Effect.gen(function* () {
    const range = { start, end: last }
    const answer = yield* ask(range, [200, 206, 416])
    const { headers, status } = answer.response
    const said = headers["content-range"]
    if (status === 416) {
      const has = Extent.sizeTold(said ?? "")
      if (has !== undefined && has <= start) return undefined
      // some know only ranges that have an end
      if (last === undefined && size !== undefined && start < size) return yield* rest(ask, start, size, size - 1)
      return yield* whole(ask, size, start, last)
    }
    if (status === 200) return yield* entire(ask, answer, size, start, last)
    const facts = Body.facts(answer)
    const bytes = Body.stream(answer)
    // what a page is not shown, the digest tells
    if (said === undefined && Browser.inPage()) return { answer, bytes, start, end: size }
    const part = Extent.told(said ?? "")
    const anew = rest(ask, start, size, last)
    if (part?.size !== undefined && size !== undefined && part.size !== size) {
      const error = new SizeMismatch({ ...facts, expected: size, actual: part.size })
      return yield* Call.orAgain(answer, error, anew)
    }
    if (part === undefined || !Extent.answers(range, { ...part, size: part.size ?? size })) {
      const error = new UnexpectedResponse({ ...facts, reason: `sent another part than ${Extent.header(range)}` })
      return yield* Call.orAgain(answer, error, anew)
    }
    return { answer, bytes, start, end: part.end + 1 }
  })

/** Asks for a part. Who does not know ranges sends the whole blob, of which the part is taken. */
export const range = (
  repository: Repository,
  digest: Digest,
  wanted: Extent.Range
): Opening<Reading.Part & { readonly end: number }, BlobUnknown | NameUnknown | RangeNotSatisfiable> =>
  Effect.gen(function* () {
    if (!Extent.isValid(wanted)) return yield* new RangeNotSatisfiable(Request.blobFacts(repository, digest))
    const answer = yield* Call.open({
      operation: Request.onRepository("blobs.range", repository, digest),
      request: request(repository, digest, wanted),
      accepts: [200, 206],
      refused: (refusal) =>
        refusal.status === 416 ? new RangeNotSatisfiable(refusal.facts) : Refused.blobGone(refusal)
    })
    const facts = Body.facts(answer)
    const bytes = Body.stream(answer)
    const failing = <E>(error: E) => Call.orAgain(answer, error, range(repository, digest, wanted))
    if (answer.response.status === 200) {
      const size = Body.length(answer)
      if (size === undefined) {
        const reason = "sent the whole blob for a part, and not its size"
        return yield* failing(new UnexpectedResponse({ ...facts, reason }))
      }
      const part = Extent.of(wanted, size)
      if (part === undefined) return yield* failing(new RangeNotSatisfiable(facts))
      const end = part.end + 1
      return { answer, bytes: slice(bytes, part.start, end - part.start), start: part.start, end }
    }
    const said = answer.response.headers["content-range"]
    const part = Extent.told(said ?? "")
    if (part === undefined || !Extent.answers(wanted, part)) {
      const reason = `sent another part than ${Extent.header(wanted)}${said === undefined ? Browser.hidden("Content-Range") : ""}`
      return yield* failing(new UnexpectedResponse({ ...facts, reason }))
    }
    return { answer, bytes, start: part.start, end: part.end + 1 }
  })
