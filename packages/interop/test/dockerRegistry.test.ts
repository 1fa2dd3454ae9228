import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHasher from "@effect-oci/node/NodeHasher"
import * as NodeHttp from "@effect-oci/node/NodeHttp"
import * as Layer from "effect/Layer"
import * as RegistryClient from "effect-oci/RegistryClient"
import { type Deviations, endpointSuite } from "../../oci/test/endpoints/suite.js"
import { dockerRegistry, Host } from "./servers.js"

/** What version 2.8 does otherwise than the specification says. */
const deviations: Deviations = {
  sha512: "stored as sha256",
  chunkOrder: false,
  mountFromAnywhere: false,
  referrersApi: false,
  tagDelete: false,
  tagOrder: false,
  tagPaging: false
}

const transports = [
  ["undici", NodeHttpClient.layerUndici],
  ["node:http", NodeHttpClient.layer],
  ["fetch", FetchHttpClient.layer],
  ["NodeHttp", NodeHttp.layer]
] as const

for (const [name, transport] of transports) {
  endpointSuite(`docker-registry over ${name}`, {
    layer: RegistryClient.layer.pipe(
      Layer.provide([transport, NodeHasher.layer]),
      Layer.merge(Layer.provide(dockerRegistry, NodeContext.layer))
    ),
    registry: Host,
    deviations,
    timeout: "30 seconds"
  })
}
