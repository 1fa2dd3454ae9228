import { assert, effect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Hasher from "effect-oci/Hasher"
import * as MediaType from "effect-oci/MediaType"
import { onEachStorage } from "./storages.js"
import { type Answer, absent, bytesOf, codes, pushBlob, pushManifest, send } from "./support.js"

/** Where the `Link` of an answer goes on. */
const next = ({ headers }: Answer): string | undefined => /^<([^>]*)>; rel="next"$/.exec(headers.link ?? "")?.[1]

/** All pages from one on. */
const pages = (first: string) =>
  Effect.gen(function* () {
    const found: Array<unknown> = []
    for (let path: string | undefined = first; path !== undefined; ) {
      const answer: Answer = yield* send("GET", path)
      assert.strictEqual(answer.status, 200)
      found.push(answer.json)
      path = next(answer)
    }
    return found
  })

const image = { platforms: ["linux/amd64"] }

onEachStorage("Listings", (registry) => {
  const seed = { "org/app:b": image, "org/app:B": image, "org/app:a": image, "org/app:10": image, "org/app:9": image }

  layer(registry({ seed }))((it) => {
    it.effect("end-8a lists tags in ASCII order", () =>
      Effect.gen(function* () {
        const answer = yield* send("GET", "/v2/org/app/tags/list")
        assert.strictEqual(answer.status, 200)
        assert.strictEqual(answer.headers["content-type"], "application/json")
        assert.deepStrictEqual(answer.json, { name: "org/app", tags: ["10", "9", "B", "a", "b"] })
        assert.isUndefined(answer.headers.link)
      })
    )

    const slices: ReadonlyArray<readonly [query: string, tags: ReadonlyArray<string>, link: string | undefined]> = [
      ["n=2", ["10", "9"], "/v2/org/app/tags/list?n=2&last=9"],
      ["n=2&last=9", ["B", "a"], "/v2/org/app/tags/list?n=2&last=a"],
      ["n=2&last=a", ["b"], undefined],
      ["last=B", ["a", "b"], undefined],
      ["last=A", ["B", "a", "b"], undefined],
      ["last=z", [], undefined],
      ["n=5", ["10", "9", "B", "a", "b"], undefined],
      ["n=0", [], undefined]
    ]
    for (const [query, tags, link] of slices) {
      it.effect(`end-8b, DS54 answers ?${query}`, () =>
        Effect.gen(function* () {
          const answer = yield* send("GET", `/v2/org/app/tags/list?${query}`)
          assert.deepStrictEqual(answer.json, { name: "org/app", tags })
          assert.strictEqual(next(answer), link)
        })
      )
    }

    for (const n of ["-1", "a", "1.5", "", "1e3"]) {
      it.effect(`end-8b refuses n=${n}`, () =>
        Effect.gen(function* () {
          const answer = yield* send("GET", `/v2/org/app/tags/list?n=${n}`)
          assert.strictEqual(answer.status, 400)
          assert.deepStrictEqual(codes(answer), ["UNSUPPORTED"])
        })
      )
    }

    it.effect("end-8a answers a repository without tags, and NAME_UNKNOWN for one that is not", () =>
      Effect.gen(function* () {
        yield* pushBlob("org/untagged", "{}")
        const untagged = yield* send("GET", "/v2/org/untagged/tags/list")
        assert.deepStrictEqual(untagged.json, { name: "org/untagged", tags: [] })
        const none = yield* send("GET", "/v2/org/none/tags/list")
        assert.strictEqual(none.status, 404)
        assert.deepStrictEqual(codes(none), ["NAME_UNKNOWN"])
      })
    )
  })

  effect("DS54 pages end to end, whatever the repository's name", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* pages("/v2/a/b-c__d/tags/list"), [
        { name: "a/b-c__d", tags: ["1", "2"] },
        { name: "a/b-c__d", tags: ["3"] }
      ])
      assert.deepStrictEqual(yield* pages("/v2/a/b-c__d/tags/list?n=99"), [
        { name: "a/b-c__d", tags: ["1", "2"] },
        { name: "a/b-c__d", tags: ["3"] }
      ])
      assert.deepStrictEqual(yield* pages("/v2/_catalog?n=1"), [
        { repositories: ["a/b-c__d"] },
        { repositories: ["x"] },
        { repositories: ["x/tags"] }
      ])
    }).pipe(
      Effect.provide(
        registry({
          pageSize: 2,
          seed: { "x/tags": image, x: image, "a/b-c__d:3": image, "a/b-c__d:2": image, "a/b-c__d:1": image }
        })
      )
    )
  )

  layer(registry({ pageSize: 2 }))("referrers", (it) => {
    const subject = Hasher.digest(bytesOf("subject"))

    it.effect("end-12a, R1 answers an empty index for what nothing refers to, also in a repository that is not", () =>
      Effect.gen(function* () {
        const answer = yield* send("GET", `/v2/org/none/referrers/${absent}`)
        assert.strictEqual(answer.status, 200)
        assert.strictEqual(answer.headers["content-type"], MediaType.ociIndex)
        assert.deepStrictEqual(answer.json, { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] })
        assert.isUndefined(answer.headers["oci-filters-applied"])
      })
    )

    it.effect("R17 describes a referrer with its artifact type and annotations", () =>
      Effect.gen(function* () {
        const annotations = { a: "b" }
        const digest = yield* pushManifest("org/one", "1", {
          subject: yield* subject,
          artifactType: "application/vnd.example",
          annotations
        })
        const plain = yield* pushManifest("org/one", "2", { subject: yield* subject })
        const { json } = yield* send("GET", `/v2/org/one/referrers/${yield* subject}`)
        const sizes = yield* Effect.forEach([digest, plain], (reference) =>
          Effect.map(send("HEAD", `/v2/org/one/manifests/${reference}`), ({ headers }) =>
            Number(headers["content-length"])
          )
        )
        const expected = [
          {
            mediaType: MediaType.ociManifest,
            digest,
            size: sizes[0],
            annotations,
            artifactType: "application/vnd.example"
          },
          { mediaType: MediaType.ociManifest, digest: plain, size: sizes[1], artifactType: MediaType.ociConfig }
        ]
        assert.deepStrictEqual(json, {
          schemaVersion: 2,
          mediaType: MediaType.ociIndex,
          manifests: expected.sort((a, b) => (a.digest < b.digest ? -1 : 1))
        })
      })
    )

    it.effect("R17 leaves out the artifact type of an index that states none", () =>
      Effect.gen(function* () {
        const body = JSON.stringify({
          schemaVersion: 2,
          mediaType: MediaType.ociIndex,
          manifests: [],
          subject: { mediaType: MediaType.ociManifest, digest: yield* subject, size: 1 }
        })
        const put = yield* send("PUT", "/v2/org/index/manifests/1", {
          body,
          headers: { "content-type": MediaType.ociIndex }
        })
        assert.strictEqual(put.headers["oci-subject"], yield* subject)
        const { json } = yield* send("GET", `/v2/org/index/referrers/${yield* subject}`)
        const digest = put.headers["docker-content-digest"]
        assert.deepStrictEqual(json, {
          schemaVersion: 2,
          mediaType: MediaType.ociIndex,
          manifests: [{ mediaType: MediaType.ociIndex, digest, size: body.length }]
        })
      })
    )

    it.effect("DS57, DS58 filter by artifact type, say so, and keep the filter from page to page", () =>
      Effect.gen(function* () {
        const type = "application/vnd.example+sbom"
        for (const n of ["1", "2", "3"]) {
          yield* pushManifest("org/many", n, { subject: yield* subject, artifactType: type, annotations: { n } })
          yield* pushManifest("org/many", `x${n}`, {
            subject: yield* subject,
            artifactType: "other",
            annotations: { n }
          })
        }
        const path = `/v2/org/many/referrers/${yield* subject}`
        const filtered = `${path}?artifactType=${encodeURIComponent(type)}`
        assert.strictEqual((yield* send("GET", filtered)).headers["oci-filters-applied"], "artifactType")
        const typesOf = (found: ReadonlyArray<unknown>) =>
          found.map((page) =>
            Object(page).manifests.map((item: { readonly artifactType: string }) => item.artifactType)
          )
        assert.deepStrictEqual(typesOf(yield* pages(filtered)), [[type, type], [type]])
        assert.deepStrictEqual(
          typesOf(yield* pages(path))
            .flat()
            .sort(),
          ["other", "other", "other", type, type, type].sort()
        )
      })
    )

    it.effect("end-12a forgets a referrer that was deleted", () =>
      Effect.gen(function* () {
        const digest = yield* pushManifest("org/gone", "1", { subject: yield* subject })
        yield* send("DELETE", `/v2/org/gone/manifests/${digest}`)
        const { json } = yield* send("GET", `/v2/org/gone/referrers/${yield* subject}`)
        assert.deepStrictEqual(Object(json).manifests, [])
      })
    )

    it.effect("end-12a answers 400 to what is no digest", () =>
      Effect.gen(function* () {
        const answer = yield* send("GET", "/v2/org/one/referrers/latest")
        assert.strictEqual(answer.status, 400)
        assert.deepStrictEqual(codes(answer), ["DIGEST_INVALID"])
      })
    )
  })
})
