import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import type { Operation } from "../Operation.js"
import * as OriginPolicy from "../OriginPolicy.js"
import { TooManyRedirects, UnexpectedResponse } from "../RegistryError.js"
import type { Limits } from "../RegistryHosts.js"
import type { Client } from "../RegistryMiddleware.js"
import * as Body from "./body.js"
import * as RegistryHttpClient from "./client.js"
import * as Headers from "./headers.js"

const redirections = new Set([301, 302, 303, 307, 308])

const repeatable = new Set(["GET", "HEAD"])

/** How the transport is reached for each hop: the first is 0. */
export interface Hops {
  (hop: number): Client
}

/** What redirects are followed for, and how far. */
export interface Route {
  readonly operation: Operation
  readonly policy: OriginPolicy.Service
  readonly limits: Limits
  /** Whether the first request goes to the registry's own origin. */
  readonly home: boolean
}

/** The request as it goes to a URL: on another host without what tells who asks, else as it is. */
const to = (url: string, sameOrigin: boolean, { body, headers, method }: HttpClientRequest.HttpClientRequest) =>
  HttpClientRequest.setBody(
    HttpClientRequest.make(method)(url, { headers: sameOrigin ? headers : Headers.abroad(headers) }),
    body
  )

/**
 * Follows redirects one by one, each judged by the origin policy. Once a hop has left the origin, nothing that tells who
 * asks is sent any more, not even on the way back. A request that changes something is only repeated as it is (307, 308).
 */
export const follow = (hops: Hops, { home, limits, operation, policy }: Route): Client =>
  RegistryHttpClient.make((first) => {
    const visited = new Set<string>()
    const go = (request: HttpClientRequest.HttpClientRequest, hop: number): ReturnType<Client["execute"]> =>
      Effect.flatMap(hops(hop).execute(request), (response) => {
        if (!redirections.has(response.status)) return Effect.succeed(response)
        const answer: Body.Answer = { operation, response, limits, abort: Effect.void }
        const facts = Body.facts(answer)
        const method = request.method
        const refusal = (reason: string) => new UnexpectedResponse({ ...facts, reason })
        visited.add(`${method} ${request.url}`)
        const next = Effect.gen(function* () {
          const location = response.headers.location
          if (location === undefined) return yield* refusal("redirected to nowhere")
          if (!repeatable.has(method) && response.status < 307) {
            return yield* refusal(`a ${method} is not turned into a GET by a redirect`)
          }
          const verdict = yield* policy.judge({
            kind: "redirect",
            operation,
            method,
            from: request.url,
            to: location
          })
          const { sameOrigin, url } = verdict
          if (hop >= limits.redirects || visited.has(`${method} ${url}`)) {
            return yield* new TooManyRedirects({ ...facts, limit: limits.redirects })
          }
          return yield* OriginPolicy.following(request.url, verdict)(go(to(url, sameOrigin, request), hop + 1))
        })
        return Effect.zipRight(Body.discard(answer), next)
      })
    return go(home ? first : to(first.url, home, first), 0)
  })
