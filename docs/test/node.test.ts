import { assert, describe, it } from "@effect/vitest"
import { NodeHasher, NodeHttp, NodeRegistry } from "@effect-oci/node"
import { Context, Effect, Layer } from "effect"
import { Credentials, RegistryClient, RegistryHosts } from "effect-oci"

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

const hostsOf = (layer: Layer.Layer<RegistryClient.RegistryClient, unknown>) =>
  Effect.map(Layer.build(layer), (context) => Context.get(context, RegistryClient.RegistryClient))

describe("docs/node.md", () => {
  it.scopedLive("takes the layer apart", () =>
    Effect.gen(function* () {
      assert.isFunction((yield* hostsOf(ClientLive)).execute)
      const given = Layer.provide(NodeRegistry.layer, [internal, Credentials.anonymous])
      const client = yield* hostsOf(given)
      const hosts = yield* client.provide(RegistryHosts.RegistryHosts)
      const [own] = yield* Layer.build(internal).pipe(
        Effect.map((context) => [Context.get(context, RegistryHosts.RegistryHosts)])
      )
      assert.strictEqual(Object.keys(hosts).join(), Object.keys(own ?? {}).join())
    })
  )
})
