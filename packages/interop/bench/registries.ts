/** The registries of a run, with storage that can be wiped under them, and what they serve. */
import { createHash, type Hash } from "node:crypto"
import * as fs from "node:fs"
import { request } from "@effect/platform-node/Undici"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Server from "../src/Server.js"
import type { Tool } from "../src/Tool.js"
import type { Blob, Image } from "./data.js"

export interface Registry {
  readonly pid: number
  /** The image in it, as `127.0.0.1:5000/bench/app:1`. */
  readonly reference: string
  readonly wipe: Effect.Effect<void>
}

/** What is not as it was made. */
export class Wrong extends Data.TaggedError("Wrong")<{ readonly where: string; readonly reason: string }> {
  override get message(): string {
    return `${this.where}: ${this.reason}`
  }
}

/** Starts a registry. */
export const start = (tool: Tool, storage: string) =>
  Effect.gen(function* () {
    const context = yield* Layer.build(Server.distributionWith(tool, Effect.succeed({ storage })))
    const registry: Registry = {
      pid: Context.get(context, Server.Pid),
      reference: `${Context.get(context, Server.Host)}/bench/app:1`,
      wipe: Effect.sync(() => fs.rmSync(storage, { recursive: true, force: true }))
    }
    return registry
  })

const verify = (where: string, { digest, size }: Blob, feed: (hash: Hash) => Promise<number>) =>
  Effect.gen(function* () {
    const hash = createHash("sha256")
    const wrong = (reason: string) => new Wrong({ where, reason })
    const length = yield* Effect.tryPromise({ try: () => feed(hash), catch: (error) => wrong(String(error)) })
    if (length !== size) return yield* wrong(`${length} bytes, not ${size}`)
    if (`sha256:${hash.digest("hex")}` !== digest) return yield* wrong(`not ${digest}`)
  })

/** That a layout has all blobs of an image, byte for byte. */
export const checkFolder = (folder: string, { config, layers }: Image) =>
  Effect.forEach(
    [...layers, config],
    (blob) => {
      const file = `${folder}/blobs/${blob.digest.replace(":", "/")}`
      return verify(file, blob, async (hash) => {
        for await (const piece of fs.createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(piece)
        return fs.statSync(file).size
      })
    },
    { discard: true }
  )

/** That a registry serves an image, byte for byte. */
export const checkRegistry = ({ reference }: Registry, { config, layers, manifest }: Image) => {
  const [host, path = ""] = reference.split(/\/(.*):/)
  const get = (part: string, blob: Blob) => {
    const url = `http://${host}/v2/${path}/${part}`
    return verify(url, blob, async (hash) => {
      const { body, statusCode } = await request(url, { headers: { accept: blob.mediaType } })
      if (statusCode !== 200) throw new Error(`${statusCode} ${await body.text()}`)
      let size = 0
      for await (const piece of body) {
        hash.update(piece)
        size += piece.length
      }
      return size
    })
  }
  return Effect.zipRight(
    get("manifests/1", manifest),
    Effect.forEach([...layers, config], (blob) => get(`blobs/${blob.digest}`, blob), { discard: true })
  )
}
