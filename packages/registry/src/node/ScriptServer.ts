/**
 * A script played over real sockets of this machine, one port for each of its origins. Where `Script.layer` answers with
 * values, this answers with bytes: header names keep their case, lengths may be wrong, connections are closed and reset.
 *
 * `layer` speaks plain HTTP whatever an origin's scheme, `layerTls` speaks TLS where it is `https`.
 *
 * Delays and holds are on the clock of the test, the network is not: use `it.live`, or few and certain waits.
 */

import * as tls from "node:tls"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Client from "../internal/script/client.js"
import * as Stage from "../internal/script/stage.js"
import { type Line, Script, type Service } from "../Script.js"
import * as Certificates from "./internal/authority.js"
import * as Connection from "./internal/connection.js"
import * as Exchange from "./internal/exchange.js"

/** The certificate, in PEM, of the authority that signs for the origins of a script. Each script has its own. */
export class Authority extends Context.Tag("@effect-oci/registry/node/ScriptServer/Authority")<Authority, string>() {}

/** Waits until no answer is on its way, for a second at most: what a client gave up is known only when its FIN comes. */
const settled = ({ requests }: Stage.Stage): Effect.Effect<void> =>
  Effect.sync(() => requests.some(({ answer }) => answer === "open")).pipe(
    Effect.repeat({
      while: (open) => open,
      schedule: Schedule.intersect(Schedule.spaced("5 millis"), Schedule.recurs(200))
    }),
    Effect.withClock(Clock.make())
  )

/** A script behind its sockets. */
interface Played {
  readonly stage: Stage.Stage
  /** Where each origin is. */
  readonly addresses: ReadonlyMap<string, string>
}

const play = (
  lines: ReadonlyArray<Line>,
  authority?: Certificates.Authority
): Effect.Effect<Played, never, Scope.Scope> =>
  Effect.gen(function* () {
    const addresses = new Map<string, string>()
    const played = Stage.make(lines, addresses)
    const stage: Stage.Stage = { ...played, verify: Effect.zipRight(settled(played), played.verify) }
    const run = yield* FiberSet.makeRuntime<never>()
    let connections = 0
    for (const origin of stage.origins) {
      const { hostname, protocol } = new URL(origin)
      const secure = authority !== undefined && protocol === "https:"
      const context = secure ? tls.createSecureContext(authority.issue(hostname)) : undefined
      const port = yield* Connection.listen((socket) => {
        const from = { origin, connection: ++connections }
        const breaks = context !== undefined && stage.breaksHandshake(origin)
        const made = breaks || context === undefined ? Connection.make(socket) : Connection.secure(socket, context)
        const answer = breaks ? Exchange.breakHandshake : Exchange.serve
        run(Effect.ignore(Effect.flatMap(made, (connection) => answer(stage, connection, from))))
      })
      addresses.set(origin, `${secure ? "https" : "http"}://127.0.0.1:${port}`)
    }
    yield* Stage.verifyAtEnd(stage)
    return { stage, addresses }
  })

const serviceOf = ({ addresses, stage }: Played): Service => Stage.service(stage, addresses)

/** Sends what goes to an origin of the script to its socket, unseen by the caller. */
const rewritten = (client: HttpClient.HttpClient, { addresses, stage }: Played): HttpClient.HttpClient => {
  const originals = new WeakMap<HttpClientRequest.HttpClientRequest, HttpClientRequest.HttpClientRequest>()
  return client.pipe(
    HttpClient.mapRequestEffect((request) =>
      Effect.gen(function* () {
        if (!URL.canParse(request.url)) return request
        const url = new URL(request.url)
        const address = addresses.get(url.origin)
        if (address === undefined) {
          // the script has nothing there, and says so
          const unexpected = stage.enter(Client.headOf(request, url), Effect.never)
          return yield* Effect.orDie(Effect.zipRight(unexpected, Effect.never))
        }
        const moved = HttpClientRequest.setUrl(request, request.url.replace(/^[^/]*\/\/[^/?#]*/, address))
        originals.set(moved, request)
        return moved
      })
    ),
    HttpClient.transform((exchange, moved) =>
      Effect.map(
        exchange,
        (response): HttpClientResponse => Object.create(response, { request: { value: originals.get(moved) ?? moved } })
      )
    )
  )
}

/** Listens for the script, in the clear. Programs find it by `Script.address`; the script's own names are for `layerHttpClient`. */
export const layer = (...lines: ReadonlyArray<Line>): Layer.Layer<Script> =>
  Layer.scoped(Script, Effect.map(play(lines), serviceOf))

/**
 * Listens for the script, by TLS where an origin is `https`. Each has a certificate for its own name, `localhost` and
 * 127.0.0.1, signed by the script's `Authority`, which nobody else trusts; the address is `https://127.0.0.1:port`.
 */
export const layerTls = (...lines: ReadonlyArray<Line>): Layer.Layer<Script | Authority> =>
  Layer.scopedContext(
    Effect.suspend(() => {
      const authority = Certificates.make()
      return Effect.map(play(lines, authority), (played) =>
        Context.make(Script, serviceOf(played)).pipe(Context.add(Authority, authority.certificate))
      )
    })
  )

/**
 * Listens for the script, in the clear, and gives the `HttpClient` that it is given another way: requests to the script's origins reach
 * their sockets, and those to any other are as unexpected as with `Script.layer`.
 */
export const layerHttpClient = (
  ...lines: ReadonlyArray<Line>
): Layer.Layer<Script | HttpClient.HttpClient, never, HttpClient.HttpClient> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const client = yield* HttpClient.HttpClient
      const played = yield* play(lines)
      return Context.make(Script, serviceOf(played)).pipe(Context.add(HttpClient.HttpClient, rewritten(client, played)))
    })
  )
