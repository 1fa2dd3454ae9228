import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as NodeBlobFiles from "@effect-oci/node/NodeBlobFiles"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as BlobFiles from "effect-oci/BlobFiles"

const batches = FastCheck.array(
  FastCheck.array(FastCheck.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 5 }),
  { maxLength: 6 }
)

const ways = [
  ["NodeBlobFiles", Layer.merge(NodeBlobFiles.layer, NodeFileSystem.layer)],
  ["the default", NodeFileSystem.layer]
] as const

for (const [name, layer] of ways) {
  describe(name, () => {
    it.effect.prop(
      "writes pieces in their order, after what is to stay of the file",
      [FastCheck.uint8Array({ maxLength: 50 }), FastCheck.nat(50), batches],
      ([before, keep, batches]) => {
        const kept = before.subarray(0, keep)
        return Effect.gen(function* () {
          const fs = yield* FileSystem.FileSystem
          const path = `${yield* fs.makeTempDirectoryScoped()}/file`
          yield* fs.writeFile(path, before)
          yield* Effect.scoped(
            Effect.gen(function* () {
              const { open } = yield* BlobFiles.BlobFiles
              const writer = yield* open(path, kept.length)
              for (const batch of batches) yield* writer.write(batch)
              yield* writer.flush
              const now = yield* fs.readFile(path)
              assert.strictEqual(Buffer.compare(now, Buffer.concat([kept, ...batches.flat()])), 0)
            })
          )
        }).pipe(Effect.scoped, Effect.provide(layer))
      },
      { fastCheck: { numRuns: 30 } }
    )

    it.scoped("has written all that it took when its scope is closed", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = `${yield* fs.makeTempDirectoryScoped()}/file`
        const piece = new Uint8Array(1024 * 1024).fill(7)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const writer = yield* (yield* BlobFiles.BlobFiles).open(path, 0)
            for (let n = 0; n < 8; n++) yield* writer.write([piece])
          })
        )
        const written = yield* fs.readFile(path)
        assert.strictEqual(written.length, 8 * piece.length)
        assert.isTrue(written.every((byte) => byte === 7))
      }).pipe(Effect.provide(layer))
    )

    it.scoped("says that a disk is full", () =>
      Effect.gen(function* () {
        const writer = yield* (yield* BlobFiles.BlobFiles).open("/dev/full", 0)
        const error = yield* Effect.flip(Effect.zipRight(writer.write([new Uint8Array(10)]), writer.flush))
        assert.strictEqual(error._tag, "SystemError")
        assert.include(error.message, "ENOSPC")
      }).pipe(Effect.provide(layer))
    )
  })
}
