import type { Digest } from "effect-oci/Digest"
import type { Incoming } from "./incoming.js"

export const etagOf = (digest: Digest): string => `"${digest}"`

// Digests have no comma, so that a list of tags splits at any.
const names = (header: string, digest: Digest | undefined): boolean =>
  digest !== undefined &&
  header.split(",").some((tag) => ["*", etagOf(digest), `W/${etagOf(digest)}`].includes(tag.trim()))

/** Whether `If-None-Match` says that the asker has this content already (RFC 9110, section 13.1.2). */
export const unchanged = ({ headers }: Incoming, digest: Digest): boolean =>
  headers["if-none-match"] !== undefined && names(headers["if-none-match"], digest)

/** Whether a write may go on, given what stands there now. */
export const hold = ({ headers }: Incoming, current: Digest | undefined): boolean =>
  (headers["if-match"] === undefined || names(headers["if-match"], current)) &&
  (headers["if-none-match"] === undefined || !names(headers["if-none-match"], current))
