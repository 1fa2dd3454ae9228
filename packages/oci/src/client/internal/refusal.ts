import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { hasProperty, isRecord } from "effect/Predicate"
import type { ErrorDetail, Facts } from "../../spec/internal/facts.js"
import { printable } from "../../spec/internal/facts.js"
import {
  type CallError,
  Denied,
  PolicyViolation,
  RegistryUnavailable,
  TooManyRequests,
  Unauthorized,
  UnexpectedResponse
} from "../RegistryError.js"
import * as Body from "./body.js"
import * as ListHeader from "./listHeader.js"
import * as Provenance from "./provenance.js"
import * as RateLimit from "./rateLimit.js"
import { isPassing } from "./statuses.js"

/** An answer that says no, its body read and understood as far as it can be. */
export interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly facts: Facts
  /** Whether the registry gave one of these codes, in any spelling of case. */
  readonly says: (...codes: ReadonlyArray<string>) => boolean
}

const most = 50

const decode = (bytes: Uint8Array, contentType: string): string => {
  const utf16 = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : undefined
  const latin = /charset="?iso-8859-1/i.test(contentType) ? "latin1" : undefined
  return new TextDecoder(utf16 ?? latin ?? "utf-8").decode(bytes)
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const words = (value: unknown): string =>
  typeof value === "string" ? value : typeof value === "number" ? String(value) : ""

const entry = (value: unknown): ErrorDetail => {
  if (!isRecord(value)) return { code: "", message: words(value) }
  return {
    code: words(value.code),
    message: words(value.message),
    ...(hasProperty(value, "detail") ? { detail: value.detail } : {})
  }
}

/** The names under which others than the specification put what they have to say, first come first served. */
const elsewhere = ["details", "detail", "message", "error_message", "error_description", "title", "error"]

/** The errors of a document in the specification's shape, or whatever else it holds that a person can read. */
const errorsOf = (document: unknown): ReadonlyArray<ErrorDetail> => {
  if (!isRecord(document)) return []
  const { errors } = document
  if (Array.isArray(errors)) return errors.slice(0, most).map(entry)
  if (isRecord(errors)) return [entry(errors)]
  const said = elsewhere.map((name) => words(document[name])).find((text) => text !== "")
  if (said === undefined) return []
  const code =
    words(document.code) || (typeof document.error === "string" && document.error !== said ? document.error : "")
  return [{ code, message: said }]
}

/** Reads a refusal: its status counts, then its codes, and its body only for people. */
export const read = (answer: Body.Answer): Effect.Effect<Refusal> =>
  Effect.map(Body.start(answer, answer.limits.error), (bytes) => {
    const { headers, status } = answer.response
    const text = decode(bytes, headers["content-type"] ?? "")
    const errors = errorsOf(parse(text))
    const codes = new Set(errors.map(({ code }) => code.toUpperCase()))
    const body = errors.length === 0 && text !== "" ? printable(text, 1000) : undefined
    return {
      status,
      headers,
      facts: { ...Body.facts(answer), attempts: Provenance.of(answer.response)?.attempts, errors, body },
      says: (...wanted) => wanted.some((code) => codes.has(code))
    }
  })

/** Seconds of a `Retry-After`: a number, an HTTP date, or, with some, the second of the epoch. Nonsense counts as none. */
export const retryAfter = (header: string | undefined, now: number): number | undefined => {
  // joined values begin with the first; a date has a comma of its own
  const [, number, date] = /^ *(?:(\d{1,15})|([A-Z][a-z]{2,8}, [^,]{1,40})) *(?:,|$)/.exec(header ?? "") ?? []
  if (number === undefined) {
    const until = Date.parse(date ?? "")
    return Number.isNaN(until) ? undefined : Math.max(0, Math.ceil((until - now) / 1000))
  }
  const seconds = Number(number)
  return seconds > 1e9 ? Math.max(0, Math.ceil(seconds - now / 1000)) : seconds
}

const policies = new Set([402, 409, 412, 423, 451])

/** ECR's way to throttle, at times with status 400 and no code. */
const throttled = ({ body, errors }: Facts): boolean =>
  [body ?? "", ...errors.map(({ message }) => message)].some((said) => /^(toomanyrequests: )?rate exceeded/i.test(said))

/** What a refusal means wherever it is met; what it means to one endpoint, the endpoint has said before. */
export const common = (answer: Body.Answer, { facts, headers, says, status }: Refusal): Effect.Effect<CallError> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const wait = retryAfter(headers["retry-after"], now)
    if (status === 401 || (status === 400 && says("UNAUTHORIZED"))) {
      return new Unauthorized({
        ...facts,
        schemes: ListHeader.schemes(headers["www-authenticate"] ?? ""),
        authenticated: answer.response.request.headers.authorization !== undefined
      })
    }
    if (status === 429 || says("TOOMANYREQUESTS") || (status === 400 && throttled(facts))) {
      return new TooManyRequests({ ...facts, retryAfter: wait, rateLimit: RateLimit.of(headers, now) })
    }
    if (status === 403 || (status < 500 && says("DENIED"))) return new Denied(facts)
    if (policies.has(status) || says("REGISTRY_DISALLOWED_OPERATION")) return new PolicyViolation(facts)
    if ((status >= 500 && status < 600) || isPassing(status))
      return new RegistryUnavailable({ ...facts, retryAfter: wait })
    return new UnexpectedResponse({
      ...facts,
      reason: status === 407 ? "a proxy on the way wants to know who asks" : `answered with status ${status}`
    })
  })
