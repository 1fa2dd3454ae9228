import type * as http from "node:http"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Blobs from "effect-oci/Blobs"
import * as Digest from "effect-oci/Digest"
import * as RegistryClient from "effect-oci/RegistryClient"
import { client, digest, narrow, repositoryAt, serve } from "../support.js"

const json = JSON.stringify({ errors: [{ code: "X", message: "no" }] })
const large = Buffer.alloc(1024 * 1024)

const answers: ReadonlyArray<readonly [status: number, headers: http.OutgoingHttpHeaders]> = [
  [401, { "www-authenticate": "Basic" }],
  [404, {}],
  [429, { "retry-after": "0" }],
  [307, {}],
  [307, { location: "/blob" }]
]

for (const [name, transport] of Object.entries(narrow)) {
  describe(`${name} with one connection`, () => {
    it.scopedLive(
      "E17 T22 goes on after 200 redirects and refusals",
      () =>
        Effect.gen(function* () {
          let turn = 0
          const server = yield* serve((request, response) => {
            const [status, headers] = answers[turn++ % answers.length] ?? [500, {}]
            if (request.url === "/blob") response.end("{}")
            else response.writeHead(status, { ...headers, "content-length": json.length }).end(json)
          })
          const repository = yield* repositoryAt(server)
          yield* Effect.repeatN(Effect.either(Blobs.get(repository, digest)), 199).pipe(
            Effect.provide(client(transport))
          )
          assert.isAtLeast(server.requests.filter(({ target }) => target === "/blob").length, 30)
          assert.isAtMost(server.connections(), 2)
        }),
      30_000
    )

    it.scopedLive("E17 goes on after refusals of a MiB, after bodies that are not read, and after HEADs", () =>
      Effect.gen(function* () {
        const server = yield* serve((request, response) => {
          response.writeHead(request.url?.endsWith(digest) ? 200 : 404, { "content-length": large.length }).end(large)
        })
        const repository = yield* repositoryAt(server)
        const absent = yield* Digest.parse(`sha256:${"0".repeat(64)}`)
        yield* Effect.gen(function* () {
          yield* Effect.flip(Blobs.get(repository, absent))
          yield* Stream.runDrain(Stream.take(Blobs.stream(repository, digest), 1))
          yield* Blobs.head(repository, digest)
          const { execute } = yield* RegistryClient.RegistryClient
          const request = HttpClientRequest.get(`/v2/org/app/blobs/${digest}`)
          yield* Effect.scoped(execute({ name: "blobs.get", registry: repository.registry, repository }, request))
        }).pipe(Effect.repeatN(4), Effect.provide(client(transport)))
        yield* server.idle
        assert.strictEqual(server.requests.filter(({ method }) => method === "HEAD").length, 5)
      })
    )
  })
}
