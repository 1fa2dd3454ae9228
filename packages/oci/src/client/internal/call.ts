import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Operation } from "../Operation.js"
import * as RegistryClient from "../RegistryClient.js"
import type { CallError } from "../RegistryError.js"
import * as RegistryHosts from "../RegistryHosts.js"
import * as Body from "./body.js"
import * as Provenance from "./provenance.js"
import * as Refusal from "./refusal.js"

/** One request of an endpoint, and how its answers are read. */
export interface Call<E> {
  readonly operation: Operation
  readonly request: HttpClientRequest.HttpClientRequest
  /** The statuses that mean yes. */
  readonly accepts: ReadonlyArray<number>
  /** What a refusal means to this endpoint; nothing leaves it to the meaning that it has for all. */
  readonly refused?: (refusal: Refusal.Refusal) => E | undefined
}

/**
 * Whether a delete finds nothing because one before, whose answer was lost, has deleted it: then it is done. Nobody can tell
 * that from there having been nothing, and what was wanted holds.
 */
const isGone = ({ method }: HttpClientRequest.HttpClientRequest, response: HttpClientResponse): boolean =>
  method === "DELETE" && response.status === 404 && Provenance.of(response)?.lost === true

/** Sends the request and hands out an answer that says yes, its body unread. */
export const open = <E = never>(
  call: Call<E>,
  options?: RegistryClient.ExecuteOptions
): Effect.Effect<Body.Answer, E | CallError, RegistryClient.RegistryClient | Scope.Scope> =>
  Effect.gen(function* () {
    const client = yield* RegistryClient.RegistryClient
    const { limits } = yield* client.provide(RegistryHosts.of(call.operation.registry, call.operation.repository))
    const scope = yield* Effect.flatMap(Effect.scope, (outer) => Scope.fork(outer, ExecutionStrategy.sequential))
    const response = yield* Scope.extend(client.execute(call.operation, call.request, options), scope)
    const abort = Scope.close(scope, Exit.void)
    const answer: Body.Answer = { operation: call.operation, response, limits, abort }
    if (call.accepts.includes(response.status) || isGone(call.request, response)) return answer
    const refusal = yield* Refusal.read(answer)
    // who asks and how often: the status alone decides, whatever code comes with it
    const particular = response.status === 401 || response.status === 429 ? undefined : call.refused?.(refusal)
    return yield* Effect.fail(particular ?? (yield* Refusal.common(answer, refusal)))
  })

/** Sends the request and reads no more of the answer than its headers. */
export const head = <E = never>(
  call: Call<E>
): Effect.Effect<Body.Answer, E | CallError, RegistryClient.RegistryClient> =>
  Effect.scoped(Effect.tap(open(call), Body.discard))

/** Sends the request and holds the answer's whole body, up to a limit. */
export const read = <E = never>(
  call: Call<E>,
  limit: (limits: RegistryHosts.Limits) => number
): Effect.Effect<
  { readonly answer: Body.Answer; readonly bytes: Uint8Array },
  E | CallError,
  RegistryClient.RegistryClient
> =>
  Effect.scoped(
    Effect.flatMap(open(call, { hold: limit }), (answer) =>
      Effect.map(Body.collect(answer, limit(answer.limits)), (bytes) => ({ answer, bytes }))
    )
  )
