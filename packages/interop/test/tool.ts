/**
 * What a tool of others and our client do with each other's content, on every server. The names of the tests are the tasks
 * of the matrix.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, layer, makeMethods } from "@effect/vitest"
import * as NodeRegistry from "@effect-oci/node/NodeRegistry"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Blobs from "effect-oci/Blobs"
import * as Manifest from "effect-oci/Manifest"
import * as Manifests from "effect-oci/Manifests"
import * as Reference from "effect-oci/Reference"
import * as Referrers from "effect-oci/Referrers"
import type { Repository } from "effect-oci/Repository"
import type { Client } from "../src/Client.js"
import * as Server from "../src/Server.js"
import { repository, temporary } from "./given.js"
import * as Images from "./images.js"

const kinds = [
  ["an image", Images.single()],
  ["an index", Images.multi],
  ["an artifact and its referrer", Images.artifact]
] as const

const Config = Schema.parseJson(Schema.Struct({ architecture: Schema.String, os: Schema.String }))

const digests = (repository: Repository, image: Images.Image) =>
  Effect.map(Referrers.list(repository, image.root.descriptor.digest), (list) => list.map(({ digest }) => digest))

export const toolSuite = (client: Client): void => {
  for (const server of Server.all) {
    describe(server.name, () => {
      layer(Layer.mergeAll(server.layer, NodeRegistry.layer).pipe(Layer.provideMerge(NodeContext.layer)), {
        excludeTestServices: true,
        timeout: "30 seconds"
      })(client.tool.name, (it) => {
        for (const [kind, make] of kinds) {
          it.scoped(`pushes ${kind}`, () =>
            Effect.gen(function* () {
              const [image, target] = [yield* make, yield* repository]
              for (const manifest of [image.root, ...image.referrers]) {
                const folder = yield* temporary
                yield* Images.writeLayout(folder, "1", image, manifest)
                yield* client.push(folder, `${target}:${manifest === image.root ? "1" : "referrer"}`)
              }
              assert.deepStrictEqual(yield* Images.pull(target, "1", image.referrers), image)
              // where neither the registry nor the tool lists them, nobody does
              const listed = server.deviations.referrersApi !== false || client.listsReferrers !== false
              assert.deepStrictEqual(
                yield* digests(target, image),
                listed ? image.referrers.map(({ descriptor }) => descriptor.digest) : []
              )
            })
          )

          it.scoped(`pulls ${kind}`, () =>
            Effect.gen(function* () {
              const [image, source, folder] = [yield* make, yield* repository, yield* temporary]
              yield* Images.push(source, "1", image)
              if (client.pullWithReferrers !== undefined && image.referrers.length > 0) {
                yield* client.pullWithReferrers(`${source}:1`, folder)
              } else {
                yield* client.pull(`${source}:1`, folder)
                yield* Effect.forEach(image.referrers, ({ descriptor }) =>
                  client.pull(`${source}@${descriptor.digest}`, folder)
                )
              }
              assert.deepStrictEqual(yield* Images.readLayout(folder, image), Images.bytesOf(image))
            })
          )
        }

        it.scoped("copies within the registry", () =>
          Effect.gen(function* () {
            const [image, source, target] = [yield* Images.multi, yield* repository, yield* repository]
            yield* Images.push(source, "1", image)
            yield* client.copy(`${source}:1`, `${target}:2`)
            assert.deepStrictEqual(yield* Images.pull(target, "2"), image)
          })
        )

        it.scoped("lists tags", () =>
          Effect.gen(function* () {
            const [image, source] = [yield* Images.single(), yield* repository]
            yield* Effect.forEach(["1.2", "1.3"], (tag) => Images.push(source, tag, image))
            assert.deepStrictEqual((yield* client.tags(`${source}`)).toSorted(), ["1.2", "1.3"])
          })
        )

        it.scoped("inspects an image", () =>
          Effect.gen(function* () {
            const [image, source] = [yield* Images.single("arm64"), yield* repository]
            yield* Images.push(source, "1", image)
            assert.strictEqual(yield* client.manifest(`${source}:1`), new TextDecoder().decode(image.root.bytes))
            const config = yield* Schema.decode(Config)(yield* client.config(`${source}:1`))
            assert.deepStrictEqual(config, { architecture: "arm64", os: "linux" })
          })
        )

        it.scoped("deletes a manifest", () =>
          Effect.gen(function* () {
            const [image, source] = [yield* Images.single(), yield* repository]
            yield* Images.push(source, "1", image)
            const { digest } = image.root.descriptor
            yield* client.delete(`${source}@${digest}`)
            assert.isFalse(yield* Manifests.exists(Reference.make(source, { digest })))
          })
        )

        const { attach, discover, repositories } = client

        if (repositories !== undefined) {
          it.scoped("lists repositories", () =>
            Effect.gen(function* () {
              const [image, sources] = [yield* Images.single(), [yield* repository, yield* repository]]
              yield* Effect.forEach(sources, (source) => Images.push(source, "1", image))
              assert.includeMembers(
                [...(yield* repositories(yield* Server.Host))],
                sources.map(({ name }) => name)
              )
            })
          )
        }

        if (attach !== undefined) {
          it.scoped("attaches a file", () =>
            Effect.gen(function* () {
              const fs = yield* FileSystem.FileSystem
              const [image, source, folder] = [yield* Images.single(), yield* repository, yield* temporary]
              yield* Images.push(source, "1", image)
              yield* fs.writeFileString(`${folder}/sbom.json`, "{}\n")
              yield* attach(`${source}:1`, "application/x-sbom", `${folder}/sbom.json`)
              const artifactType = "application/x-sbom"
              const [found] = yield* Referrers.list(source, image.root.descriptor.digest, { artifactType })
              assert(found !== undefined)
              const { manifest } = yield* Manifests.get(Reference.make(source, { digest: found.digest }))
              assert(Manifest.isImage(manifest) && manifest.layers[0] !== undefined)
              const subject = Option.getOrUndefined(Manifest.subject(manifest))
              assert.strictEqual(subject?.digest, image.root.descriptor.digest)
              assert.strictEqual(new TextDecoder().decode(yield* Blobs.get(source, manifest.layers[0])), "{}\n")
            })
          )
        }

        if (discover !== undefined) {
          it.scoped("discovers what is attached", () =>
            Effect.gen(function* () {
              const [image, source] = [yield* Images.artifact, yield* repository]
              yield* Images.push(source, "1", image)
              assert.deepStrictEqual(
                yield* discover(`${source}:1`),
                image.referrers.map(({ descriptor }) => descriptor.digest)
              )
            })
          )
        }

        // `layer` changes the `it` that all tests of this worker share; this changes it back
        makeMethods(it)
      })
    })
  }
}
