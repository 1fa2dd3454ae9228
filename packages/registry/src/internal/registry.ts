import type { PlatformError } from "@effect/platform/Error"
import type * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type * as Effect from "effect/Effect"
import type { Gate } from "./auth/gate.js"
import type { Refusal } from "./refusal.js"
import type { Store } from "./store.js"

/** The options of a registry with their defaults filled in. */
export interface Settings {
  readonly pageSize: number
  readonly chunkMinLength: number
  readonly referrers: boolean
  readonly deletes: boolean
  readonly readOnly: boolean
  readonly sparse: boolean
  readonly maxManifestSize: number
  /** Milliseconds after which an unused upload is forgotten. */
  readonly uploadExpiry: number
}

/** What every endpoint works on. */
export interface Registry {
  readonly settings: Settings
  readonly store: Store
  readonly gate: Gate
}

/** What every endpoint gives. Only its storage can fail it otherwise than by a refusal. */
export type Answer = Effect.Effect<HttpServerResponse.HttpServerResponse, Refusal | PlatformError>
