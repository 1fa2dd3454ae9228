import type { FileSystem } from "@effect/platform/FileSystem"
import type { ConfigError } from "effect/ConfigError"
import type * as Effect from "effect/Effect"
import type { Reference } from "effect-oci/Reference"
import type { RegistryClient } from "effect-oci/RegistryClient"

/** What each file of this folder exports. */
export interface Example {
  readonly description: string
  /** What it writes, it writes into the reference's repository and those below. */
  readonly program: (reference: Reference) => Effect.Effect<void, Error | ConfigError, RegistryClient | FileSystem>
}

/** An example that needs no registry, only a text, and has one of its own. */
export interface Parser {
  readonly description: string
  readonly program: (text?: string) => Effect.Effect<void, Error>
}

type Imports<A> = { readonly [name: string]: () => Promise<A> }

/** The example of a name, of which users may give any. */
export const find = <A>(imports: Imports<A>, name: string): (() => Promise<A>) | undefined =>
  Object.hasOwn(imports, name) ? imports[name] : undefined

export const endpoints: Imports<Example> = {
  "registry-ping": () => import("../registry-ping.js"),
  "registry-supports": () => import("../registry-supports.js"),
  "registry-login": () => import("../registry-login.js"),
  "registry-logout": () => import("../registry-logout.js"),
  "manifests-head": () => import("../manifests-head.js"),
  "manifests-exists": () => import("../manifests-exists.js"),
  "manifests-get": () => import("../manifests-get.js"),
  "manifests-resolve": () => import("../manifests-resolve.js"),
  "manifests-put": () => import("../manifests-put.js"),
  "manifests-put-tags": () => import("../manifests-put-tags.js"),
  "manifests-delete": () => import("../manifests-delete.js"),
  "blobs-head": () => import("../blobs-head.js"),
  "blobs-exists": () => import("../blobs-exists.js"),
  "blobs-get": () => import("../blobs-get.js"),
  "blobs-stream": () => import("../blobs-stream.js"),
  "blobs-to-file": () => import("../blobs-to-file.js"),
  "blobs-range": () => import("../blobs-range.js"),
  "blobs-push": () => import("../blobs-push.js"),
  "blobs-delete": () => import("../blobs-delete.js"),
  "uploads-post": () => import("../uploads-post.js"),
  "uploads-start": () => import("../uploads-start.js"),
  "uploads-patch": () => import("../uploads-patch.js"),
  "uploads-finish": () => import("../uploads-finish.js"),
  "uploads-status": () => import("../uploads-status.js"),
  "uploads-resume": () => import("../uploads-resume.js"),
  "uploads-cancel": () => import("../uploads-cancel.js"),
  "uploads-mount": () => import("../uploads-mount.js"),
  "tags-list": () => import("../tags-list.js"),
  "tags-stream": () => import("../tags-stream.js"),
  "tags-delete": () => import("../tags-delete.js"),
  "referrers-list": () => import("../referrers-list.js"),
  "referrers-stream": () => import("../referrers-stream.js"),
  "referrers-get": () => import("../referrers-get.js"),
  "referrers-attach": () => import("../referrers-attach.js"),
  "catalog-list": () => import("../catalog-list.js"),
  "catalog-stream": () => import("../catalog-stream.js")
}

export const parsers: Imports<Parser> = {
  "parse-reference": () => import("../parse-reference.js"),
  "parse-repository": () => import("../parse-repository.js"),
  "parse-registry": () => import("../parse-registry.js"),
  "parse-digest": () => import("../parse-digest.js"),
  "parse-platform": () => import("../parse-platform.js")
}

export const uses: Imports<Example> = {
  "use-compose": () => import("../use-compose.js"),
  "use-own-http-client": () => import("../use-own-http-client.js"),
  "use-mock-registry": () => import("../use-mock-registry.js"),
  "image-download": () => import("../image-download.js"),
  "image-copy": () => import("../image-copy.js"),
  "media-type-own": () => import("../media-type-own.js")
}
