import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type { Incoming } from "./incoming.js"

/** Who may call from a browser: everyone, or pages of these origins. */
export type Origins = "*" | ReadonlyArray<string>

// What a browser hides from a page unless it is named here.
const exposed = [
  "Accept-Ranges",
  "Content-Length",
  "Content-Range",
  "Docker-Content-Digest",
  "Docker-Distribution-API-Version",
  "Docker-Upload-UUID",
  "ETag",
  "Link",
  "Location",
  "OCI-Chunk-Min-Length",
  "OCI-Filters-Applied",
  "OCI-Subject",
  "OCI-Tag",
  "Range",
  "WWW-Authenticate"
].join(", ")

const allow = (origins: Origins, origin: string): Record<string, string> | undefined => {
  if (origins === "*") return { "access-control-allow-origin": "*" }
  return origins.includes(origin) ? { "access-control-allow-origin": origin, vary: "Origin" } : undefined
}

/** The answer to a browser's question whether it may send a request; `undefined` when this is none. */
export const preflight = (origins: Origins, incoming: Incoming): HttpServerResponse.HttpServerResponse | undefined => {
  const {
    "access-control-request-headers": headers,
    "access-control-request-method": method,
    origin
  } = incoming.headers
  if (incoming.method !== "OPTIONS" || origin === undefined || method === undefined) return undefined
  const allowed = allow(origins, origin)
  return HttpServerResponse.empty({
    status: 204,
    headers:
      allowed === undefined
        ? {}
        : {
            ...allowed,
            "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
            ...(headers === undefined ? {} : { "access-control-allow-headers": headers }),
            "access-control-max-age": "86400"
          }
  })
}

/** The headers of an answer that a page may read. */
export const headers = (origins: Origins, incoming: Incoming): Readonly<Record<string, string>> => {
  const { origin } = incoming.headers
  const allowed = origin === undefined ? undefined : allow(origins, origin)
  return allowed === undefined ? {} : { ...allowed, "access-control-expose-headers": exposed }
}
