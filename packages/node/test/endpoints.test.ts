import { createServer } from "node:http"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRegistry from "@effect-oci/node/NodeRegistry"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { endpointSuite } from "../../oci/test/endpoints/suite.js"

endpointSuite("NodeRegistry on the embedded registry", {
  layer: Layer.merge(NodeRegistry.layer, RegistryServer.layerHttp()).pipe(
    Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))
  ),
  registry: Effect.map(HttpServer.HttpServer, ({ address }) =>
    address._tag === "TcpAddress" ? `127.0.0.1:${address.port}` : address.path
  )
})
