/** What a copy can fail with and what it needs: what its stores do, and what is its own. */
import * as Copy from "effect-oci/Copy"
import type { MemoryStore } from "effect-oci/MemoryStore"
import type { RegistryClient } from "effect-oci/RegistryClient"
import type { RegistryStore } from "effect-oci/RegistryStore"
import type { CallTag, Failure, Needs, Same, TagOf } from "./pins.js"

const copies = (memory: MemoryStore, registry: RegistryStore) => ({
  within: Copy.copy(memory, memory, { root: "1" }),
  down: Copy.copy(registry, memory, { root: "1" }),
  up: Copy.copy(memory, registry, { root: "1" })
})

type Copies = ReturnType<typeof copies>

type Own =
  | "ContentUnknown"
  | "GraphTooLarge"
  | "ManifestInvalid"
  | "ManifestUnsupported"
  | "DigestMismatch"
  | "SizeMismatch"

type Read =
  | CallTag
  | Own
  | "BlobUnknown"
  | "ManifestUnknown"
  | "NameUnknown"
  | "PaginationLoop"
  | "RangeNotSatisfiable"
  | "InvalidReference"
  | "Unsupported"

type Written =
  | Read
  | "NameInvalid"
  | "BlobUploadUnknown"
  | "BlobUploadInvalid"
  | "ManifestBlobUnknown"
  | "DigestInvalid"
  | "SizeInvalid"
  | "PayloadTooLarge"
  | "SourceNotReplayable"
  | "TagImmutable"
  | "ReferrersNotUpdated"

export const within: Same<TagOf<Failure<Copies["within"]>>, Own> = true
export const withinNeeds: Same<Needs<Copies["within"]>, never> = true
export const down: Same<TagOf<Failure<Copies["down"]>>, Read> = true
export const downNeeds: Same<Needs<Copies["down"]>, RegistryClient> = true
export const up: Same<TagOf<Failure<Copies["up"]>>, Written> = true
export const upNeeds: Same<Needs<Copies["up"]>, RegistryClient> = true
