import { createServer } from "node:http"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RegistryClient from "effect-oci/RegistryClient"
import { endpointSuite } from "./suite.js"

endpointSuite("the embedded registry, in the process", {
  layer: RegistryServer.layerTest(),
  registry: Effect.succeed("registry.test")
})

endpointSuite("the embedded registry, without all that it may leave out", {
  layer: RegistryServer.layerTest({ referrers: false, sparse: true, deletes: false }),
  registry: Effect.succeed("registry.test"),
  deviations: { referrersApi: false, missingBlobs: "taken", deletes: false, tagDelete: false }
})

const server = NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })

const overSocket = <E>(client: Layer.Layer<HttpClient.HttpClient, E>) =>
  RegistryClient.layer.pipe(Layer.provide(client), Layer.merge(RegistryServer.layerHttp()), Layer.provideMerge(server))

const address = Effect.map(HttpServer.HttpServer, ({ address }) =>
  address._tag === "TcpAddress" ? `127.0.0.1:${address.port}` : address.path
)

const transports = [
  ["fetch", FetchHttpClient.layer],
  ["node:http", NodeHttpClient.layer],
  ["undici", NodeHttpClient.layerUndici]
] as const

for (const [name, client] of transports) {
  endpointSuite(`the embedded registry, over ${name}`, { layer: overSocket(client), registry: address })
}
