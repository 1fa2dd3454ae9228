import { mapRequest } from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Blobs from "effect-oci/Blobs"
import * as Credentials from "effect-oci/Credentials"
import * as Manifests from "effect-oci/Manifests"
import type { Name } from "effect-oci/Operation"
import * as OriginPolicy from "effect-oci/OriginPolicy"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as RegistryMiddleware from "effect-oci/RegistryMiddleware"
import * as Tags from "effect-oci/Tags"
import * as Uploads from "effect-oci/Uploads"
import { play, refusal, type Sent, type Step } from "../scripted.js"
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

const signedIn = Layer.merge(Credentials.basic("registry.test", "me", "secret"), RegistryAuth.layerBasic)

/** Which of the requests said who asks. */
const authorized = (sent: ReadonlyArray<Sent>) => sent.map(({ headers }) => headers.authorization !== undefined)

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

  describe("and credentials", () => {
    it.effect("P6 keep them on the registry's origin", () =>
      play(
        [
          [`GET ${blobUrl}`, to("/elsewhere")],
          [`GET ${origin}/elsewhere`, blob]
        ],
        (sent) =>
          Effect.gen(function* () {
            yield* get
            assert.deepStrictEqual(authorized(sent), [true, true])
          }).pipe(Effect.provide(signedIn))
      )
    )

    const abroad: ReadonlyArray<readonly [where: string, url: string]> = [
      ["another host", "https://cdn.test/x"],
      ["another port", "https://registry.test:8443/x"],
      ["a subdomain", "https://cdn.registry.test/x"],
      ["the domain above", "https://test.test/x"]
    ]
    for (const [where, url] of abroad) {
      it.effect(`S8 P7 do not take them to ${where}`, () =>
        play(
          [
            [`GET ${blobUrl}`, to(url)],
            [`GET ${url}`, blob]
          ],
          (sent) =>
            Effect.gen(function* () {
              yield* get
              assert.deepStrictEqual(authorized(sent), [true, false])
            }).pipe(Effect.provide(signedIn))
        )
      )
    }

    it.effect("S8 do not bring them back from another host", () =>
      play(
        [
          [`GET ${blobUrl}`, to(cdn)],
          [`GET ${cdn}`, to(`${origin}/back`)],
          [`GET ${origin}/back`, to("/further")],
          [`GET ${origin}/further`, blob]
        ],
        (sent) =>
          Effect.gen(function* () {
            yield* get
            assert.deepStrictEqual(authorized(sent), [true, false, false, false])
          }).pipe(Effect.provide(signedIn))
      )
    )

    it.effect("S9 S58 S59 take no header along that may tell who asks", () => {
      const secrets = {
        "x-jfrog-art-api": "secret",
        "x-registry-token": "secret",
        "private-token": "secret",
        cookie: "sid=secret",
        "proxy-authorization": "Basic secret",
        referer: "https://secret.test/",
        origin: "https://secret.test",
        traceparent: "00-secret-00",
        b3: "secret"
      }
      const open: Readonly<Record<string, string>> = {
        accept: "text/plain",
        "accept-encoding": "identity",
        range: "bytes=0-1",
        "user-agent": "mine",
        "if-match": "a",
        "if-none-match": "b",
        "if-range": "c"
      }
      return play(
        [
          [`GET ${origin}/v2/x`, to(cdn)],
          [`GET ${cdn}`, blob]
        ],
        (sent) =>
          Effect.gen(function* () {
            yield* execute("blobs.get", HttpClientRequest.get("/v2/x", { headers: { ...secrets, ...open } }))
            assert.include(sent[0]?.headers, { ...secrets, ...open })
            assert.deepStrictEqual({ ...sent[1]?.headers }, open)
          })
      )
    })

    it.effect("S9 keep a middleware's headers at home", () =>
      play(
        [
          [`GET ${blobUrl}`, to("/a")],
          [`GET ${origin}/a`, to(cdn)],
          [`GET ${cdn}`, blob]
        ],
        (sent) =>
          Effect.gen(function* () {
            yield* get
            assert.deepStrictEqual(
              sent.map(({ headers }) => headers["x-token"]),
              ["secret", "secret", undefined]
            )
          }).pipe(
            Effect.provide(
              RegistryMiddleware.layer((_, next) => mapRequest(next, HttpClientRequest.setHeader("x-token", "secret")))
            )
          )
      )
    )

    it.effect("P8 S52 do not answer another registry's challenge", () =>
      play(
        [
          [`GET ${blobUrl}`, to("https://other.test/v2/b")],
          [
            "GET https://other.test/v2/b",
            refusal(401, "UNAUTHORIZED", "", { "www-authenticate": 'Basic realm="other"' })
          ]
        ],
        (sent) =>
          Effect.gen(function* () {
            const error = yield* Effect.flip(get)
            assert(error._tag === "Unauthorized")
            assert.isFalse(error.authenticated)
            assert.strictEqual(error.url, "https://other.test/v2/b")
            assert.deepStrictEqual(authorized(sent), [true, false])
          }).pipe(Effect.provide(signedIn))
      )
    )

    it.effect("S13 S50 go nowhere unsafe", () =>
      play([[`GET ${blobUrl}`, to("http://cdn.test/x")]], () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(get)
          assert(error._tag === "UnsafeLocation")
          assert.strictEqual(error.reason, "it leaves https for http")
        })
      )
    )

    it.effect("S12 do not go on from another host into its network", () =>
      play(
        [
          [`GET ${blobUrl}`, to(cdn)],
          [`GET ${cdn}`, to("https://169.254.169.254/latest")]
        ],
        () =>
          Effect.gen(function* () {
            const error = yield* Effect.flip(get)
            assert(error._tag === "UnsafeLocation")
            assert.strictEqual(error.reason, "a link-local address is not where this registry is")
            assert.strictEqual(error.url, "https://cdn.test/blob")
          })
      )
    )
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

  describe("to a trusted host", () => {
    const trusting = OriginPolicy.layerTrusting(["storage.test"])
    const storage = "https://storage.test/up?_state=a%20b"

    it.effect("S15 take a change along whole, and no credentials", () =>
      play(
        [
          [`PATCH ${origin}/x`, to(storage)],
          [`PATCH ${storage}`, () => new Response(null, { status: 202 })]
        ],
        (sent) =>
          Effect.gen(function* () {
            yield* execute(
              "uploads.patch",
              HttpClientRequest.patch("/x").pipe(
                HttpClientRequest.bodyUint8Array(bytes("ab")),
                HttpClientRequest.setHeader("content-range", "0-1")
              )
            )
            assert.deepStrictEqual(authorized(sent), [true, false])
            assert.deepStrictEqual(sent[1]?.body, bytes("ab"))
            assert.include(sent[1]?.headers, {
              "content-length": "2",
              "content-range": "0-1",
              "content-type": "application/octet-stream"
            })
          }).pipe(Effect.provide([signedIn, trusting]))
      )
    )

    it.effect("S15 an upload's location gets no credentials", () =>
      play(
        [
          [`POST ${origin}/v2/org/app/blobs/uploads/`, to(storage, 202)],
          [`PATCH ${storage}`, to(storage, 202)],
          [`PUT ${storage}&digest=${encodeURIComponent(digest)}`, () => new Response(null, { status: 201 })]
        ],
        (sent) =>
          Effect.gen(function* () {
            const session = yield* Uploads.start(repository)
            yield* Uploads.finish(yield* Uploads.patch(session, bytes("{")), digest, bytes("}"))
            assert.deepStrictEqual(authorized(sent), [true, false, false])
            assert.deepStrictEqual(
              sent.map(({ headers }) => headers["x-token"]),
              ["secret", undefined, undefined]
            )
            assert.strictEqual(sent[1]?.headers["content-range"], "0-0")
          }).pipe(
            Effect.provide([
              signedIn,
              trusting,
              RegistryMiddleware.layer((_, next) => mapRequest(next, HttpClientRequest.setHeader("x-token", "secret")))
            ])
          )
      )
    )

    it.effect("S14 a next page gets no credentials", () =>
      play(
        [
          [`GET ${tagsUrl}`, Response.json({ tags: ["a"] }, { headers: { link: `<${storage}>; rel="next"` } })],
          [`GET ${storage}`, Response.json({ tags: ["b"] })]
        ],
        (sent) =>
          Effect.gen(function* () {
            yield* Stream.runDrain(Tags.stream(repository))
            assert.deepStrictEqual(authorized(sent), [true, false])
          }).pipe(Effect.provide([signedIn, trusting]))
      )
    )

    it.effect("S51 credentials that may not be sent are not asked for there", () =>
      play([[`GET https://storage.test/x`, blob]], () =>
        execute("blobs.get", HttpClientRequest.get("https://storage.test/x")).pipe(
          Effect.provide([
            RegistryAuth.layerBasic,
            Layer.succeed(Credentials.Credentials, {
              lookup: () => Effect.dieMessage("asked")
            })
          ])
        )
      )
    )
  })
})
