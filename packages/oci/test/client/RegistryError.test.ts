import { assert, describe, it } from "@effect/vitest"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as RegistryError from "effect-oci/RegistryError"

const inRegistry = { registry: "registry.test" }
const inRepository = { ...inRegistry, repository: "org/app" }
const tagged = { ...inRepository, reference: "1.2" }
const schemaOne = "application/vnd.docker.distribution.manifest.v1+json"
const digested = { ...inRepository, digest: "sha256:aa" }

/** One failure of each class with its message. A class that is added must be added here. */
const samples: {
  readonly [Tag in RegistryError.RegistryError["_tag"]]: readonly [
    error: Extract<RegistryError.RegistryError, { _tag: Tag }>,
    message: string
  ]
} = {
  ManifestUnknown: [
    new RegistryError.ManifestUnknown({
      ...tagged,
      method: "GET",
      url: "https://registry.test/v2/org/app/manifests/1.2",
      status: 404,
      errors: [{ code: "MANIFEST_UNKNOWN", message: "not here", detail: { Tag: "1.2", nested: [1, null] } }],
      requestId: "req-1"
    }),
    "registry.test/org/app:1.2: no such manifest (GET https://registry.test/v2/org/app/manifests/1.2 answered 404, " +
      "“MANIFEST_UNKNOWN: not here”). Tags.list shows the tags there are"
  ],
  BlobUnknown: [
    new RegistryError.BlobUnknown({ ...digested, body: "<html>" }),
    "registry.test/org/app@sha256:aa: no such blob in this repository (“<html>”)"
  ],
  NameUnknown: [
    new RegistryError.NameUnknown(inRepository),
    "registry.test/org/app: no such repository. Check the name; some registries want it created before a push"
  ],
  NameInvalid: [
    new RegistryError.NameInvalid(inRepository),
    "registry.test/org/app: the registry refuses this repository name"
  ],
  ManifestInvalid: [
    new RegistryError.ManifestInvalid({ ...digested, reason: "it is not JSON", mediaType: "text/plain" }),
    "registry.test/org/app@sha256:aa: invalid manifest: it is not JSON"
  ],
  ManifestBlobUnknown: [
    new RegistryError.ManifestBlobUnknown({ ...tagged, missing: ["sha256:bb", "sha256:cc"] }),
    "registry.test/org/app:1.2: the manifest names sha256:bb, sha256:cc that the repository does not have. Push it first"
  ],
  BlobUploadInvalid: [
    new RegistryError.BlobUploadInvalid(digested),
    "registry.test/org/app@sha256:aa: the registry refuses this upload. Start a new one"
  ],
  BlobUploadUnknown: [
    new RegistryError.BlobUploadUnknown(inRepository),
    "registry.test/org/app: the upload session is gone. Start a new one"
  ],
  DigestInvalid: [
    new RegistryError.DigestInvalid(digested),
    "registry.test/org/app@sha256:aa: the registry refuses the digest"
  ],
  SizeInvalid: [
    new RegistryError.SizeInvalid(digested),
    "registry.test/org/app@sha256:aa: the registry refuses the size of the content"
  ],
  Unauthorized: [
    new RegistryError.Unauthorized({ ...inRegistry, schemes: ["Bearer", "Basic"], authenticated: false }),
    "registry.test: authentication is required, it offers Bearer, Basic. Provide Credentials"
  ],
  Denied: [
    new RegistryError.Denied(tagged),
    "registry.test/org/app:1.2: access denied. Check what these credentials may do here"
  ],
  Unsupported: [
    new RegistryError.Unsupported({ ...inRegistry, method: "DELETE" }),
    "registry.test: this registry does not support it"
  ],
  TooManyRequests: [
    new RegistryError.TooManyRequests({ ...inRegistry, retryAfter: 5 }),
    "registry.test: too many requests. Try again in 5 seconds; signing in often raises the limit"
  ],
  TagImmutable: [
    new RegistryError.TagImmutable(tagged),
    "registry.test/org/app:1.2: the tag exists and may not be moved. Push under another tag"
  ],
  PolicyViolation: [
    new RegistryError.PolicyViolation(tagged),
    "registry.test/org/app:1.2: a policy of the registry forbids it"
  ],
  PayloadTooLarge: [
    new RegistryError.PayloadTooLarge(digested),
    "registry.test/org/app@sha256:aa: the body is larger than the registry takes. Smaller chunks may pass"
  ],
  RangeNotSatisfiable: [
    new RegistryError.RangeNotSatisfiable({ ...digested, received: 10 }),
    "registry.test/org/app@sha256:aa: the range cannot be satisfied, the registry has 10 bytes"
  ],
  RegistryUnavailable: [
    new RegistryError.RegistryUnavailable({ ...inRegistry, status: 503, retryAfter: 7 }),
    "registry.test: the registry is unavailable. Try again in 7 seconds"
  ],
  UnexpectedResponse: [
    new RegistryError.UnexpectedResponse({ ...inRegistry, reason: "answered with status 204" }),
    "registry.test: answered with status 204. Is this host an OCI registry?"
  ],
  TransportError: [
    new RegistryError.TransportError({ ...inRegistry, reason: "connect ECONNREFUSED", code: "ECONNREFUSED" }),
    "registry.test: no usable answer, connect ECONNREFUSED. Check the host, the network and the registry's scheme"
  ],
  DigestMismatch: [
    new RegistryError.DigestMismatch({ ...digested, expected: "sha256:aa", actual: "sha256:bb" }),
    "registry.test/org/app@sha256:aa: expected sha256:aa, got sha256:bb. Do not use this content"
  ],
  SizeMismatch: [
    new RegistryError.SizeMismatch({ ...digested, expected: 10, actual: 11 }),
    "registry.test/org/app@sha256:aa: expected 10 bytes, got 11. Do not use this content"
  ],
  ResponseTooLarge: [
    new RegistryError.ResponseTooLarge({ ...digested, limit: 8 }),
    "registry.test/org/app@sha256:aa: the answer is larger than 8 bytes. Stream it, or raise the limit in RegistryHosts"
  ],
  UnsafeLocation: [
    new RegistryError.UnsafeLocation({
      ...digested,
      kind: "redirect",
      target: "http://169.254.169.254/latest",
      reason: "it leaves https for http"
    }),
    "registry.test/org/app@sha256:aa: refused to follow the redirect to http://169.254.169.254/latest: " +
      "it leaves https for http. OriginPolicy can trust the host, if you do"
  ],
  ChallengeInvalid: [
    new RegistryError.ChallengeInvalid({ ...inRegistry, reason: "it has no realm" }),
    "registry.test: the registry's challenge cannot be answered, it has no realm"
  ],
  TokenInvalid: [
    new RegistryError.TokenInvalid({ ...inRegistry, reason: "the answer holds none" }),
    "registry.test: no usable token, the answer holds none"
  ],
  CredentialsInvalid: [
    new RegistryError.CredentialsInvalid({ ...inRegistry, reason: "the user name holds a colon" }),
    "registry.test: the credentials cannot be used: the user name holds a colon"
  ],
  PaginationLoop: [
    new RegistryError.PaginationLoop({ ...inRepository, pages: 2 }),
    "registry.test/org/app: the listing does not end, stopped after 2 pages"
  ],
  TooManyRedirects: [
    new RegistryError.TooManyRedirects({ ...digested, limit: 10 }),
    "registry.test/org/app@sha256:aa: redirected more than 10 times, or in a circle"
  ],
  Timeout: [
    new RegistryError.Timeout({ ...inRegistry, phase: "body", limit: 60_000 }),
    "registry.test: waited 60000 ms for the rest of the answer. Try again, or raise the limit in RegistryHosts"
  ],
  SourceNotReplayable: [
    new RegistryError.SourceNotReplayable(digested),
    "registry.test/org/app@sha256:aa: the content has to be sent again and its source gives it only once. " +
      "Give a Stream that starts anew each time it runs"
  ],
  ReferrersNotUpdated: [
    new RegistryError.ReferrersNotUpdated({
      ...inRepository,
      reference: "sha256-aa",
      status: 503,
      subject: "sha256:aa",
      referrer: "sha256:bb",
      change: "pushed",
      reason: "no luck",
      retryable: true
    }),
    "registry.test/org/app:sha256-aa: sha256:bb is pushed but not listed as a referrer of sha256:aa: no luck. " +
      "Attach it again to list it"
  ],
  ManifestUnsupported: [
    new RegistryError.ManifestUnsupported({ ...tagged, mediaType: schemaOne, bytes: new Uint8Array([123, 125]) }),
    `registry.test/org/app:1.2: manifest of type ${schemaOne} is not decoded. ` +
      "Docker schema 1 is withdrawn: push the image again with a current client"
  ],
  InvalidReference: [
    new RegistryError.InvalidReference({ text: "UPPER/x", reason: "it holds capitals" }),
    "invalid reference “UPPER/x”: it holds capitals. " +
      "One looks like ghcr.io/org/app:1.2 or localhost:5000/app@sha256:…"
  ],
  InvalidDigest: [
    new RegistryError.InvalidDigest({ text: "sha256:1", reason: "it is too short" }),
    "invalid digest “sha256:1”: it is too short. One looks like sha256: and 64 lower-case hexadecimal digits"
  ],
  InvalidPlatform: [
    new RegistryError.InvalidPlatform({ text: "linux", reason: "it has no architecture" }),
    "“linux” is not a platform: it has no architecture. One looks like linux/amd64 or linux/arm/v7"
  ],
  PlatformUnknown: [
    new RegistryError.PlatformUnknown({ wanted: "linux/s390x", available: ["linux/amd64", "linux/arm64"] }),
    "no image for linux/s390x. There is linux/amd64, linux/arm64"
  ]
}

const AnyError = Schema.Union(
  RegistryError.ManifestUnknown,
  RegistryError.BlobUnknown,
  RegistryError.NameUnknown,
  RegistryError.NameInvalid,
  RegistryError.ManifestInvalid,
  RegistryError.ManifestBlobUnknown,
  RegistryError.BlobUploadInvalid,
  RegistryError.BlobUploadUnknown,
  RegistryError.DigestInvalid,
  RegistryError.SizeInvalid,
  RegistryError.Unauthorized,
  RegistryError.Denied,
  RegistryError.Unsupported,
  RegistryError.TooManyRequests,
  RegistryError.TagImmutable,
  RegistryError.PolicyViolation,
  RegistryError.PayloadTooLarge,
  RegistryError.RangeNotSatisfiable,
  RegistryError.RegistryUnavailable,
  RegistryError.UnexpectedResponse,
  RegistryError.TransportError,
  RegistryError.DigestMismatch,
  RegistryError.SizeMismatch,
  RegistryError.ResponseTooLarge,
  RegistryError.UnsafeLocation,
  RegistryError.ChallengeInvalid,
  RegistryError.TokenInvalid,
  RegistryError.CredentialsInvalid,
  RegistryError.PaginationLoop,
  RegistryError.TooManyRedirects,
  RegistryError.Timeout,
  RegistryError.SourceNotReplayable,
  RegistryError.ReferrersNotUpdated,
  RegistryError.ManifestUnsupported,
  RegistryError.InvalidReference,
  RegistryError.InvalidDigest,
  RegistryError.InvalidPlatform,
  RegistryError.PlatformUnknown
)

/** Not of the characters that move a terminal's cursor, break a line or turn its direction. */
const hidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u
const hostile = "a\u001b[2Jb\r\nc\u202ed\u2028e\u0000f\u009bg\ud800h"

describe("RegistryError", () => {
  for (const [tag, [error, message]] of Object.entries(samples)) {
    it(`${tag} has a message for people`, () => {
      assert.instanceOf(error, Error)
      assert.strictEqual(error._tag, tag)
      assert.strictEqual(error.message, message)
      assert.include(String(error), message)
    })

    it(`${tag} crosses a wire as JSON`, () => {
      const wire = JSON.parse(JSON.stringify(Schema.encodeSync(AnyError)(error)))
      const back = Schema.decodeUnknownSync(AnyError)(wire)
      assert.strictEqual(back.constructor, error.constructor)
      assert.deepStrictEqual({ ...back }, { ...error })
      assert.strictEqual(back.message, message)
    })
  }

  it.effect("an error is caught by its tag", () =>
    Effect.gen(function* () {
      const caught = yield* Effect.catchTag(samples.Denied[0], "Denied", ({ registry }) => Effect.succeed(registry))
      assert.strictEqual(caught, "registry.test")
    })
  )

  describe("message", () => {
    const said = (facts: Partial<RegistryError.Facts>) =>
      new RegistryError.Denied({ registry: "registry.test", ...facts }).message

    it("begins with the digest where there is one, else with the tag", () => {
      assert.match(said({ repository: "a", digest: "sha256:aa", reference: "1" }), /^registry\.test\/a@sha256:aa: /)
      assert.match(said({ repository: "a", reference: "1" }), /^registry\.test\/a:1: /)
      assert.match(said({ repository: "a" }), /^registry\.test\/a: /)
    })

    it("begins with what happened when nothing else is known", () => {
      assert.match(new RegistryError.Denied({}).message, /^access denied/)
    })

    it("quotes at most three of the registry's errors", () => {
      const errors = [1, 2, 3, 4].map((n) => ({ code: `CODE${n}`, message: "" }))
      assert.include(said({ errors }), "“CODE1; CODE2; CODE3”")
    })

    it("leaves out what the registry left out", () => {
      assert.include(said({ errors: [{ code: "", message: "no" }] }), "(“no”)")
      assert.include(said({ errors: [{ code: "NO", message: "" }] }), "(“NO”)")
      assert.notInclude(said({ errors: [{ code: "", message: "" }] }), "“")
    })

    it("S45 caps what a registry says", () => {
      assert.isBelow(said({ errors: [{ code: "X", message: "long ".repeat(10_000) }] }).length, 500)
      assert.isBelow(said({ body: "long ".repeat(10_000) }).length, 500)
      assert.isBelow(new RegistryError.ManifestBlobUnknown({ missing: ["x".repeat(100_000)] }).message.length, 3000)
    })

    const spoken = [
      ["an error's message", new RegistryError.Denied({ errors: [{ code: "X", message: hostile }] })],
      ["an error's code", new RegistryError.Denied({ errors: [{ code: hostile, message: "" }] })],
      ["a body", new RegistryError.Denied({ body: hostile })],
      ["a tag", new RegistryError.ManifestUnknown({ reference: hostile })],
      ["a missing digest", new RegistryError.ManifestBlobUnknown({ missing: [hostile] })],
      ["a media type", new RegistryError.ManifestUnsupported({ mediaType: hostile, bytes: new Uint8Array() })],
      ["a reason", new RegistryError.ManifestInvalid({ reason: hostile })],
      ["a target", new RegistryError.UnsafeLocation({ kind: "link", target: hostile, reason: "" })],
      ["a scheme", new RegistryError.Unauthorized({ schemes: [hostile], authenticated: false })],
      ["a digest", new RegistryError.DigestMismatch({ expected: "sha256:aa", actual: hostile })],
      ["a transport's reason", new RegistryError.TransportError({ reason: hostile })],
      ["a platform", new RegistryError.PlatformUnknown({ wanted: "linux/arm", available: [hostile] })]
    ] as const
    for (const [where, error] of spoken) {
      it(`S45 shows no control characters of ${where}`, () => {
        assert.notMatch(error.message, hidden)
        assert.include(error.message, "f g h")
      })
    }

    it.prop(
      "S45 shows no control characters of any text",
      { text: FastCheck.string({ unit: "binary" }) },
      ({ text }) => {
        assert.notMatch(said({ body: text, reference: text, errors: [{ code: text, message: text }] }), hidden)
      }
    )

    it("says when to try again after an outage", () => {
      const { message } = new RegistryError.RegistryUnavailable({ registry: "registry.test" })
      assert.strictEqual(message, "registry.test: the registry is unavailable. Try again later")
    })

    it("asks for other credentials only when some were sent", () => {
      const { message } = new RegistryError.Unauthorized({ schemes: [], authenticated: true })
      assert.strictEqual(message, "the credentials were refused. Check them, and that the repository exists")
    })

    it("S28 tells content that cannot be verified from content that is wrong", () => {
      const { message } = new RegistryError.DigestMismatch({ expected: "blake3:aa" })
      assert.strictEqual(message, "content of blake3:aa cannot be verified. Ask for it by a sha256 or sha512 digest")
    })
  })

  describe("isRegistryError and isCallError", () => {
    const calls: ReadonlyArray<string> = [
      "Unauthorized",
      "Denied",
      "TooManyRequests",
      "PolicyViolation",
      "RegistryUnavailable",
      "UnexpectedResponse",
      "TransportError",
      "ResponseTooLarge",
      "UnsafeLocation",
      "ChallengeInvalid",
      "TokenInvalid",
      "CredentialsInvalid",
      "TooManyRedirects",
      "Timeout",
      "ManifestUnsupported"
    ]

    it("know every class of this library", () => {
      const errors = Object.values(samples).map(([error]) => error)
      assert.deepStrictEqual(errors.filter(RegistryError.isRegistryError), errors)
    })

    it("isCallError knows what every call can meet, and nothing else", () => {
      const errors = Object.values(samples).map(([error]): RegistryError.RegistryError => error)
      assert.deepStrictEqual(
        errors.filter(RegistryError.isCallError).map(({ _tag }) => _tag),
        calls
      )
    })

    class Timeout extends Data.TaggedError("Timeout")<{ readonly phase: string }> {}

    const others: ReadonlyArray<readonly [string, unknown]> = [
      ["undefined", undefined],
      ["a text", "Denied"],
      ["an object with a tag of ours", { _tag: "Denied" }],
      ["an error without a tag", new Error("Denied")],
      ["an error with a tag that every object has", Object.assign(new Error(), { _tag: "constructor" })],
      ["another library's error with a tag of ours", new Timeout({ phase: "lunch" })]
    ]
    for (const [what, value] of others) {
      it(`do not take ${what} for theirs`, () => {
        assert.isFalse(RegistryError.isRegistryError(value))
        assert.isFalse(RegistryError.isCallError(value))
        assert.isFalse(RegistryError.isRetryable(value))
      })
    }
  })

  describe("isRetryable", () => {
    it("T5 is for broken connections, silence, throttling and outages only", () => {
      const errors = Object.values(samples).map(([error]): RegistryError.RegistryError => error)
      assert.deepStrictEqual(
        errors.filter(RegistryError.isRetryable).map(({ _tag }) => _tag),
        ["TooManyRequests", "RegistryUnavailable", "TransportError", "Timeout", "ReferrersNotUpdated"]
      )
    })

    const statuses: ReadonlyArray<readonly [status: number, retryable: boolean]> = [
      [408, true],
      [500, true],
      [501, false],
      [502, true],
      [503, true],
      [504, true],
      [505, false],
      [522, true]
    ]
    for (const [status, expected] of statuses) {
      it(`T5 ${status} is ${expected ? "" : "not "}retried`, () => {
        const error = new RegistryError.RegistryUnavailable({ status })
        assert.strictEqual(RegistryError.isRetryable(error), expected)
      })
    }

    const codes: ReadonlyArray<readonly [code: string | undefined, retryable: boolean]> = [
      [undefined, true],
      ["ECONNRESET", true],
      ["ECONNREFUSED", true],
      ["EPIPE", true],
      ["ETIMEDOUT", true],
      ["EAI_AGAIN", true],
      ["UND_ERR_SOCKET", true],
      ["ENOTFOUND", false],
      ["CERT_HAS_EXPIRED", false],
      ["DEPTH_ZERO_SELF_SIGNED_CERT", false],
      ["SELF_SIGNED_CERT_IN_CHAIN", false],
      ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", false],
      ["ERR_TLS_CERT_ALTNAME_INVALID", false],
      ["ERR_SSL_WRONG_VERSION_NUMBER", false],
      ["ERR_INVALID_CHAR", false]
    ]
    for (const [code, expected] of codes) {
      it(`T8 ${code ?? "a failure without a code"} is ${expected ? "" : "not "}retried`, () => {
        const error = new RegistryError.TransportError({ reason: "broken", code })
        assert.strictEqual(RegistryError.isRetryable(error), expected)
      })
    }
  })
})
