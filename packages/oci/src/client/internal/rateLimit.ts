import * as Schema from "effect/Schema"

/** What a registry says of the requests that it takes from us (`RateLimit-*`, `X-RateLimit-*`, `RateLimit`). */
export interface RateLimit {
  /** How many in a window. */
  readonly limit?: number | undefined
  /** How many are left of them. */
  readonly remaining: number
  /** How long a window is, in seconds. */
  readonly window?: number | undefined
  /** When there will be as many as in the beginning, in seconds from the answer. */
  readonly reset?: number | undefined
}

export const RateLimit: Schema.Schema<RateLimit> = Schema.Struct({
  limit: Schema.optional(Schema.NonNegative),
  remaining: Schema.NonNegative,
  window: Schema.optional(Schema.NonNegative),
  reset: Schema.optional(Schema.NonNegative)
})

const count = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text))

/** A number at the start of a header, which may have parameters or a list after it. */
const first = (header: string | undefined): number | undefined =>
  count(/^ *(\d{1,15})(?![\d.])/.exec(header ?? "")?.[1])

/** A parameter's value: `w=21600`, `remaining=5`. */
const parameter = (header: string | undefined, name: RegExp): number | undefined =>
  count(name.exec((header ?? "").slice(0, 1000))?.[1])

const window = /[;, ]w=(\d{1,15})/

/** More than 1e9 seconds is the second of the epoch. */
const fromNow = (seconds: number | undefined, now: number): number | undefined =>
  seconds === undefined || seconds <= 1e9 ? seconds : Math.max(0, Math.ceil(seconds - now / 1000))

/** What an answer's headers say, in any of the forms that are in use; nothing unless they say what is left. */
export const of = (headers: Readonly<Record<string, string>>, now: number): RateLimit | undefined => {
  // the drafts up to 7 (`limit=100, remaining=50, reset=5`) and after (`"default";r=50;t=5`)
  const { ratelimit: one, "ratelimit-policy": policy } = headers
  const limit = headers["ratelimit-limit"] ?? headers["x-ratelimit-limit"]
  const left = headers["ratelimit-remaining"] ?? headers["x-ratelimit-remaining"]
  const remaining = first(left) ?? parameter(one, /(?:^|[;, ])(?:remaining|r)=(\d{1,15})/)
  if (remaining === undefined) return undefined
  return {
    remaining,
    limit:
      first(limit) ??
      parameter(one, /(?:^|[;, ])limit=(\d{1,15})/) ??
      parameter(policy, /[;, ]q=(\d{1,15})/) ??
      first(policy),
    window: parameter(left, window) ?? parameter(limit, window) ?? parameter(policy, window),
    reset: fromNow(
      first(headers["ratelimit-reset"] ?? headers["x-ratelimit-reset"]) ??
        parameter(one, /(?:^|[;, ])(?:reset|t)=(\d{1,15})/),
      now
    )
  }
}
