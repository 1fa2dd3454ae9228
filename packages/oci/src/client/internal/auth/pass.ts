import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { Request } from "../../RegistryAuth.js"
import { type CallError, ChallengeInvalid, CredentialsInvalid } from "../../RegistryError.js"
import type { Client } from "../../RegistryMiddleware.js"
import * as Facts from "../facts.js"
import * as Challenge from "./challenge.js"
import type { Identity } from "./identity.js"
import type * as Refused from "./refused.js"
import * as Scope from "./scope.js"
import type * as Session from "./session.js"
import * as TokenService from "./tokenService.js"

/** One call that signs in. */
export interface Turn {
  readonly call: Request
  readonly next: Client
  readonly session: Session.Session
  readonly request: HttpClientRequest.HttpClientRequest
}

/** What a request carries, whose it is, and how that was found out. */
export interface Pass {
  readonly header?: Redacted.Redacted | undefined
  readonly identity?: Identity | undefined
  readonly grant?: Session.Grant | undefined
  readonly way?: Session.Way | undefined
}

/** What was tried before, so that nothing is tried twice. */
export interface Past {
  /** The way that was taken without being asked, and what came of it. */
  readonly way?: Session.Way | undefined
  readonly error?: CallError | undefined
  /** What was asked to sign in: the request, or the registry's root in its place. */
  readonly asked?: "probe" | "root" | undefined
}

export const streams = ({ request: { body } }: Turn): boolean => body._tag === "Stream"

const userAgent = ({ request }: Turn): string => request.headers["user-agent"] ?? "effect-oci"

export const unusable = ({ operation }: Request, reason: string): CredentialsInvalid =>
  new CredentialsInvalid({ ...Facts.ofOperation(operation), reason })

export const usable = (call: Request, identity: Identity): Effect.Effect<Identity, CallError> =>
  identity.fault === undefined ? Effect.succeed(identity) : unusable(call, identity.fault)

/** Whose credential a request may carry. */
export const who = ({ call, session }: Turn): Effect.Effect<Identity, CallError> =>
  Effect.flatMap(call.credential(), (found) => usable(call, session.identify(found)))

/** How often a source is asked anew about one credential, in milliseconds. */
const patience = 60_000

/** What has come in the place of a credential that was refused, if anything has. */
export const renewed = ({ call, session }: Turn, identity: Identity): Effect.Effect<Identity | undefined, CallError> =>
  Effect.gen(function* () {
    if (identity.credential === undefined) return undefined
    const now = yield* Clock.currentTimeMillis
    const known = identity.renewed
    const other =
      known !== undefined && now < known.at + patience
        ? known.to
        : yield* session.renewing(
            String(identity.id),
            Effect.map(call.credential({ fresh: true }), (found) => {
              const to = session.identify(found)
              identity.renewed = { at: now, to }
              return to
            })
          )
    return other === identity || other.credential === undefined ? undefined : yield* usable(call, other)
  })

/** A token from memory or from its service; with what has come in the place of a credential that its service refuses. */
export const granted = (
  turn: Turn,
  way: Session.Way,
  identity: Identity,
  scopes: Scope.Scopes
): Effect.Effect<Pass, CallError> => {
  const { call, session } = turn
  const passOf = (identity: Identity) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const known = session.find(way, identity, scopes, now, streams(turn))
      if (known !== undefined) return Effect.succeed<Pass>({ header: known.header, grant: known, identity, way })
      const wanted = { call, session, way, identity, scopes, userAgent: userAgent(turn) }
      const key = `${session.placeOf(way, identity, scopes)} ${scopes.map(Scope.render).join(" ")}`
      return Effect.map(
        session.fetching(key, TokenService.fetch(wanted)),
        (grant): Pass => ({ header: grant.header, grant, identity, way })
      )
    })
  return Effect.catchIf(
    passOf(identity),
    ({ _tag }) => _tag === "Unauthorized" || _tag === "Denied",
    (error) =>
      Effect.flatMap(renewed(turn, identity), (other) => (other === undefined ? Effect.fail(error) : passOf(other)))
  )
}

/** The same for a mount, which does without the right to its source rather than not at all. */
export const grantedAny = (
  turn: Turn,
  way: Session.Way,
  identity: Identity,
  scopes: Scope.Scopes
): Effect.Effect<Pass, CallError> => {
  const own = scopes.filter(({ resource }) => resource === Scope.resourceOf(turn.call.operation))
  const all = granted(turn, way, identity, scopes)
  return turn.call.operation.name === "uploads.mount" && own.length < scopes.length
    ? Effect.catchIf(all, isRefusal, () => granted(turn, way, identity, own))
    : all
}

/** A token service that says no. */
export const isRefusal = ({ _tag }: CallError): boolean =>
  _tag === "Unauthorized" || _tag === "Denied" || _tag === "TokenInvalid"

/** A way that cannot be gone, where another may be. */
export const isImpassable = ({ _tag }: CallError): boolean =>
  _tag === "UnsafeLocation" || _tag === "TokenInvalid" || _tag === "ChallengeInvalid" || _tag === "CredentialsInvalid"

export const wayOf = (
  { call: { host } }: Turn,
  { parameters, scheme }: Challenge.Challenge,
  from = `${host.baseUrl}/v2/`
): Session.Way => {
  const realm = scheme === "basic" ? "" : (parameters.get("realm") ?? "")
  const service = parameters.get("service")
  return {
    scheme: scheme === "basic" ? "basic" : "bearer",
    from,
    realm,
    service,
    everywhere: Scope.everywhere(Scope.parseAll(parameters.get("scope"))),
    key: [from, realm, service ?? ""].join("\n")
  }
}

const byPassword = (turn: Turn, way: Session.Way, refused: Pass): Effect.Effect<Pass | undefined, CallError> =>
  Effect.flatMap(who(turn), (identity) => {
    const { credential, header } = identity
    if (credential === undefined) return Effect.succeed(undefined)
    if (credential._tag !== "Basic") {
      return unusable(turn.call, "this registry wants a user name and a password, not a token")
    }
    return refused.header === header && header !== undefined
      ? Effect.map(renewed(turn, identity), (other): Pass | undefined =>
          other === undefined ? undefined : { header: other.header, identity: other, way }
        )
      : Effect.succeed<Pass>({ header, identity, way })
  })

/** A token is what the registry named it, and what the challenge adds to what the operation needs. */
const byToken = (
  turn: Turn,
  challenge: Challenge.Challenge,
  refused: Pass,
  past: Past
): Effect.Effect<Pass | undefined, CallError> =>
  Effect.gen(function* () {
    const { call, session } = turn
    const { operation } = call
    const way = wayOf(turn, challenge)
    if (past.error !== undefined && past.way?.key === way.key) return yield* past.error
    const identity = yield* who(turn)
    if (identity.credential?._tag === "Token") {
      const other = refused.header === identity.header ? yield* renewed(turn, identity) : identity
      return other === undefined ? undefined : { header: other.header, identity: other, way }
    }
    const { grant } = refused
    const error = challenge.parameters.get("error")?.toLowerCase()
    const now = yield* Clock.currentTimeMillis
    if (grant !== undefined && (now >= grant.fresh || error === "invalid_token")) session.drop(grant)
    // the root does not know what it is asked for; an upload is not cancelled with more than it was begun with
    const asked =
      past.asked === "root" || operation.name === "uploads.cancel"
        ? way.everywhere
        : Scope.added(operation, Scope.parseAll(challenge.parameters.get("scope")))
    const short = error === "insufficient_scope"
    const scopes = [Scope.needed(operation, session.deletes(way)), short ? (grant?.scopes ?? []) : [], asked].reduce(
      Scope.union
    )
    const pass = yield* grantedAny(turn, way, identity, scopes)
    return pass.grant === grant && short ? undefined : pass
  })

/** The next pass to try, of all that the challenges offer: a token first, then a password. */
export const passFor = (
  turn: Turn,
  { challenge = "", facts }: Refused.Refused,
  refused: Pass,
  past: Past
): Effect.Effect<Pass | undefined, CallError> =>
  Effect.gen(function* () {
    const offered = Challenge.parse(challenge)
    const tokens = offered.filter(({ scheme }) => scheme === "bearer")
    const passwords = offered.filter(({ scheme }) => scheme === "basic").slice(0, 1)
    let failure: CallError | undefined
    for (const offer of [...tokens.slice(0, 3), ...passwords]) {
      const fault = offer.scheme === "bearer" ? Challenge.fault(offer) : undefined
      const found =
        fault !== undefined
          ? Effect.fail(new ChallengeInvalid({ ...facts, reason: fault }))
          : offer.scheme === "bearer"
            ? byToken(turn, offer, refused, past)
            : byPassword(turn, wayOf(turn, offer), refused)
      const tried = yield* Effect.either(found)
      if (tried._tag === "Right" && tried.right !== undefined) return tried.right
      if (tried._tag === "Right") continue
      if (!isImpassable(tried.left)) return yield* Effect.fail(tried.left)
      failure ??= tried.left
    }
    return failure === undefined ? undefined : yield* Effect.fail(failure)
  })
