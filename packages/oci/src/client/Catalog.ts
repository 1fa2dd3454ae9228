/**
 * The repositories of a registry: `_catalog`, an extension that many registries have and the large ones refuse.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { RegistryName } from "../spec/RegistryName.js"
import * as Paging from "./internal/paging.js"
import type { Refusal } from "./internal/refusal.js"
import * as Refused from "./internal/refused.js"
import * as Request from "./internal/request.js"
import type { RegistryClient } from "./RegistryClient.js"
import { type CallError, type PaginationLoop, Unsupported } from "./RegistryError.js"

export interface ListOptions {
  /** How many to ask for. Registries may send fewer; without it they decide. */
  readonly n?: number | undefined
  /** Starts after this repository, in the registry's order. */
  readonly last?: string | undefined
}

export interface Page {
  /** Names of repositories, as the registry sends them. */
  readonly repositories: ReadonlyArray<string>
  /** Whether there is a next page; `last` of it is the last repository of this one. */
  readonly hasNext: boolean
}

const listing = (registry: RegistryName, options?: ListOptions) => ({
  operation: Request.onRegistry("catalog.list", registry),
  ...Paging.ranged("/v2/_catalog", options),
  accept: "application/json",
  accepts: [200],
  refused: (refusal: Refusal) => (refusal.status === 404 ? new Unsupported(refusal.facts) : Refused.notDone(refusal)),
  entries: Paging.strings("repositories")
})

/** One page of repositories. */
export const list: (
  registry: RegistryName,
  options?: ListOptions
) => Effect.Effect<Page, Unsupported | CallError, RegistryClient> = Effect.fn("oci.catalog.list")(
  function* (registry, options) {
    yield* Effect.annotateCurrentSpan({ "oci.registry": registry.toString() })
    const first = listing(registry, options)
    const { entries, next } = yield* Paging.page(first, first.path)
    return { repositories: entries, hasNext: Option.isSome(next) }
  }
)

/** All repositories, page by page as they are wanted; `n` is the size of the pages. */
export const stream = (
  registry: RegistryName,
  options?: ListOptions
): Stream.Stream<string, Unsupported | PaginationLoop | CallError, RegistryClient> =>
  Stream.withSpan(Paging.stream(listing(registry, options)), "oci.catalog.stream", {
    captureStackTrace: false,
    attributes: { "oci.registry": registry.toString() }
  })
