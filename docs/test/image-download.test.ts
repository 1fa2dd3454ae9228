import { type ChildProcess, spawn } from "node:child_process"
import { createHash, randomFillSync } from "node:crypto"
import * as fs from "node:fs"
import { createServer, type ServerResponse } from "node:http"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

const digestOf = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`
const described = (mediaType: string, bytes: Uint8Array) => ({ mediaType, digest: digestOf(bytes), size: bytes.length })
const type = "application/vnd.oci.image.manifest.v1+json"
const layer = randomFillSync(Buffer.alloc(24 * 1024 * 1024))
const config = Buffer.from("{}")
const manifest = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: type,
    config: described("application/vnd.oci.image.config.v1+json", config),
    layers: [described("application/vnd.oci.image.layer.v1.tar", layer)]
  })
)

/** A quarter of a mebibyte every few milliseconds. */
const slowly = (response: ServerResponse, bytes: Uint8Array): void => {
  if (response.destroyed) return
  response.write(bytes.subarray(0, 256 * 1024))
  const left = bytes.subarray(256 * 1024)
  if (left.length === 0) response.end()
  else setTimeout(() => slowly(response, left), 10)
}

/** A slow registry of one image, and where each request for its layer begins. */
const registry = Effect.acquireRelease(
  Effect.async<{ readonly reference: string; readonly starts: ReadonlyArray<number>; readonly close: () => void }>(
    (resume) => {
      const starts: Array<number> = []
      const server = createServer(({ headers, url = "" }, response) => {
        if (url.includes("/manifests/")) {
          response.writeHead(200, { "content-type": type, "content-length": manifest.length }).end(manifest)
        } else if (url.endsWith(digestOf(config))) {
          response.writeHead(200, { "content-length": config.length }).end(config)
        } else {
          const start = Number(/^bytes=(\d+)-/.exec(headers.range ?? "")?.[1] ?? 0)
          starts.push(start)
          const range = `bytes ${start}-${layer.length - 1}/${layer.length}`
          const length = layer.length - start
          response.writeHead(start === 0 ? 200 : 206, { "content-range": range, "content-length": length })
          slowly(response, layer.subarray(start))
        }
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" ? address?.port : 0
        const close = () => {
          server.closeAllConnections()
          server.close()
        }
        resume(Effect.succeed({ reference: `127.0.0.1:${port}/org/app:1`, starts, close }))
      })
    }
  ),
  ({ close }) => Effect.sync(close)
)

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "effect-oci-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true }))
)

const root = fileURLToPath(new URL("../..", import.meta.url))

/** The example as a program of its own. */
const example = (reference: string, folder: string) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, ["--import", "tsx", "docs/examples/run.ts", "image-download", reference], {
        cwd: root,
        env: { ...process.env, FOLDER: folder },
        stdio: "ignore"
      })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

const ended = (child: ChildProcess) =>
  Effect.async<number | null>((resume) => {
    child.once("exit", (code) => resume(Effect.succeed(code)))
  })

describe("image-download", () => {
  it.scopedLive(
    "goes on after Ctrl-C, and what it leaves is a layout",
    () =>
      Effect.gen(function* () {
        const { reference, starts } = yield* registry
        const to = yield* folder
        const blobs = path.join(to, "blobs/sha256")
        const partial = Effect.sync(() => {
          const name = fs.existsSync(blobs)
            ? fs.readdirSync(blobs).find((name) => name.endsWith(".partial"))
            : undefined
          return name === undefined ? 0 : fs.statSync(path.join(blobs, name)).size
        })

        const first = yield* example(reference, to)
        const over = yield* Effect.fork(ended(first))
        yield* Effect.repeat(partial, {
          until: (size) => size >= 4 * 1024 * 1024,
          schedule: Schedule.spaced("20 millis")
        }).pipe(Effect.timeout("20 seconds"))
        first.kill("SIGINT")
        yield* over
        assert.isFalse(fs.existsSync(path.join(blobs, digestOf(layer).slice("sha256:".length))))
        assert.isFalse(fs.existsSync(path.join(to, "index.json")))
        const kept = yield* partial
        assert.isAtLeast(kept, 4 * 1024 * 1024)

        assert.strictEqual(yield* ended(yield* example(reference, to)), 0)
        assert.deepStrictEqual(starts, [0, kept])
        for (const bytes of [layer, config, manifest]) {
          const file = path.join(blobs, digestOf(bytes).slice("sha256:".length))
          assert.strictEqual(digestOf(fs.readFileSync(file)), digestOf(bytes))
        }
        assert.strictEqual(fs.readdirSync(blobs).length, 3)
      }),
    60_000
  )
})
