import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { afterAll, assert, beforeAll, describe, it, vi } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Blobs from "effect-oci/Blobs"
import * as Descriptor from "effect-oci/Descriptor"
import * as Manifests from "effect-oci/Manifests"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as RegistryError from "effect-oci/RegistryError"
import * as RegistryRetry from "effect-oci/RegistryRetry"
import * as Tags from "effect-oci/Tags"
import * as Uploads from "effect-oci/Uploads"
import { bytes, digest, reference, repository, tagsUrl } from "./support.js"

type Fetch = typeof globalThis.fetch

/** What a page's `fetch` says of an answer, which none can be made with. */
const seen = (response: Response, facts: { readonly [name in "type" | "url" | "redirected"]?: unknown }): Response =>
  Object.defineProperties(response, Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, { value }])))

const over = (fetch: Fetch) =>
  RegistryClient.layer.pipe(
    // the root of a registry would be asked before the first stream
    Layer.provide([RegistryAuth.layerNone, RegistryRetry.layerNone, FetchHttpClient.layer]),
    Layer.provideMerge(Layer.succeed(FetchHttpClient.Fetch, fetch))
  )

const answering = (...answers: ReadonlyArray<Response | Error>) => {
  const left = [...answers]
  const asked: Array<{ readonly url: string; readonly init: RequestInit | undefined }> = []
  const layer = over((input, init) => {
    asked.push({ url: String(input), init })
    const next = left.shift() ?? new Error("asked too often")
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next)
  })
  return { asked, layer }
}

const stream = Stream.make(bytes("{}"))

// nothing else tells a page from another program
beforeAll(() => void vi.stubGlobal("document", {}).stubGlobal("location", { origin: "https://page.test" }))
afterAll(() => void vi.unstubAllGlobals())

describe("in a page, fetch", () => {
  it.effect("E2 follows the redirects of what is only read, and asks for nothing that must be asked leave for", () =>
    Effect.gen(function* () {
      const { asked, layer } = answering(Response.json({ tags: [] }))
      yield* Effect.provide(Tags.list(repository), layer)
      assert.strictEqual(asked[0]?.init?.redirect, "follow")
      assert.strictEqual(asked[0]?.init?.credentials, "omit")
      assert.isFalse(new Headers(asked[0]?.init?.headers).has("user-agent"))
    })
  )

  it.effect("E2 is judged by where an answer came from", () =>
    Effect.gen(function* () {
      const { layer } = answering(
        seen(Response.json({ tags: ["a"] }), { redirected: true, url: "https://elsewhere.test/tags" })
      )
      const error = yield* Effect.flip(Effect.provide(Tags.list(repository), layer))
      assert(error._tag === "UnsafeLocation")
      assert.strictEqual(error.target, "https://elsewhere.test/tags")
    })
  )

  it.effect("E2 goes on from where an answer came from", () =>
    Effect.gen(function* () {
      const { asked, layer } = answering(
        seen(new Response('{"tags":["a"]}', { headers: { link: '<list?last=a>; rel="next"' } }), {
          redirected: true,
          url: "https://registry.test/mirror/v2/org/app/tags/list"
        }),
        Response.json({ tags: ["b"] })
      )
      const tags = yield* Stream.runCollect(Tags.stream(repository)).pipe(Effect.provide(layer))
      assert.deepStrictEqual(Chunk.toReadonlyArray(tags), ["a", "b"])
      assert.deepStrictEqual(
        asked.map(({ url }) => url),
        [tagsUrl, "https://registry.test/mirror/v2/org/app/tags/list?last=a"]
      )
    })
  )

  it.effect("E2 refuses a redirect of what changes something", () =>
    Effect.gen(function* () {
      const { asked, layer } = answering(seen(new Response(null), { type: "opaqueredirect" }))
      const error = yield* Effect.flip(Effect.provide(Blobs.delete(repository, digest), layer))
      assert(error._tag === "TransportError")
      assert.strictEqual(error.code, "ERR_BROWSER_REDIRECT")
      assert.isFalse(RegistryError.isRetryable(error))
      assert.strictEqual(asked[0]?.init?.redirect, "manual")
    })
  )

  it.effect("U20 sends a stream where the browser can", () =>
    Effect.gen(function* () {
      const { asked, layer } = answering(new Response(null, { status: 201 }))
      const descriptor = { mediaType: "text/plain", digest, size: 2 }
      yield* Effect.provide(Uploads.post(repository, descriptor, stream), layer)
      assert.instanceOf(asked[0]?.init?.body, ReadableStream)
    })
  )

  it.effect("U20 sends no stream where the browser would send its name", () =>
    Effect.gen(function* () {
      const { asked, layer } = answering()
      const { Request } = globalThis
      const stringifying = class extends Request {
        constructor() {
          super("https://registry.test/", { method: "POST", body: "[object ReadableStream]" })
        }
      }
      yield* Effect.acquireRelease(
        Effect.sync(() => vi.stubGlobal("Request", stringifying)),
        () => Effect.sync(() => vi.stubGlobal("Request", Request))
      )
      const descriptor = { mediaType: "text/plain", digest, size: 2 }
      const error = yield* Effect.flip(Effect.provide(Uploads.post(repository, descriptor, stream), layer))
      assert(error._tag === "TransportError")
      assert.strictEqual(error.code, "ERR_BROWSER_STREAM")
      assert.strictEqual(asked.length, 0)
    }).pipe(Effect.scoped)
  )

  it.effect("is explained when it only says that it failed", () =>
    Effect.gen(function* () {
      const failure = new TypeError("Failed to fetch")
      const { layer } = answering(failure, failure)
      const often =
        "Failed to fetch: browsers do not tell pages why; often the registry lets no pages of https://page.test in (CORS)"
      const read = yield* Effect.flip(Effect.provide(Manifests.get(reference), layer))
      assert(read._tag === "TransportError")
      assert.strictEqual(read.reason, often)
      const descriptor = { mediaType: "text/plain", digest, size: 2 }
      const sent = yield* Effect.flip(Effect.provide(Uploads.post(repository, descriptor, stream), layer))
      assert(sent._tag === "TransportError")
      assert.strictEqual(sent.reason, `${often}, or speaks no HTTP/2, which a stream needs`)
    })
  )

  it.effect("E4 may decode a body without a word of it", () =>
    Effect.gen(function* () {
      const content = bytes("0123456789")
      const { layer } = answering(new Response(content, { headers: { "content-length": "5" } }))
      const descriptor = yield* Descriptor.fromBytes(content, { mediaType: "text/plain" })
      assert.deepStrictEqual(yield* Effect.provide(Blobs.get(repository, descriptor), layer), content)
    })
  )

  it.effect("may hide the headers that an endpoint needs", () =>
    Effect.gen(function* () {
      const { layer } = answering(new Response(null, { status: 202 }), new Response("1", { status: 206 }))
      const begun = yield* Effect.flip(Effect.provide(Uploads.start(repository), layer))
      assert.include(begun.message, "the registry must name Location in Access-Control-Expose-Headers")
      const range = Blobs.range(repository, digest, { start: 1, end: 1 })
      const part = yield* Effect.flip(Effect.provide(Stream.runDrain(range), layer))
      assert.include(part.message, "the registry must name Content-Range in Access-Control-Expose-Headers")
    })
  )
})
