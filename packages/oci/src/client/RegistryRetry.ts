/**
 * Whether and when a request is made again.
 *
 * What may succeed the second time is made again, up to five times: broken connections, silence, throttling (429) and
 * outages (408, 499, 5xx), for requests that do no harm twice (GET, HEAD, DELETE, PUT of a manifest, the start of an upload)
 * and whose body is still there. Throttling is waited for whatever the method. What was refused (400, 401, 403, 404 and so
 * on) is not asked again.
 *
 * All calls of a client to one host share what is known of it: a `Retry-After` makes all of them wait, several failures in a
 * row slow all of them, and there is a budget for retries, so that a dead host is not hammered by those who hope.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Layer from "effect/Layer"
import * as Retry from "./internal/retry.js"
import type { Operation } from "./Operation.js"
import type { RegistryMemory } from "./RegistryMemory.js"
import type { Client } from "./RegistryMiddleware.js"

/** What a way of retrying is given for each call. */
export interface Request {
  readonly operation: Operation
  readonly memory: RegistryMemory
}

/** A way of retrying: a client that makes requests of the next one until it is content. */
export interface Service {
  (request: Request, next: Client): Client
}

/** How often, and how long. */
export interface Policy {
  /** How many requests a call makes at most; 5 by default. */
  readonly tries?: number | undefined
  /**
   * The wait before the second request; 250 ms by default. It doubles with each, and of each wait the half to the whole is
   * taken, at random.
   */
  readonly base?: Duration.DurationInput | undefined
  /** The longest of these waits; 30 seconds by default. */
  readonly cap?: Duration.DurationInput | undefined
  /**
   * The longest `Retry-After` that is waited for; 60 seconds by default. When the registry wants more, the call fails at once,
   * and its error has the value (`retryAfter`).
   */
  readonly longest?: Duration.DurationInput | undefined
  /** How long a call waits in all, between its requests; 2 minutes by default. */
  readonly total?: Duration.DurationInput | undefined
  /**
   * Whether rate limits are kept to before the registry has to say so: when it tells that no more than a tenth of its limit
   * is left, requests to it wait so that the rest lasts, each at most `longest`. Off by default.
   */
  readonly pace?: boolean | undefined
}

/** Makes each request once. */
export const none: Service = (_, next) => next

const make = (policy: Policy): Service =>
  Retry.make({
    tries: policy.tries ?? 5,
    base: Duration.toMillis(policy.base ?? "250 millis"),
    cap: Duration.toMillis(policy.cap ?? "30 seconds"),
    longest: Duration.toMillis(policy.longest ?? "60 seconds"),
    total: Duration.toMillis(policy.total ?? "2 minutes"),
    pace: policy.pace ?? false
  })

/** Retries as a middleware. By default as `layer()` has it. */
export class RegistryRetry extends Context.Reference<RegistryRetry>()("effect-oci/RegistryRetry", {
  defaultValue: (): Service => make({})
}) {}

/** Retries by a policy; what it leaves out is as by default. */
export const layer = (policy: Policy = {}): Layer.Layer<RegistryRetry> => Layer.succeed(RegistryRetry, make(policy))

/** No retries: the first answer counts. */
export const layerNone: Layer.Layer<RegistryRetry> = Layer.succeed(RegistryRetry, none)
