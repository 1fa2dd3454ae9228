import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"

/** How it came to an answer that was not the first of its call. */
export interface Provenance {
  /** How many requests the call has made. */
  readonly attempts: number
  /** Whether one before may have been done, and only its answer was lost. */
  readonly lost: boolean
}

const all = new WeakMap<HttpClientResponse, Provenance>()

export const note = (response: HttpClientResponse, provenance: Provenance): void => {
  all.set(response, provenance)
}

/** Nothing for an answer to the first request. */
export const of = (response: HttpClientResponse): Provenance | undefined => all.get(response)
