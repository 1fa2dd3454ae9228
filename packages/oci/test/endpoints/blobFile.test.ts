import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as MutableRef from "effect/MutableRef"
import * as Stream from "effect/Stream"
import * as BlobFiles from "effect-oci/BlobFiles"
import * as Blobs from "effect-oci/Blobs"
import * as Descriptor from "effect-oci/Descriptor"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import { stalled } from "../client/support.js"
import { play, type Step } from "../scripted.js"
import { answer, blob, broken, content, describeBytes, failing, repository, v2 } from "./given.js"

const { digest } = blob
const line = `GET ${v2}/blobs/${digest}`
const whole: Step = [line, () => answer(200, { "content-length": "10" }, content)]
const rest = (from: number, body = content.slice(from)): Step => [
  line,
  answer(206, { "content-range": `bytes ${from}-9/10` }, body)
]

/** An empty folder with a path in it, where the blob is to be and where it lies until it is whole. */
const place = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* fs.makeTempDirectoryScoped()
  const path = `${folder}/layer.tar`
  return { fs, folder, path, partial: `${path}.${digest.slice("sha256:".length, 23)}.partial` }
})

const mebibyte = 1024 * 1024
const large = new Uint8Array(21 * mebibyte + 5).map((_, at) => at % 251)
const largeBlob = describeBytes(large, "application/octet-stream")
const largeLine = `GET ${v2}/blobs/${largeBlob.digest}`
const partOf =
  (knows = true) =>
  ({ headers }: { readonly headers: { readonly [name: string]: string | undefined } }): Response => {
    const [, start = "0", end = ""] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "") ?? []
    if (!knows || headers.range === undefined) {
      return answer(200, { "content-length": String(large.length) }, large)
    }
    const last = end === "" ? large.length - 1 : Number(end)
    const contentRange = `bytes ${start}-${last}/${large.length}`
    return answer(206, { "content-range": contentRange }, large.subarray(Number(start), last + 1))
  }

const largePartial = (path: string) => `${path}.${largeBlob.digest.slice("sha256:".length, 23)}.partial`

describe("Blobs.toFile", () => {
  it.scoped("end-2 brings a verified blob into a file, and leaves nothing beside it", () =>
    play([whole], () =>
      Effect.gen(function* () {
        const { folder, fs, path } = yield* place
        const progress = MutableRef.make(0)
        assert.deepStrictEqual(yield* Blobs.toFile(repository, blob, path, { progress }), blob)
        assert.strictEqual(yield* fs.readFileString(path), content)
        assert.deepStrictEqual(yield* fs.readDirectory(folder), ["layer.tar"])
        assert.strictEqual(MutableRef.get(progress), 10)
      })
    ).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scoped("end-2 tells the size of a blob that was asked for by its digest, and replaces what is there", () =>
    play([whole], () =>
      Effect.gen(function* () {
        const { fs, path } = yield* place
        yield* fs.writeFileString(path, "something longer than that")
        const found = yield* Blobs.toFile(repository, digest, path)
        assert.deepStrictEqual(found, { mediaType: "application/octet-stream", digest, size: 10 })
        assert.strictEqual(yield* fs.readFileString(path), content)
      })
    ).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scoped("P30 writes what a descriptor holds without a request", () =>
    play([], () =>
      Effect.gen(function* () {
        const { fs, path } = yield* place
        yield* Blobs.toFile(repository, Descriptor.empty, path)
        assert.strictEqual(yield* fs.readFileString(path), "{}")
      })
    ).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scoped("P29 writes the empty blob", () => {
    const empty = describeBytes("", "application/octet-stream")
    return play([[`GET ${v2}/blobs/${empty.digest}`, answer(200, { "content-length": "0" })]], () =>
      Effect.gen(function* () {
        const { fs, path } = yield* place
        yield* Blobs.toFile(repository, empty, path)
        assert.strictEqual(yield* fs.readFileString(path), "")
      })
    ).pipe(Effect.provide(NodeFileSystem.layer))
  })

  const wrong: ReadonlyArray<readonly [tag: "DigestMismatch" | "SizeMismatch", body: string]> = [
    ["DigestMismatch", "012345678x"],
    ["SizeMismatch", "0123456789x"]
  ]
  for (const [tag, body] of wrong) {
    it.scoped(`S38 P28 after a ${tag} nothing is left, and what was there before stays`, () =>
      play([[line, answer(200, {}, body)]], () =>
        Effect.gen(function* () {
          const { folder, fs, path } = yield* place
          yield* fs.writeFileString(path, "before")
          yield* failing(tag, Blobs.toFile(repository, blob, path))
          assert.deepStrictEqual(yield* fs.readDirectory(folder), ["layer.tar"])
          assert.strictEqual(yield* fs.readFileString(path), "before")
        })
      ).pipe(Effect.provide(NodeFileSystem.layer))
    )
  }

  it.scoped(
    "P17 S38 what has come stays beside it when the registry gives up, and the next call goes on from there",
    () =>
      play([[line, broken(200, { "content-length": "10" }, "01234")], [line, answer(503)], rest(5)], (sent) =>
        Effect.gen(function* () {
          const { folder, fs, partial, path } = yield* place
          yield* failing("RegistryUnavailable", Blobs.toFile(repository, digest, path))
          assert.deepStrictEqual(
            (yield* fs.readDirectory(folder)).map((name) => `${folder}/${name}`),
            [partial]
          )
          assert.strictEqual(yield* fs.readFileString(partial), "01234")
          yield* Blobs.toFile(repository, digest, path)
          assert.strictEqual(sent[2]?.headers.range, "bytes=5-")
          assert.strictEqual(yield* fs.readFileString(path), content)
          assert.deepStrictEqual(yield* fs.readDirectory(folder), ["layer.tar"])
        })
      ).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scoped("P27 an interrupted call leaves what has come for the next one", () => {
    const asked = Deferred.unsafeMake<void>(FiberId.none)
    const stalling = () => new Response(stalled("01234", () => Deferred.unsafeDone(asked, Effect.void)))
    return play([[line, stalling], rest(5)], (sent) =>
      Effect.gen(function* () {
        const { fs, partial, path } = yield* place
        const fiber = yield* Effect.fork(Blobs.toFile(repository, digest, path))
        yield* Deferred.await(asked)
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(sent[0]?.answer, "given up")
        assert.isFalse(yield* fs.exists(path))
        assert.strictEqual(yield* fs.readFileString(partial), "01234")
        yield* Blobs.toFile(repository, digest, path)
        assert.strictEqual(yield* fs.readFileString(path), content)
      })
    ).pipe(Effect.provide(NodeFileSystem.layer))
  })

  it.scoped("what is there is hashed again: when it was not the beginning, all is fetched anew, once", () =>
    play([rest(5), whole], (sent) =>
      Effect.gen(function* () {
        const { fs, partial, path } = yield* place
        yield* fs.writeFileString(partial, "\0\0\0\0\0")
        yield* Blobs.toFile(repository, digest, path)
        assert.strictEqual(yield* fs.readFileString(path), content)
        assert.deepStrictEqual(
          sent.map(({ headers }) => headers.range),
          ["bytes=5-", undefined]
        )
      })
    ).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scoped("what is whole already is asked for no more", () =>
    play([], () =>
      Effect.gen(function* () {
        const { fs, path } = yield* place
        const partial = largePartial(path)
        yield* fs.writeFile(partial, large)
        yield* Blobs.toFile(repository, largeBlob, path)
        assert.strictEqual(Buffer.compare(yield* fs.readFile(path), large), 0)
        assert.isFalse(yield* fs.exists(partial))
      })
    ).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scoped("what is longer than the blob cannot be its beginning", () =>
    play([[largeLine, partOf()]], () =>
      Effect.gen(function* () {
        const { fs, path } = yield* place
        yield* fs.writeFile(largePartial(path), Buffer.concat([large, new Uint8Array(1)]))
        yield* Blobs.toFile(repository, largeBlob, path)
        assert.strictEqual(Buffer.compare(yield* fs.readFile(path), large), 0)
      })
    ).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scoped("S48 a mirror's wrong bytes give way to the source's", () =>
    play(
      [
        [`GET https://one.test/v2/org/app/blobs/${digest}`, answer(200, { "content-length": "10" }, "abcdefghij")],
        whole
      ],
      () =>
        Effect.gen(function* () {
          const { fs, path } = yield* place
          yield* Blobs.toFile(repository, blob, path)
          assert.strictEqual(yield* fs.readFileString(path), content)
        }).pipe(Effect.provide(RegistryHosts.fromRecord({ "registry.test": { mirrors: [{ location: "one.test" }] } })))
    ).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scoped("a folder that is not there is the file system's failure, before anything is asked for", () =>
    play([], () =>
      Effect.gen(function* () {
        const { folder } = yield* place
        const error = yield* failing("SystemError", Blobs.toFile(repository, digest, `${folder}/none/layer.tar`))
        assert.strictEqual(error.reason, "NotFound")
      })
    ).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scoped("calls for one path wait for each other", () => {
    let writing = 0
    const files: BlobFiles.Service = {
      read: () => Stream.empty,
      open: () =>
        Effect.as(
          Effect.acquireRelease(
            Effect.sync(() => assert.strictEqual(++writing, 1)),
            () => Effect.sync(() => writing--)
          ),
          { write: () => Effect.yieldNow(), flush: Effect.yieldNow() }
        )
    }
    return play([whole, whole, whole], () =>
      Effect.gen(function* () {
        const { fs, path, partial } = yield* place
        const one = Effect.zipRight(fs.writeFile(partial, new Uint8Array()), Blobs.toFile(repository, digest, path))
        yield* Effect.all([one, one, one], { concurrency: 3, mode: "either" })
      })
    ).pipe(Effect.provide(NodeFileSystem.layer), Effect.provideService(BlobFiles.BlobFiles, files))
  })
})

describe("Blobs.toFile in several ranges", () => {
  it.scoped("P18 puts the pieces together in their order", () =>
    play(
      Array.from({ length: 6 }, (): Step => [largeLine, partOf()]),
      (sent) =>
        Effect.gen(function* () {
          const { fs, path } = yield* place
          const progress = MutableRef.make(0)
          yield* Blobs.toFile(repository, largeBlob, path, { ranges: 3, progress })
          assert.deepStrictEqual(Buffer.compare(yield* fs.readFile(path), large), 0)
          assert.strictEqual(MutableRef.get(progress), large.length)
          assert.strictEqual(sent[0]?.headers.range, `bytes=0-${4 * mebibyte - 1}`)
          assert.strictEqual(sent[5]?.headers.range, `bytes=${20 * mebibyte}-${large.length - 1}`)
        })
    ).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scoped("P19 reads on in one where the registry does not know ranges", () =>
    play(
      [
        [largeLine, partOf(false)],
        [largeLine, partOf(false)]
      ],
      () =>
        Effect.gen(function* () {
          const { fs, path } = yield* place
          yield* Blobs.toFile(repository, largeBlob, path, { ranges: 3 })
          assert.deepStrictEqual(Buffer.compare(yield* fs.readFile(path), large), 0)
        })
    ).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scoped("P17 goes on from what is there", () =>
    play(
      Array.from({ length: 2 }, (): Step => [largeLine, partOf()]),
      (sent) =>
        Effect.gen(function* () {
          const { fs, path } = yield* place
          yield* fs.writeFile(largePartial(path), large.subarray(0, 16 * mebibyte))
          yield* Blobs.toFile(repository, largeBlob, path, { ranges: 3 })
          assert.deepStrictEqual(Buffer.compare(yield* fs.readFile(path), large), 0)
          assert.strictEqual(sent[0]?.headers.range, `bytes=${16 * mebibyte}-${20 * mebibyte - 1}`)
        })
    ).pipe(Effect.provide(NodeFileSystem.layer))
  )
})
