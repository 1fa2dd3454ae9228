import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as MutableRef from "effect/MutableRef"
import * as BlobSource from "effect-oci/BlobSource"
import * as Blobs from "effect-oci/Blobs"
import { client, digest, repositoryAt, serve, transports } from "./support.js"

const size = 3 * 1024 * 1024 + 5

/** A file that is removed with the scope. */
const file = Effect.acquireRelease(
  Effect.sync(() => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "effect-oci-push-"))
    const name = path.join(folder, "blob")
    fs.writeFileSync(name, new Uint8Array(size).fill(7))
    return name
  }),
  (name) => Effect.sync(() => fs.rmSync(path.dirname(name), { recursive: true }))
)

/** A registry that lets no upload pass by, and breaks the connection of the first after so many bytes, if any. */
const registry = (seen: Array<string>, breaks?: number) =>
  serve((request, response) => {
    let taken = 0
    let broken = false
    seen.push(`${request.method} ${request.headers["content-range"] ?? request.headers["content-length"] ?? ""}`)
    request.on("error", () => {})
    request.on("data", (data: Buffer) => {
      taken += data.length
      if (request.method === "PUT" && breaks !== undefined && taken >= breaks && !seen.includes("cut")) {
        broken = true
        seen.push("cut")
        request.destroy()
      }
    })
    request.on("end", () => {
      if (broken) return
      if (request.method === "HEAD") return response.writeHead(404).end()
      if (request.method === "POST") return response.writeHead(202, { location: "/v2/org/app/blobs/uploads/1" }).end()
      if (request.method === "GET") return response.writeHead(204, { range: "0-1048575" }).end()
      return response.writeHead(201).end()
    })
  })

describe("Blobs.push of a file", () => {
  for (const [name, transport] of Object.entries(transports)) {
    const length = name === "FetchHttpClient" ? "" : String(size)

    it.scopedLive(`U15: over ${name}`, () =>
      Effect.gen(function* () {
        const seen: Array<string> = []
        const progress = MutableRef.make(0)
        const repository = yield* repositoryAt(yield* registry(seen))
        const pushed = yield* Blobs.push(repository, BlobSource.file(yield* file), { progress }).pipe(
          Effect.provide([client(transport), NodeFileSystem.layer])
        )
        assert.deepStrictEqual([pushed.size, MutableRef.get(progress)], [size, size])
        assert.deepStrictEqual(
          seen.map((line) => line.trim()),
          ["HEAD", "POST 0", `PUT ${length}`.trim()]
        )
      })
    )
  }

  it.scopedLive("DS30: goes on in the middle of it after the connection broke", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const repository = yield* repositoryAt(yield* registry(seen, 2 * 1024 * 1024))
      const { NodeHttp } = transports
      assert(NodeHttp !== undefined)
      yield* Blobs.push(repository, BlobSource.file(yield* file)).pipe(
        Effect.provide([client(NodeHttp), NodeFileSystem.layer])
      )
      assert.deepStrictEqual(
        seen.map((line) => line.trim()),
        ["HEAD", "POST 0", `PUT ${size}`, "cut", "HEAD", "GET", `PUT 1048576-${size - 1}`]
      )
    })
  )

  for (const given of [1000, size - 1, size + 1]) {
    it.scopedLive(`U19: refuses a file of another size than ${given}`, () =>
      Effect.gen(function* () {
        const { NodeHttp } = transports
        assert(NodeHttp !== undefined)
        const repository = yield* repositoryAt(yield* registry([]))
        const source = BlobSource.file(yield* file, { digest, size: given })
        const error = yield* Effect.flip(Blobs.push(repository, source)).pipe(
          Effect.provide([client(NodeHttp), NodeFileSystem.layer])
        )
        assert.strictEqual(error._tag, "SizeMismatch")
      })
    )
  }
})
