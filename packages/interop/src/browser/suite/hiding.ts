import { assert } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Blobs from "effect-oci/Blobs"
import * as Manifests from "effect-oci/Manifests"
import * as Reference from "effect-oci/Reference"
import * as Referrers from "effect-oci/Referrers"
import * as Registry from "effect-oci/Registry"
import * as Repository from "effect-oci/Repository"
import * as Tags from "effect-oci/Tags"
import * as Uploads from "effect-oci/Uploads"
import {
  describe,
  encode,
  type It,
  newRepository,
  pushBlob,
  pushImage,
  Subject
} from "../../../../oci/test/endpoints/suite/support.js"

/** What a blob holds that is sent in gzip. */
export const codedContent = "hello ".repeat(100)

export const hiding = (it: It): void => {
  it.effect("Docker-Distribution-API-Version: a registry is known by its answer alone", () =>
    Effect.gen(function* () {
      const registry = yield* Subject
      assert.isUndefined((yield* Registry.ping(registry)).apiVersion)
    })
  )

  it.effect("Docker-Content-Digest: a manifest is fetched for what its HEAD does not tell", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const manifest = yield* pushImage(repository, "layer", ["1"])
      const tagged = Reference.make(repository, { tag: "1" })
      assert.deepStrictEqual(yield* Manifests.head(tagged), manifest.descriptor)
      assert.deepStrictEqual(yield* Manifests.get(tagged), manifest)
    })
  )

  it.effect("Content-Length: a blob's size is known all the same", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const { digest } = yield* pushBlob(repository, "hello")
      assert.strictEqual((yield* Blobs.head(repository, digest)).size, 5)
    })
  )

  it.effect("E4 Content-Encoding: the bytes count, not the length that goes with them", () =>
    Effect.gen(function* () {
      const repository = new Repository.Repository({ registry: yield* Subject, name: "coded/app" })
      const blob = yield* describe(codedContent)
      assert.deepStrictEqual(yield* Blobs.get(repository, blob), encode(codedContent))
    })
  )

  it.effect("Content-Range: a part that may be any part is not handed out", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const { digest } = yield* pushBlob(repository, "0123456789")
      const error = yield* Effect.flip(Stream.runDrain(Blobs.range(repository, digest, { start: 3, end: 5 })))
      assert(error._tag === "UnexpectedResponse")
      assert.include(error.message, "the registry must name Content-Range in Access-Control-Expose-Headers")
    })
  )

  it.effect("Location: an upload cannot go on, unless it is one request", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const error = yield* Effect.flip(Uploads.start(repository))
      assert(error._tag === "UnexpectedResponse")
      assert.include(error.message, "the registry must name Location in Access-Control-Expose-Headers")
      const { digest } = yield* pushBlob(repository, "hello")
      assert.deepStrictEqual(yield* Blobs.get(repository, digest), encode("hello"))
    })
  )

  it.effect("Link: a list ends after its first page, and `last` goes on", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      yield* pushImage(repository, "layer", ["a", "b", "c"])
      assert.deepStrictEqual(Chunk.toReadonlyArray(yield* Stream.runCollect(Tags.stream(repository))), ["a", "b"])
      assert.deepStrictEqual(yield* Tags.list(repository), { tags: ["a", "b"], hasNext: false })
      assert.deepStrictEqual(yield* Tags.list(repository, { last: "b" }), { tags: ["c"], hasNext: false })
    })
  )

  it.effect("OCI-Tag: tags are pushed one by one", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      yield* pushImage(repository, "layer", ["a", "b"])
      assert.isTrue(yield* Manifests.exists(Reference.make(repository, { tag: "a" })))
      assert.isTrue(yield* Manifests.exists(Reference.make(repository, { tag: "b" })))
    })
  )

  it.effect("OCI-Subject and OCI-Filters-Applied: referrers are noted unseen, and filtered here", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const subject = (yield* pushImage(repository, "layer", ["1"])).descriptor
      const artifactType = "application/x-sbom"
      const manifest = yield* pushImage(repository, "sbom", [], { artifactType, subject })
      const put = yield* Manifests.put(Reference.make(repository, { tag: "sbom" }), manifest)
      assert.deepStrictEqual(put.subject, Option.none())
      assert.strictEqual((yield* Referrers.list(repository, subject.digest, { artifactType })).length, 1)
      assert.deepStrictEqual(yield* Referrers.list(repository, subject.digest, { artifactType: "none" }), [])
    })
  )

  it.effect("WWW-Authenticate: what a registry offers to sign in with is not known", () =>
    Effect.gen(function* () {
      const repository = new Repository.Repository({ registry: yield* Subject, name: "secret/app" })
      const error = yield* Effect.flip(Tags.list(repository))
      assert(error._tag === "Unauthorized")
      assert.deepStrictEqual(error.schemes, [])
    })
  )
}
