import * as Either from "effect/Either"
import { isRecord } from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import { isToken } from "./identity.js"

/** What a token service gave. */
export interface TokenAnswer {
  readonly token: Redacted.Redacted
  /** The seconds that it is used for: a minute at least, as the specification has it, and a day at most. */
  readonly life: number
  /** The seconds in which nobody can say that it is too old. */
  readonly certain: number
  readonly refreshToken: Redacted.Redacted | undefined
}

const shortest = 60
const longest = 24 * 60 * 60

const parse = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}

/** Some services write the number as text. */
const seconds = (value: unknown): number => {
  const number = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value
  return typeof number === "number" && Number.isFinite(number) && number >= 0 ? number : shortest
}

/**
 * Reads the answer of a token service: `token`, or `access_token` as OAuth 2 calls it. When it was issued is not asked:
 * clocks differ. The token itself is nobody's business but the registry's.
 */
export const read = (bytes: Uint8Array): Either.Either<TokenAnswer, string> => {
  const document = parse(bytes)
  if (!isRecord(document)) return Either.left("its service answered something else than a JSON object")
  const named = [document.token, document.access_token].filter((token) => token !== undefined && token !== "")
  const token = named.find((token) => typeof token === "string")
  if (typeof token !== "string") return Either.left("its service answered without one")
  if (!isToken(token)) return Either.left("it is not printable ASCII")
  const stated = seconds(document.expires_in)
  const refresh = document.refresh_token
  return Either.right({
    token: Redacted.make(token),
    life: Math.min(longest, Math.max(shortest, stated)),
    certain: Math.min(shortest, stated),
    refreshToken: typeof refresh === "string" && isToken(refresh) ? Redacted.make(refresh) : undefined
  })
}
