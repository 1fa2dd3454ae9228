import * as Script from "@effect-oci/registry/Script"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Credentials from "effect-oci/Credentials"
import * as Tags from "effect-oci/Tags"
import { repository } from "../support.js"

export const tagsPath = "/v2/org/app/tags/list"

/** Asks for something that needs `pull`. */
export const list = Effect.map(Tags.list(repository), ({ tags }) => tags)

/** Its answer. */
export const listed = { json: { name: "org/app", tags: ["1.2"] } }

/** Where tokens are in most of these scripts. */
export const service = Script.on("https://auth.registry.test")

/** The challenge that leads there. */
export const bearer = (scope?: string, more = ""): string =>
  `Bearer realm="https://auth.registry.test/token",service="reg"${scope === undefined ? "" : `,scope="${scope}"`}${more}`

export const pull = "repository:org/app:pull"

/** The path and query of a request for a token. */
export const tokenFor = (...scopes: ReadonlyArray<string>): string =>
  ["/token?service=reg", ...scopes.map((scope) => `scope=${encodeURIComponent(scope)}`)].join("&")

/** A 401 and its challenge, or challenges. */
export const asks = (challenge?: string | ReadonlyArray<string>, code = "UNAUTHORIZED") => ({
  ...Script.refusal(code),
  headers: challenge === undefined ? {} : { "www-authenticate": challenge }
})

/** What a token service answers. */
export const grants = (token = "T", more: object = {}) => ({ json: { token, expires_in: 300, ...more } })

export const carries = (authorization: string | RegExp | undefined) => ({ headers: { authorization } })

export const basicOf = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`

export const me = Layer.orDie(Credentials.basic("registry.test", "me", "s3cret"))

export const mine = basicOf("me", "s3cret")

/** Sign-in from nothing: a 401, a token, and the answer. */
export const signsIn = (scope = pull, token = "T"): ReadonlyArray<Script.Line> => [
  Script.expect("GET", tagsPath, carries(undefined)).answer(401, asks(bearer(scope))),
  service.expect("GET", tokenFor(scope)).answer(200, grants(token)),
  Script.expect("GET", tagsPath, carries(`Bearer ${token}`)).answer(200, listed)
]

/** Runs an effect against a script. */
export const playing =
  (...lines: ReadonlyArray<Script.Line>) =>
  <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.provide(self, Script.layerTest(...lines))
