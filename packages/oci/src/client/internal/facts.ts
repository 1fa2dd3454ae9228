import type * as Headers from "@effect/platform/Headers"
import type { Operation } from "../Operation.js"

/**
 * A URL as errors, logs and spans show it: without query and fragment, which may be signed, and without a password, however
 * its slashes are written.
 */
export const shown = (url: string): string => url.replace(/[?#].*$/s, "").replace(/^(\w{1,20}:)?[\\/]*[^\\/]*@/, "$1//")

/** What is known of an operation before any request. */
export const ofOperation = (operation: Operation) => {
  const target = operation.reference
  return {
    registry: operation.registry.toString(),
    repository: operation.repository?.name,
    ...(target?.includes(":") ? { digest: target } : { reference: target })
  }
}

export const ofRequest = (operation: Operation, method: string, url: string) => ({
  ...ofOperation(operation),
  method,
  url: shown(url)
})

const idHeaders = ["x-request-id", "x-github-request-id", "x-ms-correlation-request-id", "x-amzn-requestid"]

/** The registry's own name for a request, to quote in a support case. */
export const requestId = (headers: Headers.Headers): string | undefined =>
  idHeaders.map((name) => headers[name]).find((value) => value !== undefined)
