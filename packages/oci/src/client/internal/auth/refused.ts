import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import type { Request } from "../../RegistryAuth.js"
import * as Body from "../body.js"
import * as Refusal from "../refusal.js"

/**
 * An answer that says no, read as far as anyone reads it, so that its connection is free for what is asked next. When
 * there is nothing more to ask it is handed on as if nobody had read it.
 */
export interface Refused {
  readonly status: number
  /** The challenge, if there is one. */
  readonly challenge: string | undefined
  readonly facts: ReturnType<typeof Body.facts>
  readonly refusal: Effect.Effect<Refusal.Refusal>
  readonly response: () => HttpClientResponse.HttpClientResponse
}

const sendable = (headers: HttpClientResponse.HttpClientResponse["headers"]): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).filter(
      ([name, value]) => /^[!#$%&'*+.^_`|~0-9a-z-]+$/i.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value)
    )
  )

export const read = (
  { host: { limits }, operation }: Request,
  response: HttpClientResponse.HttpClientResponse
): Effect.Effect<Refused> => {
  const answer: Body.Answer = { operation, response, limits, abort: Effect.void }
  return Effect.map(Body.start(answer, limits.error), (bytes) => {
    const { headers, request, status } = response
    const again = () =>
      HttpClientResponse.fromWeb(request, new Response(bytes.slice(), { status, headers: sendable(headers) }))
    return {
      status,
      challenge: headers["www-authenticate"],
      facts: Body.facts(answer),
      refusal: Effect.suspend(() => Refusal.read({ ...answer, response: again() })),
      response: again
    }
  })
}
