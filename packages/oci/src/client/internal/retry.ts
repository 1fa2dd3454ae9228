import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import type { Operation } from "../Operation.js"
import {
  type CallError,
  isRetryable,
  RegistryUnavailable,
  Timeout,
  TooManyRequests,
  TransportError
} from "../RegistryError.js"
import type { Client } from "../RegistryMiddleware.js"
import type { Service } from "../RegistryRetry.js"
import * as RegistryHttpClient from "./client.js"
import * as Facts from "./facts.js"
import * as HostHealth from "./hostHealth.js"
import * as Provenance from "./provenance.js"
import * as RateLimit from "./rateLimit.js"
import * as Refusal from "./refusal.js"
import { isPassing } from "./statuses.js"

/** A policy in numbers; durations in milliseconds. */
export interface Numbers {
  readonly tries: number
  readonly base: number
  readonly cap: number
  readonly longest: number
  readonly total: number
  readonly pace: boolean
}

/** What a call is made for, and with. */
interface Place {
  readonly policy: Numbers
  readonly hosts: HostHealth.Hosts
  readonly operation: Operation
  readonly next: Client
}

/** What a request ended with. */
type Outcome =
  | { readonly _tag: "Answer"; readonly response: HttpClientResponse }
  | { readonly _tag: "Failure"; readonly error: CallError }

/** POSTs that leave nothing behind but a session that expires, or what they were to leave behind. */
const repeatablePosts: ReadonlySet<string> = new Set(["uploads.start", "uploads.mount", "uploads.post", "auth.token"])

/**
 * Whether a request that may have been done can be done once more. One that depends on what there is cannot: it has changed
 * that. Neither can what is sent to an upload session, whose state is unknown then.
 */
const isIdempotent = (operation: Operation, { headers, method }: HttpClientRequest): boolean => {
  if (method === "GET" || method === "HEAD") return true
  if (headers["if-match"] !== undefined || headers["if-none-match"] !== undefined) return false
  if (method === "POST") return repeatablePosts.has(operation.name)
  return method === "DELETE" || (method === "PUT" && operation.name === "manifests.put")
}

/** Whether the body is still there. A stream may give it only once; whoever has the stream may know. */
const isReplayable = ({ body }: HttpClientRequest): boolean => body._tag !== "Stream" && body._tag !== "Raw"

/** The failure, with the number of requests that it took. */
const counted = (error: CallError, attempts: number): CallError => {
  switch (error._tag) {
    case "TransportError":
      return new TransportError({ ...error, attempts })
    case "Timeout":
      return new Timeout({ ...error, attempts })
    case "TooManyRequests":
      return new TooManyRequests({ ...error, attempts })
    case "RegistryUnavailable":
      return new RegistryUnavailable({ ...error, attempts })
    default:
      return error
  }
}

/** Reads what is left of an answer that is not wanted, so that its connection lives on. */
const drain = (response: HttpClientResponse): Effect.Effect<void> => {
  if (response.request.method === "HEAD" || response.status === 204) return Effect.void
  let left = 64 * 1024
  return Effect.ignore(
    Stream.runForEachWhile(response.stream, (bytes) =>
      Effect.sync(() => {
        left -= bytes.length
        return left > 0
      })
    )
  )
}

/** In milliseconds. */
const retryAfter = (response: HttpClientResponse, now: number): number | undefined => {
  const seconds = Refusal.retryAfter(response.headers["retry-after"], now)
  return seconds === undefined ? undefined : seconds * 1000
}

const shown = (outcome: Outcome): string =>
  outcome._tag === "Answer" ? `answered ${outcome.response.status}` : `was a ${outcome.error._tag}`

/** Says that a request is made again, and why. */
const report = (operation: Operation, attempts: number, outcome: Outcome, wait: number): Effect.Effect<void> =>
  Effect.zipRight(
    Effect.logDebug(`again in ${wait} ms, since attempt ${attempts} ${shown(outcome)}`).pipe(
      Effect.annotateLogs({ package: "effect-oci", operation: operation.name })
    ),
    Effect.flatMap(Effect.option(Effect.currentSpan), (span) =>
      span._tag === "None"
        ? Effect.void
        : Effect.map(Clock.currentTimeNanos, (now) =>
            span.value.event("oci.retry", now, {
              "oci.retry.attempt": attempts,
              "oci.retry.wait": wait,
              "oci.retry.reason": shown(outcome)
            })
          )
    )
  )

/** Sleeps, and reads meanwhile what is left of an answer. */
const sleepDraining = (response: HttpClientResponse, millis: number): Effect.Effect<void> =>
  Effect.raceFirst(Effect.sleep(millis), Effect.zipRight(drain(response), Effect.never))

/**
 * Seconds between requests that make what is left last until there is more, once that is no more than a tenth. Where only
 * the window is told, and not when it ends, nothing left means to wait for what one request takes of it.
 */
const spacing = ({ limit, remaining, reset, window }: RateLimit.RateLimit): number => {
  if (remaining > (limit ?? 0) / 10) return 0
  if (reset !== undefined) return reset / (remaining + 1)
  return remaining === 0 && window !== undefined ? window / Math.max(1, limit ?? 1) : 0
}

const chance = Effect.all([Clock.currentTimeMillis, Random.next])

type Result = Effect.Effect<HttpClientResponse, CallError>

/**
 * One call with its requests. A first answer that says yes, from a host of which nothing bad was heard, costs a look into a
 * map; all else is for the others.
 */
class Call {
  attempts = 0
  /** Whether one of the requests may have been done, and only its answer was lost. */
  lost = false
  /** In milliseconds. */
  private waited = 0
  /** What the retries have cost at the host. */
  private paid = 0
  /** How many times everybody had to wait before this was sent. */
  private pauses = 0
  /** How many rounds of failures there were before this was sent, and before it was sent for the first time. */
  private rounds = 0
  private firstRounds = 0
  /** What the last request failed with, if it had no answer. */
  private failure: CallError | undefined
  private readonly place: Place
  private readonly request: HttpClientRequest
  private readonly origin: string

  constructor(place: Place, request: HttpClientRequest) {
    this.place = place
    this.request = request
    this.origin = HostHealth.originOf(request.url)
  }

  /** Waits as long as everybody does, then sends. */
  start(): Result {
    const host = this.place.hosts.find(this.origin)
    return host === undefined || host.until === 0 ? this.send(host) : this.wait(host)
  }

  private send(host: HostHealth.Host | undefined): Result {
    this.attempts++
    this.pauses = host?.pauses ?? 0
    this.rounds = host?.rounds ?? 0
    if (this.attempts === 1) this.firstRounds = this.rounds
    return Effect.matchEffect(this.place.next.execute(this.request), {
      onSuccess: (response) => this.answered(response),
      onFailure: (error) => this.failed(error)
    })
  }

  private wait(host: HostHealth.Host): Result {
    return Effect.flatMap(chance, ([now, random]) => {
      const left = host.until - now
      if (left <= 0) {
        host.until = 0
        return this.send(host)
      }
      if (this.attempts > 0 && this.isHopeless(host)) return this.unsent(host, left)
      // not all at once when it is over
      const wait = Math.ceil(left + random * Math.min(left / 10, 1000))
      const rest = this.place.policy.total - this.waited
      if (wait <= rest) {
        this.waited += wait
        return Effect.flatMap(Effect.sleep(wait), () => this.start())
      }
      // what was answered before is read and gone by now: a last try
      if (this.attempts > 0) return Effect.flatMap(Effect.sleep(Math.max(0, rest)), () => this.send(host))
      return this.unsent(host, left)
    })
  }

  /** Ends while everybody still has to wait, so many milliseconds. */
  private unsent(host: HostHealth.Host, left: number): Result {
    if (this.failure !== undefined) return Effect.fail(counted(this.failure, this.attempts))
    const facts = {
      ...Facts.ofRequest(this.place.operation, this.request.method, this.request.url),
      attempts: this.attempts,
      retryAfter: Math.ceil(left / 1000)
    }
    return host.throttled ? new TooManyRequests(facts) : new RegistryUnavailable(facts)
  }

  /** Whether the host has failed others meanwhile as often as a call tries: it will not do better by this one. */
  private isHopeless({ rounds }: HostHealth.Host): boolean {
    return rounds - this.firstRounds >= this.place.policy.tries
  }

  private answered(response: HttpClientResponse): Result {
    if (isPassing(response.status)) return this.unwell({ _tag: "Answer", response })
    const host = this.place.hosts.find(this.origin)
    if (host?.succeed(this.paid)) this.place.hosts.recovered(this.origin)
    return this.handOut(response, this.attempts > 1)
  }

  private failed(error: CallError): Result {
    // what was retried within, such as asking for a token, is not retried again
    if (error.attempts !== undefined) return Effect.fail(error)
    if (isRetryable(error)) return this.unwell({ _tag: "Failure", error })
    return Effect.fail(this.attempts > 1 ? counted(error, this.attempts) : error)
  }

  private handOut(response: HttpClientResponse, counted: boolean): Result {
    if (counted) Provenance.note(response, { attempts: this.attempts, lost: this.lost })
    return this.place.policy.pace ? Effect.as(this.pace(response), response) : Effect.succeed(response)
  }

  private end(outcome: Outcome, isCounted: boolean): Result {
    if (outcome._tag === "Answer") return this.handOut(outcome.response, isCounted)
    return Effect.fail(isCounted ? counted(outcome.error, this.attempts) : outcome.error)
  }

  /** After what may be another outcome next time. */
  private unwell(outcome: Outcome): Result {
    const { request } = this
    const { policy } = this.place
    return Effect.flatMap(chance, ([now, random]) => {
      const status = outcome._tag === "Answer" ? outcome.response.status : undefined
      const told = outcome._tag === "Answer" ? retryAfter(outcome.response, now) : undefined
      const host = this.place.hosts.trouble(this.origin)
      this.failure = outcome._tag === "Failure" ? outcome.error : undefined
      // a body that broke off is its sender's affair, as one that is read is its reader's: they know how far it came
      if (status !== undefined || isReplayable(request)) this.tell(host, now, status, told)

      const throttled = status === 429 || (status === 503 && told !== undefined)
      if (!isReplayable(request) || !(throttled || isIdempotent(this.place.operation, request))) {
        return this.end(outcome, this.attempts > 1)
      }
      const backoff = Math.min(policy.cap, policy.base * 2 ** (this.attempts - 1)) * (0.5 + random / 2)
      const wait = Math.max(told ?? 0, Math.ceil(backoff))
      const patient = (told ?? 0) <= policy.longest && this.waited + wait <= policy.total
      // a wait that the registry asks for is no retry in hope
      if (this.attempts >= policy.tries || this.isHopeless(host) || !patient || !(told !== undefined || host.pay())) {
        return this.end(outcome, true)
      }
      if (told === undefined) this.paid++
      this.lost ||= !throttled
      this.waited += wait
      const sleep = outcome._tag === "Answer" ? sleepDraining(outcome.response, wait) : Effect.sleep(wait)
      return Effect.zipRight(report(this.place.operation, this.attempts, outcome, wait), sleep).pipe(
        Effect.flatMap(() => this.start())
      )
    })
  }

  /** Lets all calls to the host know. */
  private tell(host: HostHealth.Host, now: number, status: number | undefined, told: number | undefined): void {
    const { base, cap, longest } = this.place.policy
    host.fail(now)
    if (told !== undefined) {
      // a wait that is too long to be waited is this call's own affair: another may be within its limits
      if (told <= longest) host.pause(now + told, status === 429)
      return
    }
    if (status !== 429) host.countRound(this.rounds)
    const excess = host.count(this.pauses)
    if (excess > 0) host.pause(now + Math.min(cap, base * 2 ** (excess - 1)), status === 429)
  }

  /** Makes everybody wait when the host says that little is left. */
  private pace(response: HttpClientResponse): Effect.Effect<void> {
    return Effect.map(Clock.currentTimeMillis, (now) => {
      const limit = RateLimit.of(response.headers, now)
      const wait = limit === undefined ? 0 : Math.ceil(spacing(limit) * 1000)
      if (wait > 0) this.place.hosts.trouble(this.origin).pause(now + Math.min(wait, this.place.policy.longest), true)
    })
  }
}

/** Retries as a middleware. */
export const make =
  (policy: Numbers): Service =>
  ({ memory, operation }, next) => {
    const place: Place = { policy, hosts: HostHealth.of(memory), operation, next }
    return RegistryHttpClient.make((request) => new Call(place, request).start())
  }
