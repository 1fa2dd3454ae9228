/** What a pull of a large blob costs, verified, beside a hand-written loop on the same transport. */
import { createHash } from "node:crypto"
import * as HttpClient from "@effect/platform/HttpClient"
import * as NodeClient from "@effect/platform-node/NodeHttpClient"
import { Agent, request } from "@effect/platform-node/Undici"
import * as NodeHttp from "@effect-oci/node/NodeHttp"
import * as NodeRegistry from "@effect-oci/node/NodeRegistry"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Stream from "effect/Stream"
import * as Blobs from "effect-oci/Blobs"
import * as Digest from "effect-oci/Digest"
import * as Reference from "effect-oci/Reference"
import { median, rotate } from "./rounds.js"
import { serve } from "./serving.js"

export const pull = async (rounds: number, mebibytes = 512): Promise<void> => {
  const { blob, port, stop } = await serve(mebibytes)
  const dispatcher = new Agent({ connections: 16 })
  const runtime = ManagedRuntime.make(NodeRegistry.layer)
  const { repository } = Effect.runSync(Reference.parse(`127.0.0.1:${port}/open/app`))
  const layer = {
    mediaType: "application/octet-stream",
    digest: Effect.runSync(Digest.parse(blob.digest)),
    size: blob.size
  }
  const url = `http://127.0.0.1:${port}/v2/open/app/blobs/${blob.digest}`
  // the same loop over a stream, on the platform's transport and on ours
  const drained = Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const hash = createHash("sha256")
    const { stream } = yield* client.get(url)
    yield* Stream.runForEachChunk(stream, (pieces) =>
      Effect.sync(() => {
        for (const piece of pieces) hash.update(piece)
      })
    )
    if (`sha256:${hash.digest("hex")}` !== blob.digest) return yield* Effect.dieMessage("digest")
  })
  const bare = ManagedRuntime.make(NodeClient.layerUndici)
  const transport = ManagedRuntime.make(NodeHttp.layer)
  const loop = async () => {
    const { body } = await request(url, { dispatcher })
    const hash = createHash("sha256")
    for await (const piece of body) hash.update(piece)
    if (`sha256:${hash.digest("hex")}` !== blob.digest) throw new Error("digest")
  }
  const taken = await rotate(
    [
      { name: "loop on undici", run: loop },
      { name: "bare layer", run: () => bare.runPromise(drained) },
      { name: "NodeHttp", run: () => transport.runPromise(drained) },
      { name: "Blobs.stream", run: () => runtime.runPromise(Stream.runDrain(Blobs.stream(repository, layer))) }
    ],
    rounds
  )
  console.log(`\npull of ${mebibytes} MiB, verified`)
  for (const { cpu, name, wall } of taken) {
    const rate = blob.size / 1000 / median(wall)
    console.log(`${name.padEnd(16)}${rate.toFixed(0).padStart(8)} MB/s${median(cpu).toFixed(0).padStart(8)} ms CPU`)
  }
  await Promise.all([runtime.dispose(), bare.dispose(), transport.dispose(), dispatcher.destroy()])
  stop()
}
