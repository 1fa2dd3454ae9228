/**
 * Every exchange with a registry as data: each hop of a redirect, each attempt, and the warnings that registries send.
 */
import type * as Headers from "@effect/platform/Headers"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Operation } from "./Operation.js"
import type { CallError, RateLimit } from "./RegistryError.js"

/** One request and its answer, without bodies and without secrets. */
export interface Exchange {
  readonly operation: Operation
  readonly method: string
  /** Without query and fragment, which may be signed. */
  readonly url: string
  readonly request: Headers.Headers
  /** Missing when no answer came; then there is an `error`. */
  readonly status?: number | undefined
  /** The answer's headers. */
  readonly response?: Headers.Headers | undefined
  readonly error?: CallError | undefined
  /** What the answer says of the registry's limits, be it a success or not. */
  readonly rateLimit?: RateLimit | undefined
  /** Counts the requests of one call from 1, redirects left out: above 1 it was repeated. */
  readonly attempt: number
  /** Counts the redirects of one attempt from 0. */
  readonly hop: number
  /** Until the answer's headers, in milliseconds. */
  readonly millis: number
}

/** What a registry wants the user to know (the `Warning` header, code 299). */
export interface Warning {
  readonly registry: string
  readonly text: string
}

export interface Service {
  readonly exchange: (exchange: Exchange) => Effect.Effect<void>
  /** Called once for each warning of an answer. */
  readonly warning: (warning: Warning) => Effect.Effect<void>
}

/** Looks at nothing. */
export const silent: Service = {
  exchange: () => Effect.void,
  warning: () => Effect.void
}

/** The observer; by default nobody looks. Warnings are logged as well, each text once for a client. */
export class RegistryObserver extends Context.Reference<RegistryObserver>()("effect-oci/RegistryObserver", {
  defaultValue: (): Service => silent
}) {}

/** Observes exchanges, warnings or both. As with every policy the nearest counts; `both` makes one of two. */
export const layer = (observer: Partial<Service>): Layer.Layer<RegistryObserver> =>
  Layer.succeed(RegistryObserver, { ...silent, ...observer })

/** One observer of two, called in this order. */
export const both = (first: Service, second: Service): Service => ({
  exchange: (exchange) => Effect.zipRight(first.exchange(exchange), second.exchange(exchange)),
  warning: (warning) => Effect.zipRight(first.warning(warning), second.warning(warning))
})
