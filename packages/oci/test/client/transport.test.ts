import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Blobs from "effect-oci/Blobs"
import * as RegistryClient from "effect-oci/RegistryClient"
import { isRetryable } from "effect-oci/RegistryError"
import * as RegistryRetry from "effect-oci/RegistryRetry"
import * as Tags from "effect-oci/Tags"
import { play } from "../scripted.js"
import { blobUrl, broken, digest, repository, tagsUrl } from "./support.js"

const coded = (code: string, message: string, cause?: unknown) => Object.assign(new Error(message, { cause }), { code })

describe("transport failures", () => {
  const table: ReadonlyArray<
    readonly [what: string, cause: unknown, reason: string, code: string | undefined, retryable: boolean]
  > = [
    [
      "a code",
      coded("ECONNREFUSED", "connect ECONNREFUSED ::1:443"),
      "connect ECONNREFUSED ::1:443",
      "ECONNREFUSED",
      true
    ],
    [
      "a code that the message lacks",
      coded("UND_ERR_SOCKET", "other side closed"),
      "UND_ERR_SOCKET other side closed",
      "UND_ERR_SOCKET",
      true
    ],
    [
      "a cause of its own, which knows more",
      new TypeError("fetch failed", { cause: coded("ENOTFOUND", "getaddrinfo ENOTFOUND registry.test") }),
      "getaddrinfo ENOTFOUND registry.test",
      "ENOTFOUND",
      false
    ],
    [
      "a code around a cause without one",
      coded("CERT_HAS_EXPIRED", "request failed", new Error("certificate has expired")),
      "CERT_HAS_EXPIRED certificate has expired",
      "CERT_HAS_EXPIRED",
      false
    ],
    ["no code", new Error("socket hang up"), "socket hang up", undefined, true],
    ["a text for a cause", "gone", "Transport", undefined, true],
    ["no cause", undefined, "Transport", undefined, true],
    ["a code that is a number", Object.assign(new Error("odd"), { code: 7 }), "odd", undefined, true],
    [
      "S44 a signed URL",
      new Error("GET https://cdn.test/x?X-Amz-Signature=s3cret failed"),
      "GET https://cdn.test/x failed",
      undefined,
      true
    ],
    ["S45 control characters", new Error("a\u001b[2Jb\r\nc"), "a [2Jb  c", undefined, true]
  ]
  for (const [what, cause, reason, code, retryable] of table) {
    it.effect(`T8 are told by ${what}`, () =>
      play([[`GET ${tagsUrl}`, Effect.fail(cause)]], () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(Tags.list(repository))
          assert(error._tag === "TransportError")
          assert.deepStrictEqual([error.reason, error.code, error.url], [reason, code, tagsUrl])
          assert.strictEqual(isRetryable(error), retryable)
        })
      )
    )
  }

  it.effect("T8 causes that go round in a circle come to an end", () => {
    const cause = new Error("first")
    cause.cause = new Error("second", { cause })
    return play([[`GET ${tagsUrl}`, Effect.fail(cause)]], () =>
      Effect.map(Effect.flip(Tags.list(repository)), ({ _tag }) => assert.strictEqual(_tag, "TransportError"))
    )
  })

  it.effect("E16 of a body that breaks off keep the status, and may be tried again", () =>
    play([[`GET ${blobUrl}`, new Response(broken("{", coded("ECONNRESET", "aborted")))]], () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Blobs.get(repository, digest))
        assert(error._tag === "TransportError")
        assert.deepStrictEqual([error.reason, error.code, error.status], ["ECONNRESET aborted", "ECONNRESET", 200])
        assert.isTrue(isRetryable(error))
      })
    )
  )
})

describe("fetch", () => {
  /** A client over a `fetch` of ours. */
  const over = (fetch: typeof globalThis.fetch) =>
    RegistryClient.layer.pipe(
      Layer.provide([RegistryRetry.layerNone, FetchHttpClient.layer]),
      Layer.provideMerge(Layer.succeed(FetchHttpClient.Fetch, fetch))
    )

  /** What `fetch` is asked for. */
  const asked = Effect.suspend(() => {
    const seen: Array<RequestInit | undefined> = []
    const fetch = over((_, init) => {
      seen.push(init)
      return Promise.resolve(Response.json({ tags: [] }))
    })
    return Effect.provide(Tags.list(repository), fetch).pipe(Effect.as(seen))
  })

  it.effect("E2 S59 is asked to leave redirects and cookies to us", () =>
    Effect.gen(function* () {
      const [init] = yield* asked
      assert.strictEqual(init?.redirect, "manual")
      assert.strictEqual(init?.credentials, "omit")
    })
  )

  it.effect("is asked for what its user asks of it as well", () =>
    Effect.gen(function* () {
      const [init] = yield* asked
      assert.isTrue(init?.keepalive)
      assert.strictEqual(init?.redirect, "manual")
    }).pipe(Effect.provideService(FetchHttpClient.RequestInit, { keepalive: true, redirect: "follow" }))
  )

  it.effect("T12 is told of an interruption", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<AbortSignal | null | undefined>()
      const listing = yield* Effect.fork(
        Effect.provide(
          Tags.list(repository),
          over((_, init) => {
            Deferred.unsafeDone(asked, Effect.succeed(init?.signal))
            return new Promise(() => {})
          })
        )
      )
      const signal = yield* Deferred.await(asked)
      assert.isFalse(signal?.aborted)
      yield* Fiber.interrupt(listing)
      assert.isTrue(signal?.aborted)
    })
  )
})
