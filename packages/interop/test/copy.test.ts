/** Copies between real registries, of whatever kinds, read back by our client and by crane. */
import * as Command from "@effect/platform/Command"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import * as NodeRegistry from "@effect-oci/node/NodeRegistry"
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Copy from "effect-oci/Copy"
import * as Referrers from "effect-oci/Referrers"
import * as RegistryStore from "effect-oci/RegistryStore"
import * as Repository from "effect-oci/Repository"
import * as Server from "../src/Server.js"
import * as Tool from "../src/Tool.js"
import * as Images from "./images.js"

const repositoryOn = (server: Server.Server) =>
  Effect.flatMap(Layer.build(server.layer), (built) =>
    Repository.parse(`${Context.get(built, Server.Host)}/test/${crypto.randomUUID()}`)
  )

const copied = (from: Repository.Repository, to: Repository.Repository, options: Partial<Copy.Options> = {}) =>
  Effect.map(
    Stream.runCollect(Copy.copy(RegistryStore.make(from), RegistryStore.make(to), { root: "1", ...options })),
    (events) => Chunk.toReadonlyArray(events).filter(({ _tag }) => _tag !== "Found" && _tag !== "Bytes")
  )

const validated = (repository: Repository.Repository) =>
  Effect.gen(function* () {
    const crane = yield* Tool.program(Tool.crane)
    const reference = `${repository.registry}/${repository.name}:1`.replace(/^http:\/\//, "")
    const said = yield* Command.string(Command.make(crane, "validate", "--fast", "--remote", reference))
    assert.match(said, /^PASS/)
  })

describe("Copy.copy between registries", () => {
  for (const source of Server.all) {
    for (const target of Server.all) {
      it.scopedLive(`from ${source.name} to ${target.name}`, () =>
        Effect.gen(function* () {
          const [from, to] = [yield* repositoryOn(source), yield* repositoryOn(target)]
          const [image, artifact] = [yield* Images.multi, yield* Images.artifact]
          yield* Images.push(from, "1", image)
          const sent = image.blobs.length + image.children.length + 1
          assert.strictEqual((yield* copied(from, to)).filter(({ _tag }) => _tag === "Done").length, sent)
          assert.deepStrictEqual(Images.bytesOf(yield* Images.pull(to, "1")), Images.bytesOf(image))
          yield* validated(to)
          assert.deepStrictEqual(
            (yield* copied(from, to, { deep: true })).map(({ _tag }) => _tag),
            Array.from({ length: sent }, () => "Skipped")
          )

          yield* Images.push(from, "2", artifact)
          yield* copied(from, to, { root: "2", referrers: true })
          const { descriptor } = artifact.root
          const listed = yield* Referrers.list(to, descriptor.digest)
          assert.deepStrictEqual(
            listed.map(({ digest }) => digest),
            artifact.referrers.map((referrer) => referrer.descriptor.digest)
          )
          const back = yield* Images.pull(to, "2", artifact.referrers)
          assert.deepStrictEqual(Images.bytesOf(back), Images.bytesOf(artifact))
        }).pipe(Effect.provide([NodeRegistry.layer, NodeContext.layer]))
      )
    }
  }

  for (const server of Server.all) {
    it.scopedLive(`mounts within ${server.name}, where that can be done`, () =>
      Effect.gen(function* () {
        const from = yield* repositoryOn(server)
        const to = yield* Repository.parse(`${from.registry}/test/${crypto.randomUUID()}`)
        const image = yield* Images.single()
        yield* Images.push(from, "1", image)
        const ends = (yield* copied(from, to)).map(({ _tag }) => _tag).sort()
        const mounts = server.deviations.mount !== false
        assert.deepStrictEqual(ends, ["Done", ...image.blobs.map(() => (mounts ? "Mounted" : "Done"))])
        assert.deepStrictEqual(Images.bytesOf(yield* Images.pull(to, "1")), Images.bytesOf(image))
      }).pipe(Effect.provide([NodeRegistry.layer, NodeContext.layer]))
    )
  }
})
