import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Digest } from "effect-oci/Digest"
import { Hasher } from "effect-oci/Hasher"
import type { ManifestContent } from "effect-oci/Manifest"
import type { Range } from "../ranges.js"
import * as Referrer from "../referrer.js"
import * as Store from "../store.js"
import { Upload } from "./upload.js"

/** A blob's bytes in the pieces they came in, held once for all repositories and never joined. */
type Pieces = ReadonlyArray<Uint8Array>

/** One repository. Blobs belong to it by link; their bytes are shared with other repositories. */
interface Repository {
  readonly blobs: Map<Digest, Store.Content>
  readonly manifests: Map<Digest, ManifestContent>
  readonly tags: Map<string, Digest>
}

// Pieces that are written before the socket is asked whether it can take more.
const batch = 16

/** Views of the pieces that lie in a range. */
const slice = (pieces: Pieces, { end, start }: Range): Pieces => {
  const parts: Array<Uint8Array> = []
  let offset = 0
  for (const piece of pieces) {
    if (offset >= end) break
    const next = offset + piece.length
    if (next > start) parts.push(piece.subarray(Math.max(0, start - offset), Math.min(piece.length, end - offset)))
    offset = next
  }
  return parts
}

const content = (digest: Digest, size: number, pieces: Pieces): Store.Content => ({
  digest,
  size,
  bytes: (range) => Stream.suspend(() => Stream.fromIteratorSucceed(slice(pieces, range).values(), batch))
})

/** A new store. What nothing links to any more is left to the garbage collector. */
export const make = (): Store.Store => {
  const repositories = new Map<string, Repository>()

  const open = (name: string): Repository => {
    const known = repositories.get(name)
    if (known !== undefined) return known
    const repository: Repository = { blobs: new Map(), manifests: new Map(), tags: new Map() }
    repositories.set(name, repository)
    return repository
  }

  const anywhere = (digest: Digest): Store.Content | undefined => {
    for (const { blobs } of repositories.values()) {
      const content = blobs.get(digest)
      if (content !== undefined) return content
    }
    return undefined
  }

  const uploads = new Map<string, Store.Upload>()
  const commit = (digest: Digest, { id, pieces, repository, size }: Upload): void => {
    uploads.delete(id)
    open(repository).blobs.set(digest, anywhere(digest) ?? content(digest, size, pieces))
  }

  return {
    repositories: Effect.sync(() => Array.from(repositories.keys())),
    has: (name) => Effect.sync(() => repositories.has(name)),
    exclusively: Store.exclusively(),

    blob: (name, digest) => Effect.sync(() => Option.fromNullable(repositories.get(name)?.blobs.get(digest))),
    mount: (from, name, digest) =>
      Effect.sync(() => {
        const content = repositories.get(from)?.blobs.get(digest)
        if (content !== undefined) open(name).blobs.set(digest, content)
        return content !== undefined
      }),
    removeBlob: (name, digest) => Effect.sync(() => repositories.get(name)?.blobs.delete(digest) === true),

    manifest: (name, digest) =>
      Effect.sync(() => {
        const content = repositories.get(name)?.manifests.get(digest)
        return content === undefined
          ? Option.none()
          : Option.some({ mediaType: content.descriptor.mediaType, bytes: content.bytes })
      }),
    putManifest: (name, content) =>
      Effect.sync(() => {
        open(name).manifests.set(content.descriptor.digest, content)
      }),
    removeManifest: (name, digest) =>
      Effect.sync(() => {
        const { manifests, tags } = open(name)
        for (const [tag, target] of tags) if (target === digest) tags.delete(tag)
        manifests.delete(digest)
      }),
    referrers: (name, subject) =>
      Effect.sync(() =>
        Array.from(repositories.get(name)?.manifests.values() ?? []).flatMap((content) =>
          Option.match(Referrer.of(content), {
            onNone: () => [],
            onSome: (referrer) => (referrer.subject === subject ? [referrer.descriptor] : [])
          })
        )
      ),

    tags: (name) => Effect.sync(() => Array.from(repositories.get(name)?.tags.keys() ?? [])),
    tag: (name, tag) => Effect.sync(() => Option.fromNullable(repositories.get(name)?.tags.get(tag))),
    putTag: (name, tag, digest) =>
      Effect.sync(() => {
        open(name).tags.set(tag, digest)
      }),
    removeTag: (name, tag) =>
      Effect.sync(() => {
        repositories.get(name)?.tags.delete(tag)
      }),

    uploads,
    newUpload: (repository, algorithm) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        return new Upload({ repository, algorithm, hasher: yield* Hasher, now, commit })
      })
  }
}
