import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { isRecord } from "effect/Predicate"
import * as Stream from "effect/Stream"
import type { RegistryClient } from "../RegistryClient.js"
import { type CallError, PaginationLoop, UnexpectedResponse } from "../RegistryError.js"
import * as Body from "./body.js"
import * as Call from "./call.js"
import * as Link from "./link.js"

/** How one kind of list is asked for and read. */
export interface Listing<A, E, E2> extends Omit<Call.Call<E>, "request"> {
  /** Path and query of the first page. */
  readonly path: string
  readonly accept: string
  readonly entries: (page: Page) => Effect.Effect<ReadonlyArray<A>, E2>
}

export interface Page {
  readonly answer: Body.Answer
  readonly bytes: Uint8Array
  /** Where the registry says the next page is, judged; nothing on the last. */
  readonly next: Option.Option<string>
}

/** One page, at the given URL. */
export const page = <A, E, E2>(
  listing: Listing<A, E, E2>,
  url: string
): Effect.Effect<
  { readonly entries: ReadonlyArray<A>; readonly next: Option.Option<string>; readonly answer: Body.Answer },
  E | E2 | CallError,
  RegistryClient
> =>
  Call.read(
    { ...listing, request: HttpClientRequest.get(url).pipe(HttpClientRequest.setHeader("accept", listing.accept)) },
    (limits) => limits.page,
    (answer, bytes) =>
      Effect.gen(function* () {
        const target = Link.next(answer.response.headers.link ?? "")
        const next =
          target === undefined ? Option.none() : Option.some(yield* Link.judged(answer, "link", "GET", target))
        return { answer, entries: yield* listing.entries({ answer, bytes, next }), next }
      })
  )

/**
 * All entries, page by page as they are wanted: the registry ends the list by giving no link to a next page. Links that
 * lead back, or never end, are a `PaginationLoop`.
 */
export const stream = <A, E, E2>(
  listing: Listing<A, E, E2>
): Stream.Stream<A, E | E2 | PaginationLoop | CallError, RegistryClient> =>
  Stream.suspend(() => {
    const visited = new Set<string>()
    return Stream.paginateChunkEffect(listing.path, (url) =>
      Effect.gen(function* () {
        const { answer, entries, next } = yield* page(listing, url)
        visited.add(answer.response.request.url)
        const looping = Option.exists(next, (to) => visited.has(to) || visited.size >= answer.limits.pages)
        if (looping) return yield* new PaginationLoop({ ...Body.facts(answer), pages: visited.size })
        return [Chunk.fromIterable(entries), next] as const
      })
    )
  })

/** The strings under one name of a JSON document. Registries send null for none, and now and then a null among them. */
export const strings =
  (name: string) =>
  ({ answer, bytes }: Page): Effect.Effect<ReadonlyArray<string>, UnexpectedResponse> =>
    Effect.try({
      try: (): unknown => JSON.parse(new TextDecoder().decode(bytes)),
      catch: () => undefined
    }).pipe(
      Effect.flatMap((document) => {
        const list = isRecord(document) && Object.hasOwn(document, name) ? document[name] : undefined
        if (list === null) return Effect.succeed([])
        return Array.isArray(list)
          ? Effect.succeed(list.filter((entry): entry is string => typeof entry === "string"))
          : Effect.fail(undefined)
      }),
      Effect.mapError(
        () => new UnexpectedResponse({ ...Body.facts(answer), reason: `answered with no list of ${name}` })
      )
    )
