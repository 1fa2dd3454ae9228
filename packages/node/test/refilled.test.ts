import { createHash, randomFillSync } from "node:crypto"
import type { ServerResponse } from "node:http"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as NodeHttp from "@effect-oci/node/NodeHttp"
import * as NodeRegistry from "@effect-oci/node/NodeRegistry"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as BlobFiles from "effect-oci/BlobFiles"
import * as Blobs from "effect-oci/Blobs"
import * as Digest from "effect-oci/Digest"
import * as RegistryMiddleware from "effect-oci/RegistryMiddleware"
import * as ScopedTransport from "effect-oci/ScopedTransport"
import { repositoryAt, serve } from "./support.js"

const mebibyte = 1024 * 1024

const blobOf = (size: number) => {
  const content = randomFillSync(Buffer.alloc(size))
  const digest = Digest.make("sha256", createHash("sha256").update(content).digest())
  return { content, descriptor: { mediaType: "application/octet-stream", digest, size: content.length } }
}

const blobs = [1, 2, 3, 4].map((more) => blobOf(3 * mebibyte + more))
const small = [1, 2, 3, 4].map((more) => blobOf(mebibyte / 4 - more))
const large = blobOf(16 * mebibyte)

/** Sends bytes in writes of the given sizes, over and over. */
const send = async (response: ServerResponse, content: Buffer, sizes: ReadonlyArray<number>) => {
  for (let at = 0, turn = 0; at < content.length; turn++) {
    const end = at + (sizes[turn % sizes.length] ?? content.length)
    if (!response.write(content.subarray(at, end))) await new Promise((resolve) => response.once("drain", resolve))
    at = end
  }
  response.end()
}

const serving = (sizes: ReadonlyArray<number>, chunked: boolean) =>
  serve((request, response) => {
    const found = [...blobs, ...small, large].find(({ descriptor }) => request.url?.endsWith(descriptor.digest))
    if (found === undefined) return response.writeHead(404).end()
    response.writeHead(200, chunked ? {} : { "content-length": found.content.length })
    return send(response, found.content, sizes)
  })

const writes = FastCheck.array(
  FastCheck.oneof(
    FastCheck.integer({ min: 20, max: 2000 }),
    FastCheck.integer({ min: 20_000, max: 700_000 }),
    FastCheck.constant(256 * 1024)
  ),
  { minLength: 1, maxLength: 6 }
)

describe("memory that sockets fill again", () => {
  it.scoped.prop(
    "holds what it held until it is written, however it comes, while others read",
    [writes, FastCheck.boolean()],
    ([sizes, chunked]) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const folder = yield* fs.makeTempDirectoryScoped()
        const repository = yield* repositoryAt(yield* serving(sizes, chunked))
        const files = Effect.forEach(
          [...blobs, ...blobs],
          ({ descriptor }, number) => Blobs.toFile(repository, descriptor, `${folder}/${number}`),
          { concurrency: 3 }
        )
        const streams = Effect.forEach(blobs, ({ descriptor }) =>
          Stream.runCollect(Blobs.stream(repository, descriptor))
        )
        const [, kept] = yield* Effect.all([files, streams], { concurrency: 2 })
        for (const [number, { content }] of [...blobs, ...blobs].entries()) {
          assert.strictEqual(Buffer.compare(yield* fs.readFile(`${folder}/${number}`), content), 0)
        }
        for (const [number, { content }] of blobs.entries()) {
          assert.strictEqual(
            Buffer.compare(Buffer.concat(Chunk.toReadonlyArray(kept[number] ?? Chunk.empty())), content),
            0
          )
        }
      }).pipe(Effect.provide(NodeRegistry.layer)),
    { fastCheck: { numRuns: 5 } }
  )

  /** All chunks of a body, each of them written before the next one is asked for, and what it was when it came. */
  const written = (sizes: ReadonlyArray<number>, chunked: boolean, refilled: boolean) =>
    Effect.gen(function* () {
      const path = yield* (yield* FileSystem.FileSystem).makeTempFileScoped()
      const writer = yield* (yield* BlobFiles.BlobFiles).open(path, 0)
      const { host } = yield* serving(sizes, chunked)
      const request = HttpClientRequest.get(`http://${host}/v2/org/app/blobs/${large.descriptor.digest}`)
      const { stream } = yield* Effect.provideService(
        ScopedTransport.of(yield* HttpClient.HttpClient).execute(request),
        ScopedTransport.Refilled,
        refilled
      )
      const came: Array<{ readonly chunk: Uint8Array; readonly was: Uint8Array }> = []
      yield* Stream.runForEach(stream, (chunk) => {
        came.push({ chunk, was: Uint8Array.from(chunk) })
        return Effect.zipRight(writer.write([chunk]), writer.flush)
      })
      return came
    }).pipe(Effect.provide(Layer.merge(NodeRegistry.layer, NodeHttp.layer)))

  const changed = (came: Effect.Effect.Success<ReturnType<typeof written>>) =>
    came.filter(({ chunk, was }) => Buffer.compare(chunk, was) !== 0).length

  it.scoped("is that of chunks which have a piece for themselves", () =>
    Effect.gen(function* () {
      const came = yield* written([mebibyte], false, true)
      assert.isBelow(new Set(came.map(({ chunk }) => chunk.buffer)).size, came.length)
      assert.isAbove(changed(came), 0)
    })
  )

  it.scoped("is that of a chunk which came behind the headers of its answer", () =>
    Effect.gen(function* () {
      const [first] = yield* written([mebibyte], false, true)
      assert.isAbove(first?.chunk.byteOffset ?? 0, 0)
      assert.strictEqual(changed(first === undefined ? [] : [first]), 1)
    })
  )

  it.scoped("is not that of a body which is read whole", () =>
    Effect.gen(function* () {
      const repository = yield* repositoryAt(yield* serving([mebibyte], false))
      const wholes = Effect.forEach(small, ({ descriptor }) => Blobs.get(repository, descriptor), { concurrency: 2 })
      const kept = yield* wholes
      yield* wholes
      for (const [number, { content }] of small.entries()) {
        assert.strictEqual(Buffer.compare(kept[number] ?? Buffer.alloc(0), content), 0)
      }
    }).pipe(Effect.provide(NodeRegistry.layer))
  )

  it.scoped("is not that of chunks which share one", () =>
    Effect.gen(function* () {
      assert.strictEqual(changed(yield* written([5000, 100], true, true)), 0)
    })
  )

  it.scoped("is that of nobody who has not asked for it", () =>
    Effect.gen(function* () {
      assert.strictEqual(changed(yield* written([mebibyte], false, false)), 0)
    })
  )

  it.scoped("is not that of what a middleware has seen", () => {
    const kept: Array<{ readonly chunk: Uint8Array; readonly was: Uint8Array }> = []
    const keeping = RegistryMiddleware.layer((_, next) =>
      HttpClient.transformResponse(
        next,
        Effect.map((response) => {
          const stream = Stream.tap(response.stream, (chunk) =>
            Effect.sync(() => kept.push({ chunk, was: Uint8Array.from(chunk) }))
          )
          return Object.create(response, { stream: { value: stream } })
        })
      )
    )
    return Effect.gen(function* () {
      const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
      const repository = yield* repositoryAt(yield* serving([mebibyte], false))
      yield* Blobs.toFile(repository, large.descriptor, `${folder}/large`)
      assert.isAbove(kept.length, 0)
      assert.strictEqual(changed(kept), 0)
    }).pipe(Effect.provide(Layer.provideMerge(NodeRegistry.layer, keeping)))
  })
})
