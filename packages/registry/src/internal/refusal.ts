import type { PlatformError } from "@effect/platform/Error"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

/** The specification's codes, in its order (code-1 to code-14). */
export type Code =
  | "BLOB_UNKNOWN"
  | "BLOB_UPLOAD_INVALID"
  | "BLOB_UPLOAD_UNKNOWN"
  | "DIGEST_INVALID"
  | "MANIFEST_BLOB_UNKNOWN"
  | "MANIFEST_INVALID"
  | "MANIFEST_UNKNOWN"
  | "NAME_INVALID"
  | "NAME_UNKNOWN"
  | "SIZE_INVALID"
  | "UNAUTHORIZED"
  | "DENIED"
  | "UNSUPPORTED"
  | "TOOMANYREQUESTS"

/** One entry of an error document. */
export interface Problem {
  readonly code: Code
  readonly message: string
  readonly detail?: unknown
}

/** A request that is answered with an error document, and the one error that endpoints fail with. */
export class Refusal extends Data.TaggedError("Refusal")<{
  readonly status: number
  readonly problems: ReadonlyArray<Problem>
  readonly headers?: Readonly<Record<string, string>> | undefined
}> {}

export const refuse = (
  status: number,
  code: Code,
  message: string,
  options?: { readonly detail?: unknown; readonly headers?: Readonly<Record<string, string>> | undefined }
): Refusal =>
  new Refusal({
    status,
    problems: [{ code, message, ...(options?.detail === undefined ? {} : { detail: options.detail }) }],
    headers: options?.headers
  })

export const toResponse = (refusal: Refusal): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.unsafeJson(
    { errors: refusal.problems },
    { status: refusal.status, ...(refusal.headers === undefined ? {} : { headers: refusal.headers }) }
  )

/** A failure of the storage. Why is said in the log: a client has no use for it, and it names paths. */
export const ofStorage = (error: PlatformError): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.as(
    Effect.logError("the storage failed", error),
    HttpServerResponse.unsafeJson({ errors: [{ code: "UNKNOWN", message: "the storage failed" }] }, { status: 500 })
  )
