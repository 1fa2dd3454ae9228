import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Digest } from "effect-oci/Digest"
import * as Content from "../content.js"
import type { Incoming } from "../incoming.js"
import * as Names from "../names.js"
import * as Ranges from "../ranges.js"
import { type Refusal, refuse } from "../refusal.js"
import type { Answer, Registry } from "../registry.js"
import * as Store from "../store.js"

// Pieces that are written before the socket is asked whether it can take more.
const batch = 16

const unknown = (digest: Digest): Refusal =>
  refuse(404, "BLOB_UNKNOWN", "blob unknown to registry", { detail: { digest } })

const find = (registry: Registry, name: string, text: string): Effect.Effect<Content.Content, Refusal> =>
  Effect.gen(function* () {
    const digest = yield* Names.digest(text)
    const repository = yield* Store.find(registry.store, name)
    const content = repository.blobs.get(digest)
    return content === undefined ? yield* unknown(digest) : content
  })

/** end-2: a blob, whole or the part a `Range` asks for; `HEAD` is the same without the bytes. */
export const get = (registry: Registry, incoming: Incoming, name: string, text: string): Answer =>
  Effect.gen(function* () {
    const content = yield* find(registry, name, text)
    const etag = `"${content.digest}"`
    const current = (incoming.headers["if-range"] ?? etag) === etag
    const range =
      incoming.method === "GET" && current ? Ranges.requested(incoming.headers.range, content.size) : undefined
    if (range === "unsatisfiable") {
      return yield* refuse(416, "SIZE_INVALID", "requested range not satisfiable", {
        headers: { "content-range": `bytes */${content.size}` }
      })
    }
    const { end, start } = range ?? { start: 0, end: content.size }
    const pieces = range === undefined ? content.pieces : Content.slice(content, range)
    const body = Stream.suspend(() => Stream.fromIteratorSucceed(pieces.values(), batch))
    return HttpServerResponse.stream(body, {
      status: range === undefined ? 200 : 206,
      contentType: "application/octet-stream",
      headers: {
        "accept-ranges": "bytes",
        "content-length": String(end - start),
        "docker-content-digest": content.digest,
        etag,
        ...(range === undefined ? {} : { "content-range": `bytes ${start}-${end - 1}/${content.size}` })
      }
    })
  })

/** end-10: takes a blob out of this repository. Others that have it keep it. */
export const remove = (registry: Registry, name: string, text: string): Answer =>
  Effect.gen(function* () {
    const { digest } = yield* find(registry, name, text)
    const repository = yield* Store.find(registry.store, name)
    repository.blobs.delete(digest)
    return HttpServerResponse.empty({ status: 202, headers: { "content-length": "0" } })
  })
