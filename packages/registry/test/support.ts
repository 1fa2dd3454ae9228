import type * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpMethod } from "@effect/platform/HttpMethod"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Digest } from "effect-oci/Digest"
import * as Hasher from "effect-oci/Hasher"
import * as MediaType from "effect-oci/MediaType"

export interface Answer {
  readonly status: number
  readonly headers: Headers.Headers
  readonly bytes: Uint8Array
  readonly text: string
  /** What the body says as JSON; `undefined` when it is none. */
  readonly json: unknown
}

export interface SendOptions {
  readonly headers?: Headers.Input
  readonly body?: Uint8Array | string | Stream.Stream<Uint8Array, unknown>
  /** Where the registry is. In this process any host reaches it. */
  readonly origin?: string
}

const encoder = new TextEncoder()

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** One exchange: whatever the status, its answer. */
export const send = (
  method: HttpMethod,
  path: string,
  { body, headers, origin = "http://registry.test" }: SendOptions = {}
): Effect.Effect<Answer, HttpClientError.HttpClientError, HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const plain = HttpClientRequest.make(method)(`${origin}${path}`)
    const full =
      body === undefined
        ? plain
        : typeof body === "string" || body instanceof Uint8Array
          ? HttpClientRequest.bodyUint8Array(plain, typeof body === "string" ? encoder.encode(body) : body)
          : HttpClientRequest.bodyStream(plain, body)
    const response = yield* client.execute(headers === undefined ? full : HttpClientRequest.setHeaders(full, headers))
    const bytes = new Uint8Array(yield* response.arrayBuffer)
    const text = new TextDecoder().decode(bytes)
    return { status: response.status, headers: response.headers, bytes, text, json: parsed(text) }
  })

export const bytesOf = (text: string): Uint8Array => encoder.encode(text)

/** The codes of an error document. */
export const codes = ({ json }: Answer): ReadonlyArray<string> => {
  assert.isObject(json)
  const { errors } = Object(json)
  assert.isArray(errors)
  return errors.map(({ code }: { readonly code: string }) => code)
}

export const pushBlob = (name: string, content: string | Uint8Array, options: SendOptions = {}) =>
  Effect.gen(function* () {
    const bytes = typeof content === "string" ? bytesOf(content) : content
    const digest = yield* Hasher.digest(bytes)
    const answer = yield* send("POST", `/v2/${name}/blobs/uploads/?digest=${digest}`, { ...options, body: bytes })
    assert.strictEqual(answer.status, 201)
    return digest
  })

/** Where a new upload goes on. */
export const startUpload = (name: string, options: SendOptions = {}) =>
  Effect.map(send("POST", `/v2/${name}/blobs/uploads/`, options), ({ headers, status }) => {
    assert.strictEqual(status, 202)
    return headers.location ?? ""
  })

export const chunk = (location: string, start: number, content: string, headers: Record<string, string> = {}) =>
  send("PATCH", location, {
    body: content,
    headers: { "content-range": `${start}-${start + content.length - 1}`, ...headers }
  })

interface ManifestFields {
  readonly blobs?: ReadonlyArray<Digest>
  readonly subject?: Digest
  readonly artifactType?: string
  readonly annotations?: { readonly [key: string]: string }
}

/** An image manifest in JSON. The first blob is its config; sizes are not looked at. */
export const manifest = ({ blobs = [], subject, ...rest }: ManifestFields): string => {
  const descriptor = (mediaType: string) => (digest: Digest) => ({ mediaType, digest, size: 2 })
  const [config, ...layers] = blobs
  assert.isDefined(config)
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: descriptor(MediaType.ociConfig)(config),
    layers: layers.map(descriptor(MediaType.ociLayer)),
    ...(subject === undefined ? {} : { subject: descriptor(MediaType.ociManifest)(subject) }),
    ...rest
  })
}

export const putManifest = (
  name: string,
  reference: string,
  body: string,
  headers: Record<string, string> = { "content-type": MediaType.ociManifest }
) => send("PUT", `/v2/${name}/manifests/${reference}`, { body, headers })

/** A manifest of one small blob, pushed: its digest. */
export const pushManifest = (name: string, reference: string, fields: Omit<ManifestFields, "blobs"> = {}) =>
  Effect.gen(function* () {
    const body = manifest({ blobs: [yield* pushBlob(name, "{}")], ...fields })
    const answer = yield* putManifest(name, reference, body)
    assert.strictEqual(answer.status, 201)
    return yield* Hasher.digest(bytesOf(body))
  })

/** Well-formed, and nobody has it. */
export const absent = `sha256:${"0".repeat(64)}`
