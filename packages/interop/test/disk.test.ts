/**
 * `pnpm registry --dir` in a process of its own: killed again and again while clients push, and with a blob that would not fit
 * into its memory.
 */
import { createHash, randomBytes } from "node:crypto"
import { fileURLToPath } from "node:url"
import * as Command from "@effect/platform/Command"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import * as NodeRegistry from "@effect-oci/node/NodeRegistry"
import * as Console from "effect/Console"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { PCGRandom } from "effect/Utils"
import * as Blobs from "effect-oci/Blobs"
import * as Catalog from "effect-oci/Catalog"
import * as Descriptor from "effect-oci/Descriptor"
import * as Digest from "effect-oci/Digest"
import * as Manifest from "effect-oci/Manifest"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import * as Reference from "effect-oci/Reference"
import * as RegistryName from "effect-oci/RegistryName"
import * as RegistryRetry from "effect-oci/RegistryRetry"
import * as Repository from "effect-oci/Repository"
import * as Tags from "effect-oci/Tags"
import * as Uploads from "effect-oci/Uploads"
import * as Given from "./given.js"

/** Starts the command on a folder, until the scope ends or it is killed. */
const started = (folder: string) =>
  Effect.gen(function* () {
    const main = fileURLToPath(new URL("../../registry/src/node/main.ts", import.meta.url))
    const command = Command.make(process.execPath, "--import", "tsx", main, "--port", "0", "--dir", folder)
    const registry = yield* Command.start(command)
    const listening = yield* Deferred.make<string>()
    yield* registry.stdout.pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.runForEach((line) => {
        const host = /oras push --plain-http (127\.0\.0\.1:\d+)/.exec(line)?.[1]
        return host === undefined ? Effect.void : Deferred.succeed(listening, host)
      }),
      Effect.forkScoped
    )
    return { host: yield* Deferred.await(listening), pid: registry.pid, kill: registry.kill("SIGKILL") }
  })

const client = Layer.merge(NodeRegistry.layer, RegistryRetry.layerNone)

/** Pushes images of a random layer, one after the other, each under a tag of its own and under one that moves. */
const pushing = (host: string, name: string, random: PCGRandom, pushed: Array<string>) =>
  Effect.gen(function* () {
    const repository = yield* Repository.parse(`${host}/${name}`)
    while (true) {
      const layer = randomBytes(random.integer(300_000) + 1)
      const blobs = yield* Effect.forEach([new TextEncoder().encode("{}"), layer], (bytes) =>
        Effect.tap(Descriptor.fromBytes(bytes, { mediaType: MediaType.ociLayer }), (descriptor) =>
          random.integer(2) === 0
            ? Uploads.post(repository, descriptor, bytes)
            : Uploads.start(repository).pipe(
                Effect.flatMap((session) => Uploads.patch(session, bytes.subarray(0, bytes.length / 2))),
                Effect.flatMap((session) =>
                  Uploads.finish(session, descriptor.digest, bytes.subarray(bytes.length / 2))
                )
              )
        )
      )
      const [config, content] = blobs
      assert(config !== undefined && content !== undefined)
      const image = yield* Manifest.content({
        schemaVersion: 2,
        mediaType: MediaType.ociManifest,
        config: { ...config, mediaType: MediaType.ociConfig },
        layers: [content]
      })
      const tag = crypto.randomUUID()
      yield* Manifests.put(Reference.make(repository, { tag }), image)
      pushed.push(`${name}:${tag}`)
      yield* Manifests.put(Reference.make(repository, { tag: "latest" }), image)
    }
  })

/** Everything that is there is whole: what it fails with names what is not. */
const whole = (host: string, pushed: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const found = new Set<string>()
    for (const name of (yield* Catalog.list(yield* RegistryName.parse(host))).repositories) {
      const repository = yield* Repository.parse(`${host}/${name}`)
      for (const tag of (yield* Tags.list(repository)).tags) {
        const { manifest } = yield* Manifests.get(Reference.make(repository, { tag }))
        assert(Manifest.isImage(manifest))
        for (const { digest } of [manifest.config, ...manifest.layers]) yield* Blobs.get(repository, digest)
        found.add(`${name}:${tag}`)
      }
    }
    for (const one of pushed) assert.isTrue(found.has(one), `${one} was pushed and is gone`)
  })

const rounds = Number(process.env.CRASH_ROUNDS ?? 8)

const memory = (pid: number) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const status = yield* fs.readFileString(`/proc/${pid}/status`)
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024
  })

const mebibytes = Number(process.env.LARGE_MIB ?? 1024)

describe("pnpm registry --dir", () => {
  it.scopedLive(
    "has all that was pushed, and nothing torn, however often it is killed while clients push",
    () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const folder = `${yield* Given.temporary}/registry`
        const random = new PCGRandom(20260901)
        const pushed: Array<string> = []
        for (let round = 0; round < rounds; round++) {
          yield* Effect.scoped(
            Effect.gen(function* () {
              const { host, kill } = yield* started(folder)
              assert.deepStrictEqual(yield* fs.readDirectory(`${folder}/temp`), [])
              yield* whole(host, pushed)
              const clients = ["org/a", "org/b", "org/a"].map((name) => pushing(host, name, random, pushed))
              yield* Effect.all(clients, { concurrency: "unbounded", discard: true }).pipe(
                Effect.ignore,
                Effect.race(Effect.zipRight(Effect.sleep(random.integer(800)), kill))
              )
            })
          )
        }
        const { host } = yield* started(folder)
        yield* whole(host, pushed)
        yield* Console.log(`killed ${rounds} times, ${pushed.length} images pushed and there`)
        assert.isAbove(pushed.length, rounds / 2)
      }).pipe(Effect.provide([client, NodeContext.layer])),
    600_000
  )

  it.scopedLive(
    `takes and gives a blob of ${mebibytes} MiB in flat memory`,
    () =>
      Effect.gen(function* () {
        const { host, pid } = yield* started(`${yield* Given.temporary}/registry`)
        const repository = yield* Repository.parse(`${host}/org/large`)
        const piece = new Uint8Array(randomBytes(1024 * 1024))
        const trip = (pieces: number) =>
          Effect.gen(function* () {
            const hash = createHash("sha256")
            for (let at = 0; at < pieces; at++) hash.update(piece)
            const digest = Digest.make("sha256", new Uint8Array(hash.digest()))
            const size = pieces * piece.length
            const stream = Stream.repeatValue(piece).pipe(Stream.take(pieces), Stream.rechunk(1))
            const begun = performance.now()
            yield* Uploads.finish(yield* Uploads.start(repository), digest, { size, stream })
            const taken = performance.now()
            yield* Stream.runDrain(Blobs.stream(repository, { mediaType: "application/octet-stream", digest, size }))
            const rate = (from: number, to: number) => `${(size / 1000 / (to - from)).toFixed(0)} MB/s`
            return `in ${rate(begun, taken)}, out ${rate(taken, performance.now())}`
          })
        yield* trip(128)
        const before = yield* memory(Number(pid))
        const rates = yield* trip(mebibytes)
        const after = yield* memory(Number(pid))
        yield* Console.log(
          `${mebibytes} MiB ${rates}; at most ${after.toFixed(0)} MiB of memory, ${before.toFixed(0)} before`
        )
        assert.isBelow(after - before, 64)
      }).pipe(Effect.provide([client, NodeContext.layer])),
    600_000
  )
})
