import { mapRequest } from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Blobs from "effect-oci/Blobs"
import * as Credentials from "effect-oci/Credentials"
import type { Name } from "effect-oci/Operation"
import * as OriginPolicy from "effect-oci/OriginPolicy"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as RegistryMiddleware from "effect-oci/RegistryMiddleware"
import * as Tags from "effect-oci/Tags"
import * as Uploads from "effect-oci/Uploads"
import { play, refusal, type Sent } from "../scripted.js"
import { blobUrl, bytes, digest, origin, registry, repository, tagsUrl } from "./support.js"

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
