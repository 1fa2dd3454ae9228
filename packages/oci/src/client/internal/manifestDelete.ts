import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import type { Repository } from "../../spec/Repository.js"
import type { RegistryClient } from "../RegistryClient.js"
import type { CallError, ManifestUnknown, NameUnknown, Unsupported } from "../RegistryError.js"
import * as Call from "./call.js"
import * as Refused from "./refused.js"
import * as Request from "./request.js"

/** Deletes a manifest by its digest. */
export const one = (
  repository: Repository,
  digest: string
): Effect.Effect<void, ManifestUnknown | NameUnknown | Unsupported | CallError, RegistryClient> =>
  Effect.asVoid(
    Call.head({
      operation: Request.onRepository("manifests.delete", repository, digest),
      request: HttpClientRequest.del(Request.manifest(repository, digest)),
      accepts: [200, 202, 204],
      refused: (refusal) => Refused.manifestGone(refusal) ?? Refused.notDone(refusal)
    })
  )

/** As `one`, where it is as good when there is none. */
export const ifThere = (
  repository: Repository,
  digest: string
): Effect.Effect<void, Unsupported | CallError, RegistryClient> =>
  Effect.catchTags(one(repository, digest), {
    ManifestUnknown: () => Effect.void,
    NameUnknown: () => Effect.void
  })
