import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { describe } from "@effect/vitest"
import * as NodeHasher from "@effect-oci/node/NodeHasher"
import * as NodeHttp from "@effect-oci/node/NodeHttp"
import * as Layer from "effect/Layer"
import * as RegistryClient from "effect-oci/RegistryClient"
import { endpointSuite } from "../../oci/test/endpoints/suite.js"
import { Host, type Server } from "../src/Server.js"

const transports = [
  ["fetch", FetchHttpClient.layer],
  ["node:http", NodeHttpClient.layer],
  ["undici", NodeHttpClient.layerUndici],
  ["NodeHttp", NodeHttp.layer]
] as const

/** What every endpoint does on a server, over each transport. */
export const serverSuite = (server: Server): void => {
  describe(server.name, () => {
    for (const [name, transport] of transports) {
      endpointSuite(`effect-oci over ${name}`, {
        layer: RegistryClient.layer.pipe(
          Layer.provide([transport, NodeHasher.layer]),
          Layer.merge(Layer.provide(server.layer, NodeContext.layer))
        ),
        registry: Host,
        deviations: server.deviations,
        timeout: "30 seconds"
      })
    }
  })
}
