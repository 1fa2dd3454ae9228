import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import { globalValue } from "effect/GlobalValue"
import * as Scope from "effect/Scope"
import { type CallError, isRetryable } from "../../RegistryError.js"
import { type RegistryMemory, slot } from "../../RegistryMemory.js"
import * as Body from "../body.js"
import { isPassing } from "../statuses.js"
import type { Route } from "./route.js"

/** How long a mirror that failed is left out. */
const rest = Duration.toMillis("1 minute")

/** Until when mirrors are left out, in milliseconds, by their base URLs. */
const resting = slot(() => new Map<string, number>())

/** The answers of mirrors, each with what leaves its mirror out. */
const provenance = new WeakMap<HttpClientResponse, Effect.Effect<void>>()

/** Whether mirrors are passed by, since one of them has just sent something wrong. */
const passedBy = globalValue("effect-oci/mirrors/passedBy", () => FiberRef.unsafeMake(false))

/** How a request is sent on its route. */
export interface Via {
  (route: Route, scope: Scope.Scope): Effect.Effect<HttpClientResponse, CallError>
}

const leaveOut = (memory: RegistryMemory, { host }: Route): Effect.Effect<void> =>
  Effect.map(Clock.currentTimeMillis, (now) => void resting(memory).set(host.baseUrl, now + rest))

/** Asks one mirror, once: whatever it has against the request, there is somebody else to ask. */
const one = (route: Route, memory: RegistryMemory, via: Via, outer: Scope.Scope) =>
  Effect.flatMap(Scope.fork(outer, ExecutionStrategy.sequential), (scope) => {
    const { host, operation } = route
    const next = (why: string, trouble: boolean) =>
      Effect.logDebug(`the mirror ${host.baseUrl} is passed by: ${why}`).pipe(
        Effect.annotateLogs({ package: "effect-oci", operation: operation.name }),
        Effect.zipRight(Scope.close(scope, Exit.void)),
        Effect.zipRight(trouble ? leaveOut(memory, route) : Effect.void),
        Effect.as(undefined)
      )
    return Effect.matchEffect(via(route, scope), {
      onFailure: (error) => next(error.message, isRetryable(error)),
      onSuccess: (response) => {
        const { status } = response
        if (status < 400) {
          provenance.set(response, leaveOut(memory, route))
          return Effect.succeed(response)
        }
        const answer = { operation, response, limits: host.limits, abort: Effect.void }
        return Effect.zipRight(Body.discard(answer), next(`it answered with status ${status}`, isPassing(status)))
      }
    })
  })

/** Asks mirrors in their order, those that failed a short while ago left out, and if none has an answer, the last route. */
export const before = (
  routes: ReadonlyArray<Route>,
  last: Route,
  memory: RegistryMemory,
  via: Via,
  scope: Scope.Scope
): Effect.Effect<HttpClientResponse, CallError> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.flatMap(FiberRef.get(passedBy), (none) => {
      const until = resting(memory)
      const healthy = none ? [] : routes.filter(({ host }) => (until.get(host.baseUrl) ?? now) <= now)
      const go = (at: number): Effect.Effect<HttpClientResponse, CallError> => {
        const route = healthy[at]
        if (route === undefined) return via(last, scope)
        return Effect.flatMap(one(route, memory, via, scope), (found) =>
          found === undefined ? go(at + 1) : Effect.succeed(found)
        )
      }
      return go(0)
    })
  )

/** Whether an answer is a mirror's. */
export const isFrom = (response: HttpClientResponse): boolean => provenance.has(response)

/** Leaves out from now on the mirror that an answer is from, if it is from one. */
export const distrust = (response: HttpClientResponse): Effect.Effect<void> => provenance.get(response) ?? Effect.void

/** An effect that asks the registry itself: a mirror's copy may be old, or missing. */
export const without = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.locally(self, passedBy, true)

/** An effect without mirrors, after one of them sent an answer that cannot be used. */
export const withoutThat = <A, E, R>(
  response: HttpClientResponse,
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => Effect.zipRight(distrust(response), without(self))
