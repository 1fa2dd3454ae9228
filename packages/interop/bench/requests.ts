/**
 * What a small request costs: `Manifests.head` and `Manifests.get` with sign-in, retry and host policy in place, beside the
 * same requests on the bare undici layer of @effect/platform-node, on our transport alone, and on undici itself.
 *
 *   --rounds=15, and --check, which fails below the share that a call must keep
 */

import { parseArgs } from "node:util"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as NodeClient from "@effect/platform-node/NodeHttpClient"
import * as Undici from "@effect/platform-node/Undici"
import * as NodeHttp from "@effect-oci/node/NodeHttp"
import * as NodeRegistry from "@effect-oci/node/NodeRegistry"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Credentials from "effect-oci/Credentials"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import * as Reference from "effect-oci/Reference"
import type { RegistryClient } from "effect-oci/RegistryClient"
import type { RegistryError } from "effect-oci/RegistryError"
import { median, rotate, type Taken } from "./rounds.js"
import { serve } from "./serving.js"
import { table } from "./table.js"

const concurrency = 10
const connections = 16
const keepAfterHead = { reset: false }

/** The least share of the bare layer's requests per second that a call may come down to. */
const least = 0.8

const times = async (count: number, one: () => Promise<unknown>) => {
  let left = count
  const worker = async () => {
    while (left-- > 0) await one()
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}

const repeat = <A, E, R>(count: number, effect: Effect.Effect<A, E, R>) =>
  Effect.forEach(Arr.range(1, count), () => effect, { concurrency, discard: true })

type Method = "GET" | "HEAD"

/** What a round takes, in milliseconds: processor time is that of this process. */
interface Cost {
  readonly wall: number
  readonly cpu: number
}

const timed = (name: string, work: () => Promise<unknown>) => ({
  name,
  run: Effect.promise(async (): Promise<Cost> => {
    const before = process.cpuUsage()
    const begun = performance.now()
    await work()
    const wall = performance.now() - begun
    const { system, user } = process.cpuUsage(before)
    return { wall, cpu: (user + system) / 1000 }
  })
})

/** The sides of one method, and how to close what they opened. */
const prepare = async (method: Method, count: number, port: number, token: string) => {
  const registry = `127.0.0.1:${port}`
  const url = `http://${registry}/v2/bench/app/manifests/1`
  const headers = {
    accept: MediaType.accept,
    authorization: `Bearer ${token}`,
    "accept-encoding": "identity",
    "user-agent": "bench"
  }

  const agent = new Undici.Agent({ connections })
  const raw = () =>
    times(count, async () => {
      const { body } = await Undici.request(url, { dispatcher: agent, method, headers, ...keepAfterHead })
      await (method === "HEAD" ? body.dump() : body.arrayBuffer())
    })

  const asked = HttpClientRequest.make(method)(url, { headers })
  const request = Effect.flatMap(HttpClient.HttpClient, (client) =>
    Effect.flatMap(client.execute(asked), (response) => response.arrayBuffer)
  )
  const bare = ManagedRuntime.make(
    NodeClient.layerUndiciWithoutDispatcher.pipe(
      Layer.provide(
        Layer.scoped(
          NodeClient.Dispatcher,
          Effect.acquireRelease(
            Effect.sync(() => new Undici.Agent({ connections })),
            (dispatcher) => Effect.promise(() => dispatcher.destroy())
          )
        )
      )
    )
  )
  const options = { method, path: asked.url, ...keepAfterHead }
  const kept = Effect.provideService(request, NodeClient.UndiciRequestOptions, options)

  const transport = ManagedRuntime.make(NodeHttp.layerWith({ connections }))

  const reference = await Effect.runPromise(Reference.parse(`${registry}/bench/app:1`))
  const ours = ManagedRuntime.make(
    NodeRegistry.layerWith({ connections }).pipe(
      Layer.provideMerge(Credentials.basic(registry, "bench", Redacted.make("secret")))
    )
  )
  const endpoint: Effect.Effect<unknown, RegistryError, RegistryClient> =
    method === "HEAD" ? Manifests.head(reference) : Manifests.get(reference)

  const sides = [
    timed("raw undici", raw),
    timed("bare layer", () => bare.runPromise(repeat(count, kept))),
    timed("NodeHttp", () => transport.runPromise(repeat(count, request))),
    timed(`Manifests.${method.toLowerCase()}`, () => ours.runPromise(repeat(count, endpoint)))
  ]
  const close = async () => {
    await Promise.all([agent.destroy(), bare.dispose(), transport.dispose(), ours.dispose()])
  }
  return { sides, close }
}

const print = (method: Method, count: number, taken: ReadonlyArray<Taken<Cost>>): number => {
  const rates = taken.map(({ rounds }) => (count * 1000) / median(rounds.map(({ wall }) => wall)))
  const [raw = Number.NaN, bare = Number.NaN] = rates
  const rows = taken.map(({ name, rounds }, index) => {
    const rate = rates[index] ?? Number.NaN
    const cpu = (median(rounds.map(({ cpu }) => cpu)) * 1000) / count
    return [name, rate.toFixed(0), cpu.toFixed(0), (rate / bare).toFixed(2), (rate / raw).toFixed(2)]
  })
  console.log(`\n### ${count} x ${method} of a manifest, ${concurrency} at a time\n`)
  console.log(table(["", "req/s", "CPU us", "x bare layer", "x raw undici"], rows))
  return (rates.at(-1) ?? Number.NaN) / bare
}

const { values } = parseArgs({
  options: { check: { type: "boolean", default: false }, rounds: { type: "string", default: "15" } }
})
const count = 2000
const { port, stop, token } = await serve()
let kept = true
for (const method of ["HEAD", "GET"] as const) {
  const { close, sides } = await prepare(method, count, port, token)
  kept = print(method, count, await Effect.runPromise(rotate(sides, Number(values.rounds)))) >= least && kept
  await close()
}
stop()
if (values.check && !kept) process.exitCode = 1
