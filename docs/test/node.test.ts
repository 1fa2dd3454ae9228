import { assert, describe, it } from "@effect/vitest"
import { NodeHasher, NodeHttp, NodeRegistry } from "@effect-oci/node"
import { Context, Effect, Layer } from "effect"
import { RegistryClient, RegistryHosts, RegistryName } from "effect-oci"

// #region apart
const ClientLive = RegistryClient.layer.pipe(
  Layer.provide([NodeHttp.layerWith({ connections: 4 }), NodeRegistry.layerCredentials, NodeRegistry.layerHosts]),
  Layer.provideMerge(NodeHasher.layer)
)
// #endregion

// #region tls
const internal = RegistryHosts.fromRecord({
  "registry.internal": { tls: { ca: ["/etc/pki/internal.pem"] } },
  "lab.internal:5000": { insecure: true }
})
// #endregion

const clientOf = (layer: Layer.Layer<RegistryClient.RegistryClient, unknown>) =>
  Effect.map(Layer.build(layer), (context) => Context.get(context, RegistryClient.RegistryClient))

describe("docs/node.md", () => {
  it.scopedLive("takes the layer apart, and puts a policy in the place of the machine's", () =>
    Effect.gen(function* () {
      assert.isFunction((yield* clientOf(ClientLive)).execute)
      const client = yield* clientOf(Layer.provide(NodeRegistry.layer, internal))
      const lab = yield* RegistryName.parse("lab.internal:5000")
      assert.isTrue((yield* client.provide(RegistryHosts.of(lab))).insecure)
    })
  )
})
