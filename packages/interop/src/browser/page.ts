/**
 * What the page runs: one test of one suite, when it is told to.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as RegistryName from "effect-oci/RegistryName"
import { type Environment, Subject } from "../../../oci/test/endpoints/suite/support.js"
import { type Suites, suites } from "./suites.js"

declare global {
  /** Runs a test against the registry at a host. Tells what is wrong, if anything. */
  var runTest: (suite: keyof Suites, name: string, host: string) => Promise<string | undefined>
}

const client = ManagedRuntime.make(Layer.provide(RegistryClient.layer, FetchHttpClient.layer))

/** A test as what is wrong, if anything. */
const find = (suite: keyof Suites, wanted: string): Effect.Effect<string | undefined, never, Environment> => {
  let found: Effect.Effect<string | undefined, never, Environment> = Effect.succeed(`there is no such test: ${wanted}`)
  suites[suite]({
    effect: (name, test) => {
      if (name === wanted)
        found = Effect.matchCause(Effect.suspend(test), { onFailure: Cause.pretty, onSuccess: () => undefined })
    }
  })
  return found
}

globalThis.runTest = (suite, name, host) =>
  find(suite, name).pipe(
    Effect.provideServiceEffect(Subject, RegistryName.parse(host)),
    Effect.catchAll(({ message }) => Effect.succeed(message)),
    client.runPromise
  )
