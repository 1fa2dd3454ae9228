import { BlobUnknown, ManifestUnknown, NameUnknown, Unsupported } from "../RegistryError.js"
import type { Refusal } from "./refusal.js"

/** What refusals mean to endpoints of one kind. A status says what is missing, a code only which of two things it is. */

export const repositoryGone = (refusal: Refusal): NameUnknown | undefined =>
  refusal.says("NAME_UNKNOWN") && (refusal.status === 404 || refusal.status === 400)
    ? new NameUnknown(refusal.facts)
    : undefined

export const manifestGone = (refusal: Refusal): ManifestUnknown | NameUnknown | undefined =>
  repositoryGone(refusal) ??
  (refusal.status === 404 || (refusal.status === 400 && refusal.says("MANIFEST_UNKNOWN"))
    ? new ManifestUnknown(refusal.facts)
    : undefined)

export const blobGone = (refusal: Refusal): BlobUnknown | NameUnknown | undefined =>
  repositoryGone(refusal) ?? (refusal.status === 404 ? new BlobUnknown(refusal.facts) : undefined)

/** Not done here at all, as opposed to locked for this one thing. */
export const notDone = (refusal: Refusal): Unsupported | undefined =>
  (refusal.status === 405 || refusal.status === 501 || (refusal.status < 500 && refusal.says("UNSUPPORTED"))) &&
  !refusal.says("REGISTRY_DISALLOWED_OPERATION", "DENIED", "UNAUTHORIZED")
    ? new Unsupported(refusal.facts)
    : undefined
