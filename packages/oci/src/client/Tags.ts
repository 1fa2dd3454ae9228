/**
 * The tags of a repository (end-8, end-9).
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Reference from "../spec/Reference.js"
import type { InvalidReference } from "../spec/RegistryName.js"
import type { Repository } from "../spec/Repository.js"
import * as Call from "./internal/call.js"
import * as Paging from "./internal/paging.js"
import type { Refusal } from "./internal/refusal.js"
import * as Refused from "./internal/refused.js"
import * as Request from "./internal/request.js"
import * as TagDummy from "./internal/tagDummy.js"
import type { RegistryClient } from "./RegistryClient.js"
import { type CallError, type ManifestUnknown, NameUnknown, type PaginationLoop, Unsupported } from "./RegistryError.js"

export interface ListOptions {
  /** How many to ask for. Registries may send fewer, and most have a maximum; without it they decide. */
  readonly n?: number | undefined
  /** Starts after this tag, in the registry's order. */
  readonly last?: string | undefined
}

export interface Page {
  /** As the registry sends them: not sorted, and not always valid as tags. */
  readonly tags: ReadonlyArray<string>
  /** Whether there is a next page; `last` of it is the last tag of this one. */
  readonly hasNext: boolean
}

const listing = (repository: Repository, options?: ListOptions) => ({
  operation: Request.onRepository("tags.list", repository),
  ...Paging.ranged(`/v2/${repository.name}/tags/list`, options),
  accept: "application/json",
  accepts: [200],
  refused: (refusal: Refusal) =>
    refusal.status === 404
      ? new NameUnknown(refusal.facts)
      : (Refused.repositoryGone(refusal) ?? Refused.notDone(refusal)),
  entries: Paging.strings("tags")
})

/** One page of tags (end-8a, end-8b). */
export const list: (
  repository: Repository,
  options?: ListOptions
) => Effect.Effect<Page, NameUnknown | Unsupported | CallError, RegistryClient> = Effect.fn("oci.tags.list")(
  function* (repository, options) {
    yield* Request.annotate(repository)
    const first = listing(repository, options)
    const { entries, next } = yield* Paging.page(first, first.path)
    return { tags: entries, hasNext: Option.isSome(next) }
  }
)

/** All tags, page by page as they are wanted; `n` is the size of the pages. */
export const stream = (
  repository: Repository,
  options?: ListOptions
): Stream.Stream<string, NameUnknown | Unsupported | PaginationLoop | CallError, RegistryClient> =>
  Stream.withSpan(Paging.stream(listing(repository, options)), "oci.tags.stream", {
    captureStackTrace: false,
    attributes: Request.attributes(repository)
  })

export interface DeleteOptions {
  /**
   * What to do where the registry deletes manifests and no tags. `"dummy"`: the tag is moved to a manifest made for that, with
   * a digest of its own, and that manifest is deleted by its digest. For a moment the tag names it. When it cannot be deleted,
   * the tag names what it did before. Default: nothing, which is `Unsupported`.
   */
  readonly fallback?: "dummy" | undefined
}

const remove: (
  repository: Repository,
  tag: string,
  options?: DeleteOptions
) => Effect.Effect<void, ManifestUnknown | NameUnknown | Unsupported | InvalidReference | CallError, RegistryClient> =
  Effect.fn("oci.tags.delete")(function* (repository, tag, options) {
    yield* Request.annotate(repository, tag)
    const reference = yield* Reference.withTag(Reference.make(repository), tag)
    const { target } = reference
    yield* Call.head({
      operation: Request.onRepository("tags.delete", repository, target),
      request: HttpClientRequest.del(Request.manifest(repository, target)),
      accepts: [200, 202, 204],
      refused: (refusal) =>
        // registries of before the specification took digests only, and call a tag an invalid one
        refusal.says("DIGEST_INVALID")
          ? new Unsupported(refusal.facts)
          : (Refused.manifestGone(refusal) ?? Refused.notDone(refusal))
    }).pipe(
      Effect.catchTag("Unsupported", (refused) =>
        options?.fallback === "dummy" ? TagDummy.remove(reference, refused) : refused
      )
    )
  })

export {
  /**
   * Takes a tag away (end-9); the manifest stays. Registries that cannot do that say `Unsupported`, unless there is a
   * `fallback`.
   */
  remove as delete
}
