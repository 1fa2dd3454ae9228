import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Algorithm, Digest } from "effect-oci/Digest"
import type { MayPull } from "../auth/gate.js"
import type { Content } from "../content.js"
import type { Incoming } from "../incoming.js"
import * as Names from "../names.js"
import * as Ranges from "../ranges.js"
import { type Refusal, refuse } from "../refusal.js"
import type { Answer, Registry } from "../registry.js"
import * as Store from "../store.js"
import type { Upload } from "../upload.js"

/** Where a session stands. The range of an empty one is `0-0`, as that of one byte. */
const standing = (upload: Upload): Record<string, string> => ({
  location: `/v2/${upload.repository}/blobs/uploads/${upload.id}`,
  range: `0-${Math.max(0, upload.size - 1)}`,
  "docker-upload-uuid": upload.id
})

const created = (name: string, digest: Digest): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.empty({
    status: 201,
    headers: {
      location: `/v2/${name}/blobs/${digest}`,
      "docker-content-digest": digest,
      "content-length": "0"
    }
  })

const accepted = (upload: Upload, headers: Record<string, string> = {}): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.empty({ status: 202, headers: { ...standing(upload), ...headers, "content-length": "0" } })

/** end-11: the blob from the repository that `from` names, or without it from any, of those that one may pull from. */
const mountable = ({ store }: Registry, { query }: Incoming, digest: string, mayPull: MayPull): Content | undefined => {
  const from = query.get("from")
  if (from === null) return Store.anywhere(store, digest, mayPull)
  return mayPull(from) ? store.repositories.get(from)?.blobs.get(digest) : undefined
}

const sessionAlgorithm = (incoming: Incoming): Effect.Effect<Algorithm, Refusal> => {
  const algorithm = incoming.query.get("digest-algorithm") ?? "sha256"
  return algorithm === "sha256" || algorithm === "sha384" || algorithm === "sha512"
    ? Effect.succeed(algorithm)
    : Effect.fail(refuse(400, "DIGEST_INVALID", "digest algorithm is not supported", { detail: { algorithm } }))
}

/** end-4a and 4c: a session; end-4b: a whole blob at once; end-11: a mount, or a session when it cannot be done. */
export const start = (registry: Registry, incoming: Incoming, name: string, mayPull: MayPull): Answer =>
  Effect.gen(function* () {
    const { settings, store } = registry
    const mount = incoming.query.get("mount")
    if (mount !== null) {
      const content = mountable(registry, incoming, mount, mayPull)
      if (content !== undefined) {
        Store.link(store, name, content)
        return created(name, content.digest)
      }
    }
    const wanted = incoming.query.get("digest")
    if (wanted !== null) {
      const digest = yield* Names.digest(wanted)
      const upload = yield* Store.newUpload(store, name, yield* Names.algorithm(digest))
      yield* receive(registry, incoming, upload)
      return yield* commit(registry, upload, digest)
    }
    const upload = yield* Store.newUpload(store, name, yield* sessionAlgorithm(incoming))
    Store.keep(store, upload)
    return accepted(
      upload,
      settings.chunkMinLength > 0 ? { "oci-chunk-min-length": String(settings.chunkMinLength) } : {}
    )
  })

const turn = (registry: Registry, name: string, id: string, use: (upload: Upload) => Answer): Answer =>
  Effect.flatMap(Store.findUpload(registry.store, name, id), (upload) =>
    // It may have ended while this request waited.
    upload.turn.withPermits(1)(Effect.zipRight(Store.findUpload(registry.store, name, id), use(upload)))
  )

/** end-5: the next chunk, or a stream of unknown length when it has no `Content-Range`. */
export const patch = (registry: Registry, incoming: Incoming, name: string, id: string): Answer =>
  turn(registry, name, id, (upload) =>
    Effect.gen(function* () {
      const received = yield* receive(registry, incoming, upload)
      if (received > 0 && received < registry.settings.chunkMinLength) upload.ended = true
      return accepted(upload)
    })
  )

/** end-6: ends the session, with the last chunk or without. */
export const finish = (registry: Registry, incoming: Incoming, name: string, id: string): Answer =>
  turn(registry, name, id, (upload) =>
    Effect.gen(function* () {
      const digest = yield* Names.digest(incoming.query.get("digest") ?? "")
      upload.hashWith(yield* Names.algorithm(digest))
      yield* receive(registry, incoming, upload)
      return yield* commit(registry, upload, digest)
    })
  )

/** end-13: where the session stands. */
export const status = (registry: Registry, name: string, id: string): Answer =>
  Effect.map(Store.findUpload(registry.store, name, id), (upload) =>
    HttpServerResponse.empty({ status: 204, headers: standing(upload) })
  )

/** end-14: forgets the session and what it has. */
export const cancel = (registry: Registry, name: string, id: string): Answer =>
  Effect.map(Store.findUpload(registry.store, name, id), (upload) => {
    registry.store.uploads.delete(upload.id)
    return HttpServerResponse.empty({ status: 204 })
  })

const declaredRange = (incoming: Incoming, upload: Upload): Effect.Effect<Ranges.Range | undefined, Refusal> => {
  const header = incoming.headers["content-range"]
  if (header === undefined) return Effect.succeed(undefined)
  const range = Ranges.ofChunk(header)
  if (range === undefined) {
    return Effect.fail(refuse(400, "BLOB_UPLOAD_INVALID", "Content-Range must be of the form 0-9"))
  }
  return range.start === upload.size
    ? Effect.succeed(range)
    : Effect.fail(
        refuse(416, "BLOB_UPLOAD_INVALID", `the next chunk must start at ${upload.size}`, { headers: standing(upload) })
      )
}

/**
 * Appends a body as it comes; what arrived before it broke off stays. A body of another length than its headers say
 * ends the session, for it cannot be taken back out of the hash. Answers how many bytes there were.
 */
const receive = (registry: Registry, incoming: Incoming, upload: Upload): Effect.Effect<number, Refusal> =>
  Effect.gen(function* () {
    const range = yield* declaredRange(incoming, upload)
    const contentLength = incoming.headers["content-length"]
    const lengths = [
      ...(range === undefined ? [] : [range.end - range.start]),
      ...(contentLength === undefined ? [] : [Number(contentLength)])
    ]
    if (upload.ended && lengths.some((length) => length > 0)) {
      return yield* refuse(400, "BLOB_UPLOAD_INVALID", "only the last chunk may be shorter than OCI-Chunk-Min-Length")
    }
    const before = upload.size
    yield* Stream.runForEachChunk(incoming.body, (pieces) =>
      Effect.sync(() => {
        for (const piece of pieces) upload.append(piece)
      })
    )
    const received = upload.size - before
    if (lengths.some((length) => length !== received)) {
      registry.store.uploads.delete(upload.id)
      return yield* refuse(400, "SIZE_INVALID", "the body is not as long as its headers say", { detail: { received } })
    }
    return received
  })

const commit = (registry: Registry, upload: Upload, digest: Digest): Answer =>
  Effect.suspend(() => {
    const content = upload.content()
    registry.store.uploads.delete(upload.id)
    if (content.digest !== digest) {
      const detail = { provided: digest, computed: content.digest }
      return Effect.fail(refuse(400, "DIGEST_INVALID", "provided digest did not match uploaded content", { detail }))
    }
    Store.link(registry.store, upload.repository, content)
    return Effect.succeed(created(upload.repository, digest))
  })
