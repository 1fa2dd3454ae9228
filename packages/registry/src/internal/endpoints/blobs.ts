import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Digest } from "effect-oci/Digest"
import type { Incoming } from "../incoming.js"
import * as Names from "../names.js"
import * as Ranges from "../ranges.js"
import { type Refusal, refuse } from "../refusal.js"
import type { Answer, Registry } from "../registry.js"
import * as Store from "../store.js"

const unknown = (digest: Digest): Refusal =>
  refuse(404, "BLOB_UNKNOWN", "blob unknown to registry", { detail: { digest } })

/** end-2: a blob, whole or the part a `Range` asks for; `HEAD` is the same without the bytes. */
export const get = ({ store }: Registry, incoming: Incoming, name: string, text: string): Answer =>
  Effect.gen(function* () {
    const digest = yield* Names.digest(text)
    const found = yield* store.blob(name, digest)
    if (Option.isNone(found)) return yield* Store.missing(store, name, unknown(digest))
    const content = found.value
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
    return HttpServerResponse.stream(content.bytes({ start, end }), {
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
export const remove = ({ store }: Registry, name: string, text: string): Answer =>
  Effect.gen(function* () {
    const digest = yield* Names.digest(text)
    if (!(yield* store.removeBlob(name, digest))) return yield* Store.missing(store, name, unknown(digest))
    return HttpServerResponse.empty({ status: 202, headers: { "content-length": "0" } })
  })
