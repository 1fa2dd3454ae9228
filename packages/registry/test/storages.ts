import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe } from "@effect/vitest"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as RegistryStorage from "@effect-oci/registry/RegistryStorage"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** A folder of its own, that goes with the layer. */
export const layerDisk: Layer.Layer<RegistryStorage.RegistryStorage, PlatformError> = Layer.unwrapScoped(
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return RegistryStorage.layerDisk(yield* fs.makeTempDirectoryScoped())
  })
).pipe(Layer.provide(NodeContext.layer))

const storages = { "in memory": RegistryStorage.layerMemory, "on disk": layerDisk }

/** The same tests for registries in memory and on disk. */
export const onEachStorage = (
  name: string,
  tests: (
    registry: (
      options?: RegistryServer.Options
    ) => Layer.Layer<HttpClient.HttpClient | RegistryServer.RegistryServer, PlatformError>
  ) => void
): void => {
  for (const [where, storage] of Object.entries(storages)) {
    describe(`${name} ${where}`, () =>
      tests((options) => Layer.provide(RegistryServer.layerHttpClient(options), storage)))
  }
}
