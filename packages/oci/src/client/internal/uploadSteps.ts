import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Digest from "../../spec/Digest.js"
import type { Repository } from "../../spec/Repository.js"
import type { Sized } from "../BlobSource.js"
import { UnexpectedResponse } from "../RegistryError.js"
import type { UploadSession } from "../Uploads.js"
import * as Body from "./body.js"
import * as Call from "./call.js"
import * as Request from "./request.js"
import * as UploadAnswer from "./uploadAnswer.js"
import * as UploadBody from "./uploadBody.js"

/** Begins an upload. The steps have no spans of their own: a push is one, whatever it takes. */
export const start = (repository: Repository, algorithm: Digest.Algorithm) =>
  Effect.flatMap(
    Call.head({
      operation: Request.onRepository("uploads.start", repository),
      request: HttpClientRequest.post(
        `${Request.uploads(repository)}${Request.query([["digest-algorithm", algorithm === "sha256" ? undefined : algorithm]])}`
      ),
      accepts: [202],
      refused: UploadAnswer.refusedStart
    }),
    (answer) => UploadAnswer.begun(answer, repository)
  )

const contentRange = (session: UploadSession, size: number): string => `${session.offset}-${session.offset + size - 1}`

/** Sends the next chunk. */
export const patch = <E = never, R = never>(session: UploadSession, chunk: Uint8Array | Sized<E, R>) =>
  Effect.gen(function* () {
    const { location, offset, repository } = session
    const size = UploadBody.sizeOf(chunk)
    // an empty range cannot be written, and moves nothing
    if (size === 0) return session
    const answer = yield* UploadBody.send(
      chunk,
      Request.repositoryFacts(repository),
      HttpClientRequest.patch(Redacted.value(location)).pipe(
        HttpClientRequest.setHeader("content-range", contentRange(session, size))
      ),
      (request) =>
        Call.head({
          operation: Request.onRepository("uploads.patch", repository),
          request,
          accepts: [200, 201, 202, 204],
          refused: UploadAnswer.refusedBytes
        })
    )
    const now = UploadAnswer.received(answer.response.headers.range) ?? offset + size
    if (now < offset || now > offset + size) {
      return yield* new UnexpectedResponse({
        ...Body.facts(answer),
        reason: `has ${now} bytes of an upload that ends at ${offset + size}`
      })
    }
    return yield* UploadAnswer.continued(answer, session, now)
  })

/** Ends an upload, with what is left of the blob. */
export const finish = <E = never, R = never>(
  session: UploadSession,
  digest: Digest.Digest,
  lastChunk?: Uint8Array | Sized<E, R>
) =>
  Effect.gen(function* () {
    const { location, offset, repository } = session
    const chunk = lastChunk ?? new Uint8Array()
    const size = UploadBody.sizeOf(chunk)
    const put = HttpClientRequest.put(Request.append(Redacted.value(location), "digest", digest))
    const answer = yield* UploadBody.send(
      chunk,
      Request.blobFacts(repository, digest),
      offset > 0 && size > 0 ? HttpClientRequest.setHeader(put, "content-range", contentRange(session, size)) : put,
      (request) =>
        Call.head({
          operation: Request.onRepository("uploads.finish", repository, digest),
          request,
          accepts: [201, 204],
          refused: UploadAnswer.refusedBytes
        })
    )
    return yield* UploadAnswer.finished(answer, { mediaType: Request.octets, digest, size: offset + size })
  })
