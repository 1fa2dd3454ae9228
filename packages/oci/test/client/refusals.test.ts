import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import * as Blobs from "effect-oci/Blobs"
import * as Manifests from "effect-oci/Manifests"
import type { ErrorDetail } from "effect-oci/RegistryError"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as Tags from "effect-oci/Tags"
import { play, refusal } from "../scripted.js"
import { blobUrl, broken, bytes, digest, endless, manifestUrl, reference, repository, tagsUrl } from "./support.js"

const json = "application/json"

/** What a manifest asked for and answered with this fails with. */
const refused = (response: Response) =>
  play([[`GET ${manifestUrl}`, response]], (sent) =>
    Effect.map(Effect.flip(Manifests.get(reference)), (error) => ({ error, sent: () => sent[0] }))
  )

const statusOnly = (status: number) => Object.defineProperty(new Response("odd"), "status", { value: status })

interface Shape {
  readonly what: string
  readonly body: string | Uint8Array<ArrayBuffer> | null
  readonly type?: string
  readonly errors?: ReadonlyArray<ErrorDetail>
  /** What is kept of a body that is no error document. */
  readonly kept?: string
}

const utf16 = (text: string) =>
  new Uint8Array([0xff, 0xfe, ...[...text].flatMap((char) => [char.charCodeAt(0) & 255, char.charCodeAt(0) >> 8])])

const hub = [{ Type: "repository", Class: "", Name: "library/alpine", Action: "pull" }]
const html = "<html>\r\n<head><title>403 Forbidden</title></head>\r\n</html>"

const shapes: ReadonlyArray<Shape> = [
  {
    what: "1 one error as the specification has it",
    body: JSON.stringify({ errors: [{ code: "DENIED", message: "no", detail: "why" }] }),
    errors: [{ code: "DENIED", message: "no", detail: "why" }]
  },
  {
    what: "2 several errors",
    body: JSON.stringify({
      errors: [
        { code: "A", message: "a" },
        { code: "B", message: "b" }
      ]
    }),
    errors: [
      { code: "A", message: "a" },
      { code: "B", message: "b" }
    ]
  },
  { what: "3 an empty list", body: '{"errors":[]}', kept: '{"errors":[]}' },
  { what: "3 an empty object", body: "{}", kept: "{}" },
  { what: "4 null for the list", body: '{"errors":null}', kept: '{"errors":null}' },
  { what: "5 no message", body: '{"errors":[{"code":"A"}]}', errors: [{ code: "A", message: "" }] },
  {
    what: "5 null for a message",
    body: '{"errors":[{"code":"A","message":null}]}',
    errors: [{ code: "A", message: "" }]
  },
  {
    what: "5 a number for a message",
    body: '{"errors":[{"code":"A","message":7}]}',
    errors: [{ code: "A", message: "7" }]
  },
  {
    what: "6 a detail that is a list",
    body: JSON.stringify({ errors: [{ code: "A", message: "", detail: hub }] }),
    errors: [{ code: "A", message: "", detail: hub }]
  },
  {
    what: "6 P47 a detail with errors of its own",
    body: JSON.stringify({ errors: [{ code: "UNKNOWN", message: "", detail: { errors: [{ code: "DENIED" }] } }] }),
    errors: [{ code: "UNKNOWN", message: "", detail: { errors: [{ code: "DENIED" }] } }]
  },
  {
    what: "6 a null detail",
    body: '{"errors":[{"code":"A","message":"","detail":null}]}',
    errors: [{ code: "A", message: "", detail: null }]
  },
  {
    what: "6 a detail of 100 KB",
    body: JSON.stringify({ errors: [{ code: "A", message: "", detail: "x".repeat(100_000) }] }),
    kept: `${JSON.stringify({ errors: [{ code: "A", message: "", detail: "x".repeat(1000) }] }).slice(0, 1000)}…`
  },
  {
    what: "7 a detail that is a map of texts",
    body: JSON.stringify({ errors: [{ code: "A", message: "a", detail: { description: "b", name: "c" } }] }),
    errors: [{ code: "A", message: "a", detail: { description: "b", name: "c" } }]
  },
  {
    what: "8 further fields",
    body: '{"errors":[{"code":"A","message":"a","status":403,"traceId":"t"}],"help":"h"}',
    errors: [{ code: "A", message: "a" }]
  },
  {
    what: "9 A28 details at the top",
    body: '{"details":"incorrect username or password"}',
    errors: [{ code: "", message: "incorrect username or password" }]
  },
  { what: "10 detail at the top", body: '{"detail":"Not allowed."}', errors: [{ code: "", message: "Not allowed." }] },
  { what: "11 message at the top", body: '{"message":"Bad"}', errors: [{ code: "", message: "Bad" }] },
  { what: "11 error at the top", body: '{"error":"Bad Request"}', errors: [{ code: "", message: "Bad Request" }] },
  {
    what: "11 code and message at the top",
    body: '{"code":"denied","message":"Bad"}',
    errors: [{ code: "denied", message: "Bad" }]
  },
  {
    what: "12 an OAuth error",
    body: '{"error":"invalid_grant","error_description":"expired"}',
    errors: [{ code: "invalid_grant", message: "expired" }]
  },
  {
    what: "13 a Quay error",
    body: '{"status":401,"error_message":"Bad token","title":"invalid_token","error_type":"invalid_token"}',
    errors: [{ code: "", message: "Bad token" }]
  },
  {
    what: "14 an error without a code",
    body: '{"errors":[{"status":404,"message":"gone"}]}',
    errors: [{ code: "", message: "gone" }]
  },
  {
    what: "15 an object for the list",
    body: '{"errors":{"code":"A","message":"a"}}',
    errors: [{ code: "A", message: "a" }]
  },
  {
    what: "15 a list of texts",
    body: '{"errors":["no","way"]}',
    errors: [
      { code: "", message: "no" },
      { code: "", message: "way" }
    ]
  },
  {
    what: "16 a code of digits",
    body: '{"errors":[{"code":"404","message":"x"}]}',
    errors: [{ code: "404", message: "x" }]
  },
  {
    what: "16 a number for a code",
    body: '{"errors":[{"code":404,"message":"x"}]}',
    errors: [{ code: "404", message: "x" }]
  },
  { what: "17 plain text", body: "Not Authorized\r\n", type: "text/plain", kept: "Not Authorized" },
  { what: "17 no content type", body: "404 page not found", type: "", kept: "404 page not found" },
  { what: "18 HTML", body: html, type: "text/html", kept: html.replaceAll("\r\n", "  ") },
  { what: "18 HTML called JSON", body: html, kept: html.replaceAll("\r\n", "  ") },
  {
    what: "19 P7 XML",
    body: "<Error><Code>AccessDenied</Code></Error>",
    type: "application/xml",
    kept: "<Error><Code>AccessDenied</Code></Error>"
  },
  { what: "20 an empty body", body: "" },
  { what: "20 no body", body: null },
  {
    what: "21 JSON after a byte order mark",
    body: '\uFEFF{"errors":[{"code":"A","message":"é"}]}',
    errors: [{ code: "A", message: "é" }]
  },
  { what: "21 UTF-16", body: utf16('{"errors":[{"code":"A","message":"é"}]}'), errors: [{ code: "A", message: "é" }] },
  {
    what: "21 ISO-8859-1",
    body: new Uint8Array([...bytes('{"message":"caf'), 0xe9, ...bytes('"}')]),
    type: "application/json;charset=ISO-8859-1",
    errors: [{ code: "", message: "café" }]
  },
  { what: "21 truncated JSON", body: '{"errors":[{"code":"A"', kept: '{"errors":[{"code":"A"' },
  { what: "21 bytes that are no text", body: new Uint8Array([0x1f, 0x8b, 0x08, 0x00, 0x41]), kept: "\uFFFD  A" },
  { what: "a document that is a list", body: '["DENIED"]', kept: '["DENIED"]' },
  { what: "a document that is null", body: "null", kept: "null" },
  {
    what: "S20 S46 names that every object has",
    body: '{"constructor":{},"__proto__":{"message":"x"}}',
    kept: '{"constructor":{},"__proto__":{"message":"x"}}'
  },
  { what: "S45 text that moves the cursor", body: "no\u001b[2J\u202Eway", kept: "no [2J way" }
]

describe("refusals", () => {
  describe("bodies", () => {
    for (const { body, errors = [], kept, type = json, what } of shapes) {
      it.effect(`13c-${what}`, () =>
        Effect.gen(function* () {
          const headers = type === "" ? undefined : { "content-type": type }
          const { error } = yield* refused(new Response(body, { status: 403, ...(headers && { headers }) }))
          assert(error._tag === "Denied")
          assert.strictEqual(error.status, 403)
          assert.deepStrictEqual(error.errors, errors)
          assert.strictEqual(error.body, kept)
        })
      )
    }

    it.effect.prop(
      "13c any bytes leave the status what it is",
      {
        body: FastCheck.uint8Array({ maxLength: 200 }),
        type: FastCheck.constantFrom(json, "text/html;charset=ISO-8859-1")
      },
      ({ body, type }) =>
        Effect.gen(function* () {
          const headers = { "content-type": type }
          const { error } = yield* refused(new Response(new Uint8Array(body), { status: 403, headers }))
          assert(error._tag === "Denied")
          assert.notMatch(error.message, /[\p{Cc}\p{Cf}\p{Cs}]/u)
        }),
      { fastCheck: { numRuns: 30 } }
    )

    it.effect("13c-2 keeps fifty errors of a document that has more", () =>
      Effect.gen(function* () {
        const errors = Array.from({ length: 500 }, (_, n) => ({ code: `E${n}`, message: "" }))
        const { error } = yield* refused(Response.json({ errors }, { status: 403 }))
        assert(error._tag === "Denied")
        assert.deepStrictEqual(error.errors, errors.slice(0, 50))
      })
    )

    it.effect("13c-21 S1 reads no more than 64 KiB of a body without end", () =>
      Effect.gen(function* () {
        const { error, sent } = yield* refused(new Response(endless(), { status: 403 }))
        assert(error._tag === "Denied")
        assert.strictEqual(sent()?.answer, "given up")
        assert.isAtMost(sent()?.taken ?? 0, 80 * 1024)
      })
    )

    it.effect("13c-21 RegistryHosts sets how much is read", () =>
      Effect.gen(function* () {
        const { error } = yield* refused(new Response("abcdefghij", { status: 403 })).pipe(
          Effect.provide(RegistryHosts.layer({ limits: { error: 4 } }))
        )
        assert(error._tag === "Denied")
        assert.strictEqual(error.body, "abcd")
      })
    )

    it.effect("13c-22 P41 reads no body of a HEAD that announces one", () =>
      play([[`HEAD ${blobUrl}`, new Response(null, { status: 403, headers: { "content-length": "157" } })]], () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(Blobs.head(repository, digest))
          assert.strictEqual(error._tag, "Denied")
        })
      )
    )

    it.effect("13c-23 P45 takes errors with status 200 for no list", () =>
      play([[`GET ${tagsUrl}`, refusal(200, "NAME_UNKNOWN")]], () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(Tags.list(repository))
          assert.strictEqual(error._tag, "UnexpectedResponse")
          assert.include(error.message, "answered with no list of tags")
        })
      )
    )

    it.effect("13c-23 P45 takes errors with status 200 for no manifest", () =>
      Effect.map(refused(refusal(200, "MANIFEST_UNKNOWN")), ({ error }) =>
        assert.strictEqual(error._tag, "ManifestInvalid")
      )
    )

    for (const status of [333, 99, 600, 999]) {
      it.effect(`13c-24 has no idea of a status ${status}`, () =>
        Effect.gen(function* () {
          const { error } = yield* refused(statusOnly(status))
          assert(error._tag === "UnexpectedResponse")
          assert.strictEqual(error.status, status)
        })
      )
    }

    it.effect("13c-25 keeps the status of a refusal whose body breaks", () =>
      Effect.gen(function* () {
        const { error } = yield* refused(new Response(broken('{"errors":'), { status: 403 }))
        assert(error._tag === "Denied")
        assert.strictEqual(error.status, 403)
      })
    )
  })

  it.effect("T29 a registry of Docker's first version is told by its header", () =>
    Effect.gen(function* () {
      const { error } = yield* refused(
        new Response("not found", { status: 404, headers: { "x-docker-registry-version": "0.9.1" } })
      )
      assert(error._tag === "UnexpectedResponse")
      assert.include(error.message, "speaks only the first version of Docker's protocol")
    })
  )

  describe("request ids", () => {
    for (const name of ["x-request-id", "x-github-request-id", "x-ms-correlation-request-id", "x-amzn-requestid"]) {
      it.effect(`are read from ${name}`, () =>
        Effect.gen(function* () {
          const { error } = yield* refused(refusal(403, "DENIED", "", { [name]: "1234" }))
          assert(error._tag === "Denied")
          assert.strictEqual(error.requestId, "1234")
        })
      )
    }
  })

  describe("Retry-After", () => {
    const now = Date.UTC(2025, 4, 10, 20, 32, 0)
    const table: ReadonlyArray<readonly [what: string, header: string | undefined, seconds: number | undefined]> = [
      ["seconds", "5", 5],
      ["zero", "0", 0],
      ["seconds in spaces", " 5 ", 5],
      ["a day", "86400", 86_400],
      ["S17 more than anybody waits", "99999999", 99_999_999],
      ["1e9 seconds", "1000000000", 1e9],
      ["a second of the epoch", String(now / 1000 + 45), 45],
      ["a past second of the epoch", String(now / 1000 - 45), 0],
      ["several values", "5, 10", 5],
      ["a date", "Sat, 10 May 2025 20:32:30 GMT", 30],
      ["a past date", "Fri, 09 May 2025 20:32:30 GMT", 0],
      ["a date in the form of RFC 850", "Saturday, 10-May-25 20:33:00 GMT", 60],
      ["several dates", "Sat, 10 May 2025 20:32:30 GMT, Sat, 10 May 2025 20:40:00 GMT", 30],
      ["nothing", undefined, undefined],
      ["an empty value", "", undefined],
      ["a negative number", "-1", undefined],
      ["a fraction", "1.5", undefined],
      ["a word", "abc", undefined],
      ["a word and a number", "soon 5", undefined],
      ["a day of no calendar", "Sat, 99 May 2025 20:32:30 GMT", undefined],
      ["a number of 20 digits", "1".repeat(20), undefined]
    ]
    for (const [what, header, seconds] of table) {
      for (const [status, tag] of [
        [429, "TooManyRequests"],
        [503, "RegistryUnavailable"]
      ] as const) {
        it.effect(`T3 of a ${status}: ${what}`, () =>
          Effect.gen(function* () {
            yield* TestClock.setTime(now)
            const headers = header === undefined ? undefined : { "retry-after": header }
            const { error } = yield* refused(refusal(status, "", "", headers))
            assert(error._tag === "TooManyRequests" || error._tag === "RegistryUnavailable")
            assert.strictEqual(error._tag, tag)
            assert.strictEqual(error.retryAfter, seconds)
          })
        )
      }
    }
  })
})
