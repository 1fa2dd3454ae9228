import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import { createServer } from "node:http"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { it } from "@effect/vitest"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
it.layer(Layer.merge(NodeHttpClient.layer, Layer.provideMerge(RegistryServer.layerHttp(), NodeHttpServer.layer(() => { const s = createServer(); s.on("request", (r) => console.log("req", r.method, r.url, s.listenerCount("request"))); return s }, { port: 0 }))))((it) => {
  it.effect("x", () => Effect.gen(function*() {
    const { address } = yield* HttpServer.HttpServer
    const base = `http://127.0.0.1:${(address as any).port}`
    const r = yield* HttpClient.post(base + "/v2/a/blobs/uploads/")
    console.log(r.status, r.headers.location)
    const r2 = yield* HttpClient.get(base + r.headers.location)
    console.log(r2.status, r2.headers.location)
  }))
})
