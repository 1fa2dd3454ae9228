import * as NodeHttp from "@effect-oci/node/NodeHttp"
import * as NodeHasher from "@effect-oci/node/NodeHasher"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Manifests from "effect-oci/Manifests"
import * as Manifest from "effect-oci/Manifest"
import * as Reference from "effect-oci/Reference"
import { fork } from "node:child_process"
const server = fork("/work/main/packages/interop/bench/server.ts", ["1"], { execArgv: ["--import","/work/main/node_modules/tsx/dist/loader.mjs"] })
const { port } = await new Promise<any>((r) => server.once("message", r))
const reference = Effect.runSync(Reference.parse(`127.0.0.1:${port}/bench/app:1`))
const url = `http://127.0.0.1:${port}/v2/bench/app/manifests/1`
const op = { name: "manifests.get", registry: reference.registry, repository: reference.repository, reference: "1" } as const
await Effect.runPromise(Effect.gen(function*(){
  const http = yield* HttpClient.HttpClient
  const raw = HttpClient.withTracerDisabledWhen(http, () => true)
  const scoped = HttpClient.withScope(raw)
  const client = yield* RegistryClient.RegistryClient
  const bytes = new Uint8Array(yield* Effect.flatMap(raw.get(url), r => r.arrayBuffer))
  const cases: Record<string, Effect.Effect<any, any, any>> = {
    raw: Effect.flatMap(raw.get(url), (r) => r.arrayBuffer),
    scoped: Effect.scoped(Effect.flatMap(scoped.get(url), (r) => r.arrayBuffer)),
    timeout: Effect.scoped(Effect.flatMap(Effect.timeoutFail(scoped.get(url), { duration: "1 minute", onTimeout: () => new Error() }), (r) => r.arrayBuffer)),
    decode: ((Effect.suspend(() => Manifest.ManifestContent.fromBytes(bytes, {mediaType: "application/vnd.oci.image.manifest.v1+json"})))),
    execute: Effect.scoped(Effect.flatMap(client.execute(op, HttpClientRequest.get("/v2/bench/app/manifests/1")), (r) => r.arrayBuffer)),
    get: Manifests.get(reference)
  }
  for (const [m, e] of [...Object.entries(cases), ...Object.entries(cases)]) { const c=process.cpuUsage()
  yield* Effect.forEach(Array.from({length: 1000}), () => e, {concurrency: 10, discard: true})
  console.log(m.padEnd(10), "cpu us", process.cpuUsage(c).user/1000) }
}).pipe(Effect.provide(Layer.provideMerge(RegistryClient.layer, Layer.merge(NodeHttp.layer, NodeHasher.layer)))) as any)
server.kill()
