import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import type { Digest } from "../../spec/Digest.js"
import type { Repository } from "../../spec/Repository.js"
import type { Sized } from "../BlobSource.js"
import * as Call from "./call.js"
import * as Features from "./features.js"
import * as Request from "./request.js"
import * as UploadAnswer from "./uploadAnswer.js"
import * as UploadBody from "./uploadBody.js"

/** A whole blob with the POST that would begin an upload (end-4b). It is remembered whether that is taken (201) or not (202). */
export const send = <E = never, R = never>(repository: Repository, digest: Digest, content: Uint8Array | Sized<E, R>) =>
  UploadBody.send(
    content,
    Request.blobFacts(repository, digest),
    HttpClientRequest.post(`${Request.uploads(repository)}${Request.query([["digest", digest]])}`),
    (request) =>
      Call.head({
        operation: Request.onRepository("uploads.post", repository, digest),
        request,
        accepts: [201, 202],
        refused: (refusal) => UploadAnswer.refusedStart(refusal) ?? UploadAnswer.refusedBytes(refusal)
      })
  ).pipe(Effect.tap(({ response }) => Features.found(repository, "singlePost", response.status === 201)))
