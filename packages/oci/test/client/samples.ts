import * as Schema from "effect/Schema"
import * as RegistryError from "effect-oci/RegistryError"

export const digest = `sha256:${"a".repeat(64)}`

/** The facts of a request that was refused. */
export const facts = {
  registry: "registry.test",
  repository: "org/app",
  reference: "1.2",
  method: "GET",
  url: "https://registry.test/v2/org/app/manifests/1.2",
  status: 404,
  errors: [{ code: "MANIFEST_UNKNOWN", message: "not here", detail: { Tag: "1.2", nested: [1, null] } }],
  body: undefined,
  requestId: "req-1"
}

const found = { registry: "registry.test", repository: "org/app", digest }

/** One failure of each class, by tag. */
export const samples: {
  readonly [Tag in RegistryError.RegistryError["_tag"]]: Extract<RegistryError.RegistryError, { _tag: Tag }>
} = {
  ManifestUnknown: new RegistryError.ManifestUnknown(facts),
  BlobUnknown: new RegistryError.BlobUnknown(found),
  NameUnknown: new RegistryError.NameUnknown({ registry: "registry.test", repository: "org/app" }),
  NameInvalid: new RegistryError.NameInvalid({ registry: "registry.test", repository: "org/app" }),
  ManifestInvalid: new RegistryError.ManifestInvalid({ ...found, reason: "it is not JSON", mediaType: "text/plain" }),
  ManifestBlobUnknown: new RegistryError.ManifestBlobUnknown({ ...found, missing: [digest] }),
  BlobUploadInvalid: new RegistryError.BlobUploadInvalid(found),
  BlobUploadUnknown: new RegistryError.BlobUploadUnknown(found),
  DigestInvalid: new RegistryError.DigestInvalid(found),
  SizeInvalid: new RegistryError.SizeInvalid(found),
  Unauthorized: new RegistryError.Unauthorized({ registry: "registry.test", schemes: ["Bearer"], authenticated: false }),
  Denied: new RegistryError.Denied(found),
  Unsupported: new RegistryError.Unsupported({ registry: "registry.test" }),
  TooManyRequests: new RegistryError.TooManyRequests({ registry: "registry.test", retryAfter: 5 }),
  TagImmutable: new RegistryError.TagImmutable({ registry: "registry.test", repository: "org/app", reference: "1.2" }),
  PolicyViolation: new RegistryError.PolicyViolation(found),
  PayloadTooLarge: new RegistryError.PayloadTooLarge(found),
  RangeNotSatisfiable: new RegistryError.RangeNotSatisfiable({ ...found, received: 10 }),
  RegistryUnavailable: new RegistryError.RegistryUnavailable({ registry: "registry.test", status: 503, retryAfter: 5 }),
  UnexpectedResponse: new RegistryError.UnexpectedResponse({ registry: "registry.test", reason: "answered with status 204" }),
  TransportError: new RegistryError.TransportError({ registry: "registry.test", reason: "ECONNREFUSED", code: "ECONNREFUSED" }),
  DigestMismatch: new RegistryError.DigestMismatch({ ...found, expected: digest, actual: `sha256:${"b".repeat(64)}` }),
  SizeMismatch: new RegistryError.SizeMismatch({ ...found, expected: 10, actual: 11 }),
  ResponseTooLarge: new RegistryError.ResponseTooLarge({ ...found, limit: 8 }),
  UnsafeLocation: new RegistryError.UnsafeLocation({
    registry: "registry.test",
    kind: "redirect",
    target: "http://169.254.169.254/latest",
    reason: "it leaves https for http"
  }),
  ChallengeInvalid: new RegistryError.ChallengeInvalid({ registry: "registry.test", reason: "it has no realm" }),
  TokenInvalid: new RegistryError.TokenInvalid({ registry: "registry.test", reason: "the answer holds none" }),
  CredentialsInvalid: new RegistryError.CredentialsInvalid({
    registry: "registry.test",
    reason: "the user name holds a colon"
  }),
  PaginationLoop: new RegistryError.PaginationLoop({ registry: "registry.test", repository: "org/app", pages: 2 }),
  TooManyRedirects: new RegistryError.TooManyRedirects({ ...found, limit: 10 }),
  Timeout: new RegistryError.Timeout({ registry: "registry.test", phase: "answer", limit: 60000 }),
  SourceNotReplayable: new RegistryError.SourceNotReplayable(found),
  ManifestUnsupported: new RegistryError.ManifestUnsupported({
    ...found,
    mediaType: "application/vnd.docker.distribution.manifest.v1+json",
    bytes: new Uint8Array([123, 125])
  }),
  InvalidReference: new RegistryError.InvalidReference({ text: "UPPER", reason: "it holds capitals" }),
  InvalidDigest: new RegistryError.InvalidDigest({ text: "sha256:1", reason: "it is too short" }),
  InvalidPlatform: new RegistryError.InvalidPlatform({ text: "linux", reason: "it has no architecture" }),
  PlatformUnknown: new RegistryError.PlatformUnknown({ wanted: "linux/s390x", available: ["linux/amd64", "linux/arm64"] })
}

for (const e of Object.values(samples)) console.log(e.message)
