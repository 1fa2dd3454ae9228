/**
 * All that a program on Node needs to talk to registries, in one layer.
 */
import type * as CommandExecutor from "@effect/platform/CommandExecutor"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as Path from "@effect/platform/Path"
import * as NodeCommandExecutor from "@effect/platform-node/NodeCommandExecutor"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as BlobFiles from "effect-oci/BlobFiles"
import * as Credentials from "effect-oci/Credentials"
import type * as Hasher from "effect-oci/Hasher"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as NodeBlobFiles from "./NodeBlobFiles.js"
import * as NodeHasher from "./NodeHasher.js"
import * as NodeHttp from "./NodeHttp.js"

type Platform = FileSystem.FileSystem | Path.Path | CommandExecutor.CommandExecutor

/**
 * Files and processes, for those who read credentials and settings. One after the other, here and below: what layers build side
 * by side makes a program's start three times as long.
 */
const platform: Layer.Layer<Platform> = Layer.scopedContext(
  Effect.gen(function* () {
    const files = yield* Layer.build(NodeFileSystem.layer)
    const path = yield* Layer.build(NodePath.layer)
    const executor = yield* Effect.provide(Layer.build(NodeCommandExecutor.layer), files)
    return Context.mergeAll(files, path, executor)
  })
)

const hosts: Layer.Layer<RegistryHosts.RegistryHosts, RegistryHosts.HostsInvalid, Platform> =
  RegistryHosts.registriesConf.pipe(
    // the environment always has an answer; another source of Config may not
    Layer.mapError((error) =>
      error._tag === "HostsInvalid"
        ? error
        : new RegistryHosts.HostsInvalid({ file: "registries.conf", reason: `Config fails: ${error.toString()}` })
    )
  )

/** Docker's credentials, and Podman's for what Docker does not know. */
export const layerCredentials: Layer.Layer<Credentials.Credentials> = Layer.provide(
  Credentials.defaultKeychain,
  platform
)

/** The hosts of containers' `registries.conf`. */
export const layerHosts: Layer.Layer<RegistryHosts.RegistryHosts, RegistryHosts.HostsInvalid> = Layer.provide(
  hosts,
  platform
)

/** What this machine has, unless the policy is given from outside: then that is all that counts. */
const unlessGiven = <A, E, R>({ key }: { readonly key: string }, layer: Layer.Layer<A, E, R>) =>
  Effect.flatMap(
    Effect.context<never>(),
    ({ unsafeMap }): Effect.Effect<Context.Context<never>, E, R | Scope.Scope> =>
      unsafeMap.has(key) ? Effect.succeed(Context.empty()) : Layer.build(layer)
  )

/** What a program is given. */
export type Provides = RegistryClient.RegistryClient | Hasher.Hasher | BlobFiles.BlobFiles | FileSystem.FileSystem

/** As `layer`, over a transport with options. */
export const layerWith = (options: NodeHttp.Options): Layer.Layer<Provides, RegistryHosts.HostsInvalid> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const machine = yield* Layer.build(platform)
      const provided = Context.mergeAll(
        yield* Layer.build(NodeHasher.layer),
        yield* Layer.build(NodeBlobFiles.layer),
        Context.pick(FileSystem.FileSystem)(machine)
      )
      const policies = Context.merge(
        yield* Effect.provide(unlessGiven(Credentials.Credentials, Credentials.defaultKeychain), machine),
        yield* Effect.provide(unlessGiven(RegistryHosts.RegistryHosts, hosts), machine)
      )
      const transport = Context.make(HttpClient.HttpClient, yield* NodeHttp.make(options))
      const client = yield* Effect.provide(RegistryClient.make, Context.mergeAll(transport, provided, policies))
      return Context.add(provided, RegistryClient.RegistryClient, client)
    })
    // as with RegistryClient.layer, each use is a client of its own
  ).pipe(Layer.fresh)

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
