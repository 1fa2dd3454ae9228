import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Incoming from "../incoming.js"
import { type Refusal, refuse } from "../refusal.js"
import type { Answer } from "../registry.js"
import type { Route } from "../route.js"
import * as Access from "./access.js"
import * as Basic from "./basic.js"
import type { Gate } from "./gate.js"

/** Requests bring a token, which is had for a user and password, a refresh token, or nothing. */
export interface TokenAuth extends Access.Users {
  readonly type: "token"
  /**
   * Where tokens are had: a URL, or a path on the host that was asked. In this process any host reaches it. Default:
   * `/token`.
   */
  readonly realm?: string | undefined
  /** What the registry calls itself. Default: `registry`. */
  readonly service?: string | undefined
  /** How long a token holds, in whole seconds. Default: 5 minutes. */
  readonly expiry?: Duration.DurationInput | undefined
}

/** Whose a token is, what it is good for, and until when. */
interface Grant {
  readonly user: string | undefined
  readonly scopes: ReadonlyMap<string, ReadonlySet<string>>
  /** In milliseconds. */
  readonly expires: number
}

/** What is asked for: RFC 6749 and Docker's own way differ in names only. */
interface Wish {
  readonly user: string | undefined
  readonly service: string | null
  readonly scopes: ReadonlyArray<string>
  readonly refreshable: boolean
}

const maxForm = 65_536

const quoted = (text: string): string => `"${text.replace(/["\\]/g, "\\$&")}"`

export const make = (options: TokenAuth): Gate => {
  const realm = options.realm ?? "/token"
  const service = options.service ?? "registry"
  const lifetime = Math.floor(Duration.toSeconds(options.expiry ?? "5 minutes"))
  const grants = new Map<string, Grant>()
  /** One for each user: it does not expire. */
  const refreshTokens = new Map<string, string>()

  // In the order of their making, which is that of their end.
  const forgetExpired = (now: number): void => {
    for (const [token, { expires }] of grants) {
      if (expires > now) return
      grants.delete(token)
    }
  }

  const challenge = (route: Route, incoming: Incoming.Incoming, error?: "invalid_token" | "insufficient_scope") => {
    const scope = Access.wished(route, incoming).map(Access.format).join(" ")
    const parameters = {
      realm: URL.canParse(realm, incoming.origin) ? new URL(realm, incoming.origin).href : realm,
      service,
      ...(scope === "" ? {} : { scope }),
      ...(error === undefined ? {} : { error })
    }
    const header = Object.entries(parameters).map(([name, value]) => `${name}=${quoted(value)}`)
    return refuse(401, "UNAUTHORIZED", error ?? "authentication required", {
      headers: { "www-authenticate": `Bearer ${header.join(",")}` }
    })
  }

  const enter: Gate["enter"] = (route, incoming) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const [scheme, token = ""] = (incoming.headers.authorization ?? "").split(" ")
      if (scheme?.toLowerCase() !== "bearer") return Effect.fail(challenge(route, incoming))
      forgetExpired(now)
      const grant = grants.get(token)
      if (grant === undefined) return Effect.fail(challenge(route, incoming, "invalid_token"))
      const { scopes, user } = grant
      const lacks = ({ actions, resource }: Access.Scope) =>
        actions.some((action) => scopes.get(resource)?.has(action) !== true)
      const need = Access.needed(route, incoming)
      // who may not mount from there at all is not asked for a better token, but gets an upload instead
      const more = Access.wished(route, incoming).filter((scope) => Access.may(options, user, scope))
      return (need !== undefined && lacks(need)) || more.some(lacks)
        ? Effect.fail(challenge(route, incoming, "insufficient_scope"))
        : Effect.succeed((name: string) => Access.mayPull(options, user, name))
    })

  /** What a user gets of what is asked for: `*` stands for all that there is to get. */
  const grantedOf = (user: string | undefined, scopes: ReadonlyArray<string>): ReadonlyMap<string, Set<string>> => {
    const granted = new Map<string, Set<string>>()
    for (const { actions, resource } of scopes.flatMap((text) => text.split(" ")).map(Access.parse)) {
      const got = Access.rights(options, user, resource).filter(
        (action) => actions.includes("*") || actions.includes(action)
      )
      if (got.length > 0) granted.set(resource, new Set([...(granted.get(resource) ?? []), ...got]))
    }
    return granted
  }

  const refreshTokenOf = (user: string): string => {
    const token = refreshTokens.get(user) ?? crypto.randomUUID()
    refreshTokens.set(user, token)
    return token
  }

  const issue = (wish: Wish): Answer =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (wish.service !== null && wish.service !== service) {
        return Effect.fail(refuse(400, "UNSUPPORTED", `tokens of another service: here they are for ${service}`))
      }
      if (wish.user === undefined && options.anonymousPull !== true) {
        return Effect.fail(Basic.unauthorized("authentication required"))
      }
      forgetExpired(now)
      const token = crypto.randomUUID()
      const scopes = grantedOf(wish.user, wish.scopes)
      grants.set(token, { user: wish.user, scopes, expires: now + lifetime * 1000 })
      return Effect.succeed(
        HttpServerResponse.unsafeJson(
          {
            token,
            access_token: token,
            expires_in: lifetime,
            issued_at: new Date(now).toISOString(),
            scope: Array.from(scopes, ([resource, actions]) => Access.format({ resource, actions: [...actions] })).join(
              " "
            ),
            ...(wish.refreshable && wish.user !== undefined ? { refresh_token: refreshTokenOf(wish.user) } : {})
          },
          { headers: { "cache-control": "no-store" } }
        )
      )
    })

  /** Docker's way: `GET` with Basic, or without for what everyone may. */
  const get = (incoming: Incoming.Incoming): Answer =>
    Effect.flatMap(Basic.userOf(options, incoming), (user) =>
      issue({
        user,
        service: incoming.query.get("service"),
        scopes: incoming.query.getAll("scope"),
        refreshable: incoming.query.get("offline_token") === "true"
      })
    )

  const owner = (form: URLSearchParams): Effect.Effect<string, Refusal> => {
    const grant = form.get("grant_type")
    if (grant === "refresh_token") {
      const token = form.get("refresh_token")
      for (const [user, known] of refreshTokens) if (known === token) return Effect.succeed(user)
      return Effect.fail(refuse(401, "UNAUTHORIZED", "unknown refresh token"))
    }
    if (grant !== "password") {
      return Effect.fail(refuse(400, "UNSUPPORTED", "grant_type must be password or refresh_token"))
    }
    const [user, password] = [form.get("username") ?? "", form.get("password") ?? ""]
    return Access.isPassword(options, user, password)
      ? Effect.succeed(user)
      : Effect.fail(refuse(401, "UNAUTHORIZED", "unknown user or wrong password"))
  }

  /** OAuth2's way: a form. */
  const post = (incoming: Incoming.Incoming): Answer =>
    Effect.gen(function* () {
      const tooLarge = refuse(413, "UNSUPPORTED", `a form of more than ${maxForm} bytes`)
      const form = new URLSearchParams(new TextDecoder().decode(yield* Incoming.read(incoming, maxForm, tooLarge)))
      const missing = ["grant_type", "service", "client_id"].find((name) => !form.has(name))
      if (missing !== undefined) return yield* refuse(400, "UNSUPPORTED", `${missing} is missing`)
      return yield* issue({
        user: yield* owner(form),
        service: form.get("service"),
        scopes: form.getAll("scope"),
        refreshable: form.get("access_type") === "offline"
      })
    })

  return { enter, challenge, tokens: { path: new URL(realm, "http://localhost").pathname, get, post } }
}
