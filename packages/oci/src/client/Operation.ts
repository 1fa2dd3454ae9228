/**
 * What a request is for, as every policy and observer is told: one endpoint, on one registry, of one repository.
 */
import type { RegistryName } from "../spec/RegistryName.js"
import type { Repository } from "../spec/Repository.js"

/** The operations, named as their functions are. Their number is bounded: fit for span names and metric tags. */
export type Name =
  | "registry.ping"
  | "blobs.head"
  | "blobs.get"
  | "blobs.range"
  | "blobs.delete"
  | "manifests.head"
  | "manifests.get"
  | "manifests.put"
  | "manifests.delete"
  | "uploads.start"
  | "uploads.post"
  | "uploads.patch"
  | "uploads.finish"
  | "uploads.mount"
  | "uploads.status"
  | "uploads.cancel"
  | "tags.list"
  | "tags.delete"
  | "referrers.list"
  | "catalog.list"
  | "auth.token"

export interface Operation {
  readonly name: Name
  readonly registry: RegistryName
  readonly repository?: Repository | undefined
  /** The tag or digest asked for. */
  readonly reference?: string | undefined
  /** The repository that a mount takes the blob from. */
  readonly from?: Repository | undefined
}

/** Whether the answer is content by digest or tag, which registries may serve from storage on another host. */
export const isContent = (self: Operation): boolean =>
  self.name === "blobs.get" ||
  self.name === "blobs.head" ||
  self.name === "blobs.range" ||
  self.name === "manifests.get" ||
  self.name === "manifests.head"
