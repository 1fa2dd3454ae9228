import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import type { Digest } from "../../../spec/Digest.js"
import type { Repository } from "../../../spec/Repository.js"
import type { RegistryClient } from "../../RegistryClient.js"
import * as Body from "../body.js"
import * as Call from "../call.js"
import * as Request from "../request.js"

/**
 * The size of a blob that the registry has, if it has one of this digest, and of this size where it says one. A registry
 * that does not tell has none: then it is sent.
 */
export const find = (
  repository: Repository,
  digest: Digest,
  size: number | undefined
): Effect.Effect<number | undefined, never, RegistryClient> =>
  Call.head({
    operation: Request.onRepository("blobs.head", repository, digest),
    request: HttpClientRequest.head(Request.blob(repository, digest)),
    accepts: [200, 404],
    mirrors: false
  }).pipe(
    Effect.map((answer) => {
      if (answer.response.status === 404) return undefined
      const told = Body.length(answer)
      return size === undefined || told === undefined || told === size ? (told ?? size) : undefined
    }),
    Effect.orElseSucceed(() => undefined)
  )
