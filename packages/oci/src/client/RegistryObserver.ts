/**
 * Every exchange with a registry as data: each hop of a redirect, each attempt, and the warnings that registries send.
 */
import type * as Headers from "@effect/platform/Headers"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import type { Operation } from "./Operation.js"
import type { CallError } from "./RegistryError.js"

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

/** Observes exchanges, warnings or both, beside the observer that is already there. */
export const layer = (observer: Partial<Service>): Layer.Layer<RegistryObserver> =>
  Layer.effect(
    RegistryObserver,
    Effect.map(RegistryObserver, (outer) => both(outer, { ...silent, ...observer }))
  )

const both = (first: Service, second: Service): Service => ({
  exchange: (exchange) => Effect.zipRight(first.exchange(exchange), second.exchange(exchange)),
  warning: (warning) => Effect.zipRight(first.warning(warning), second.warning(warning))
})

/** Runs an effect and hands out the distinct warnings that its registries sent meanwhile, in their order. */
export const withWarnings = <A, E, R>(
  self: Effect.Effect<A, E, R>
): Effect.Effect<readonly [A, ReadonlyArray<Warning>], E, R> =>
  Effect.gen(function* () {
    const seen = yield* Ref.make<ReadonlyMap<string, Warning>>(new Map())
    const outer = yield* RegistryObserver
    const collect: Service = {
      ...silent,
      warning: (warning) => Ref.update(seen, (all) => new Map(all).set(`${warning.registry} ${warning.text}`, warning))
    }
    const result = yield* Effect.provideService(self, RegistryObserver, both(outer, collect))
    return [result, [...(yield* Ref.get(seen)).values()]] as const
  })
