import * as Headers from "@effect/platform/Headers"
import { shown } from "./facts.js"

/** Headers whose values may be seen; all others may hold secrets of somebody. */
const open = new Set([
  "accept",
  "accept-encoding",
  "accept-ranges",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "date",
  "docker-content-digest",
  "docker-distribution-api-version",
  "docker-upload-uuid",
  "etag",
  "oci-chunk-min-length",
  "oci-filters-applied",
  "oci-subject",
  "oci-tag",
  "range",
  "ratelimit",
  "ratelimit-limit",
  "ratelimit-policy",
  "ratelimit-remaining",
  "ratelimit-reset",
  "retry-after",
  "server",
  "transfer-encoding",
  "user-agent",
  "warning",
  "x-ratelimit-limit",
  "x-ratelimit-remaining",
  "x-ratelimit-reset",
  "x-request-id"
])

/** The headers as logs, spans and observers see them: secrets hidden, URLs without their queries. */
export const redacted = (headers: Headers.Headers): Headers.Headers =>
  Headers.fromInput(
    Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [
        name,
        open.has(name) ? value : name === "location" ? shown(value) : "<redacted>"
      ])
    )
  )

/** What a request to another host may carry: nothing that tells who asks. */
const travelling = new Set([
  "accept",
  "accept-encoding",
  "content-range",
  "range",
  "user-agent",
  "if-match",
  "if-none-match",
  "if-range"
])

/** The headers that go along to another host. */
export const abroad = (headers: Headers.Headers): Headers.Headers =>
  Headers.fromInput(Object.fromEntries(Object.entries(headers).filter(([name]) => travelling.has(name))))

const sendableName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i
const unsendableValue = /[^\t\x20-\x7e\x80-\xff]/

/** The first header that cannot be sent, if any: some transports would die of it. */
export const unsendable = (headers: Headers.Headers): string | undefined => {
  for (const name in headers) {
    if (!Object.hasOwn(headers, name)) continue
    if (!sendableName.test(name) || unsendableValue.test(headers[name] ?? "")) return name
  }
  return undefined
}
