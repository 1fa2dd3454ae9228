import type { PlatformError } from "@effect/platform/Error"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Digest from "effect-oci/Digest"
import type { MayPull } from "../auth/gate.js"
import type { Incoming } from "../incoming.js"
import * as Names from "../names.js"
import * as Ranges from "../ranges.js"
import { type Refusal, refuse } from "../refusal.js"
import type { Answer, Registry } from "../registry.js"
import * as Sessions from "../sessions.js"
import type { Upload } from "../store.js"

/** Where a session stands. The range of an empty one is `0-0`, as that of one byte. */
const standing = (upload: Upload): Record<string, string> => ({
  location: `/v2/${upload.repository}/blobs/uploads/${upload.id}`,
  range: `0-${Math.max(0, upload.size - 1)}`,
  "docker-upload-uuid": upload.id
})

const created = (name: string, digest: Digest.Digest): HttpServerResponse.HttpServerResponse =>
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

/**
 * end-11: brings a blob from the repository that `from` names, or without it from any, of those that one may pull from.
 * None when it cannot be had.
 */
const mount = ({ store }: Registry, { query }: Incoming, name: string, mayPull: MayPull) =>
  Effect.gen(function* () {
    const digest = Digest.parse(query.get("mount") ?? "")
    if (Either.isLeft(digest)) return Option.none()
    const from = query.get("from")
    const sources = (from === null ? yield* store.repositories : [from]).filter(mayPull)
    const source = yield* Effect.findFirst(sources, (source) => store.mount(source, name, digest.right))
    return Option.as(source, digest.right)
  })

const sessionAlgorithm = (incoming: Incoming): Effect.Effect<Digest.Algorithm, Refusal> => {
  const algorithm = incoming.query.get("digest-algorithm") ?? "sha256"
  return algorithm === "sha256" || algorithm === "sha384" || algorithm === "sha512"
    ? Effect.succeed(algorithm)
    : Effect.fail(refuse(400, "DIGEST_INVALID", "digest algorithm is not supported", { detail: { algorithm } }))
}

/** end-4a and 4c: a session; end-4b: a whole blob at once; end-11: a mount, or a session when it cannot be done. */
export const start = (registry: Registry, incoming: Incoming, name: string, mayPull: MayPull): Answer =>
  Effect.gen(function* () {
    const { settings, store } = registry
    const mounted = yield* mount(registry, incoming, name, mayPull)
    if (Option.isSome(mounted)) return created(name, mounted.value)
    const wanted = incoming.query.get("digest")
    if (wanted !== null) {
      const digest = yield* Names.digest(wanted)
      return yield* Effect.acquireUseRelease(
        store.newUpload(name, yield* Names.algorithm(digest)),
        (upload) => Effect.zipRight(receive(registry, incoming, upload), commit(registry, upload, digest)),
        (upload, exit) => (Exit.isSuccess(exit) ? Effect.void : Effect.ignoreLogged(upload.discard))
      )
    }
    const upload = yield* store.newUpload(name, yield* sessionAlgorithm(incoming))
    yield* Sessions.keep(registry, upload)
    return accepted(
      upload,
      settings.chunkMinLength > 0 ? { "oci-chunk-min-length": String(settings.chunkMinLength) } : {}
    )
  })

const turn = (registry: Registry, name: string, id: string, use: (upload: Upload) => Answer): Answer =>
  Effect.flatMap(Sessions.find(registry, name, id), (upload) =>
    // It may have ended while this request waited.
    upload.turn.withPermits(1)(Effect.zipRight(Sessions.find(registry, name, id), Sessions.using(upload, use(upload))))
  )

/** end-5: the next chunk, or a stream of unknown length when it has no `Content-Range`. */
export const patch = (registry: Registry, incoming: Incoming, name: string, id: string): Answer =>
  turn(registry, name, id, (upload) =>
    Effect.gen(function* () {
      const received = yield* receive(registry, incoming, upload)
      if (received > 0 && received < registry.settings.chunkMinLength) yield* upload.end
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
      // it may have been cancelled meanwhile
      yield* Sessions.find(registry, name, id)
      return yield* commit(registry, upload, digest)
    })
  )

/** end-13: where the session stands. */
export const status = (registry: Registry, name: string, id: string): Answer =>
  Effect.map(Sessions.find(registry, name, id), (upload) =>
    HttpServerResponse.empty({ status: 204, headers: standing(upload) })
  )

/** end-14: forgets the session and what it has. */
export const cancel = (registry: Registry, name: string, id: string): Answer =>
  Effect.gen(function* () {
    const upload = yield* Sessions.find(registry, name, id)
    yield* Sessions.forget(registry.store, upload.id)
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
const receive = (
  registry: Registry,
  incoming: Incoming,
  upload: Upload
): Effect.Effect<number, Refusal | PlatformError> =>
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
    yield* upload.append(incoming.body)
    const received = upload.size - before
    if (lengths.some((length) => length !== received)) {
      yield* Sessions.forget(registry.store, upload.id)
      return yield* refuse(400, "SIZE_INVALID", "the body is not as long as its headers say", { detail: { received } })
    }
    return received
  })

const commit = (registry: Registry, upload: Upload, digest: Digest.Digest): Answer =>
  Effect.gen(function* () {
    const computed = yield* upload.digest
    if (computed !== digest) {
      yield* Sessions.forget(registry.store, upload.id)
      const detail = { provided: digest, computed }
      return yield* refuse(400, "DIGEST_INVALID", "provided digest did not match uploaded content", { detail })
    }
    yield* upload.commit(digest)
    return created(upload.repository, digest)
  })
