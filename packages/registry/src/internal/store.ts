import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { constTrue } from "effect/Function"
import type { Algorithm, Digest } from "effect-oci/Digest"
import type { Service } from "effect-oci/Hasher"
import type { ManifestContent } from "effect-oci/Manifest"
import type { Content } from "./content.js"
import { type Refusal, refuse } from "./refusal.js"
import { Upload } from "./upload.js"

/** One repository. Blobs belong to it by link; their bytes are shared with other repositories. */
export interface Repository {
  readonly name: string
  readonly blobs: Map<string, Content>
  readonly manifests: Map<string, ManifestContent>
  readonly tags: Map<string, Digest>
}

/** All that a registry knows, in memory. What nothing links to any more is left to the garbage collector. */
export interface Store {
  readonly hasher: Service
  readonly repositories: Map<string, Repository>
  readonly uploads: Map<string, Upload>
  /** Milliseconds after which an unused upload is forgotten. */
  readonly uploadExpiry: number
}

export const make = (hasher: Service, uploadExpiry: number): Store => ({
  hasher,
  repositories: new Map(),
  uploads: new Map(),
  uploadExpiry
})

/** A repository that exists: something was pushed to it once. */
export const find = (store: Store, name: string): Effect.Effect<Repository, Refusal> => {
  const repository = store.repositories.get(name)
  return repository === undefined
    ? Effect.fail(refuse(404, "NAME_UNKNOWN", "repository name not known to registry", { detail: { name } }))
    : Effect.succeed(repository)
}

/** A repository to write to. The first write makes it. */
export const open = (store: Store, name: string): Repository => {
  const known = store.repositories.get(name)
  if (known !== undefined) return known
  const repository: Repository = { name, blobs: new Map(), manifests: new Map(), tags: new Map() }
  store.repositories.set(name, repository)
  return repository
}

/** A blob that any repository has, of those that will do. */
export const anywhere = (
  store: Store,
  digest: string,
  among: (name: string) => boolean = constTrue
): Content | undefined => {
  for (const { blobs, name } of store.repositories.values()) {
    const content = among(name) ? blobs.get(digest) : undefined
    if (content !== undefined) return content
  }
  return undefined
}

/** Puts a blob into a repository. Bytes that another repository has already are not held twice. */
export const link = (store: Store, name: string, content: Content): void => {
  open(store, name).blobs.set(content.digest, anywhere(store, content.digest) ?? content)
}

const forgetUnused = (store: Store, now: number): void => {
  for (const { id, touched } of store.uploads.values()) {
    if (now - touched > store.uploadExpiry) store.uploads.delete(id)
  }
}

/** A new upload, not yet to be found: `keep` gives it an address. */
export const newUpload = (store: Store, repository: string, algorithm: Algorithm): Effect.Effect<Upload> =>
  Effect.map(
    Clock.currentTimeMillis,
    (now) => new Upload({ id: crypto.randomUUID(), repository, algorithm, hasher: store.hasher, now })
  )

export const keep = (store: Store, upload: Upload): void => {
  forgetUnused(store, upload.touched)
  store.uploads.set(upload.id, upload)
}

export const findUpload = (store: Store, repository: string, id: string): Effect.Effect<Upload, Refusal> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    forgetUnused(store, now)
    const upload = store.uploads.get(id)
    if (upload === undefined || upload.repository !== repository) {
      return Effect.fail(refuse(404, "BLOB_UPLOAD_UNKNOWN", "blob upload not known to registry", { detail: { id } }))
    }
    upload.touched = now
    return Effect.succeed(upload)
  })
