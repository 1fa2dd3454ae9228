import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { isRecord } from "effect/Predicate"
import * as Stream from "effect/Stream"
import type { RegistryClient } from "../RegistryClient.js"
import { type CallError, PaginationLoop, type RegistryError, UnexpectedResponse } from "../RegistryError.js"
import * as Body from "./body.js"
import * as Call from "./call.js"
import * as Link from "./link.js"
import * as Request from "./request.js"

/** How many entries are asked for, and after which. */
export interface Range {
  readonly n?: number | undefined
  readonly last?: string | undefined
}

/** The parts of a listing of names that depend on how many are asked for. */
export const ranged = (path: string, { last, n }: Range = {}) => {
  const at = (range: Range) =>
    `${path}${Request.query([
      ["n", range.n],
      ["last", range.last]
    ])}`
  return {
    path: at({ n, last }),
    unnumbered: n === undefined ? undefined : at({ last }),
    after: (names: ReadonlyArray<string>) =>
      n !== undefined && n > 0 && names.length === n ? at({ n, last: names.at(-1) }) : undefined
  }
}

/** How one kind of list is asked for and read. */
export interface Listing<A, E, E2> extends Omit<Call.Call<E>, "request"> {
  /** Path and query of the first page. */
  readonly path: string
  /** The first page, when it asks for a number of entries, without that number. */
  readonly unnumbered?: string | undefined
  /** Where the list goes on after a page that is as full as was asked for and has no link: some registries give none. */
  readonly after?: (entries: ReadonlyArray<A>) => string | undefined
  readonly accept: string
  readonly entries: (page: Page) => Effect.Effect<ReadonlyArray<A>, E2>
}

export interface Page {
  readonly answer: Body.Answer
  readonly bytes: Uint8Array
  /** Where the registry says the next page is, judged; nothing on the last. */
  readonly next: Option.Option<string>
}

/** Whether it is the number of entries that a registry does not like. */
const refusesNumber = (error: RegistryError): boolean =>
  "errors" in error &&
  error.errors.some(
    ({ code, message }) => code === "PAGINATION_NUMBER_INVALID" || /maxResults|pagination/i.test(message)
  )

/** One page, at the given URL. */
export const page = <A, E extends RegistryError, E2 extends RegistryError>(
  listing: Listing<A, E, E2>,
  url: string
): Effect.Effect<
  { readonly entries: ReadonlyArray<A>; readonly next: Option.Option<string>; readonly answer: Body.Answer },
  E | E2 | CallError,
  RegistryClient
> =>
  Effect.suspend(() => {
    const { path, unnumbered } = listing
    const read = (url: string) => {
      const request = HttpClientRequest.get(url).pipe(HttpClientRequest.setHeader("accept", listing.accept))
      return Call.read(
        { ...listing, request },
        ({ page }) => page,
        (answer, bytes) =>
          Effect.gen(function* () {
            const target = Link.next(answer.response.headers.link ?? "")
            const next =
              target === undefined ? Option.none() : Option.some(yield* Link.judged(answer, "link", "GET", target))
            return { answer, entries: yield* listing.entries({ answer, bytes, next }), next }
          })
      )
    }
    return unnumbered === undefined || url !== path
      ? read(url)
      : Effect.catchIf(read(url), refusesNumber, () => read(unnumbered))
  })

/** Where a page is, and the entry that it must come after, if that is how it was asked for. */
interface Place<A> {
  readonly url: string
  readonly last?: A | undefined
}

/**
 * All entries, page by page as they are wanted: the registry ends the list by giving no link to a next page. Links that
 * lead back, or never end, are a `PaginationLoop`.
 */
export const stream = <A, E extends RegistryError, E2 extends RegistryError>(
  listing: Listing<A, E, E2>
): Stream.Stream<A, E | E2 | PaginationLoop | CallError, RegistryClient> =>
  Stream.suspend(() => {
    const visited = new Set<string>()
    let links = false
    let began: A | undefined
    const first: Place<A> = { url: listing.path }
    return Stream.paginateChunkEffect(first, ({ last, url }) =>
      Effect.gen(function* () {
        const { answer, entries, next: link } = yield* page(listing, url)
        // who answers with it once more, or from the beginning, does not know how to go on after an entry
        const again = last !== undefined && entries.some((entry) => entry === last || entry === began)
        if (again) return [Chunk.empty<A>(), Option.none<Place<A>>()] as const
        began ??= entries[0]
        visited.add(answer.response.request.url)
        links ||= Option.isSome(link)
        // a registry that gives links has come to the end when it gives none
        const after = links ? undefined : listing.after?.(entries)
        const next: Option.Option<Place<A>> = Option.isSome(link)
          ? Option.some({ url: link.value })
          : Option.map(Option.fromNullable(after), (url) => ({ url, last: entries.at(-1) }))
        const looping = Option.exists(next, ({ url }) => visited.has(url) || visited.size >= answer.limits.pages)
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
