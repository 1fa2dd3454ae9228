import type { HttpClientError } from "@effect/platform/HttpClientError"
import { hasProperty } from "effect/Predicate"
import { printable } from "../../spec/internal/facts.js"

/** Errors of HTTP clients wrap each other; the innermost knows why. */
const chain = (cause: unknown): ReadonlyArray<unknown> => {
  const all: Array<unknown> = []
  for (
    let at = cause;
    at !== undefined && at !== null && all.length < 8;
    at = hasProperty(at, "cause") ? at.cause : undefined
  ) {
    all.push(at)
  }
  return all
}

const text = (u: unknown, key: "code" | "message" | "name"): string | undefined => {
  const value = hasProperty(u, key) ? u[key] : undefined
  return typeof value === "string" && value !== "" ? value : undefined
}

/** How long a connection was waited for, in milliseconds, when that is why there was no answer: undici says so. */
export const connecting = ({
  code,
  reason
}: {
  readonly code?: string
  readonly reason: string
}): number | undefined =>
  code === "UND_ERR_CONNECT_TIMEOUT" ? Number(/timeout: (\d{1,9})ms/.exec(reason)?.[1] ?? 10_000) : undefined

/** Why there was no answer, in a line and without the URLs of the message, whose queries may be signed. */
export const reason = (error: HttpClientError): { readonly reason: string; readonly code?: string } => {
  const causes = chain(error.cause)
  const code = causes.map((cause) => text(cause, "code")).findLast((found) => found !== undefined)
  const said = causes.map((cause) => text(cause, "message")).findLast((found) => found !== undefined)
  const shown = printable((said ?? error.reason).replace(/[?#][^\s"']*/g, ""))
  return code === undefined ? { reason: shown } : { reason: shown.includes(code) ? shown : `${code} ${shown}`, code }
}
