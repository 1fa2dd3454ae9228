import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Blobs from "effect-oci/Blobs"
import * as Manifests from "effect-oci/Manifests"
import type { Name } from "effect-oci/Operation"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as Tags from "effect-oci/Tags"
import { play, type Step } from "../scripted.js"
import {
  blobUrl,
  bytes,
  digest,
  endless,
  manifestUrl,
  origin,
  reference,
  registry,
  repository,
  tagsUrl
} from "./support.js"

const to =
  (location: string, status = 307) =>
  () =>
    new Response(null, { status, headers: { location } })

const cdn = "https://cdn.test/blob?X-Amz-Signature=a%2Fb&x"

const blob = () => new Response("{}")

const get = Blobs.get(repository, digest)

const execute = (name: Name, request: HttpClientRequest.HttpClientRequest) =>
  Effect.scoped(
    Effect.flatMap(RegistryClient.RegistryClient, (client) => client.execute({ name, registry, repository }, request))
  )

describe("redirects", () => {
  describe("of content", () => {
    for (const status of [301, 302, 303, 307, 308]) {
      it.effect(`P3 ${status} of a GET is followed`, () =>
        play(
          [
            [`GET ${blobUrl}`, to(cdn, status)],
            [`GET ${cdn}`, blob]
          ],
          () => get
        )
      )

      it.effect(`P3 ${status} of a HEAD stays a HEAD`, () =>
        play(
          [
            [`HEAD ${blobUrl}`, to(cdn, status)],
            [`HEAD ${cdn}`, new Response(null, { headers: { "content-length": "2" } })]
          ],
          () => Effect.map(Blobs.head(repository, digest), ({ size }) => assert.strictEqual(size, 2))
        )
      )
    }

    for (const status of [300, 304, 305, 306]) {
      it.effect(`P3 ${status} is not followed`, () =>
        play([[`GET ${blobUrl}`, to(cdn, status)]], () =>
          Effect.map(Effect.flip(get), ({ _tag }) => assert.strictEqual(_tag, "UnexpectedResponse"))
        )
      )
    }

    it.effect("P2 reaches the other host with its query byte for byte", () =>
      play(
        [
          [`GET ${blobUrl}`, to(cdn)],
          [`GET ${cdn}`, blob]
        ],
        () => Effect.map(get, (content) => assert.strictEqual(new TextDecoder().decode(content), "{}"))
      )
    )

    it.effect("P4 without a Location is no answer", () =>
      play([[`GET ${blobUrl}`, new Response(null, { status: 307 })]], () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(get)
          assert(error._tag === "UnexpectedResponse")
          assert.strictEqual(error.reason, "redirected to nowhere")
          assert.strictEqual(error.status, 307)
        })
      )
    )

    it.effect("P4 to a relative Location are resolved against where they come from", () =>
      play(
        [
          [`GET ${blobUrl}`, to("https://cdn.test/a/b?c")],
          ["GET https://cdn.test/a/b?c", to("../d?e#f")],
          ["GET https://cdn.test/d?e", blob]
        ],
        () => get
      )
    )

    it.effect("P10 to a storage that has nothing name the storage", () =>
      play(
        [
          [`GET ${blobUrl}`, to(cdn)],
          [`GET ${cdn}`, new Response("<Error><Code>NoSuchKey</Code></Error>", { status: 404 })]
        ],
        () =>
          Effect.gen(function* () {
            const error = yield* Effect.flip(get)
            assert(error._tag === "BlobUnknown")
            assert.strictEqual(error.url, "https://cdn.test/blob")
            assert.strictEqual(error.registry, "registry.test")
            assert.include(error.message, "NoSuchKey")
            assert.notInclude(error.message, "Signature")
          })
      )
    )

    it.effect("P12 to a manifest take its type and digest from its bytes", () => {
      const manifest = JSON.stringify({
        schemaVersion: 2,
        mediaType: "application/vnd.oci.image.index.v1+json",
        manifests: []
      })
      return play(
        [
          [`GET ${manifestUrl}`, to("https://static.test/m", 302)],
          ["GET https://static.test/m", new Response(manifest, { headers: { "content-type": "text/plain" } })]
        ],
        () =>
          Effect.map(Manifests.get(reference), ({ descriptor }) => {
            assert.strictEqual(descriptor.mediaType, "application/vnd.oci.image.index.v1+json")
            assert.strictEqual(descriptor.size, manifest.length)
          })
      )
    })

    it.effect("T22 end with each answer's body read, or given up when it is large", () =>
      play(
        [
          [`GET ${blobUrl}`, () => new Response("moved", { status: 307, headers: { location: "/a" } })],
          [`GET ${origin}/a`, () => new Response(endless(), { status: 307, headers: { location: cdn } })],
          [`GET ${cdn}`, blob]
        ],
        (sent) =>
          Effect.gen(function* () {
            yield* get
            assert.deepStrictEqual(
              sent.map(({ answer }) => answer),
              ["read", "given up", "read"]
            )
            assert.isAtMost(sent[1]?.taken ?? 0, 80 * 1024)
          })
      )
    )
  })

  describe("without end", () => {
    const hops = (n: number, last: Step): ReadonlyArray<Step> => [
      [`GET ${blobUrl}`, to("/1")],
      ...Array.from({ length: n - 1 }, (_, i): Step => [`GET ${origin}/${i + 1}`, to(`/${i + 2}`)]),
      last
    ]

    it.effect("P5 ten are followed", () => play(hops(10, [`GET ${origin}/10`, blob]), () => get))

    it.effect("P5 an eleventh is not", () =>
      play(hops(10, [`GET ${origin}/10`, to("/11")]), () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(get)
          assert(error._tag === "TooManyRedirects")
          assert.strictEqual(error.limit, 10)
          assert.strictEqual(error.url, `${origin}/10`)
        })
      )
    )

    it.effect("RegistryHosts sets how many", () =>
      play(hops(1, [`GET ${origin}/1`, to("/2")]), () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(get)
          assert(error._tag === "TooManyRedirects")
          assert.strictEqual(error.limit, 1)
        }).pipe(Effect.provide(RegistryHosts.layer({ limits: { redirects: 1 } })))
      )
    )

    it.effect("S18 one to itself is found at once", () =>
      play([[`GET ${blobUrl}`, to(blobUrl)]], () =>
        Effect.map(Effect.flip(get), ({ _tag }) => assert.strictEqual(_tag, "TooManyRedirects"))
      )
    )

    it.effect("P5 S18 two to each other are found at once", () =>
      play(
        [
          [`GET ${blobUrl}`, to(cdn)],
          [`GET ${cdn}`, to(blobUrl)]
        ],
        () => Effect.map(Effect.flip(get), ({ _tag }) => assert.strictEqual(_tag, "TooManyRedirects"))
      )
    )

    it.effect("S18 one that grows with each hop comes to an end", () => {
      const grown = (times: number) => `${origin}/${"a".repeat(5000 * times)}`
      return play(
        [[`GET ${blobUrl}`, to(grown(1))], ...[1, 2, 3].map((n): Step => [`GET ${grown(n)}`, to(grown(n + 1))])],
        () =>
          Effect.gen(function* () {
            const error = yield* Effect.flip(get)
            assert(error._tag === "UnsafeLocation")
            assert.strictEqual(error.reason, "it is longer than 16384 characters")
          })
      )
    })
  })

  describe("of what is no content", () => {
    it.effect("P13 do not lead to another host", () =>
      play([[`GET ${tagsUrl}`, to("https://github.test/login", 303)]], () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(Tags.list(repository))
          assert(error._tag === "UnsafeLocation")
          assert.strictEqual(error.reason, "only content is fetched from another host")
        })
      )
    )

    it.effect("P6 are followed on the registry's origin", () =>
      play(
        [
          [`GET ${tagsUrl}`, to(`${tagsUrl}/`)],
          [`GET ${tagsUrl}/`, Response.json({ tags: ["a"] })]
        ],
        () => Effect.map(Tags.list(repository), ({ tags }) => assert.deepStrictEqual(tags, ["a"]))
      )
    )
  })

  describe("of a change", () => {
    const methods = ["POST", "PATCH", "PUT", "DELETE"] as const

    for (const method of methods) {
      for (const status of [301, 302, 303]) {
        it.effect(`${status} of a ${method} is not followed`, () =>
          play([[`${method} ${origin}/x`, to("/y", status)]], () =>
            Effect.gen(function* () {
              const error = yield* Effect.flip(execute("uploads.finish", HttpClientRequest.make(method)("/x")))
              assert(error._tag === "UnexpectedResponse")
              assert.strictEqual(error.reason, `a ${method} is not turned into a GET by a redirect`)
            })
          )
        )
      }

      for (const status of [307, 308]) {
        it.effect(`${status} of a ${method} is sent again as it was`, () =>
          play(
            [
              [`${method} ${origin}/x`, to("/y", status)],
              [`${method} ${origin}/y`, () => new Response(null, { status: 204 })]
            ],
            (sent) =>
              Effect.gen(function* () {
                yield* execute(
                  "uploads.finish",
                  HttpClientRequest.make(method)("/x").pipe(HttpClientRequest.bodyStream(Stream.make(bytes("ab"))))
                )
                assert.deepStrictEqual(sent[1]?.body, bytes("ab"))
                assert.deepStrictEqual(sent[1]?.headers, sent[0]?.headers)
              })
          )
        )

        it.effect(`S11 ${status} of a ${method} to another host is not followed`, () =>
          play([[`${method} ${origin}/x`, to("https://evil.test/y", status)]], () =>
            Effect.gen(function* () {
              const error = yield* Effect.flip(execute("uploads.finish", HttpClientRequest.make(method)("/x")))
              assert(error._tag === "UnsafeLocation")
              assert.strictEqual(error.reason, `a ${method} is not taken to another host`)
            })
          )
        )
      }
    }
  })
})
