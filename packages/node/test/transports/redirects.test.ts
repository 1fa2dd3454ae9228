import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Blobs from "effect-oci/Blobs"
import * as Credentials from "effect-oci/Credentials"
import * as Manifests from "effect-oci/Manifests"
import * as Reference from "effect-oci/Reference"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import * as RegistryMiddleware from "effect-oci/RegistryMiddleware"
import * as Tags from "effect-oci/Tags"
import * as Uploads from "effect-oci/Uploads"
import { client, digest, type Loopback, repositoryAt, serve, transports } from "../support.js"

const secrets = ["authorization", "cookie", "proxy-authorization", "x-registry-token"]

const carried = ({ requests }: Loopback) =>
  requests.map(({ headers }) => secrets.filter((name) => headers[name] !== undefined))

/** Who asks, in all the ways that there are. */
const identity = (host: string) =>
  Layer.mergeAll(
    RegistryAuth.layerBasic,
    Layer.orDie(Credentials.basic(host, "me", "secret")),
    RegistryMiddleware.layer((_, next) =>
      HttpClient.mapRequest(next, HttpClientRequest.setHeaders({ "x-registry-token": "secret", cookie: "a=secret" }))
    )
  )

for (const [name, transport] of Object.entries(transports)) {
  describe(name, () => {
    it.scopedLive("E1 E2 S8 S9 leaves what tells who asks at home, also on the way back", () =>
      Effect.gen(function* () {
        const storage = yield* serve((_, response) =>
          response.writeHead(307, { location: `http://${registry.host}/back` }).end()
        )
        const registry: Loopback = yield* serve((request, response) =>
          request.url === "/back"
            ? response.end("{}")
            : response.writeHead(307, { location: `http://${storage.host}/blob?sig=%2Fa` }).end()
        )
        const repository = yield* repositoryAt(registry)
        yield* Blobs.get(repository, digest).pipe(Effect.provide([client(transport), identity(registry.host)]))
        assert.deepStrictEqual(carried(storage), [[]])
        assert.deepStrictEqual(carried(registry), [["authorization", "cookie", "x-registry-token"], []])
        assert.strictEqual(storage.requests[0]?.target, "/blob?sig=%2Fa")
      })
    )

    for (const status of [301, 302, 303, 307, 308]) {
      it.scopedLive(`E1 E2 S11 takes no PUT elsewhere by a ${status}`, () =>
        Effect.gen(function* () {
          const elsewhere = yield* serve((_, response) => response.writeHead(201).end())
          const registry = yield* serve((_, response) =>
            response.writeHead(status, { location: `http://${elsewhere.host}/` }).end()
          )
          const repository = yield* repositoryAt(registry)
          const put = Manifests.put(Reference.make(repository, { tag: "a" }), {
            schemaVersion: 2,
            mediaType: "application/vnd.oci.image.index.v1+json",
            manifests: []
          })
          const error = yield* Effect.flip(put).pipe(Effect.provide([client(transport), identity(registry.host)]))
          assert.strictEqual(error._tag, status < 307 ? "UnexpectedResponse" : "UnsafeLocation")
          assert.deepStrictEqual(elsewhere.requests, [])
          assert.strictEqual(registry.requests.length, 1)
        })
      )
    }

    it.scopedLive("E2 goes nowhere that the policy has not seen", () =>
      Effect.gen(function* () {
        const elsewhere = yield* serve((_, response) => response.end(JSON.stringify({ tags: ["stolen"] })))
        const registry = yield* serve((_, response) =>
          response.writeHead(307, { location: `http://${elsewhere.host}/` }).end()
        )
        const repository = yield* repositoryAt(registry)
        const error = yield* Effect.flip(Tags.list(repository)).pipe(Effect.provide(client(transport)))
        assert.strictEqual(error._tag, "UnsafeLocation")
        assert.deepStrictEqual(elsewhere.requests, [])
      })
    )

    it.scopedLive("E6 E18 leaves a signed query as it is, byte for byte, and no fragment on the request line", () =>
      Effect.gen(function* () {
        const signed = "_state=a%20b~c%2B%3D&sig=%2f%2F!*()&empty=&x=a+b"
        const server = yield* serve((request, response) =>
          request.method === "POST"
            ? response.writeHead(202, { location: `/upload?${signed}#part` }).end()
            : response.writeHead(201, { location: "/blob" }).end()
        )
        const repository = yield* repositoryAt(server)
        yield* Uploads.start(repository).pipe(
          Effect.flatMap((session) => Uploads.finish(session, digest, new TextEncoder().encode("{}"))),
          Effect.provide(client(transport))
        )
        assert.strictEqual(server.requests[1]?.target, `/upload?${signed}&digest=${encodeURIComponent(digest)}`)
      })
    )
  })
}
