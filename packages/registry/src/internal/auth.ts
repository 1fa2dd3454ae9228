import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import type { Incoming } from "./incoming.js"
import { type Refusal, refuse } from "./refusal.js"

const unauthorized = refuse(401, "UNAUTHORIZED", "authentication required", {
  headers: { "www-authenticate": `Basic realm="registry"` }
})

/** Lets pass who signs in as one of these users. Without users it lets everyone pass. */
export const guard = (
  users: Readonly<Record<string, string>> | undefined
): ((incoming: Incoming) => Effect.Effect<void, Refusal>) => {
  if (users === undefined) return () => Effect.void
  const accepted = new Set(
    Object.entries(users).map(([user, password]) => Encoding.encodeBase64(`${user}:${password}`))
  )
  return ({ headers }) => {
    const [scheme, token, ...rest] = (headers.authorization ?? "").split(" ")
    return scheme?.toLowerCase() === "basic" && token !== undefined && rest.length === 0 && accepted.has(token)
      ? Effect.void
      : Effect.fail(unauthorized)
  }
}
