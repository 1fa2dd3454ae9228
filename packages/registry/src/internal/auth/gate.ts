import type * as Effect from "effect/Effect"
import type { Incoming } from "../incoming.js"
import type { Refusal } from "../refusal.js"
import type { Answer } from "../registry.js"
import type { Route } from "../route.js"

/** Whether who sends a request may pull from a repository. */
export type MayPull = (repository: string) => boolean

/** What stands before the endpoints. */
export interface Gate {
  /** Refuses who may not do what a request asks for. */
  readonly enter: (route: Route, incoming: Incoming) => Effect.Effect<MayPull, Refusal>
  /** Asks who it is. */
  readonly challenge: (route: Route, incoming: Incoming) => Refusal
  /** Where tokens are had. */
  readonly tokens?: Tokens
}

export interface Tokens {
  readonly path: string
  readonly get: (incoming: Incoming) => Answer
  readonly post: (incoming: Incoming) => Answer
}
