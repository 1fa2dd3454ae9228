import { FileSystem } from "@effect/platform"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Script } from "@effect-oci/registry"
import { Console, Effect, Either, Fiber, Layer, MutableRef, Schedule, Stream, TestClock } from "effect"
import { Blobs, type Descriptor, Digest, Reference } from "effect-oci"

const { repository } = Either.getOrThrow(Reference.parse("registry.test/org/app"))
const content = "0123456789"
const digest = Either.getOrThrow(
  Digest.parse("sha256:84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882")
)
const descriptor: Descriptor.Descriptor = {
  mediaType: "application/octet-stream",
  digest,
  size: content.length,
  urls: ["https://mcr.test/1"]
}
const asked = Script.expect("GET", `/v2/org/app/blobs/${digest}`)
const whole = asked.answer(200, { body: content })
const playing = (...steps: ReadonlyArray<Script.Step>) => Layer.merge(Script.layerTest(...steps), NodeFileSystem.layer)

const temporary = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())
const read = (path: string) => Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFileString(path))

describe("downloads", () => {
  it.scoped("come into files", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      // #region file
      const layer = Blobs.toFile(repository, descriptor, `${folder}/base.tar.gz`)
      // #endregion
      yield* layer
      assert.strictEqual(yield* read(`${folder}/base.tar.gz`), content)
    }).pipe(Effect.provide(playing(whole)))
  )

  it.scoped("come in several ranges", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      // #region ranges
      const model = Blobs.toFile(repository, descriptor, `${folder}/model.bin`, { ranges: 4 })
      // #endregion
      yield* model
      assert.strictEqual(yield* read(`${folder}/model.bin`), content)
    }).pipe(Effect.provide(playing(whole)))
  )

  it.scoped("are counted", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const lines: Array<string> = []
      const console = { ...(yield* Console.consoleWith(Effect.succeed)) }
      // #region progress
      const progress = MutableRef.make(0)
      const download = Blobs.toFile(repository, descriptor, `${folder}/layer.tar`, { progress })
      const shown = Effect.suspend(() => Console.log(`${MutableRef.get(progress)} of ${descriptor.size} bytes`))
      const watched = Effect.zipRight(Effect.forkScoped(Effect.repeat(shown, Schedule.spaced("1 second"))), download)
      // #endregion
      const fiber = yield* Effect.fork(
        Effect.withConsole(Effect.zipRight(watched, shown), {
          ...console,
          log: (line) => Effect.sync(() => void lines.push(String(line)))
        })
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.strictEqual(lines.at(-1), "10 of 10 bytes")
    }).pipe(Effect.provide(playing(whole)))
  )

  it.effect("of layers that are elsewhere are asked for", () =>
    Effect.gen(function* () {
      // #region foreign
      const base = Blobs.stream(repository, descriptor, { foreign: true })
      // #endregion
      assert.strictEqual(yield* Stream.mkString(Stream.decodeText(base)), content)
    }).pipe(
      Effect.provide(
        playing(asked.answer(404), Script.on("https://mcr.test").expect("GET", "/1").answer(200, { body: content }))
      )
    )
  )
})
