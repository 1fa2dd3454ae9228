import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import type { Incoming } from "../incoming.js"
import { type Refusal, refuse } from "../refusal.js"
import * as Access from "./access.js"
import type { Gate } from "./gate.js"

/** Every request brings its user and password. */
export interface BasicAuth extends Access.Users {
  readonly type: "basic"
}

export const unauthorized = (message: string): Refusal =>
  refuse(401, "UNAUTHORIZED", message, { headers: { "www-authenticate": `Basic realm="registry"` } })

/** Who sends a request: nobody we know of when it does not say. A wrong password is refused. */
export const userOf = (users: Access.Users, { headers }: Incoming): Effect.Effect<string | undefined, Refusal> => {
  if (headers.authorization === undefined) return Effect.succeed(undefined)
  const [scheme, encoded = "", ...rest] = headers.authorization.split(" ")
  const credentials =
    scheme?.toLowerCase() === "basic" && rest.length === 0
      ? Either.getOrElse(Encoding.decodeBase64String(encoded), () => "")
      : ""
  const colon = credentials.indexOf(":")
  const user = credentials.slice(0, Math.max(0, colon))
  return colon !== -1 && Access.isPassword(users, user, credentials.slice(colon + 1))
    ? Effect.succeed(user)
    : Effect.fail(unauthorized("unknown user or wrong password"))
}

export const make = (options: BasicAuth): Gate => ({
  enter: (route, incoming) =>
    Effect.flatMap(userOf(options, incoming), (user) => {
      const need = Access.needed(route, incoming)
      if (need === undefined ? user !== undefined : Access.may(options, user, need)) {
        return Effect.succeed((name) => Access.mayPull(options, user, name))
      }
      return Effect.fail(
        user === undefined
          ? unauthorized("authentication required")
          : refuse(403, "DENIED", "requested access to the resource is denied")
      )
    }),
  challenge: () => unauthorized("authentication required")
})
