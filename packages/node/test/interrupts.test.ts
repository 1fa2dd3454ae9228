/** Transfers interrupted at any moment, over sockets, to and from a registry on disk: nothing of them stays behind. */
import * as http from "node:http"
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as NodeHasher from "@effect-oci/node/NodeHasher"
import * as NodeRegistry from "@effect-oci/node/NodeRegistry"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as RegistryStorage from "@effect-oci/registry/RegistryStorage"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { PCGRandom } from "effect/Utils"
import * as BlobSource from "effect-oci/BlobSource"
import * as Blobs from "effect-oci/Blobs"
import type * as Descriptor from "effect-oci/Descriptor"
import * as Hasher from "effect-oci/Hasher"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as Repository from "effect-oci/Repository"

const moments = 50

/** In milliseconds, of a machine that has other things to do. */
const timeout = 120_000

/** A blob of so many pieces is too large to be read into memory first; in chunks it is sent where its digest is unknown. */
const piece = 65_536
const count = 17
const size = count * piece
const chunk = 4 * piece

/** A registry on disk, and what its server sees. */
const served = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  // in memory, where there is such a place: the registry flushes all that it writes
  const directory = (yield* fs.exists("/dev/shm")) ? { directory: "/dev/shm" } : undefined
  const folder = yield* fs.realPath(yield* fs.makeTempDirectoryScoped(directory))
  const sockets = new Set<http.IncomingMessage["socket"]>()
  const seen = { requests: 0, busy: 0, closed: 0 }
  const server = http.createServer()
  server.on("connection", (socket) => {
    sockets.add(socket)
    socket.on("close", () => {
      sockets.delete(socket)
      seen.closed += socket.bytesRead + socket.bytesWritten
    })
  })
  server.on("request", (_, response) => {
    seen.requests++
    seen.busy++
    response.on("close", () => seen.busy--)
    // NodeHttpServer waits for the end of an answer for ever when the client has left: a fiber that is no transfer's
    response.on("newListener", (event: string, ended: () => void) => {
      if (event !== "finish") return
      if (response.destroyed) queueMicrotask(ended)
      else response.once("close", ended)
    })
  })
  const context = yield* Layer.build(
    RegistryServer.layerHttp().pipe(
      Layer.provide(RegistryStorage.layerDisk(`${folder}/registry`)),
      Layer.provideMerge(NodeHttpServer.layer(() => server, { port: 0, host: "127.0.0.1" })),
      Layer.provide([NodeHasher.layer, NodeContext.layer])
    )
  )
  const { address } = Context.get(context, HttpServer.HttpServer)
  const host = address._tag === "TcpAddress" ? `127.0.0.1:${address.port}` : address.path
  return {
    folder,
    repository: yield* Repository.parse(`${host}/org/app`),
    requests: () => seen.requests,
    /** Both ways. */
    bytes: () => [...sockets].reduce((sum, socket) => sum + socket.bytesRead + socket.bytesWritten, seen.closed),
    busy: () => seen.busy,
    connections: () => sockets.size,
    uploads: Effect.map(fs.readDirectory(`${folder}/registry/uploads`), (names) => names.length)
  }
})

type Served = Effect.Effect.Success<typeof served>

/** When so many requests and bytes have come, and so many turns of the event loop later. */
interface Moment {
  readonly requests: number
  readonly bytes: number
  readonly turns: number
}

const come = ({ bytes, requests }: Served, moment: Moment): Effect.Effect<void> =>
  Effect.async((resume) => {
    const from = { bytes: bytes(), requests: requests() }
    let { turns } = moment
    let given = false
    const look = () => {
      if (given) return
      const is = requests() - from.requests >= moment.requests && bytes() - from.bytes >= moment.bytes
      if (is && turns-- === 0) resume(Effect.void)
      else setImmediate(look)
    }
    look()
    return Effect.sync(() => {
      given = true
    })
  })

/** Waits for what becomes nothing in a moment, or stays. */
const gone = <E, R>(what: string, count: Effect.Effect<number, E, R>) =>
  Effect.gen(function* () {
    for (let tries = 0; tries < 2000 && (yield* count) > 0; tries++) yield* Effect.sleep("1 millis")
    assert.strictEqual(yield* count, 0, what)
  })

const client = Layer.merge(NodeRegistry.layer, RegistryHosts.layer({ chunk: { min: chunk, max: chunk } }))

interface Blob {
  readonly bytes: Uint8Array
  readonly descriptor: Descriptor.Descriptor
  /** A file with it, or a place for one. */
  readonly path: string
}

const pushes: { readonly [name: string]: (blob: Blob) => BlobSource.BlobSource<PlatformError, FileSystem.FileSystem> } =
  {
    "a file": ({ path }: Blob) => BlobSource.file(path),
    "a file of known digest": ({ descriptor, path }: Blob) => BlobSource.file(path, descriptor),
    "a stream": ({ bytes }: Blob) => BlobSource.stream(pieces(bytes)),
    "a stream of known digest": ({ bytes, descriptor }: Blob) => BlobSource.stream(pieces(bytes), descriptor)
  }

const pieces = (bytes: Uint8Array) =>
  Stream.range(0, count - 1).pipe(
    Stream.map((at) => bytes.subarray(at * piece, (at + 1) * piece)),
    Stream.rechunk(1)
  )

const earlier = ({ bytes, requests, turns }: Moment): Moment => ({
  bytes: bytes / 2,
  requests: Math.floor(requests / 2),
  turns: Math.floor(turns / 2)
})

/** Does something with a new blob again and again, interrupted at each moment, and then to its end. */
const interrupting = <E, E2, E3, R, R2, R3>(
  at: Served,
  random: PCGRandom,
  prepare: (blob: Blob) => Effect.Effect<unknown, E, R>,
  transfer: (blob: Blob) => Effect.Effect<Descriptor.Descriptor, E2, R2>,
  check: (blob: Blob, isOver: boolean) => Effect.Effect<unknown, E3, R3>
) =>
  Effect.gen(function* () {
    let blobs = 0
    const blob = Effect.gen(function* () {
      const number = blobs++
      const bytes = new Uint8Array(size).fill(number)
      const digest = yield* Hasher.digest(bytes)
      const blob = {
        bytes,
        descriptor: { mediaType: "application/octet-stream", digest, size },
        path: `${at.folder}/${number}`
      }
      yield* prepare(blob)
      return blob
    })
    const first = yield* blob
    const before = { bytes: at.bytes(), requests: at.requests() }
    yield* transfer(first)
    const all = { bytes: at.bytes() - before.bytes, requests: at.requests() - before.requests }

    for (let round = 0; round < moments; round++) {
      let moment: Moment =
        round % 2 === 0
          ? { bytes: ((round + random.number()) / moments) * all.bytes, requests: 0, turns: 0 }
          : { bytes: 0, requests: Math.ceil((round / moments) * all.requests), turns: random.integer(50) }
      let interrupted = false
      while (!interrupted) {
        const one = yield* blob
        const fiber = yield* Effect.fork(transfer(one))
        yield* Effect.raceFirst(come(at, moment), Fiber.await(fiber))
        const exit = yield* Fiber.interrupt(fiber)
        interrupted = Exit.isInterrupted(exit)
        if (!interrupted) yield* exit
        yield* gone("requests", Effect.sync(at.busy))
        yield* gone("uploads", at.uploads)
        yield* check(one, Exit.isSuccess(exit))
        assert.deepStrictEqual(yield* transfer(one), one.descriptor)
        yield* check(one, true)
        // it was over before its moment came
        moment = earlier(moment)
      }
    }
    assert.strictEqual(yield* at.uploads, 0)
  }).pipe(Effect.provide(client), Effect.zipRight(gone("connections", Effect.sync(at.connections))))

describe("transfers interrupted at any moment", () => {
  it.scopedLive(
    "Blobs.toFile leaves no file that is not whole, and no connection",
    () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const at = yield* served
        yield* interrupting(
          at,
          new PCGRandom(1),
          ({ bytes }) => Blobs.push(at.repository, bytes),
          ({ descriptor, path }) => Blobs.toFile(at.repository, descriptor, path),
          ({ bytes, path }, isOver) =>
            Effect.gen(function* () {
              const isThere = yield* fs.exists(path)
              assert.isTrue(isThere || !isOver)
              if (isThere) assert.strictEqual(Buffer.compare(yield* fs.readFile(path), bytes), 0)
            })
        )
      }).pipe(Effect.provide(NodeContext.layer)),
    timeout
  )

  for (const [name, source] of Object.entries(pushes)) {
    it.scopedLive(
      `U50: Blobs.push of ${name} leaves no upload, and no connection`,
      () =>
        Effect.gen(function* () {
          const fs = yield* FileSystem.FileSystem
          const at = yield* served
          yield* interrupting(
            at,
            new PCGRandom(2),
            ({ bytes, path }) => fs.writeFile(path, bytes),
            (blob) => Blobs.push(at.repository, source(blob)),
            ({ bytes, descriptor }, isOver) =>
              Effect.gen(function* () {
                const isThere = yield* Blobs.exists(at.repository, descriptor.digest)
                assert.isTrue(isThere || !isOver)
                if (isThere) {
                  assert.strictEqual(Buffer.compare(yield* Blobs.get(at.repository, descriptor), bytes), 0)
                }
              })
          )
        }).pipe(Effect.provide(NodeContext.layer)),
      timeout
    )
  }
})
