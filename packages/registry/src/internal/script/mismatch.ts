import type { Match, Step } from "./lines.js"
import { bytesOf } from "./pieces.js"
import { nameOf, type Received } from "./record.js"

const shown = (value: unknown): string =>
  value === undefined ? "nothing" : value instanceof RegExp ? String(value) : JSON.stringify(value)

/** Bytes as a reader of a message wants them. */
const text = (bytes: Uint8Array): string => {
  const whole = new TextDecoder().decode(bytes.subarray(0, 200))
  return `${JSON.stringify(whole)}${bytes.length > 200 ? `… (${bytes.length} bytes)` : ""}`
}

const matches = (value: string | undefined, expected: string | RegExp | undefined): boolean =>
  expected instanceof RegExp ? value !== undefined && value.search(expected) !== -1 : value === expected

/** The headers of a request that are not what a step says. */
const wrongHeaders = ({ headers = {} }: Match, request: Received): ReadonlyArray<string> =>
  Object.entries(headers).flatMap(([name, expected]) => {
    const value = request.headers[name.toLowerCase()]
    return matches(value, expected) ? [] : [`with the header ${name} ${shown(value)} instead of ${shown(expected)}`]
  })

const isFor = (step: Step, request: Received): boolean =>
  step.method === request.method && step.target === request.target

/** Whether a step is for this request, as far as its head tells. */
export const fits = (step: Step, request: Received): boolean =>
  isFor(step, request) && wrongHeaders(step.match, request).length === 0

/** Says why a request is none of those that could come next. */
export const unexpected = (request: Received, next: ReadonlyArray<Step>): string => {
  const [first] = next
  if (first === undefined) return `${nameOf(request)} came, and nothing more is expected there`
  const close = next.find((step) => isFor(step, request))
  if (close !== undefined) return `${nameOf(request)} came ${wrongHeaders(close.match, request).join(" and ")}`
  return next.length === 1
    ? `${nameOf(request)} came instead of ${nameOf(first)}`
    : `${nameOf(request)} came instead of one of ${next.map(nameOf).join(", ")}`
}

/** JSON with the keys of its objects in one order. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, part) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part
  )

const parsed = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}

/** Says why the body of a request is not what its step says; `undefined` when it is. */
export const wrongBody = ({ body, json }: Match, request: Received): string | undefined => {
  const given = request.body
  const problem = (expected: string) => `${nameOf(request)} came with the body ${text(given)} instead of ${expected}`
  if (body !== undefined) {
    const bytes = bytesOf(body)
    const equal = bytes.length === given.length && bytes.every((byte, at) => byte === given[at])
    if (!equal) return problem(text(bytes))
  }
  return json === undefined || canonical(json) === canonical(parsed(given)) ? undefined : problem(JSON.stringify(json))
}
