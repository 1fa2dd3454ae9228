import * as Effect from "effect/Effect"
import * as OriginPolicy from "../OriginPolicy.js"
import * as RegistryClient from "../RegistryClient.js"
import type { UnsafeLocation } from "../RegistryError.js"
import type * as Body from "./body.js"
import * as ListHeader from "./listHeader.js"

const relations = (parameters: string): ReadonlyArray<string> =>
  ListHeader.split(parameters, ";").flatMap((parameter) => {
    const at = parameter.indexOf("=")
    if (at < 0 || parameter.slice(0, at).trim().toLowerCase() !== "rel") return []
    const value = parameter.slice(at + 1).trim()
    return (value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value).toLowerCase().split(/[ \t]+/)
  })

/** The target of the `rel="next"` of a `Link` header (RFC 8288), as it stands there. */
export const next = (header: string): string | undefined => {
  for (const part of ListHeader.split(header)) {
    const end = part.startsWith("<") ? part.indexOf(">") : part.indexOf(";")
    const [target, parameters] = part.startsWith("<")
      ? [part.slice(1, end), part.slice(end + 1)]
      : [part.slice(0, end), part.slice(end)]
    if (end > 0 && relations(parameters).includes("next")) return target.trim()
  }
  return undefined
}

/** A URL that an answer handed us, judged by the origin policy and fit for the next request. */
export const judged = (
  answer: Body.Answer,
  kind: "location" | "link",
  method: string,
  to: string
): Effect.Effect<string, UnsafeLocation, RegistryClient.RegistryClient> =>
  Effect.flatMap(RegistryClient.RegistryClient, (client) =>
    client.provide(
      Effect.flatMap(OriginPolicy.OriginPolicy, (policy) =>
        Effect.map(
          policy.judge({ kind, operation: answer.operation, method, from: answer.response.request.url, to }),
          ({ url }) => url
        )
      )
    )
  )
