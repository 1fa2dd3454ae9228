import { assert } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Catalog from "effect-oci/Catalog"
import type { Descriptor } from "effect-oci/Descriptor"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import * as Reference from "effect-oci/Reference"
import * as Referrers from "effect-oci/Referrers"
import type { Repository } from "effect-oci/Repository"
import * as Tags from "effect-oci/Tags"
import { type Deviations, type It, newRepository, pushImage, Subject } from "./support.js"

const collect = <A, E, R>(stream: Stream.Stream<A, E, R>) =>
  Effect.map(Stream.runCollect(stream), Chunk.toReadonlyArray)

/** Two artifacts about one image; where the registry does not list them, clients do under a tag. */
const refer = (repository: Repository, subject: Descriptor, deviations: Deviations) =>
  Effect.gen(function* () {
    const referrers = yield* Effect.forEach(["application/x-sbom", "application/x-signature"], (artifactType) =>
      Effect.map(
        pushImage(repository, artifactType, [], { artifactType, subject, annotations: { of: artifactType } }),
        ({ descriptor }) => ({ ...descriptor, annotations: { of: artifactType } })
      )
    )
    if (deviations.referrersApi === false) {
      const reference = Reference.make(repository, { tag: Referrers.tag(subject.digest) })
      yield* Manifests.put(reference, { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: referrers })
    }
    return referrers
  })

const byDigest = (descriptors: ReadonlyArray<Descriptor>) =>
  [...descriptors].sort((a, b) => (a.digest < b.digest ? -1 : 1))

export const listings = (it: It, deviations: Deviations): void => {
  const ordered = (tags: ReadonlyArray<string>) => (deviations.tagOrder === false ? [...tags].sort() : tags)

  it.effect("end-8a lists tags", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      yield* pushImage(repository, "layer", ["b", "a"])
      yield* pushImage(repository, "other", ["c"])
      const { hasNext, tags } = yield* Tags.list(repository)
      assert.deepStrictEqual(ordered(tags), ["a", "b", "c"])
      assert.isFalse(hasNext)
      assert.deepStrictEqual(ordered(yield* collect(Tags.stream(repository))), ["a", "b", "c"])
    })
  )

  it.effect("end-8b lists tags page by page", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      yield* pushImage(repository, "layer", ["a", "b", "c"])
      const first = yield* Tags.list(repository, { n: 2 })
      if (deviations.tagPaging === "no links") {
        assert.deepStrictEqual(first, { tags: ["a", "b"], hasNext: false })
        assert.deepStrictEqual(yield* Tags.list(repository, { n: 2, last: "b" }), { tags: ["c"], hasNext: false })
        assert.deepStrictEqual(yield* collect(Tags.stream(repository, { n: 1 })), ["a", "b", "c"])
        return
      }
      if (deviations.tagPaging === false) {
        assert.deepStrictEqual(ordered(first.tags), ["a", "b", "c"])
        assert.isFalse(first.hasNext)
      } else {
        assert.deepStrictEqual(first, { tags: ["a", "b"], hasNext: true })
        assert.deepStrictEqual(yield* Tags.list(repository, { n: 2, last: "b" }), { tags: ["c"], hasNext: false })
      }
      assert.deepStrictEqual(ordered(yield* collect(Tags.stream(repository, { n: 1 }))), ["a", "b", "c"])
    })
  )

  it.effect("code-9 has no tags in a repository that is not there", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      assert.strictEqual((yield* Effect.flip(Tags.list(repository)))._tag, "NameUnknown")
    })
  )

  it.effect("end-9 deletes a tag and leaves the manifest", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const { descriptor } = yield* pushImage(repository, "layer", ["a", "b"])
      if (deviations.tagDelete === false) {
        assert.strictEqual((yield* Effect.flip(Tags.delete(repository, "a")))._tag, "Unsupported")
        assert.isTrue(yield* Manifests.exists(Reference.make(repository, { tag: "a" })))
        return
      }
      yield* Tags.delete(repository, "a")
      assert.isFalse(yield* Manifests.exists(Reference.make(repository, { tag: "a" })))
      assert.isTrue(yield* Manifests.exists(Reference.make(repository, { tag: "b" })))
      assert.isTrue(yield* Manifests.exists(Reference.make(repository, { digest: descriptor.digest })))
      assert.strictEqual((yield* Effect.flip(Tags.delete(repository, "a")))._tag, "ManifestUnknown")
    })
  )

  it.effect("end-12a lists the referrers of a manifest", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const { descriptor } = yield* pushImage(repository, "layer", ["1"])
      const referrers = byDigest(yield* refer(repository, descriptor, deviations))
      assert.deepStrictEqual(byDigest(yield* Referrers.list(repository, descriptor.digest)), referrers)
      assert.deepStrictEqual(byDigest(yield* collect(Referrers.stream(repository, descriptor.digest))), referrers)
    })
  )

  it.effect("end-12b lists the referrers of one type", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const { descriptor } = yield* pushImage(repository, "layer", ["1"])
      const referrers = yield* refer(repository, descriptor, deviations)
      const wanted = { artifactType: "application/x-sbom" }
      assert.deepStrictEqual(yield* Referrers.list(repository, descriptor.digest, wanted), referrers.slice(0, 1))
      assert.deepStrictEqual(yield* Referrers.list(repository, descriptor.digest, { artifactType: "none" }), [])
    })
  )

  it.effect("end-12a lists nothing of a manifest that nothing refers to", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const { descriptor } = yield* pushImage(repository, "layer", ["1"])
      assert.deepStrictEqual(yield* Referrers.list(repository, descriptor.digest), [])
    })
  )

  it.effect("lists the repositories of a registry", () =>
    Effect.gen(function* () {
      const registry = yield* Subject
      const repositories = [yield* newRepository, yield* newRepository]
      yield* Effect.forEach(repositories, (repository) => pushImage(repository, "layer", ["1"]))
      const page = yield* Catalog.list(registry, { n: 1 })
      assert.strictEqual(page.repositories.length, 1)
      assert.strictEqual(page.hasNext, deviations.catalogPaging === undefined)
      const all = yield* collect(Catalog.stream(registry, deviations.catalogPaging === undefined ? { n: 5 } : {}))
      assert.includeMembers(
        [...all],
        repositories.map(({ name }) => name)
      )
    })
  )
}
