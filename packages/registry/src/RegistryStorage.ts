import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Disk from "./internal/disk/store.js"
import * as Memory from "./internal/memory/store.js"
import type { Store } from "./internal/store.js"

/** Where a registry keeps what it has. How the two speak with each other is their own business. */
export interface Service {
  readonly open: Effect.Effect<Store>
}

const memory: Service = { open: Effect.sync(Memory.make) }

/** The storage of registries, picked up when one is made. Default: memory, for each registry its own. */
export class RegistryStorage extends Context.Reference<RegistryStorage>()("@effect-oci/registry/RegistryStorage", {
  defaultValue: (): Service => memory
}) {}

/** Memory: what a registry has is gone with it. */
export const layerMemory: Layer.Layer<RegistryStorage> = Layer.succeed(RegistryStorage, memory)

/**
 * A folder, made when it is not there: what a registry has in it, the next one has too. It must be empty or a registry's, on a
 * file system with hard links, and belongs to one process at a time. What a process left unfinished that was killed is cleared
 * away first.
 *
 * Writes are whole or not there: they go to a file of their own, are flushed to the disk, and get their name then. Uploads go on
 * where their file ends, and what is in it is hashed again. Symbolic links in the folder count as absent.
 */
export const layerDisk = (
  directory: string
): Layer.Layer<RegistryStorage, PlatformError, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(
    RegistryStorage,
    Effect.map(Disk.make(directory), (store) => ({ open: Effect.succeed(store) }))
  )
