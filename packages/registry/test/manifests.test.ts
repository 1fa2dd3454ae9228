import { assert, effect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Hasher from "effect-oci/Hasher"
import * as MediaType from "effect-oci/MediaType"
import { onEachStorage } from "./storages.js"
import { absent, bytesOf, codes, manifest, pushBlob, pushManifest, putManifest, send } from "./support.js"

const index = (digests: ReadonlyArray<string>): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: MediaType.ociIndex,
    manifests: digests.map((digest) => ({ mediaType: MediaType.ociManifest, digest, size: 2 }))
  })

onEachStorage("Manifests", (registry) => {
  layer(registry())((it) => {
    it.effect("end-7a, 3 keep a manifest's bytes, under its digest and its tag", () =>
      Effect.gen(function* () {
        const body = ` ${manifest({ blobs: [yield* pushBlob("org/app", "{}")] })}\n`
        const digest = yield* Hasher.digest(bytesOf(body))
        const put = yield* putManifest("org/app", "1.2", body)
        assert.strictEqual(put.status, 201)
        assert.strictEqual(put.headers.location, `/v2/org/app/manifests/${digest}`)
        assert.strictEqual(put.headers["docker-content-digest"], digest)
        assert.isUndefined(put.headers["oci-tag"])
        assert.isUndefined(put.headers["oci-subject"])
        for (const reference of ["1.2", digest]) {
          const get = yield* send("GET", `/v2/org/app/manifests/${reference}`)
          assert.strictEqual(get.status, 200)
          assert.strictEqual(get.text, body)
          assert.strictEqual(get.headers["content-type"], MediaType.ociManifest)
          assert.strictEqual(get.headers["content-length"], String(body.length))
          assert.strictEqual(get.headers["docker-content-digest"], digest)
          assert.strictEqual(get.headers.etag, `"${digest}"`)
          const head = yield* send("HEAD", `/v2/org/app/manifests/${reference}`)
          assert.strictEqual(head.status, 200)
          assert.strictEqual(head.headers["content-length"], String(body.length))
          assert.strictEqual(head.bytes.length, 0)
        }
      })
    )

    it.effect("a tag moves and leaves the manifest it had", () =>
      Effect.gen(function* () {
        const old = yield* pushManifest("org/moving", "latest", { annotations: { n: "1" } })
        const now = yield* pushManifest("org/moving", "latest", { annotations: { n: "2" } })
        const get = yield* send("HEAD", "/v2/org/moving/manifests/latest")
        assert.strictEqual(get.headers["docker-content-digest"], now)
        assert.strictEqual((yield* send("HEAD", `/v2/org/moving/manifests/${old}`)).status, 200)
      })
    )

    for (const algorithm of ["sha256", "sha384", "sha512"] as const) {
      it.effect(`end-7b takes a manifest by ${algorithm} digest with tags`, () =>
        Effect.gen(function* () {
          const name = `tags/${algorithm}`
          const body = manifest({ blobs: [yield* pushBlob(name, "{}")] })
          const digest = yield* Hasher.digest(bytesOf(body), algorithm)
          const put = yield* putManifest(name, `${digest}?tag=1.2.3&tag=1.2&tag=latest`, body)
          assert.strictEqual(put.status, 201)
          assert.strictEqual(put.headers["oci-tag"], "1.2.3, 1.2, latest")
          for (const tag of ["1.2.3", "1.2", "latest"]) {
            const head = yield* send("HEAD", `/v2/${name}/manifests/${tag}`)
            assert.strictEqual(head.headers["docker-content-digest"], digest)
          }
        })
      )
    }

    it.effect("end-7b gives no tag when one of them is none", () =>
      Effect.gen(function* () {
        const body = manifest({ blobs: [yield* pushBlob("org/app", "{}")] })
        const digest = yield* Hasher.digest(bytesOf(body))
        const put = yield* putManifest("org/app", `${digest}?tag=good&tag=-bad`, body)
        assert.strictEqual(put.status, 400)
        assert.deepStrictEqual(codes(put), ["MANIFEST_INVALID"])
        assert.strictEqual((yield* send("HEAD", "/v2/org/app/manifests/good")).status, 404)
      })
    )

    it.effect("code-4 refuses a manifest under a digest it has not", () =>
      Effect.gen(function* () {
        const body = manifest({ blobs: [yield* pushBlob("org/app", "{}")] })
        const wrong = yield* putManifest("org/app", absent, body)
        assert.strictEqual(wrong.status, 400)
        assert.deepStrictEqual(codes(wrong), ["DIGEST_INVALID"])
        assert.strictEqual((yield* send("HEAD", `/v2/org/app/manifests/${absent}`)).status, 404)
        assert.deepStrictEqual(codes(yield* putManifest("org/app", "sha256:abc", body)), ["DIGEST_INVALID"])
        assert.deepStrictEqual(codes(yield* send("GET", "/v2/org/app/manifests/sha256:abc")), ["DIGEST_INVALID"])
      })
    )

    it.effect("code-5 refuses a manifest of blobs that are not here, naming each once", () =>
      Effect.gen(function* () {
        const config = yield* pushBlob("org/app", "{}")
        const elsewhere = yield* pushBlob("org/elsewhere", "not in org/app")
        const missing = yield* Hasher.digest(bytesOf("nowhere"))
        const put = yield* putManifest("org/app", "bad", manifest({ blobs: [config, missing, elsewhere, missing] }))
        assert.strictEqual(put.status, 400)
        const message = "manifest references a manifest or blob unknown to registry"
        assert.deepStrictEqual(put.json, {
          errors: [missing, elsewhere].map((digest) => ({ code: "MANIFEST_BLOB_UNKNOWN", message, detail: { digest } }))
        })
        assert.strictEqual((yield* send("HEAD", "/v2/org/app/manifests/bad")).status, 404)
      })
    )

    it.effect("code-5 refuses an index of manifests that are not here", () =>
      Effect.gen(function* () {
        const child = yield* pushManifest("org/index", "child")
        const type = { "content-type": MediaType.ociIndex }
        assert.strictEqual((yield* putManifest("org/index", "good", index([child]), type)).status, 201)
        assert.strictEqual((yield* putManifest("org/index", "empty", index([]), type)).status, 201)
        const bad = yield* putManifest("org/index", "bad", index([child, absent]), type)
        assert.deepStrictEqual(codes(bad), ["MANIFEST_BLOB_UNKNOWN"])
      })
    )

    it.effect("U65 takes a manifest whose non-distributable layers are not here", () =>
      Effect.gen(function* () {
        const config = yield* pushBlob("org/foreign", "{}")
        for (const mediaType of [MediaType.ociLayerNonDistributableGzip, MediaType.dockerForeignLayer]) {
          const body = JSON.stringify({
            schemaVersion: 2,
            mediaType: MediaType.ociManifest,
            config: { mediaType: MediaType.ociConfig, digest: config, size: 2 },
            layers: [{ mediaType, digest: absent, size: 1 }]
          })
          assert.strictEqual((yield* putManifest("org/foreign", "1", body)).status, 201)
        }
      })
    )

    it.effect("U64 takes a manifest before its subject and says OCI-Subject", () =>
      Effect.gen(function* () {
        const subject = yield* Hasher.digest(bytesOf("to come"))
        const body = manifest({ blobs: [yield* pushBlob("org/app", "{}")], subject })
        const put = yield* putManifest("org/app", "about", body)
        assert.strictEqual(put.status, 201)
        assert.strictEqual(put.headers["oci-subject"], subject)
      })
    )

    it.effect("M5, M6 go by the document when Content-Type has parameters, says nothing or is not there", () =>
      Effect.gen(function* () {
        const body = manifest({ blobs: [yield* pushBlob("org/types", "{}")] })
        for (const type of [`${MediaType.ociManifest}; charset=utf-8`, "application/octet-stream"]) {
          assert.strictEqual((yield* putManifest("org/types", "1", body, { "content-type": type })).status, 201)
        }
        const bare = yield* send("PUT", "/v2/org/types/manifests/2", { body: Stream.make(bytesOf(body)) })
        assert.strictEqual(bare.status, 201)
        const get = yield* send("GET", "/v2/org/types/manifests/2")
        assert.strictEqual(get.headers["content-type"], MediaType.ociManifest)
      })
    )

    const config = { mediaType: MediaType.ociConfig, digest: absent, size: 2 }
    const invalid: ReadonlyArray<readonly [title: string, body: string, contentType: string]> = [
      ["M7 of another type than Content-Type", index([]), MediaType.ociManifest],
      ["M8 that is image and index", JSON.stringify({ schemaVersion: 2, config, layers: [], manifests: [] }), ""],
      ["M10 of schema 1", JSON.stringify({ schemaVersion: 1, name: "a", tag: "b", fsLayers: [] }), ""],
      ["that is no JSON", "hello", MediaType.ociManifest],
      ["that is empty", "", MediaType.ociManifest],
      ["of an unknown type", "{}", "application/vnd.example+json"]
    ]
    for (const [title, body, contentType] of invalid) {
      it.effect(`code-6 refuses a manifest ${title}`, () =>
        Effect.gen(function* () {
          const put = yield* putManifest("org/app", "bad", body, { "content-type": contentType })
          assert.strictEqual(put.status, 400)
          assert.deepStrictEqual(codes(put), ["MANIFEST_INVALID"])
        })
      )
    }

    for (const tag of ["-a", ".a", "a+b", "ä", "a".repeat(129)]) {
      it.effect(`DS5 refuses the tag ${tag.slice(0, 9)}`, () =>
        Effect.gen(function* () {
          const body = manifest({ blobs: [yield* pushBlob("org/app", "{}")] })
          const put = yield* putManifest("org/app", encodeURIComponent(tag), body)
          assert.strictEqual(put.status, 400)
          assert.deepStrictEqual(codes(put), ["MANIFEST_INVALID"])
        })
      )
    }

    it.effect("code-7 answers MANIFEST_UNKNOWN, code-9 NAME_UNKNOWN for a repository that is not", () =>
      Effect.gen(function* () {
        yield* pushManifest("org/app", "1")
        for (const reference of ["none", absent]) {
          const answer = yield* send("GET", `/v2/org/app/manifests/${reference}`)
          assert.strictEqual(answer.status, 404)
          assert.deepStrictEqual(codes(answer), ["MANIFEST_UNKNOWN"])
          assert.deepStrictEqual(codes(yield* send("GET", `/v2/org/none/manifests/${reference}`)), ["NAME_UNKNOWN"])
          assert.deepStrictEqual(codes(yield* send("DELETE", `/v2/org/app/manifests/${reference}`)), [
            "MANIFEST_UNKNOWN"
          ])
        }
      })
    )

    it.effect("end-9 deletes a tag and leaves the manifest", () =>
      Effect.gen(function* () {
        const digest = yield* pushManifest("delete/tag", "1")
        yield* pushManifest("delete/tag", "2")
        assert.strictEqual((yield* send("DELETE", "/v2/delete/tag/manifests/1")).status, 202)
        assert.strictEqual((yield* send("HEAD", "/v2/delete/tag/manifests/1")).status, 404)
        assert.strictEqual((yield* send("HEAD", "/v2/delete/tag/manifests/2")).status, 200)
        assert.strictEqual((yield* send("HEAD", `/v2/delete/tag/manifests/${digest}`)).status, 200)
      })
    )

    it.effect("end-9 deletes a manifest with its tags only", () =>
      Effect.gen(function* () {
        const digest = yield* pushManifest("delete/manifest", "1")
        yield* pushManifest("delete/manifest", "2")
        yield* pushManifest("delete/manifest", "other", { annotations: { a: "b" } })
        assert.strictEqual((yield* send("DELETE", `/v2/delete/manifest/manifests/${digest}`)).status, 202)
        for (const reference of ["1", "2", digest]) {
          assert.strictEqual((yield* send("HEAD", `/v2/delete/manifest/manifests/${reference}`)).status, 404)
        }
        const tags = yield* send("GET", "/v2/delete/manifest/tags/list")
        assert.deepStrictEqual(tags.json, { name: "delete/manifest", tags: ["other"] })
      })
    )

    it.effect("P49 answers 304 to If-None-Match with what stands there", () =>
      Effect.gen(function* () {
        const digest = yield* pushManifest("org/etag", "1")
        const get = (etag: string) => send("GET", "/v2/org/etag/manifests/1", { headers: { "if-none-match": etag } })
        for (const etag of [`"${digest}"`, `W/"${digest}"`, `"x", "${digest}"`, "*"]) {
          const answer = yield* get(etag)
          assert.strictEqual(answer.status, 304)
          assert.strictEqual(answer.headers.etag, `"${digest}"`)
        }
        assert.strictEqual((yield* get(`"${absent}"`)).status, 200)
      })
    )

    it.effect("DS51 lets one of many writes through that race on the same condition", () =>
      Effect.gen(function* () {
        const config = yield* pushBlob("org/race", "{}")
        const race = (headers: Record<string, string>) =>
          Effect.forEach(
            Array.from({ length: 12 }, (_, n) => manifest({ blobs: [config], annotations: { n: `${n}`, ...headers } })),
            (body) =>
              Effect.map(
                putManifest("org/race", "1", body, { "content-type": MediaType.ociManifest, ...headers }),
                ({ status }) => status
              ),
            { concurrency: "unbounded" }
          )
        const won = [201, ...Array.from({ length: 11 }, () => 412)]
        assert.deepStrictEqual((yield* race({ "if-none-match": "*" })).sort(), won)
        const { headers } = yield* send("HEAD", "/v2/org/race/manifests/1")
        assert.deepStrictEqual((yield* race({ "if-match": headers.etag ?? "" })).sort(), won)
      })
    )

    it.effect("DS51 holds a conditional write back with 412", () =>
      Effect.gen(function* () {
        const body = manifest({ blobs: [yield* pushBlob("org/cond", "{}")], annotations: { n: "2" } })
        const put = (tag: string, headers: Record<string, string>) =>
          Effect.map(
            putManifest("org/cond", tag, body, { "content-type": MediaType.ociManifest, ...headers }),
            (a) => a.status
          )
        const digest = yield* pushManifest("org/cond", "1")
        assert.strictEqual(yield* put("1", { "if-match": `"${absent}"` }), 412)
        assert.strictEqual(yield* put("new", { "if-match": "*" }), 412)
        assert.strictEqual(yield* put("1", { "if-none-match": "*" }), 412)
        const before = yield* send("HEAD", "/v2/org/cond/manifests/1")
        assert.strictEqual(before.headers["docker-content-digest"], digest)
        assert.strictEqual(yield* put("new", { "if-none-match": "*" }), 201)
        assert.strictEqual(yield* put("1", { "if-match": `"${digest}"` }), 201)
        assert.strictEqual(yield* put("1", { "if-match": `"${digest}"` }), 412)
      })
    )
  })

  effect("U59 answers 413 to a manifest above maxManifestSize, said or not", () =>
    Effect.gen(function* () {
      const body = manifest({ blobs: [yield* pushBlob("org/app", "{}")] })
      assert.isAbove(body.length, 200)
      const large = yield* putManifest("org/app", "1", body)
      assert.strictEqual(large.status, 413)
      assert.deepStrictEqual(codes(large), ["MANIFEST_INVALID"])
      const streamed = yield* send("PUT", "/v2/org/app/manifests/1", { body: Stream.make(bytesOf(body)) })
      assert.strictEqual(streamed.status, 413)
    }).pipe(Effect.provide(registry({ maxManifestSize: 200 })))
  )

  effect("takes what is not complete when it is sparse", () =>
    Effect.gen(function* () {
      const missing = yield* Hasher.digest(bytesOf("nowhere"))
      assert.strictEqual((yield* putManifest("org/app", "1", manifest({ blobs: [missing] }))).status, 201)
    }).pipe(Effect.provide(registry({ sparse: true })))
  )
})
