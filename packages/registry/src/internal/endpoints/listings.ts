import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Manifest from "effect-oci/Manifest"
import * as MediaType from "effect-oci/MediaType"
import type { Incoming } from "../incoming.js"
import * as Names from "../names.js"
import * as Paging from "../paging.js"
import type { Answer, Registry } from "../registry.js"
import * as Store from "../store.js"

const identity = (text: string): string => text

/** end-8a and 8b. */
export const tags = ({ settings, store }: Registry, incoming: Incoming, name: string): Answer =>
  Effect.gen(function* () {
    const all = yield* store.tags(name)
    if (all.length === 0 && !(yield* store.has(name))) return yield* Store.nameUnknown(name)
    const { headers, items } = yield* Paging.page(all, identity, incoming, settings.pageSize)
    return HttpServerResponse.unsafeJson({ name, tags: items }, { headers })
  })

/** The catalogue of Docker's registry, which the specification leaves out. */
export const catalog = ({ settings, store }: Registry, incoming: Incoming): Answer =>
  Effect.gen(function* () {
    const all = yield* store.repositories
    const { headers, items } = yield* Paging.page(all, identity, incoming, settings.pageSize)
    return HttpServerResponse.unsafeJson({ repositories: items }, { headers })
  })

/** end-12a and 12b: what names this digest as its subject. Nothing does in a repository that does not exist. */
export const referrers = ({ settings, store }: Registry, incoming: Incoming, name: string, text: string): Answer =>
  Effect.gen(function* () {
    const digest = yield* Names.digest(text)
    const artifactType = incoming.query.get("artifactType")
    const found = (yield* store.referrers(name, digest)).filter(
      (descriptor) => artifactType === null || descriptor.artifactType === artifactType
    )
    const { headers, items } = yield* Paging.page(found, (item) => item.digest, incoming, settings.pageSize)
    const index = Manifest.encode({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: items })
    return HttpServerResponse.uint8Array(index, {
      contentType: MediaType.ociIndex,
      headers: { ...headers, ...(artifactType === null ? {} : { "oci-filters-applied": "artifactType" }) }
    })
  })
