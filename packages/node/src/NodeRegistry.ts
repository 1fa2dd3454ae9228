/**
 * All that a program on Node needs to talk to registries, in one layer.
 */
import * as Layer from "effect/Layer"
import type * as Hasher from "effect-oci/Hasher"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as NodeHasher from "./NodeHasher.js"
import * as NodeHttp from "./NodeHttp.js"

/** As `layer`, over a transport with options. */
export const layerWith = (options: NodeHttp.Options): Layer.Layer<RegistryClient.RegistryClient | Hasher.Hasher> =>
  RegistryClient.layer.pipe(
    Layer.provide(NodeHttp.layerWith(options)),
    Layer.provideMerge(NodeHasher.layer),
    // as with RegistryClient.layer, each use is a client of its own
    Layer.fresh
  )

/**
 * A `RegistryClient` over undici, and native hashing for it and for the program. Policies are given to this layer, beside
 * it, around the program or around one call, as with `RegistryClient.layer`; for another `HttpClient` use that one, with
 * `NodeHasher.layer` beside it.
 *
 * ```ts
 * program.pipe(Effect.provide(NodeRegistry.layer), NodeRuntime.runMain)
 * ```
 */
export const layer: Layer.Layer<RegistryClient.RegistryClient | Hasher.Hasher> = layerWith({})
