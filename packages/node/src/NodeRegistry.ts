/**
 * All that a program on Node needs to talk to registries, in one layer.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as NodeCommandExecutor from "@effect/platform-node/NodeCommandExecutor"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as BlobFiles from "effect-oci/BlobFiles"
import * as Credentials from "effect-oci/Credentials"
import type * as Hasher from "effect-oci/Hasher"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as NodeBlobFiles from "./NodeBlobFiles.js"
import * as NodeHasher from "./NodeHasher.js"
import * as NodeHttp from "./NodeHttp.js"

/** Files and processes, for those who read credentials and settings. */
const platform = NodeCommandExecutor.layer.pipe(
  Layer.provideMerge(NodeFileSystem.layer),
  Layer.provideMerge(NodePath.layer)
)

/** What this machine has, unless the policy is given from outside: then that is all that counts. */
const unlessGiven = <A, E>({ key }: { readonly key: string }, layer: Layer.Layer<A, E>): Layer.Layer<never, E> =>
  Layer.unwrapEffect(
    Effect.map(
      Effect.context<never>(),
      ({ unsafeMap }): Layer.Layer<never, E> => (unsafeMap.has(key) ? Layer.empty : layer)
    )
  )

/** Docker's credentials, and Podman's for what Docker does not know. */
export const layerCredentials: Layer.Layer<Credentials.Credentials> = Credentials.orElse(
  Credentials.dockerConfig,
  Credentials.podmanAuth
).pipe(Layer.provide(platform))

/** The hosts of containers' `registries.conf`. */
export const layerHosts: Layer.Layer<RegistryHosts.RegistryHosts, RegistryHosts.HostsInvalid> =
  RegistryHosts.registriesConf.pipe(
    // the environment always has an answer; another source of Config may not
    Layer.mapError((error) =>
      error._tag === "HostsInvalid"
        ? error
        : new RegistryHosts.HostsInvalid({ file: "registries.conf", reason: `Config fails: ${error.toString()}` })
    ),
    Layer.provide(platform)
  )

/** What a program is given. */
export type Provides = RegistryClient.RegistryClient | Hasher.Hasher | BlobFiles.BlobFiles | FileSystem.FileSystem

/** As `layer`, over a transport with options. */
export const layerWith = (options: NodeHttp.Options): Layer.Layer<Provides, RegistryHosts.HostsInvalid> =>
  RegistryClient.layer.pipe(
    Layer.provide([
      NodeHttp.layerWith(options),
      unlessGiven(Credentials.Credentials, layerCredentials),
      unlessGiven(RegistryHosts.RegistryHosts, layerHosts)
    ]),
    Layer.provideMerge(Layer.mergeAll(NodeHasher.layer, NodeBlobFiles.layer, NodeFileSystem.layer)),
    // as with RegistryClient.layer, each use is a client of its own
    Layer.fresh
  )

/**
 * A `RegistryClient` over undici, with the credentials of Docker and Podman, the hosts of containers' `registries.conf`,
 * native hashing for it and for the program, and Node's files, which blobs are written to in batches. Policies are given to this layer, beside it, around the program or around one
 * call, as with `RegistryClient.layer`, and stand in for those of this machine; for another `HttpClient` use that one, with
 * `NodeHasher.layer` beside it. Fails when there is a `registries.conf` that cannot be read.
 *
 * ```ts
 * program.pipe(Effect.provide(NodeRegistry.layer), NodeRuntime.runMain)
 * ```
 */
export const layer: Layer.Layer<Provides, RegistryHosts.HostsInvalid> = layerWith({})
