import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import type { Operation } from "../Operation.js"
import type { Service as RegistryObserver } from "../RegistryObserver.js"
import * as ListHeader from "./listHeader.js"

/** The texts that a client has logged already; bounded, since registries choose them. */
export type Seen = Set<string>

const most = 1000

/** More than this in one answer is not read at all, as the specification has it. */
const longest = 4096

/** One warning-value: `299 - "text"`. Other codes, agents and dated warnings are HTTP's own business. */
const value = /^299[ \t]+-[ \t]+"((?:[^"\\]|\\.)*)"$/

/** The texts of a `Warning` header that concern the user. */
export const parse = (header: string): ReadonlyArray<string> => {
  if (header.length > longest) return []
  return ListHeader.split(header).flatMap((part) => {
    const text = value.exec(part)?.[1]?.replace(/\\(.)/g, "$1")
    return text === undefined || text === "" || /\p{Cc}/u.test(text) ? [] : [text]
  })
}

/** Hands an answer's warnings to the observer, and logs each text once for a client. */
export const report = (
  response: HttpClientResponse,
  { observer, operation, warnings }: { observer: RegistryObserver; operation: Operation; warnings: Seen }
): Effect.Effect<void> => {
  const header = response.headers.warning
  if (header === undefined) return Effect.void
  const registry = operation.registry.toString()
  return Effect.forEach(
    parse(header),
    (text) => {
      const fresh = !warnings.has(text) && warnings.size < most
      if (fresh) warnings.add(text)
      return Effect.zipRight(
        observer.warning({ registry, text }),
        fresh ? Effect.logWarning(`${registry}: ${text}`) : Effect.void
      )
    },
    { discard: true }
  )
}
