import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Descriptor } from "../../../spec/Descriptor.js"
import type { Repository } from "../../../spec/Repository.js"
import * as OriginPolicy from "../../OriginPolicy.js"
import * as RegistryClient from "../../RegistryClient.js"
import type { BlobUnknown, CallError, NameUnknown } from "../../RegistryError.js"
import * as RegistryHosts from "../../RegistryHosts.js"
import type * as Body from "../body.js"
import * as Call from "../call.js"
import * as Refused from "../refused.js"
import * as Request from "../request.js"
import * as Extent from "./extent.js"
import type { Ask } from "./part.js"

type Opened = Effect.Effect<
  Body.Answer,
  BlobUnknown | NameUnknown | CallError,
  RegistryClient.RegistryClient | Scope.Scope
>

/** More places than this are not tried. */
const most = 8

/**
 * Asks one of the URLs of a descriptor. Whoever wrote the descriptor chose it, so that it is judged like a redirect, and
 * nothing that tells who asks goes there, not even where it leads to the registry itself.
 */
const at = (repository: Repository, { digest }: Descriptor, url: string): Ask => {
  const operation = Request.onRepository("blobs.get", repository, digest)
  return (range, accepts): Opened =>
    Effect.gen(function* () {
      const client = yield* RegistryClient.RegistryClient
      const [{ baseUrl }, policy] = yield* client.provide(
        Effect.zip(RegistryHosts.of(repository.registry, repository), OriginPolicy.OriginPolicy)
      )
      const from = `${baseUrl}${Request.blob(repository, digest)}`
      const verdict = yield* policy.judge({ kind: "urls", operation, method: "GET", from, to: url })
      const request = HttpClientRequest.get(verdict.url)
      return yield* OriginPolicy.following(
        from,
        verdict
      )(
        Call.open(
          {
            operation,
            request:
              range === undefined ? request : HttpClientRequest.setHeader(request, "range", Extent.header(range)),
            accepts,
            refused: Refused.blobGone
          },
          { anonymous: true }
        )
      )
    })
}

/** Asks the registry, and where that does not have the blob, the places that its descriptor names, one after the other. */
export const orElse = (registry: Ask, repository: Repository, descriptor: Descriptor): Ask => {
  const urls = descriptor.urls?.slice(0, most) ?? []
  if (urls.length === 0) return registry
  let found: Ask | undefined
  return (range, accepts): Opened => {
    const tried = (at: Ask) => Effect.tap(at(range, accepts), () => Effect.sync(() => (found = at)))
    const elsewhere = (error: BlobUnknown | NameUnknown) =>
      urls.reduce<Opened>(
        (before, url) => Effect.catchAll(before, () => tried(at(repository, descriptor, url))),
        Effect.fail(error)
      )
    return found === undefined
      ? Effect.catchTags(registry(range, accepts), { BlobUnknown: elsewhere, NameUnknown: elsewhere })
      : found(range, accepts)
  }
}
