/**
 * Everything that can go wrong, one class per failure. Each has the facts a person needs to act (registry, repository,
 * reference or digest, method and URL without its query, status, the registry's own codes) and a message that reads
 * well in a terminal and holds no secret. All of them are Schemas, so they cross RPC, workflows and logs.
 */
import { hasProperty, isTagged } from "effect/Predicate"
import * as Schema from "effect/Schema"
import { InvalidDigest } from "../spec/Digest.js"
import { describe, facts } from "../spec/internal/facts.js"
import { ManifestInvalid, ManifestUnsupported } from "../spec/internal/ManifestErrors.js"
import { InvalidPlatform, PlatformUnknown } from "../spec/Platform.js"
import { InvalidReference } from "../spec/RegistryName.js"
import { RateLimit } from "./internal/rateLimit.js"
import { ReferrersNotUpdated } from "./internal/referrersNotUpdated.js"
import { isPassing } from "./internal/statuses.js"

export type { ErrorDetail, Facts } from "../spec/internal/facts.js"
export type { RateLimit } from "./internal/rateLimit.js"
export {
  InvalidDigest,
  InvalidPlatform,
  InvalidReference,
  ManifestInvalid,
  ManifestUnsupported,
  PlatformUnknown,
  ReferrersNotUpdated
}

const seconds = Schema.optional(Schema.NonNegative)

const tryAgain = (after: number | undefined): string =>
  after === undefined ? "Try again later" : `Try again in ${after} seconds`

/** No such manifest (code-7), by tag or by digest. */
export class ManifestUnknown extends Schema.TaggedError<ManifestUnknown>("effect-oci/ManifestUnknown")(
  "ManifestUnknown",
  facts
) {
  override get message(): string {
    return describe(this, "no such manifest", "Tags.list shows the tags there are")
  }
}

/** No such blob in this repository (code-1). */
export class BlobUnknown extends Schema.TaggedError<BlobUnknown>("effect-oci/BlobUnknown")("BlobUnknown", facts) {
  override get message(): string {
    return describe(this, "no such blob in this repository")
  }
}

/** No such repository (code-9). */
export class NameUnknown extends Schema.TaggedError<NameUnknown>("effect-oci/NameUnknown")("NameUnknown", facts) {
  override get message(): string {
    return describe(this, "no such repository", "Check the name; some registries want it created before a push")
  }
}

/** The registry refuses this repository name (code-8). */
export class NameInvalid extends Schema.TaggedError<NameInvalid>("effect-oci/NameInvalid")("NameInvalid", facts) {
  override get message(): string {
    return describe(this, "the registry refuses this repository name")
  }
}

/** A manifest names blobs or manifests that the repository does not have (code-5); push them first. */
export class ManifestBlobUnknown extends Schema.TaggedError<ManifestBlobUnknown>("effect-oci/ManifestBlobUnknown")(
  "ManifestBlobUnknown",
  {
    ...facts,
    /** The digests that the registry misses, as far as it said which. */
    missing: Schema.Array(Schema.String)
  }
) {
  override get message(): string {
    const which = this.missing.length === 0 ? "content" : this.missing.slice(0, 5).join(", ")
    return describe(this, `the manifest names ${which} that the repository does not have`, "Push it first")
  }
}

/** An upload that cannot be completed (code-2): out of order, or its bytes were lost. */
export class BlobUploadInvalid extends Schema.TaggedError<BlobUploadInvalid>("effect-oci/BlobUploadInvalid")(
  "BlobUploadInvalid",
  facts
) {
  override get message(): string {
    return describe(this, "the registry refuses this upload", "Start a new one")
  }
}

/** The upload session is gone (code-3): finished, cancelled or expired. */
export class BlobUploadUnknown extends Schema.TaggedError<BlobUploadUnknown>("effect-oci/BlobUploadUnknown")(
  "BlobUploadUnknown",
  facts
) {
  override get message(): string {
    return describe(this, "the upload session is gone", "Start a new one")
  }
}

/** The registry refuses the digest (code-4): not that of the content, or of an algorithm it does not take. */
export class DigestInvalid extends Schema.TaggedError<DigestInvalid>("effect-oci/DigestInvalid")(
  "DigestInvalid",
  facts
) {
  override get message(): string {
    return describe(this, "the registry refuses the digest")
  }
}

/** The registry got another number of bytes than was announced (code-10). */
export class SizeInvalid extends Schema.TaggedError<SizeInvalid>("effect-oci/SizeInvalid")("SizeInvalid", facts) {
  override get message(): string {
    return describe(this, "the registry refuses the size of the content")
  }
}

/** The registry wants to know who asks, or does not accept what it was told (code-11). Some say so of what does not exist. */
export class Unauthorized extends Schema.TaggedError<Unauthorized>("effect-oci/Unauthorized")("Unauthorized", {
  ...facts,
  /** The authentication schemes that the registry offers, such as `Bearer` or `Basic`. */
  schemes: Schema.Array(Schema.String),
  /** Whether the request carried credentials. */
  authenticated: Schema.Boolean
}) {
  override get message(): string {
    const offers = this.schemes.length === 0 ? "" : `, it offers ${this.schemes.join(", ")}`
    return this.authenticated
      ? describe(this, `the credentials were refused${offers}`, "Check them, and that the repository exists")
      : describe(
          this,
          `authentication is required${offers}`,
          `Provide Credentials${this.repository === undefined ? "" : ", and check that the repository exists"}`
        )
  }
}

/** Not allowed (code-12). */
export class Denied extends Schema.TaggedError<Denied>("effect-oci/Denied")("Denied", facts) {
  override get message(): string {
    return describe(this, "access denied", "Check what these credentials may do here")
  }
}

/** The registry does not do this (code-13): deletes switched off, no catalogue, an unknown kind of manifest. */
export class Unsupported extends Schema.TaggedError<Unsupported>("effect-oci/Unsupported")("Unsupported", facts) {
  override get message(): string {
    return describe(this, "this registry does not support it")
  }
}

/** Too many requests (code-14). */
export class TooManyRequests extends Schema.TaggedError<TooManyRequests>("effect-oci/TooManyRequests")(
  "TooManyRequests",
  {
    ...facts,
    /** Seconds to wait, when the registry said so. */
    retryAfter: seconds,
    /** The limit that was reached, when the registry said which. */
    rateLimit: Schema.optional(RateLimit)
  }
) {
  override get message(): string {
    return describe(this, "too many requests", `${tryAgain(this.retryAfter)}; signing in often raises the limit`)
  }
}

/** The tag exists and may not be moved. */
export class TagImmutable extends Schema.TaggedError<TagImmutable>("effect-oci/TagImmutable")("TagImmutable", facts) {
  override get message(): string {
    return describe(this, "the tag exists and may not be moved", "Push under another tag")
  }
}

/**
 * A rule stands against it: the registry's own, such as a vulnerability policy, a lock, a quota; or one of this program's,
 * where `RegistryHosts` blocks the registry.
 */
export class PolicyViolation extends Schema.TaggedError<PolicyViolation>("effect-oci/PolicyViolation")(
  "PolicyViolation",
  {
    ...facts,
    /** The rule, when it is not the registry's. */
    reason: Schema.optional(Schema.String)
  }
) {
  override get message(): string {
    return describe(this, this.reason ?? "a policy of the registry forbids it")
  }
}

/** The registry, or a proxy before it, takes no body of this size. */
export class PayloadTooLarge extends Schema.TaggedError<PayloadTooLarge>("effect-oci/PayloadTooLarge")(
  "PayloadTooLarge",
  facts
) {
  override get message(): string {
    return describe(this, "the body is larger than the registry takes", "Smaller chunks may pass")
  }
}

/** The range asked for, or the place a chunk would go to, is not there. */
export class RangeNotSatisfiable extends Schema.TaggedError<RangeNotSatisfiable>("effect-oci/RangeNotSatisfiable")(
  "RangeNotSatisfiable",
  {
    ...facts,
    /** How many bytes an upload session has, when the registry said so: the place to go on from. */
    received: Schema.optional(Schema.NonNegative)
  }
) {
  override get message(): string {
    const has = this.received === undefined ? "" : `, the registry has ${this.received} bytes`
    return describe(this, `the range cannot be satisfied${has}`)
  }
}

/** The registry, or a proxy before it, is out of order (5xx). */
export class RegistryUnavailable extends Schema.TaggedError<RegistryUnavailable>("effect-oci/RegistryUnavailable")(
  "RegistryUnavailable",
  {
    ...facts,
    /** Seconds to wait, when the registry said so. */
    retryAfter: seconds
  }
) {
  override get message(): string {
    return describe(this, "the registry is unavailable", tryAgain(this.retryAfter))
  }
}

/** An answer that makes no sense for the request. */
export class UnexpectedResponse extends Schema.TaggedError<UnexpectedResponse>("effect-oci/UnexpectedResponse")(
  "UnexpectedResponse",
  {
    ...facts,
    reason: Schema.String
  }
) {
  override get message(): string {
    return describe(this, this.reason, "Is this host an OCI registry?")
  }
}

/** No answer, or one cut short: names that do not resolve, refused or broken connections, TLS. */
export class TransportError extends Schema.TaggedError<TransportError>("effect-oci/TransportError")("TransportError", {
  ...facts,
  reason: Schema.String,
  /** The system's or the HTTP client's name for it, such as `ECONNREFUSED`. */
  code: Schema.optional(Schema.String)
}) {
  override get message(): string {
    return describe(this, `no usable answer, ${this.reason}`, "Check the host, the network and the registry's scheme")
  }
}

/** Bytes that do not hash to the digest they were asked for by, or that the registry claims. */
export class DigestMismatch extends Schema.TaggedError<DigestMismatch>("effect-oci/DigestMismatch")("DigestMismatch", {
  ...facts,
  expected: Schema.String,
  /**
   * What the bytes hash to, or what the registry said, when it is its word that differs. Missing when the digest cannot
   * be computed here, because its algorithm is none of sha256, sha384 and sha512.
   */
  actual: Schema.optional(Schema.String)
}) {
  override get message(): string {
    return this.actual === undefined
      ? describe(this, `content of ${this.expected} cannot be verified`, "Ask for it by a sha256 or sha512 digest")
      : describe(this, `expected ${this.expected}, got ${this.actual}`, "Do not use this content")
  }
}

/** Another number of bytes than the descriptor says. */
export class SizeMismatch extends Schema.TaggedError<SizeMismatch>("effect-oci/SizeMismatch")("SizeMismatch", {
  ...facts,
  expected: Schema.NonNegative,
  /** How many came, or were announced; one more than expected when reading stopped there. */
  actual: Schema.NonNegative
}) {
  override get message(): string {
    return describe(this, `expected ${this.expected} bytes, got ${this.actual}`, "Do not use this content")
  }
}

/** An answer larger than its limit; the limits are in `RegistryHosts`. */
export class ResponseTooLarge extends Schema.TaggedError<ResponseTooLarge>("effect-oci/ResponseTooLarge")(
  "ResponseTooLarge",
  {
    ...facts,
    /** In bytes. */
    limit: Schema.NonNegative
  }
) {
  override get message(): string {
    return describe(
      this,
      `the answer is larger than ${this.limit} bytes`,
      "Stream it, or raise the limit in RegistryHosts"
    )
  }
}

/** A redirect, upload location, link or token service that is where this client does not go. */
export class UnsafeLocation extends Schema.TaggedError<UnsafeLocation>("effect-oci/UnsafeLocation")("UnsafeLocation", {
  ...facts,
  /** What led there: `redirect`, `location`, `link`, or the `realm` of a challenge. */
  kind: Schema.String,
  /** Where it leads, without query. */
  target: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return describe(
      this,
      `refused to follow the ${this.kind} to ${this.target}: ${this.reason}`,
      "OriginPolicy can trust the host, if you do"
    )
  }
}

/** A `WWW-Authenticate` that cannot be understood. */
export class ChallengeInvalid extends Schema.TaggedError<ChallengeInvalid>("effect-oci/ChallengeInvalid")(
  "ChallengeInvalid",
  {
    ...facts,
    reason: Schema.String
  }
) {
  override get message(): string {
    return describe(this, `the registry's challenge cannot be answered, ${this.reason}`)
  }
}

/** A token service that answers with no usable token. */
export class TokenInvalid extends Schema.TaggedError<TokenInvalid>("effect-oci/TokenInvalid")("TokenInvalid", {
  ...facts,
  reason: Schema.String
}) {
  override get message(): string {
    return describe(this, `no usable token, ${this.reason}`)
  }
}

/** Credentials that cannot be used: characters that no header takes, a host that is none, a plain-text connection. */
export class CredentialsInvalid extends Schema.TaggedError<CredentialsInvalid>("effect-oci/CredentialsInvalid")(
  "CredentialsInvalid",
  {
    ...facts,
    reason: Schema.String
  }
) {
  override get message(): string {
    return describe(this, `the credentials cannot be used: ${this.reason}`)
  }
}

/** A listing whose pages lead back to themselves, or never end. */
export class PaginationLoop extends Schema.TaggedError<PaginationLoop>("effect-oci/PaginationLoop")("PaginationLoop", {
  ...facts,
  /** How many pages were read. */
  pages: Schema.NonNegative
}) {
  override get message(): string {
    return describe(this, `the listing does not end, stopped after ${this.pages} pages`)
  }
}

/** Redirects without end. */
export class TooManyRedirects extends Schema.TaggedError<TooManyRedirects>("effect-oci/TooManyRedirects")(
  "TooManyRedirects",
  {
    ...facts,
    limit: Schema.NonNegative
  }
) {
  override get message(): string {
    return describe(this, `redirected more than ${this.limit} times, or in a circle`)
  }
}

const waitedFor = {
  connect: "connection",
  answer: "answer",
  body: "rest of the answer",
  total: "whole of the answer"
} as const

/** Nothing happened for too long, or too little. */
export class Timeout extends Schema.TaggedError<Timeout>("effect-oci/Timeout")("Timeout", {
  ...facts,
  /**
   * What was waited for: a connection (`connect`), the `answer` to a request, the next piece of its `body`, or in `total` the
   * whole of a body that is held in memory.
   */
  phase: Schema.Literal("connect", "answer", "body", "total"),
  /** In milliseconds; the limits are in `RegistryHosts`. */
  limit: Schema.NonNegative
}) {
  override get message(): string {
    return describe(
      this,
      `waited ${this.limit} ms for the ${waitedFor[this.phase]}`,
      this.phase === "connect" ? "Check the host and the network" : "Try again, or raise the limit in RegistryHosts"
    )
  }
}

/** The registry needs the content a second time and its source gave it only once. */
export class SourceNotReplayable extends Schema.TaggedError<SourceNotReplayable>("effect-oci/SourceNotReplayable")(
  "SourceNotReplayable",
  facts
) {
  override get message(): string {
    return describe(
      this,
      "the content has to be sent again and its source gives it only once",
      "Give a Stream that starts anew each time it runs"
    )
  }
}

/**
 * What every call to a registry can meet, whatever it asks: transport, sign-in, denial, throttling, outage, and answers
 * that make no sense, lead astray or are of a kind that is not read any more. An endpoint's type lists what is particular to it beside this.
 */
export type CallError =
  | TransportError
  | Timeout
  | Unauthorized
  | Denied
  | PolicyViolation
  | TooManyRequests
  | RegistryUnavailable
  | UnexpectedResponse
  | ResponseTooLarge
  | UnsafeLocation
  | TooManyRedirects
  | ChallengeInvalid
  | TokenInvalid
  | CredentialsInvalid
  | ManifestUnsupported

/** Every failure of this library. */
export type RegistryError =
  | CallError
  | ManifestUnknown
  | ManifestInvalid
  | ManifestBlobUnknown
  | BlobUnknown
  | BlobUploadInvalid
  | BlobUploadUnknown
  | NameUnknown
  | NameInvalid
  | DigestInvalid
  | SizeInvalid
  | Unsupported
  | TagImmutable
  | PayloadTooLarge
  | RangeNotSatisfiable
  | DigestMismatch
  | SizeMismatch
  | PaginationLoop
  | SourceNotReplayable
  | ReferrersNotUpdated
  | InvalidReference
  | InvalidDigest
  | InvalidPlatform
  | PlatformUnknown

/** Classes by their tags. A tag alone is no proof: others have a `Timeout` or `Unauthorized` too. */
type Classes<E extends { readonly _tag: string }> = {
  readonly [Tag in E["_tag"]]: abstract new (
    ...args: never
  ) => Extract<E, { readonly _tag: Tag }>
}

const callErrors: Classes<CallError> = {
  TransportError,
  Timeout,
  Unauthorized,
  Denied,
  PolicyViolation,
  TooManyRequests,
  RegistryUnavailable,
  UnexpectedResponse,
  ResponseTooLarge,
  UnsafeLocation,
  TooManyRedirects,
  ChallengeInvalid,
  TokenInvalid,
  CredentialsInvalid,
  ManifestUnsupported
}

// apart, since a bundler keeps what is spread into another object
const particular: Classes<Exclude<RegistryError, CallError>> = {
  ManifestUnknown,
  ManifestInvalid,
  ManifestBlobUnknown,
  BlobUnknown,
  BlobUploadInvalid,
  BlobUploadUnknown,
  NameUnknown,
  NameInvalid,
  DigestInvalid,
  SizeInvalid,
  Unsupported,
  TagImmutable,
  PayloadTooLarge,
  RangeNotSatisfiable,
  DigestMismatch,
  SizeMismatch,
  PaginationLoop,
  SourceNotReplayable,
  ReferrersNotUpdated,
  InvalidReference,
  InvalidDigest,
  InvalidPlatform,
  PlatformUnknown
}

const isOneOf = (u: unknown, classes: Readonly<Record<string, abstract new (...args: never) => unknown>>): boolean =>
  Object.values(classes).some((one) => u instanceof one)

/** Whether a value is one of the failures that every call can meet. */
export const isCallError = (u: unknown): u is CallError => isOneOf(u, callErrors)

/** Whether a value is a failure of this library. */
export const isRegistryError = (u: unknown): u is RegistryError => isCallError(u) || isOneOf(u, particular)

/** Failures of the connection that come back the same: no such host, a certificate that is not trusted, a bad request. */
const lasting =
  /^(ENOTFOUND|ERR_INVALID|CERT_|ERR_TLS|ERR_SSL|DEPTH_|SELF_SIGNED|UNABLE_TO|ERR_HEADER|ERR_BROWSER|ERR_UNSAFE|ERR_PROXY_4)/

/**
 * Whether the same call may succeed when it is made again: broken connections, silence, throttling and outages. Says
 * nothing of whether the call may be made twice, nor of whether it was (`attempts`).
 */
export const isRetryable = (error: unknown): boolean => {
  // not by its class, which few programs need
  if (isTagged(error, "ReferrersNotUpdated")) return hasProperty(error, "retryable") && error.retryable === true
  if (!isCallError(error)) return false
  switch (error._tag) {
    case "TransportError":
      return error.code === undefined || !lasting.test(error.code)
    case "Timeout":
      // it came, and had its time
      return error.phase !== "total"
    case "TooManyRequests":
      return true
    case "RegistryUnavailable":
      return error.status === undefined || isPassing(error.status)
    default:
      return false
  }
}
