/** What is attached by us is found by other tools, and the other way, where clients keep the list; also at the same time. */
import * as FileSystem from "@effect/platform/FileSystem"
import { assert } from "@effect/vitest"
import * as NodeRegistry from "@effect-oci/node/NodeRegistry"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Descriptor from "effect-oci/Descriptor"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import * as Reference from "effect-oci/Reference"
import * as Referrers from "effect-oci/Referrers"
import type { Repository } from "effect-oci/Repository"
import * as Tags from "effect-oci/Tags"
import * as Uploads from "effect-oci/Uploads"
import { oras } from "../src/client/oras.js"
import { regctl } from "../src/client/regctl.js"
import * as Server from "../src/Server.js"
import { repository, temporary } from "./given.js"
import * as Images from "./images.js"
import { setUp } from "./setup.js"

const attach = (target: Repository, subject: Descriptor.Descriptor, name: string) =>
  Referrers.attach(target, subject, {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    artifactType: "application/x-sbom",
    config: Descriptor.empty,
    layers: [Descriptor.empty],
    annotations: { "org.example.name": name }
  })

/** An image, and what it takes to attach to it. */
const given = Effect.gen(function* () {
  const [image, target] = [yield* Images.single(), yield* repository]
  yield* Images.push(target, "1", image)
  yield* Uploads.post(target, Descriptor.empty, Descriptor.emptyBytes)
  return { target, subject: image.root.descriptor }
})

const digests = (list: ReadonlyArray<Descriptor.Descriptor>): ReadonlyArray<string> =>
  list.map(({ digest }) => digest).toSorted()

for (const server of [Server.distribution, Server.dockerRegistry]) {
  setUp(`referrers under a tag, ${server.name}`, Layer.merge(server.layer, NodeRegistry.layer), (it) => {
    for (const tool of [oras, regctl]) {
      const { attach: attachFile, discover } = tool
      if (attachFile === undefined || discover === undefined) continue

      it.scoped(`${tool.tool.name} finds what is attached, and what it attaches is found`, () =>
        Effect.gen(function* () {
          const fs = yield* FileSystem.FileSystem
          const [{ subject, target }, folder] = [yield* given, yield* temporary]
          const ours = yield* attach(target, subject, "1")
          yield* fs.writeFileString(`${folder}/sbom.json`, "{}\n")
          yield* attachFile(`${target}:1`, "application/x-file", `${folder}/sbom.json`)
          yield* attach(target, subject, "2")
          const listed = yield* Referrers.list(target, subject.digest)
          assert.strictEqual(listed.length, 3)
          assert.deepStrictEqual(listed[0], ours.descriptor)
          assert.deepStrictEqual((yield* discover(`${target}:1`)).toSorted(), digests(listed))
        })
      )

      it.scoped(`what is deleted is listed no more, for ${tool.tool.name} too`, () =>
        Effect.gen(function* () {
          const { subject, target } = yield* given
          const [a, b] = [yield* attach(target, subject, "a"), yield* attach(target, subject, "b")]
          yield* Manifests.delete(target, a.descriptor.digest)
          assert.deepStrictEqual(yield* discover(`${target}:1`), [b.descriptor.digest])
          yield* Manifests.delete(target, b.descriptor.digest)
          assert.deepStrictEqual(yield* discover(`${target}:1`), [])
          assert.deepStrictEqual((yield* Tags.list(target)).tags, ["1"])
        })
      )
    }

    it.scoped("twenty at a time in one process are all listed", () =>
      Effect.gen(function* () {
        const { subject, target } = yield* given
        const names = Array.from({ length: 20 }, (_, at) => String(at))
        const attached = yield* Effect.forEach(names, (name) => attach(target, subject, name), {
          concurrency: "unbounded"
        })
        assert.deepStrictEqual(
          digests(yield* Referrers.list(target, subject.digest)),
          digests(attached.map(({ descriptor }) => descriptor))
        )
      })
    )

    it.scoped("in a race with oras, what it overwrites is attached again, and nothing of the rest is lost", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const [{ subject, target }, folder] = [yield* given, yield* temporary]
        const { attach: attachFile } = oras
        assert(attachFile !== undefined)
        yield* fs.writeFileString(`${folder}/sbom.json`, "{}\n")
        const names = Array.from({ length: 10 }, (_, at) => String(at))
        const [attached] = yield* Effect.all(
          [
            Effect.forEach(names, (name) => attach(target, subject, name)),
            Effect.forEach([1, 2, 3], () => attachFile(`${target}:1`, "application/x-file", `${folder}/sbom.json`))
          ],
          { concurrency: "unbounded" }
        )
        const ours = digests(attached.map(({ descriptor }) => descriptor))
        const raced = digests(yield* Referrers.list(target, subject.digest))
        yield* Effect.logDebug(`of 10 and 3 by oras ${raced.length} are listed after the race`)
        // neither oras nor this registry knows conditions
        yield* Effect.forEach(names, (name) => attach(target, subject, name))
        const listed = digests(yield* Referrers.list(target, subject.digest))
        assert.includeMembers([...listed], [...ours, ...raced])
      })
    )
  })
}

setUp(
  "a tag is deleted by a dummy, docker-registry",
  Layer.merge(Server.dockerRegistry.layer, NodeRegistry.layer),
  (it) => {
    it.scoped("the tag goes, and its manifest and other tags stay", () =>
      Effect.gen(function* () {
        const { subject, target } = yield* given
        yield* Manifests.put(
          Reference.make(target, { tag: "2" }),
          yield* Manifests.get(Reference.make(target, { tag: "1" }))
        )
        assert.strictEqual((yield* Effect.flip(Tags.delete(target, "1")))._tag, "Unsupported")
        yield* Tags.delete(target, "1", { fallback: "dummy" })
        assert.isFalse(yield* Manifests.exists(Reference.make(target, { tag: "1" })))
        assert.strictEqual((yield* Manifests.head(Reference.make(target, { tag: "2" }))).digest, subject.digest)
      })
    )
  }
)
