import * as Effect from "effect/Effect"
import type { Incoming } from "./incoming.js"
import { type Refusal, refuse } from "./refusal.js"

export interface Page<A> {
  readonly items: ReadonlyArray<A>
  /** `Link` to the next page, when there is one. */
  readonly headers: Readonly<Record<string, string>>
}

const limitOf = (incoming: Incoming, pageSize: number): Effect.Effect<number, Refusal> => {
  const n = incoming.query.get("n")
  if (n === null) return Effect.succeed(pageSize)
  return /^[0-9]{1,9}$/.test(n)
    ? Effect.succeed(Math.min(Number(n), pageSize))
    : Effect.fail(refuse(400, "UNSUPPORTED", "n must be a number of entries", { detail: { n } }))
}

/**
 * The part of a list that the query's `n` and `last` ask for, sorted by `key` in ASCII order. No page is longer than
 * `pageSize`. The link keeps the other parameters.
 */
export const page = <A>(
  all: Iterable<A>,
  key: (item: A) => string,
  incoming: Incoming,
  pageSize: number
): Effect.Effect<Page<A>, Refusal> =>
  Effect.map(limitOf(incoming, pageSize), (limit) => {
    const after = incoming.query.get("last")
    const rest = Array.from(all)
      .filter((item) => after === null || key(item) > after)
      .sort((a, b) => (key(a) < key(b) ? -1 : 1))
    const items = rest.slice(0, limit)
    const last = items.at(-1)
    if (last === undefined || items.length === rest.length) return { items, headers: {} }
    const query = new URLSearchParams(incoming.query)
    query.set("last", key(last))
    return { items, headers: { link: `<${encodeURI(incoming.path)}?${query}>; rel="next"` } }
  })
