/**
 * What the library costs over a hand-written loop on the same transport, as ratios of wall time: below 1 is faster than
 * the loop. Server and client share this machine; the sides take turns, and the median of the pairs counts.
 *
 *   pnpm bench [MiB of the blob, 512 by default] [rounds, 5 by default]
 */
import { fork } from "node:child_process"
import { createHash } from "node:crypto"
import { fileURLToPath } from "node:url"
import { Agent, request } from "@effect/platform-node/Undici"
import * as NodeRegistry from "@effect-oci/node/NodeRegistry"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Stream from "effect/Stream"
import * as Blobs from "effect-oci/Blobs"
import * as Digest from "effect-oci/Digest"
import * as Manifests from "effect-oci/Manifests"
import * as Reference from "effect-oci/Reference"
import type { RegistryClient } from "effect-oci/RegistryClient"

const [mebibytes = 512, rounds = 5] = process.argv.slice(2).map(Number)

interface Serving {
  readonly port: number
  readonly blob: { readonly digest: string; readonly size: number }
}

const server = fork(fileURLToPath(new URL("./server.ts", import.meta.url)), [String(mebibytes)], {
  execArgv: process.execArgv
})
const { blob, port } = await new Promise<Serving>((resolve) =>
  server.once("message", (message: Serving) => resolve(message))
)
const origin = `http://127.0.0.1:${port}`
const dispatcher = new Agent({ connections: 16 })
const runtime = ManagedRuntime.make(NodeRegistry.layer)
const run = <A, E>(effect: Effect.Effect<A, E, RegistryClient>) => runtime.runPromise(effect)

const reference = Effect.runSync(Reference.parse(`127.0.0.1:${port}/bench/app:1`))
const layer = {
  mediaType: "application/octet-stream",
  digest: Effect.runSync(Digest.parse(blob.digest)),
  size: blob.size
}

const inParallel = (times: number, one: () => Promise<unknown>) => {
  let left = times
  const worker = async () => {
    while (left-- > 0) await one()
  }
  return Promise.all(Array.from({ length: 10 }, worker))
}

const calls = 2000
const many = <A, E>(effect: Effect.Effect<A, E, RegistryClient>) =>
  run(Effect.forEach(Array.from({ length: calls }), () => effect, { concurrency: 10, discard: true }))

const cases = [
  {
    name: `pull ${mebibytes} MiB, verified`,
    loop: async () => {
      const { body } = await request(`${origin}/v2/bench/app/blobs/${blob.digest}`, { dispatcher })
      const hash = createHash("sha256")
      for await (const piece of body) hash.update(piece)
      if (`sha256:${hash.digest("hex")}` !== blob.digest) throw new Error("digest")
    },
    ours: () => run(Stream.runDrain(Blobs.stream(reference.repository, layer)))
  },
  {
    name: `${calls} manifests, verified, 10 at a time`,
    loop: () =>
      inParallel(calls, async () => {
        const { body } = await request(`${origin}/v2/bench/app/manifests/1`, { dispatcher })
        const bytes = Buffer.from(await body.arrayBuffer())
        JSON.parse(bytes.toString())
        createHash("sha256").update(bytes).digest("hex")
      }),
    ours: () => many(Manifests.get(reference))
  },
  {
    name: `${calls} manifest heads, 10 at a time`,
    loop: () =>
      inParallel(calls, async () => {
        const { body } = await request(`${origin}/v2/bench/app/manifests/1`, {
          dispatcher,
          method: "HEAD",
          reset: false
        })
        await body.dump()
      }),
    ours: () => many(Manifests.head(reference))
  }
]

const timed = async (work: () => Promise<unknown>) => {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

const median = (numbers: ReadonlyArray<number>) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN

for (const { loop, name, ours } of cases) {
  await loop()
  await ours()
  const pairs: Array<readonly [number, number]> = []
  for (let i = 0; i < rounds; i++) pairs.push([await timed(loop), await timed(ours)])
  const ratio = median(pairs.map(([theirs, mine]) => mine / theirs))
  const [theirs, mine] = [median(pairs.map(([theirs]) => theirs)), median(pairs.map(([, mine]) => mine))]
  console.log(`${name.padEnd(40)} loop ${theirs.toFixed(0)} ms, ours ${mine.toFixed(0)} ms, ratio ${ratio.toFixed(2)}`)
}

await runtime.dispose()
await dispatcher.close()
server.kill()
