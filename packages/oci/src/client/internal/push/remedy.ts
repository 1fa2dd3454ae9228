import { isRetryable, type RegistryError } from "../../RegistryError.js"

/** What an upload was doing when it failed: sending the whole blob with its end, a chunk, or the end alone. */
export type Phase = "whole" | "chunk" | "end"

/**
 * What helps against a failure: to ask where the session stands and go on from there, another session, smaller chunks, or
 * the other way to send; or nothing.
 */
export type Remedy = "ask" | "anew" | "smaller" | "chunks" | "whole" | "none"

export interface Past {
  /** Whether the session was gone on with after a failure, so that it may not have what we think. */
  readonly resumed: boolean
  /** Whether the registry has ever taken a chunk of this blob. */
  readonly chunked: boolean
  /** Whether what was sent can be sent again by sign-in itself, which then has. */
  readonly repeatable: boolean
}

/** Statuses that say that a request is none that is known here. */
const unknown = new Set([400, 405, 411, 415, 501])

/** What to do about a failure of the registry's. */
export const of = (error: RegistryError, phase: Phase, past: Past): Remedy => {
  const otherWay = phase === "whole" ? "chunks" : phase === "chunk" && !past.chunked ? "whole" : "none"
  switch (error._tag) {
    case "PayloadTooLarge":
      return phase === "chunk" ? "smaller" : otherWay
    case "RangeNotSatisfiable":
      return "ask"
    case "BlobUploadUnknown":
      return "anew"
    case "BlobUploadInvalid":
      return otherWay === "whole" ? "whole" : "anew"
    case "DigestInvalid":
    case "SizeInvalid":
      return past.resumed ? "anew" : "none"
    case "Unauthorized":
      // the token was good when the body began
      return error.authenticated && !past.repeatable ? "ask" : "none"
    case "TransportError":
      if (error.code === "ERR_BROWSER_STREAM") return otherWay
      return isRetryable(error) ? "ask" : "none"
    case "RegistryUnavailable":
      // what the session has of it nobody knows, and some append what comes next
      if (isRetryable(error)) return phase === "whole" ? "anew" : "ask"
      return error.status === 501 ? otherWay : "none"
    case "Timeout":
    case "TooManyRequests":
      return isRetryable(error) ? "ask" : "none"
    case "UnexpectedResponse":
      return error.status !== undefined && unknown.has(error.status) ? otherWay : "none"
    default:
      return "none"
  }
}

/** Whether a refusal may mean that the upload has ended before: some accept early, and refuse the end. */
export const isOfEnd = (error: RegistryError): boolean =>
  "status" in error &&
  error.status !== undefined &&
  error.status >= 400 &&
  error._tag !== "Unauthorized" &&
  error._tag !== "Denied" &&
  error._tag !== "UnsafeLocation"
