import { assert, describe, effect, layer } from "@effect/vitest"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Effect from "effect/Effect"
import { absent, codes, manifest, pushBlob, putManifest, send } from "./support.js"

const seed = { "org/app:1": {} }

describe("Options", () => {
  layer(RegistryServer.layerHttpClient({ seed }))("by default", (it) => {
    it.effect("end-1 answers what it is", () =>
      Effect.gen(function* () {
        for (const path of ["/v2/", "/v2"]) {
          const answer = yield* send("GET", path)
          assert.strictEqual(answer.status, 200)
          assert.deepStrictEqual(answer.json, {})
          assert.strictEqual(answer.headers["docker-distribution-api-version"], "registry/2.0")
        }
      })
    )

    for (const path of ["/", "/v1/", "/v3/", "/v2/org/app", "/v2/org/app/tags", "/v2/org/app/tags/all", "/v2/x/y/z"]) {
      it.effect(`answers ${path} with a plain 404`, () =>
        Effect.gen(function* () {
          const answer = yield* send("GET", path)
          assert.strictEqual(answer.status, 404)
          assert.strictEqual(answer.text, "404 page not found\n")
        })
      )
    }

    for (const name of ["Org/app", "org//app", "-a", "a-", "a___b", "a..b", "a".repeat(256), "", "a%20b", "%zz"]) {
      it.effect(`DS4, code-8 refuses the repository name “${name.slice(0, 9)}”`, () =>
        Effect.gen(function* () {
          const answer = yield* send("GET", `/v2/${name}/tags/list`)
          assert.strictEqual(answer.status, 400)
          assert.deepStrictEqual(codes(answer), ["NAME_INVALID"])
        })
      )
    }

    for (const name of ["tags", "a/blobs", "blobs/uploads", "a/manifests/b", "x/tags/list/y"]) {
      it.effect(`DS4 has a repository called ${name}`, () =>
        Effect.gen(function* () {
          const digest = yield* pushBlob(name, "{}")
          assert.strictEqual((yield* putManifest(name, "list", manifest({ blobs: [digest] }))).status, 201)
          assert.deepStrictEqual((yield* send("GET", `/v2/${name}/tags/list`)).json, { name, tags: ["list"] })
          assert.strictEqual((yield* send("GET", `/v2/${name}/blobs/${digest}`)).status, 200)
          assert.strictEqual((yield* send("HEAD", `/v2/${name}/manifests/list`)).status, 200)
        })
      )
    }

    const wrong = [
      ["POST", "/v2/", "GET, HEAD"],
      ["DELETE", "/v2/org/app/tags/list", "GET, HEAD"],
      ["PUT", `/v2/org/app/blobs/${absent}`, "GET, HEAD, DELETE"],
      ["POST", "/v2/org/app/manifests/1", "GET, HEAD, PUT, DELETE"],
      ["GET", "/v2/org/app/blobs/uploads/", "POST"],
      ["POST", "/v2/org/app/blobs/uploads/x", "GET, HEAD, PATCH, PUT, DELETE"],
      ["OPTIONS", "/v2/", "GET, HEAD"]
    ] as const
    for (const [method, path, allow] of wrong) {
      it.effect(`code-13 answers ${method} ${path.slice(0, 30)} with 405 and what goes`, () =>
        Effect.gen(function* () {
          const answer = yield* send(method, path)
          assert.strictEqual(answer.status, 405)
          assert.deepStrictEqual(codes(answer), ["UNSUPPORTED"])
          assert.strictEqual(answer.headers.allow, allow)
        })
      )
    }

    it.effect("says nothing of CORS", () =>
      Effect.gen(function* () {
        const answer = yield* send("GET", "/v2/", { headers: { origin: "https://page.test" } })
        assert.isUndefined(answer.headers["access-control-allow-origin"])
      })
    )
  })

  const preflight = (origin: string) =>
    send("OPTIONS", "/v2/org/app/blobs/uploads/", {
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "x-one, range" }
    })

  layer(RegistryServer.layerHttpClient({ seed, cors: "*", auth: { type: "basic", users: { me: "secret" } } }))(
    "cors *",
    (it) => {
      it.effect("answers a preflight without credentials", () =>
        Effect.gen(function* () {
          const answer = yield* preflight("https://page.test")
          assert.strictEqual(answer.status, 204)
          assert.strictEqual(answer.headers["access-control-allow-origin"], "*")
          assert.strictEqual(answer.headers["access-control-allow-methods"], "GET, HEAD, POST, PUT, PATCH, DELETE")
          assert.strictEqual(answer.headers["access-control-allow-headers"], "x-one, range")
        })
      )

      it.effect("exposes what a client reads, also of a refusal", () =>
        Effect.gen(function* () {
          const answer = yield* send("GET", "/v2/", { headers: { origin: "https://page.test" } })
          assert.strictEqual(answer.status, 401)
          const exposed = answer.headers["access-control-expose-headers"]?.split(", ") ?? []
          assert.includeMembers(exposed, ["Docker-Content-Digest", "Link", "Location", "Range", "WWW-Authenticate"])
        })
      )
    }
  )

  effect("cors lets the pages in that it names and no other", () =>
    Effect.gen(function* () {
      const mine = yield* preflight("https://mine.test")
      assert.strictEqual(mine.headers["access-control-allow-origin"], "https://mine.test")
      assert.strictEqual(mine.headers.vary, "Origin")
      const other = yield* preflight("https://other.test")
      assert.isUndefined(other.headers["access-control-allow-origin"])
      const get = yield* send("GET", "/v2/", { headers: { origin: "https://other.test" } })
      assert.strictEqual(get.status, 200)
      assert.isUndefined(get.headers["access-control-allow-origin"])
    }).pipe(Effect.provide(RegistryServer.layerHttpClient({ cors: ["https://mine.test", "https://also.test"] })))
  )

  layer(RegistryServer.layerHttpClient({ seed, readOnly: true }))("readOnly", (it) => {
    it.effect("code-13 refuses writes and answers reads", () =>
      Effect.gen(function* () {
        for (const [method, path] of [
          ["POST", "/v2/org/app/blobs/uploads/"],
          ["PUT", "/v2/org/app/manifests/2"],
          ["DELETE", "/v2/org/app/manifests/1"]
        ] as const) {
          const answer = yield* send(method, path)
          assert.strictEqual(answer.status, 405)
          assert.deepStrictEqual(codes(answer), ["UNSUPPORTED"])
        }
        assert.strictEqual((yield* send("HEAD", "/v2/org/app/manifests/1")).status, 200)
      })
    )
  })

  layer(RegistryServer.layerHttpClient({ seed, deletes: false }))("without deletes", (it) => {
    it.effect("D4 refuses to delete, but not to cancel an upload", () =>
      Effect.gen(function* () {
        const digest = yield* pushBlob("org/app", "kept")
        for (const path of [
          `/v2/org/app/blobs/${digest}`,
          "/v2/org/app/manifests/1",
          `/v2/org/app/manifests/${absent}`
        ]) {
          const answer = yield* send("DELETE", path)
          assert.strictEqual(answer.status, 405)
          assert.deepStrictEqual(codes(answer), ["UNSUPPORTED"])
        }
        assert.strictEqual((yield* send("HEAD", `/v2/org/app/blobs/${digest}`)).status, 200)
        const { headers } = yield* send("POST", "/v2/org/app/blobs/uploads/")
        assert.strictEqual((yield* send("DELETE", headers.location ?? "")).status, 204)
      })
    )
  })

  layer(RegistryServer.layerHttpClient({ seed, referrers: false }))("without referrers", (it) => {
    it.effect("R2, DS44 has no API and does not say OCI-Subject", () =>
      Effect.gen(function* () {
        const answer = yield* send("GET", `/v2/org/app/referrers/${absent}`)
        assert.strictEqual(answer.status, 404)
        const digest = yield* pushBlob("org/app", "{}")
        const put = yield* putManifest("org/app", "2", manifest({ blobs: [digest], subject: digest }))
        assert.strictEqual(put.status, 201)
        assert.isUndefined(put.headers["oci-subject"])
      })
    )
  })
})
