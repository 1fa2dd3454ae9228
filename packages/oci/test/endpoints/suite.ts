/**
 * What every endpoint does, against one registry, whatever it is and however it is reached. The suite pushes what it needs
 * to repositories of its own.
 */
import { layer, makeMethods } from "@effect/vitest"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { RegistryClient } from "effect-oci/RegistryClient"
import * as RegistryName from "effect-oci/RegistryName"
import { endpoints } from "./suite/endpoints.js"
import { type Deviations, Subject } from "./suite/support.js"

export type { Deviations } from "./suite/support.js"

export interface Options<R, E> {
  /** The client, and the registry too where it is started for the suite. Built once. */
  readonly layer: Layer.Layer<RegistryClient | R, E>
  /** The registry's name: `127.0.0.1:5000`. */
  readonly registry: Effect.Effect<string, never, R>
  /** Where it is not as the specification wants it. What the client makes of that is asserted instead. */
  readonly deviations?: Deviations
  /** How long the layer may take to build; 5 seconds by default. */
  readonly timeout?: Duration.DurationInput
}

/** Registers the tests of all endpoints. They run on real time, so that sockets and time-outs are what they are. */
export const endpointSuite = <R, E>(name: string, options: Options<R, E>): void => {
  const { deviations = {}, timeout = "5 seconds" } = options
  const subject = Layer.effect(Subject, Effect.flatMap(options.registry, RegistryName.parse))
  layer(Layer.provideMerge(subject, options.layer), { excludeTestServices: true, timeout })(name, (it) => {
    endpoints(it, deviations)
    // `layer` changes the `it` that all tests of this worker share; this changes it back
    makeMethods(it)
  })
}
