/**
 * A transport that plays a script: which requests come, and what each is answered, as a conversation. A request that the
 * script does not have fails the test, and so do, when it ends, a step that was not used, an answer whose body was neither
 * read nor given up, and a secret that went where it must not go.
 *
 * ```ts
 * const registry = Script.layerTest(
 *   Script.expect("GET", "/v2/org/app/manifests/9").answer(404, Script.refusal("MANIFEST_UNKNOWN"))
 * )
 *
 * it.effect("says that there is none", () =>
 *   Effect.map(Effect.flip(Manifests.get(reference)), ({ _tag }) => assert.strictEqual(_tag, "ManifestUnknown")).pipe(
 *     Effect.provide(registry)
 *   ))
 * ```
 *
 * Requests are answered in the fiber that sends them and on its clock. What only bytes on a wire can tell is for the same
 * script on `node/ScriptServer`.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as Client from "./internal/script/client.js"
import * as Leaks from "./internal/script/leaks.js"
import * as Lines from "./internal/script/lines.js"
import * as Pieces from "./internal/script/pieces.js"
import type { Failure, Received } from "./internal/script/record.js"
import * as Stage from "./internal/script/stage.js"

export type {
  Address,
  Answer,
  AnswerOptions,
  Expectation,
  Line,
  Match,
  Origin,
  Raw,
  Secret,
  Step,
  Unordered
} from "./internal/script/lines.js"
export type { Cue, Cut, Delay, Hold, Piece, Reset, Stall } from "./internal/script/pieces.js"
export { Failure, type Received } from "./internal/script/record.js"

/** A script that is being played. */
export interface Service {
  /** What has come until now, in that order. */
  readonly requests: Effect.Effect<ReadonlyArray<Received>>
  /** Fails when something was not as the script has it, or is not yet. Layers do so when they end. */
  readonly verify: Effect.Effect<void, Failure>
  /** Where an origin of the script is found: over a socket at 127.0.0.1 and its port, else under its own name. */
  readonly address: Lines.Address
}

export class Script extends Context.Tag("@effect-oci/registry/Script")<Script, Service>() {}

/** What has come until now, in that order. */
export const requests: Effect.Effect<ReadonlyArray<Received>, never, Script> = Effect.flatMap(
  Script,
  ({ requests }) => requests
)

/** Fails when something was not as the script has it, or is not yet. Layers do so when they end. */
export const verify: Effect.Effect<void, Failure, Script> = Effect.flatMap(Script, ({ verify }) => verify)

/** One of the hosts of a script, as `https://cdn.test`. What is no URL is thrown. */
export const on: (origin: string) => Lines.Origin = Lines.on

/**
 * A request to `https://registry.test`: its method, and its path and query as they go over the wire. At each origin steps
 * come one after the other.
 */
export const expect: Lines.Origin["expect"] = on("https://registry.test").expect

/** Steps that come in any order, as those of concurrent requests do. What follows them at an origin comes after all. */
export const unordered = (...steps: ReadonlyArray<Lines.Step>): Lines.Unordered => ({ _tag: "Unordered", steps })

/**
 * Text that may go to some origins and to no other: neither as it is, nor in a URL's coding, nor in base64. Where it goes in
 * logs, spans and errors is for `withoutLeaks`.
 */
export const secret: (value: string, options: { readonly onlyTo: ReadonlyArray<string> }) => Lines.Secret = Lines.secret

/** An error document of the specification, for `answer`. */
export const refusal = (code: string, message = ""): Lines.AnswerOptions => ({ json: { errors: [{ code, message }] } })

/** Time that passes between pieces of a body, on the test's clock. */
export const delay: (duration: Duration.DurationInput) => Pieces.Delay = Pieces.delay

/** From here on nothing comes, and the connection stays open. */
export const stall: Pieces.Stall = { _tag: "Stall" }

/** Here the connection is closed, in the middle of whatever it is. */
export const cut: Pieces.Cut = { _tag: "Cut" }

/** Here the connection is reset. Over a socket that may take back what was sent just before. */
export const reset: Pieces.Reset = { _tag: "Reset" }

/** A place that holds answers until the test lets them go on: a piece of a body, or what comes `after`. */
export const hold: Effect.Effect<Pieces.Hold> = Pieces.hold

/** A body byte by byte, with a pause before each. */
export const trickle = (body: string | Uint8Array, pause: Duration.DurationInput): ReadonlyArray<Pieces.Piece> =>
  Array.from(Pieces.bytesOf(body), (byte) => [delay(pause), Uint8Array.of(byte)]).flat()

/** Plays the script in this process. */
export const layer = (...lines: ReadonlyArray<Lines.Line>): Layer.Layer<HttpClient.HttpClient | Script> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const stage = Stage.make(lines, new Map())
      yield* Stage.verifyAtEnd(stage)
      return Context.make(HttpClient.HttpClient, Client.make(stage)).pipe(
        Context.add(Script, Stage.service(stage, new Map()))
      )
    })
  )

/**
 * A `RegistryClient` that talks to the script. It waits between retries: under `TestClock` a test adjusts the clock, or is
 * given `RegistryRetry.layerNone`.
 */
export const layerTest = (
  ...lines: ReadonlyArray<Lines.Line>
): Layer.Layer<RegistryClient.RegistryClient | HttpClient.HttpClient | Script> =>
  Layer.provideMerge(RegistryClient.layer, layer(...lines))

/**
 * Runs an effect, and dies with a `Failure` when one of the secrets is in a log of any level, in a span, or in what came of
 * it, be it a value or an error: as `String`, `JSON.stringify`, `inspect` or `Cause.pretty` show it, in plain text, in a
 * URL's coding or in base64.
 */
export const withoutLeaks: {
  (secrets: ReadonlyArray<string>): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, secrets: ReadonlyArray<string>): Effect.Effect<A, E, R>
} = dual(2, Leaks.withoutLeaks)
