/** What the tests of `Blobs.push` speak of: one blob, the requests that push it, and sources that can be watched. */
import * as Script from "@effect-oci/registry/Script"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as BlobSource from "effect-oci/BlobSource"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as RegistryRetry from "effect-oci/RegistryRetry"
import { elapsing } from "../../client/elapsing.js"
import { blob, content, encode, sha256 } from "../given.js"

export const { digest } = blob
export const escaped = encodeURIComponent(digest)
export const root = "/v2/org/app/blobs"
export const blobPath = `${root}/${digest}`

/** Where the session `id` is. */
export const at = (id: string | number) => `${root}/uploads/${id}`
export const end = (id: string | number, of: string = digest) => `${at(id)}?digest=${encodeURIComponent(of)}`

export const MiB = 1024 * 1024

/** Bytes that are nowhere the same for long. */
export const bytesOf = (size: number): Uint8Array => {
  const bytes = new Uint8Array(size)
  let state = 2463534242
  for (let i = 0; i < size; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[i] = state
  }
  return bytes
}

/** A blob that is too large to be read into memory on the way. */
export const large = bytesOf(3 * MiB)
export const largeDigest = sha256(large)

/** Bytes as a stream of pieces, with what is known of them. Counts how often it was opened. */
export const source = (
  bytes: Uint8Array,
  known: Omit<BlobSource.BlobSource, "stream" | "bytes"> = {},
  piece = MiB / 2
) => {
  const opened: Array<number> = []
  const from = (offset: number) =>
    Stream.suspend(() => {
      opened.push(offset)
      const pieces: Array<Uint8Array> = []
      for (let at = offset; at < bytes.length; at += piece)
        pieces.push(bytes.subarray(at, Math.min(at + piece, bytes.length)))
      return Stream.rechunk(Stream.fromIterable(pieces), 1)
    })
  return { opened, source: BlobSource.stream(from(0), { from, ...known }) }
}

export const small = encode(content)

/** The registry does not have it. */
export const absent = (path = blobPath) => Script.expect("HEAD", path).answer(404)
export const present = (path = blobPath, size = small.length) =>
  Script.expect("HEAD", path).answer(200, { headers: { "content-length": String(size) } })

/** A session begins. */
export const begun = (id: string | number, headers: Record<string, string> = {}) =>
  Script.expect("POST", `${root}/uploads/`).answer(202, { headers: { location: at(id), ...headers } })

/** The upload of the session ends well. */
export const taken = (id: string | number, of: string = digest) =>
  Script.expect("PUT", end(id, of)).answer(201, { headers: { location: `${root}/${of}` } })

/** The session is given up. */
export const cancelled = (id: string | number) => Script.expect("DELETE", at(id)).answer(204)

export const logged = Effect.map(Script.requests, (requests) =>
  requests.map(({ method, target }) => `${method} ${target}`)
)

/** Runs against a script, each request made once and without sign-in, and time going on by itself. */
export const playing =
  (...lines: ReadonlyArray<Script.Line>) =>
  <A, E, R>(
    self: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E, Exclude<R, Layer.Layer.Success<ReturnType<typeof Script.layerTest>>>> =>
    elapsing(self).pipe(
      Effect.provide(Layer.merge(RegistryRetry.layerNone, RegistryAuth.layerNone)),
      Effect.provide(Script.layerTest(...lines))
    )

/** A blob that goes in five chunks of at most 1 MiB, and the requests that send it so. */
export const chunked = (() => {
  const bytes = bytesOf(4.5 * MiB)
  const digest = sha256(bytes)
  const size = bytes.length
  /** A chunk to the session `id`, its place and its bytes as they must be. */
  const chunk = (id: number, from: number, to: number) =>
    Script.expect("PATCH", at(id), {
      headers: {
        "content-range": `${from}-${to - 1}`,
        "content-length": String(to - from),
        "content-type": "application/octet-stream"
      },
      body: bytes.subarray(from, to)
    })
  /** The session goes on at `next`, where so much of the blob is. */
  const has = (next: number, to: number, status = 202) =>
    [status, { headers: { location: at(next), range: `0-${to - 1}` } }] as const
  const patch = (id: number, from: number, to: number) => chunk(id, from, to).answer(...has(id + 1, to))
  const put = (id: number, body: string | Uint8Array) =>
    Script.expect("PUT", end(id, digest), { body, headers: { "content-range": undefined } })
  return {
    bytes,
    digest,
    size,
    path: `${root}/${digest}`,
    chunk,
    has,
    patch,
    /** All chunks, from the session 1 to the session 6. */
    all: [0, 1, 2, 3, 4].map((n) => patch(n + 1, n * MiB, Math.min(size, (n + 1) * MiB))),
    whole: (id: number) => put(id, bytes),
    end: (id: number) => put(id, "")
  }
})()

/** Settings for all hosts. */
export const within = (settings: Omit<RegistryHosts.Settings, "mirrors" | "location">) =>
  Effect.provide(RegistryHosts.layer(settings))
