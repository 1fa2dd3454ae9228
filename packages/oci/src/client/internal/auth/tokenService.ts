import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as EffectScope from "effect/Scope"
import type { Operation } from "../../Operation.js"
import * as OriginPolicy from "../../OriginPolicy.js"
import type { Request as AuthRequest } from "../../RegistryAuth.js"
import { type CallError, TokenInvalid, Unauthorized, UnsafeLocation } from "../../RegistryError.js"
import * as Body from "../body.js"
import * as Facts from "../facts.js"
import * as ListHeader from "../listHeader.js"
import * as Refusal from "../refusal.js"
import * as Request from "../request.js"
import type { Identity } from "./identity.js"
import * as Scope from "./scope.js"
import type { Grant, Session, Way } from "./session.js"
import * as TokenAnswer from "./tokenAnswer.js"

/** The largest answer of a token service, in bytes. */
export const largest = 128 * 1024

/** How long before its end a token is renewed, in milliseconds. */
const early = 5_000

/** What must be left of a token when a stream begins to be sent, in milliseconds. */
const ample = 60_000

/** The user name under which one registry takes a refresh token as a password. */
const refreshUser = "00000000-0000-0000-0000-000000000000"

/** A token that is wanted. */
export interface Wanted {
  readonly call: AuthRequest
  readonly session: Session
  readonly way: Way
  readonly identity: Identity
  readonly scopes: Scope.Scopes
  readonly userAgent: string
}

const tokens = (operation: Operation): Operation => ({ ...operation, name: "auth.token" })

const get = ({ scopes, way }: Wanted, url: string): HttpClientRequest.HttpClientRequest =>
  HttpClientRequest.get(
    scopes.reduce(
      (url, scope) => Request.append(url, "scope", Scope.render(scope)),
      way.service === undefined ? url : Request.append(url, "service", way.service)
    )
  )

const post = ({ scopes, way }: Wanted, url: string, token: Redacted.Redacted): HttpClientRequest.HttpClientRequest =>
  HttpClientRequest.post(url).pipe(
    HttpClientRequest.bodyUrlParams({
      grant_type: "refresh_token",
      service: way.service ?? "",
      client_id: "effect-oci",
      ...(scopes.length === 0 ? {} : { scope: scopes.map(Scope.render).join(" ") }),
      refresh_token: Redacted.value(token)
    })
  )

/** What it means that a token service does not answer 200. */
const refused = (answer: Body.Answer, authenticated: boolean): Effect.Effect<never, CallError> =>
  Effect.flatMap(Refusal.read(answer), (refusal) => {
    const { facts, headers, says, status } = refusal
    // OAuth 2 says with 400 that it does not accept who asks
    const rejects =
      says("UNAUTHORIZED") || facts.errors.some((said) => /^invalid_grant$/i.test(said.code || said.message))
    if (status === 401 || (status === 400 && rejects)) {
      return new Unauthorized({
        ...facts,
        schemes: ListHeader.schemes(headers["www-authenticate"] ?? ""),
        authenticated
      })
    }
    if (status === 403 || status === 429 || status === 408 || status >= 500) {
      return Effect.flatMap(Refusal.common(answer, refusal), Effect.fail)
    }
    const reason =
      status >= 300 && status < 400
        ? "its service redirects, which is not followed"
        : `its service answered with status ${status}`
    return new TokenInvalid({ ...facts, reason })
  })

/** One request to a token service, and the token that it answers. It lives in a Scope of its own, whoever waits for it. */
const ask = (
  { call: { exchange, host, operation }, identity, userAgent }: Wanted,
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<TokenAnswer.TokenAnswer, CallError> =>
  Effect.acquireUseRelease(
    EffectScope.make(),
    (scope) =>
      Effect.gen(function* () {
        const headers = { accept: "application/json", "accept-encoding": "identity", "user-agent": userAgent }
        const response = yield* exchange.execute(HttpClientRequest.setHeaders(request, headers))
        const { limits } = host
        const abort = EffectScope.close(scope, Exit.void)
        const answer: Body.Answer = { operation: tokens(operation), response, limits, abort }
        if (response.status < 200 || response.status > 299) {
          return yield* refused(answer, identity.credential !== undefined)
        }
        const bytes = yield* Body.collect(answer, largest)
        return yield* TokenAnswer.read(bytes).pipe(
          Effect.mapError((reason) => new TokenInvalid({ ...Body.facts(answer), reason }))
        )
      }).pipe(Effect.provideService(EffectScope.Scope, scope)),
    EffectScope.close
  )

/** Failures that say that a token service does it another way, or not for this credential. */
const elsewise = ({ _tag }: CallError): boolean =>
  _tag === "TokenInvalid" || _tag === "Unauthorized" || _tag === "Denied"

/** The token for a refresh token. Whether the service takes them at all is remembered. */
const byRefreshToken = (wanted: Wanted, url: string, token: Redacted.Redacted) =>
  ask(wanted, post(wanted, url, token)).pipe(
    Effect.tap(() => wanted.session.keepPosts(wanted.way, true)),
    Effect.tapError((error) => {
      if (error._tag === "TokenInvalid") wanted.session.keepPosts(wanted.way, false)
      return Effect.void
    })
  )

/**
 * The token for a credential. A password goes by `GET`, which all services know; refresh tokens go by `POST`, which many
 * do not. When one does not work, the other is tried, if there are the means for it.
 */
const exchange = (wanted: Wanted, verdict: OriginPolicy.Verdict): Effect.Effect<TokenAnswer.TokenAnswer, CallError> => {
  const { identity, session, way } = wanted
  const { credential, header } = identity
  const plain = get(wanted, verdict.url)
  if (credential === undefined || !verdict.credentials) return ask(wanted, plain)
  const handed = session.refreshToken(way, identity)
  const first: Effect.Effect<TokenAnswer.TokenAnswer, CallError> | undefined =
    handed === undefined || session.posts(way) === false
      ? undefined
      : byRefreshToken(wanted, verdict.url, handed).pipe(
          Effect.tapErrorTag("Unauthorized", () =>
            Effect.sync(() => session.keepRefreshToken(way, identity, undefined))
          )
        )
  const own = (): Effect.Effect<TokenAnswer.TokenAnswer, CallError> => {
    if (credential._tag !== "Basic") return byRefreshToken(wanted, verdict.url, credential.token)
    const byPassword = ask(
      wanted,
      header === undefined ? plain : HttpClientRequest.setHeader(plain, "authorization", Redacted.value(header))
    )
    if (credential.username !== refreshUser) return byPassword
    const posting = byRefreshToken(wanted, verdict.url, credential.password)
    return session.posts(way) === true
      ? Effect.catchIf(posting, elsewise, () => byPassword)
      : Effect.catchIf(byPassword, elsewise, (error) =>
          session.posts(way) === false
            ? Effect.fail(error)
            : Effect.catchIf(posting, elsewise, () => Effect.fail(error))
        )
  }
  return first === undefined ? own() : Effect.catchIf(first, elsewise, own)
}

/** The reason for which a token that was given without our credentials is not enough. */
export const withheld =
  "credentials go to a token service only if it belongs to the registry, and without them it gives no token that suffices"

/** Gets a token and keeps it. Where the credential must not go, it is asked for without. */
export const fetch = (wanted: Wanted): Effect.Effect<Grant, CallError> =>
  Effect.gen(function* () {
    const { call, identity, scopes, session, way } = wanted
    const operation = tokens(call.operation)
    const verdict = yield* call.policy.judge({
      kind: "realm",
      operation,
      method: "GET",
      from: way.from,
      to: way.realm
    })
    const secretly = identity.credential !== undefined && !verdict.credentials
    const begun = yield* Clock.currentTimeMillis
    const { certain, life, refreshToken, token } = yield* Effect.catchIf(
      OriginPolicy.following(way.from, verdict)(exchange(wanted, verdict)),
      (error) => secretly && (error._tag === "Unauthorized" || error._tag === "Denied"),
      () =>
        new UnsafeLocation({
          ...Facts.ofRequest(operation, "GET", way.from),
          kind: "realm",
          target: Facts.shown(verdict.url),
          reason: withheld
        })
    )
    if (refreshToken !== undefined && identity.credential !== undefined && !secretly) {
      session.keepRefreshToken(way, identity, refreshToken)
    }
    const grant: Grant = {
      scopes,
      header: Redacted.make(`Bearer ${Redacted.value(token)}`),
      until: begun + life * 1000 - early,
      ample: Math.min(ample, life * 500),
      fresh: begun + certain * 1000,
      anonymous: identity.credential === undefined || secretly,
      withheld: secretly,
      place: session.placeOf(way, identity, scopes)
    }
    session.keep(grant, yield* Clock.currentTimeMillis)
    return grant
  })
