import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as OriginPolicy from "../../OriginPolicy.js"
import type { Service } from "../../RegistryAuth.js"
import { type CallError, Unauthorized, UnsafeLocation } from "../../RegistryError.js"
import * as RegistryHttpClient from "../client.js"
import * as Facts from "../facts.js"
import * as Headers from "../headers.js"
import * as ListHeader from "../listHeader.js"
import * as Challenge from "./challenge.js"
import type { Identity } from "./identity.js"
import * as Pass from "./pass.js"
import * as Refused from "./refused.js"
import * as Scope from "./scope.js"
import * as Session from "./session.js"
import * as TokenService from "./tokenService.js"

type Answer = Effect.Effect<HttpClientResponse, CallError>

const bare: Pass.Pass = {}

const send = ({ next, request }: Pass.Turn, { header }: Pass.Pass): Answer =>
  next.execute(
    header === undefined ? request : HttpClientRequest.setHeader(request, "authorization", Redacted.value(header))
  )

const repeatable = ({ request: { method } }: Pass.Turn): boolean => method === "GET" || method === "HEAD"

/** A refusal that stays one. It is not the credentials' fault when they were not sent. */
const concluded = ({ grant, way }: Pass.Pass, refused: Refused.Refused): Answer => {
  const { challenge, facts, status } = refused
  if (grant?.withheld === true && way !== undefined && (status === 401 || status === 403)) {
    const target = Facts.shown(new URL(way.realm, way.from).href)
    return new UnsafeLocation({ ...facts, kind: "realm", target, reason: TokenService.withheld })
  }
  if (grant?.anonymous !== true || status !== 401) return Effect.succeed(refused.response())
  return Effect.flatMap(
    refused.refusal,
    ({ facts }) => new Unauthorized({ ...facts, schemes: ListHeader.schemes(challenge ?? ""), authenticated: false })
  )
}

/** What helped once is what the next request begins with. */
const learnt = ({ call: { host, operation }, session }: Pass.Turn, { grant, way }: Pass.Pass): void => {
  if (way === undefined) return
  session.learn(host.baseUrl, operation.repository?.name, way)
  const own = grant?.scopes.find(({ resource }) => resource === Scope.resourceOf(operation))
  if (own !== undefined && Scope.isDelete(operation)) session.keepDeletes(way, own.actions)
}

/** Sends the request with a pass that was found for it; a password that is refused may have been renewed meanwhile. */
const resent = (turn: Pass.Turn, pass: Pass.Pass, renewable = true): Answer =>
  Effect.flatMap(send(turn, pass), (response) => {
    if (response.status !== 401) learnt(turn, pass)
    if (response.status !== 401 && response.status !== 403) return Effect.succeed(response)
    return Effect.flatMap(Refused.read(turn.call, response), (refused) =>
      renewable ? another(turn, pass, refused) : concluded(pass, refused)
    )
  })

/** The request with what has come in the place of a credential that was refused; tokens have been renewed before. */
const another = (turn: Pass.Turn, pass: Pass.Pass, refused: Refused.Refused): Answer => {
  if (pass.grant !== undefined || pass.identity === undefined) return concluded(pass, refused)
  return Effect.flatMap(Pass.renewed(turn, pass.identity), (identity) =>
    identity === undefined
      ? concluded(pass, refused)
      : resent(turn, { header: identity.header, identity, way: pass.way }, false)
  )
}

/**
 * A delete whose challenge does not say what it takes: each way to say it is tried, until one is neither refused by the
 * token service nor by the registry.
 */
const deleted = (turn: Pass.Turn, way: Session.Way, identity: Identity, refused: Refused.Refused): Answer =>
  Effect.gen(function* () {
    const { call, session } = turn
    const resource = Scope.resourceOf(call.operation)
    const known = session.deletes(way)
    let last: Answer = Effect.succeed(refused.response())
    for (const actions of known === undefined ? Scope.deleting : [known]) {
      const pass = yield* Effect.either(Pass.granted(turn, way, identity, [{ resource, actions }, ...way.everywhere]))
      if (pass._tag === "Left") {
        if (!Pass.isRefusal(pass.left)) return yield* Effect.fail(pass.left)
        last = Effect.fail(pass.left)
        continue
      }
      const response = yield* send(turn, pass.right)
      if (response.status !== 401 && response.status !== 403) {
        learnt(turn, pass.right)
        return response
      }
      // it may have all that the next alternative asks for
      if (pass.right.grant !== undefined) session.drop(pass.right.grant)
      last = concluded(pass.right, yield* Refused.read(call, response))
    }
    return yield* last
  })

/**
 * Another registry that a redirect led to: it gets to know nobody, and gives what it gives to anyone. Where its name leads is
 * checked as it was when the redirect was followed.
 */
const abroad = (turn: Pass.Turn, refused: Refused.Refused, url: string): Answer =>
  Effect.gen(function* () {
    const { call, request, session } = turn
    const { method } = request
    const offer = Challenge.parse(refused.challenge ?? "").find(
      (challenge) => challenge.scheme === "bearer" && Challenge.fault(challenge) === undefined
    )
    const from = `${call.host.baseUrl}/v2/`
    const verdict = call.policy.judge({ kind: "redirect", operation: call.operation, method, from, to: url })
    if (offer === undefined || verdict._tag === "Left") return refused.response()
    const way = Pass.wayOf(turn, offer, `${new URL(url).origin}/v2/`)
    const scopes = Scope.parseAll(offer.parameters.get("scope"))
    return yield* Effect.gen(function* () {
      const pass = yield* Effect.either(Pass.granted(turn, way, session.identify(Option.none()), scopes))
      if (pass._tag === "Left" || pass.right.header === undefined) return refused.response()
      return yield* turn.next.execute(
        HttpClientRequest.make(method)(url, {
          headers: { ...Headers.abroad(request.headers), authorization: Redacted.value(pass.right.header) }
        })
      )
    }).pipe(OriginPolicy.following(from, verdict.right))
  })

/** Asks the registry's root how to sign in. */
const root = ({ call, next, request }: Pass.Turn): Answer =>
  next.execute(
    HttpClientRequest.get(`${call.host.baseUrl}/v2/`, {
      headers: { "user-agent": request.headers["user-agent"], "accept-encoding": "identity" }
    })
  )

/** Whether a refusal of a token says that it is no longer one. */
const isStale = (refused: Refused.Refused): Effect.Effect<boolean> =>
  Effect.map(
    refused.refusal,
    ({ facts, says }) => says("DENIED", "UNAUTHORIZED") || (facts.errors.length === 0 && facts.body === undefined)
  )

/** What is left to try after a refusal. Each request is sent once more at most, with one look at the challenge before. */
const again = (turn: Pass.Turn, pass: Pass.Pass, past: Pass.Past, response: HttpClientResponse): Answer =>
  Effect.gen(function* () {
    const { call, session } = turn
    const refused = yield* Refused.read(call, response)
    const url = response.request.url
    if (new URL(url).origin !== new URL(call.host.baseUrl).origin) {
      return yield* refused.status === 401 && repeatable(turn)
        ? abroad(turn, refused, url)
        : Effect.succeed(refused.response())
    }
    if (call.operation.name === "uploads.cancel" && pass.grant !== undefined) return yield* concluded(pass, refused)
    const { grant, identity, way } = pass

    if (refused.status !== 401 && !isShort(refused.challenge)) {
      if (grant !== undefined && way !== undefined && identity !== undefined) {
        const now = yield* Clock.currentTimeMillis
        if (now < grant.fresh || !(yield* isStale(refused))) return yield* concluded(pass, refused)
        session.drop(grant)
        return yield* resent(turn, yield* Pass.granted(turn, way, identity, grant.scopes))
      }
      return yield* another(turn, pass, refused)
    }

    if (refused.challenge === undefined) {
      if (past.asked !== undefined) return yield* concluded(pass, refused)
      if (grant !== undefined && repeatable(turn)) {
        return yield* Effect.flatMap(send(turn, bare), (answer) =>
          answer.status === 401 ? again(turn, pass, { ...past, asked: "probe" }, answer) : Effect.succeed(answer)
        )
      }
      if (grant === undefined && identity !== undefined) return yield* another(turn, pass, refused)
      const answer = yield* root(turn)
      const asked = yield* Refused.read(call, answer)
      if (answer.status !== 401 || asked.challenge === undefined) return yield* concluded(pass, refused)
      return yield* answered(turn, pass, { ...past, asked: "root" }, asked, refused)
    }
    return yield* answered(turn, pass, past, refused, refused)
  })

/** Whether a challenge asks for a token of more scopes. */
const isShort = (challenge: string | undefined): boolean =>
  challenge !== undefined &&
  Challenge.parse(challenge).some(
    ({ parameters, scheme }) => scheme === "bearer" && parameters.get("error")?.toLowerCase() === "insufficient_scope"
  )

/** Answers a challenge, or leaves the refusal that it came with as it is. */
const answered = (
  turn: Pass.Turn,
  pass: Pass.Pass,
  past: Pass.Past,
  asked: Refused.Refused,
  refused: Refused.Refused
): Answer =>
  Effect.gen(function* () {
    const { operation } = turn.call
    const resource = Scope.resourceOf(operation)
    const offer = Challenge.parse(asked.challenge ?? "").find(
      (challenge) => challenge.scheme === "bearer" && Challenge.fault(challenge) === undefined
    )
    if (Scope.isDelete(operation) && offer !== undefined) {
      const named = Scope.parseAll(offer.parameters.get("scope")).some((scope) => scope.resource === resource)
      const identity = yield* Pass.who(turn)
      if ((!named || past.asked === "root") && identity.credential?._tag !== "Token") {
        return yield* deleted(turn, Pass.wayOf(turn, offer), identity, refused)
      }
    }
    const found = yield* Pass.passFor(turn, asked, pass, past)
    return yield* found === undefined ? concluded(pass, refused) : resent(turn, found)
  })

/** Some registries say with 403 that a password has expired, and with 400 or 403 that a token has. */
const isRefused = ({ status }: HttpClientResponse, { grant, header }: Pass.Pass): boolean =>
  status === 401 || (status === 403 && header !== undefined) || (status === 400 && grant !== undefined)

const sent = (turn: Pass.Turn, pass: Pass.Pass, past: Pass.Past): Answer =>
  Effect.flatMap(send(turn, pass), (response) =>
    isRefused(response, pass) ? again(turn, pass, past, response) : Effect.succeed(response)
  )

/**
 * A request to a registry that has not said yet how to sign in. It goes as it is, and most registries want no more. A
 * stream does not: it would be sent twice. The root is asked in its place.
 */
const cold = (turn: Pass.Turn, past: Pass.Past): Answer => {
  const { call, session } = turn
  const { baseUrl } = call.host
  if (!Pass.streams(turn) || session.isOpen(baseUrl)) return sent(turn, bare, past)
  return Effect.gen(function* () {
    const answer = yield* root(turn)
    const asked = yield* Refused.read(call, answer)
    if (answer.status === 200) session.opened(baseUrl)
    const found =
      answer.status === 401 && asked.challenge !== undefined
        ? yield* Pass.passFor(turn, asked, bare, { ...past, asked: "root" })
        : undefined
    const response = yield* send(turn, found ?? bare)
    if (isRefused(response, found ?? bare)) return yield* again(turn, found ?? bare, past, response)
    if (found !== undefined) learnt(turn, found)
    return response
  })
}

/** A token where memory has none that will do. */
const upFront = (turn: Pass.Turn, way: Session.Way, identity: Identity, scopes: Scope.Scopes): Answer =>
  Effect.matchEffect(Pass.grantedAny(turn, way, identity, scopes), {
    onSuccess: (pass) => sent(turn, pass, bare),
    onFailure: (error) => {
      if (!Pass.isRefusal(error) && !Pass.isImpassable(error)) return Effect.fail(error)
      // what this one does without may be what another way is for
      if (Pass.isImpassable(error)) turn.session.forget(turn.call.host.baseUrl)
      return cold(turn, { way, error })
    }
  })

/** A request to a registry that has said how to sign in. */
const known = (turn: Pass.Turn, way: Session.Way): Answer => {
  const { call, session } = turn
  return Effect.flatMap(call.credential(), (found) =>
    Effect.clockWith((clock) => {
      const identity = session.identify(found)
      if (identity.fault !== undefined) return Pass.unusable(call, identity.fault)
      const { header } = identity
      if (way.scheme === "basic" || identity.credential?._tag === "Token") {
        return sent(turn, header === undefined ? bare : { header, identity, way }, bare)
      }
      const deletes = session.deletes(way)
      const needed = Scope.needed(call.operation, deletes)
      const scopes = way.everywhere.length === 0 ? needed : Scope.union(needed, way.everywhere)
      const grant = session.find(way, identity, scopes, clock.unsafeCurrentTimeMillis(), Pass.streams(turn))
      if (grant !== undefined) return sent(turn, { header: grant.header, grant, identity, way }, bare)
      return Scope.isDelete(call.operation) && deletes === undefined
        ? cold(turn, bare)
        : upFront(turn, way, identity, scopes)
    })
  )
}

/**
 * Signs in as the registry's challenges ask for, and without being asked once it is known how. With a token at hand a
 * request costs a look at the credential and one into a map.
 */
export const challenged: Service = (call, next) => {
  const session = Session.of(call.memory)
  const { host, operation } = call
  return RegistryHttpClient.make((request) => {
    // somebody else has signed it
    if (request.headers.authorization !== undefined) return next.execute(request)
    const turn: Pass.Turn = { call, next, session, request }
    const go = (): Answer => {
      const way = session.way(host.baseUrl, operation.repository?.name)
      if (way !== undefined) return known(turn, way)
      return Pass.streams(turn) ? cold(turn, bare) : session.ahead(host.baseUrl, cold(turn, bare), Effect.suspend(go))
    }
    return go()
  })
}
