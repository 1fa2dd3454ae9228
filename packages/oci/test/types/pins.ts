/** What pins the types of effects and streams. */
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"

export type Running = Effect.Effect<unknown, unknown, unknown> | Stream.Stream<unknown, unknown, unknown>

export type Failure<T> =
  T extends Stream.Stream<unknown, infer E, unknown>
    ? E
    : T extends Effect.Effect<unknown, infer E, unknown>
      ? E
      : never

export type Needs<T> =
  T extends Stream.Stream<unknown, unknown, infer R>
    ? R
    : T extends Effect.Effect<unknown, unknown, infer R>
      ? R
      : never

export type TagOf<E> = E extends { readonly _tag: infer Tag } ? Tag : ["no _tag", E]

/** Says what differs, where something does. */
export type Same<Actual, Expected> = [Exclude<Actual, Expected>, Exclude<Expected, Actual>] extends [never, never]
  ? true
  : { readonly undeclared: Exclude<Actual, Expected>; readonly missing: Exclude<Expected, Actual> }

/** What every call can meet, spelled out: the alias must not grow or shrink unseen either. */
export type CallTag =
  | "TransportError"
  | "Timeout"
  | "Unauthorized"
  | "Denied"
  | "PolicyViolation"
  | "TooManyRequests"
  | "RegistryUnavailable"
  | "UnexpectedResponse"
  | "ResponseTooLarge"
  | "UnsafeLocation"
  | "TooManyRedirects"
  | "ChallengeInvalid"
  | "TokenInvalid"
  | "CredentialsInvalid"
  | "ManifestUnsupported"
