import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type { FileSystem } from "@effect/platform/FileSystem"
import * as HttpApp from "@effect/platform/HttpApp"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as MediaType from "effect-oci/MediaType"
import type * as RegistryClient from "effect-oci/RegistryClient"

/** What the examples run on when they are given nothing else. */
export const reference = "registry.test/org/app:1.2"

const seed: RegistryServer.Seed = {
  "org/app:1.1": { platforms: ["linux/amd64"] },
  "org/app:1.2": { platforms: ["linux/amd64", "linux/arm64"] },
  "org/app:1.2.sbom": { artifactType: MediaType.spdx, subject: "org/app:1.2" },
  "org/app:1.2.sig": { artifactType: MediaType.sigstoreBundle, subject: "org/app:1.2" },
  "org/base:3": {}
}

/** `fetch` reaches the same registry, for the example that brings its own `HttpClient`. */
const fetch = Layer.effect(
  FetchHttpClient.Fetch,
  Effect.map(RegistryServer.RegistryServer, ({ app }): typeof globalThis.fetch => {
    const handle = HttpApp.toWebHandler(app)
    return (input, init) => handle(new Request(input, init))
  })
)

/** A registry in this process. No request leaves it. */
export const layer: Layer.Layer<RegistryClient.RegistryClient | FileSystem> = Layer.provideMerge(
  fetch,
  RegistryServer.layerTest({ seed })
).pipe(Layer.merge(NodeFileSystem.layer))
