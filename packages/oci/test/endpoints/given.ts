/** What the scripted tests of endpoints speak of: one repository, some content, and answers of its registry. */
import { assert } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import type * as Descriptor from "effect-oci/Descriptor"
import * as Digest from "effect-oci/Digest"
import * as Hasher from "effect-oci/Hasher"
import * as Manifest from "effect-oci/Manifest"
import * as MediaType from "effect-oci/MediaType"
import * as Reference from "effect-oci/Reference"
import * as RegistryName from "effect-oci/RegistryName"
import * as Repository from "effect-oci/Repository"
import type { UploadSession } from "effect-oci/Uploads"

export const registry = Either.getOrThrow(RegistryName.parse("registry.test"))
export const repository = new Repository.Repository({ registry, name: "org/app" })

/** Where its requests go. */
export const v2 = "https://registry.test/v2/org/app"

export const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
export const decode = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes)
export const json = (value: unknown): Uint8Array => encode(JSON.stringify(value))

export const sha256 = (content: string | Uint8Array): Digest.Digest => hash(content, "sha256")
export const sha512 = (content: string | Uint8Array): Digest.Digest => hash(content, "sha512")

/** What hashes, at once. */
const now = <A, E>(effect: Effect.Effect<A, E>): A => Effect.runSync(Effect.provide(effect, Hasher.layerPortable))

const hash = (content: string | Uint8Array, algorithm: Digest.Algorithm): Digest.Digest =>
  now(Hasher.digest(typeof content === "string" ? encode(content) : content, algorithm))

export const digestOf = (text: string): Digest.Digest => Either.getOrThrow(Digest.parse(text))

export const describeBytes = (content: string | Uint8Array, mediaType: string): Descriptor.Descriptor => {
  const bytes = typeof content === "string" ? encode(content) : content
  return { mediaType, digest: sha256(bytes), size: bytes.length }
}

/** A blob that the tests read and write. */
export const content = "0123456789"
export const blob = describeBytes(content, "application/octet-stream")

/** A manifest in the bytes that registries have of it. */
export const manifest = json({
  schemaVersion: 2,
  mediaType: MediaType.ociManifest,
  config: describeBytes("{}", MediaType.ociEmpty),
  layers: [describeBytes(content, MediaType.ociLayer)]
})
export const manifestContent = now(Manifest.ManifestContent.fromBytes(manifest))
export const manifestDigest = manifestContent.descriptor.digest

/** An artifact that refers to a subject. */
export const referrerTo = (
  { digest, mediaType, size }: Descriptor.Descriptor,
  more: Partial<Manifest.ImageManifest> = {}
): Manifest.ManifestContent =>
  now(
    Manifest.content({
      schemaVersion: 2,
      mediaType: MediaType.ociManifest,
      artifactType: "application/x-sbom",
      config: describeBytes("{}", MediaType.ociEmpty),
      layers: [],
      subject: { mediaType, digest, size },
      ...more
    })
  )

export const tagged = Reference.make(repository, { tag: "1.2" })
export const pinned = Reference.make(repository, { digest: manifestDigest })

/** Where an upload is sent to, and the session of it that has so many bytes. */
export const upload = `${v2}/blobs/uploads/1`
export const session = (offset = 0, location = upload): UploadSession => ({
  _tag: "UploadSession",
  repository,
  location: Redacted.make(location),
  offset
})

export const at = ({ location }: UploadSession): string => Redacted.value(location)

/** An answer with nothing in it but what is said. */
export const answer = (
  status: number,
  headers: Record<string, string> = {},
  body?: string | Uint8Array | ReadonlyArray<string>
): Response => new Response(body === undefined ? null : pieces(body), { status, headers })

/** A body that comes in pieces, so that a reader can stop between them, and without a type of its own. */
const pieces = (body: string | Uint8Array | ReadonlyArray<string>): ReadableStream<Uint8Array> => {
  const left = body instanceof Uint8Array ? [body] : (typeof body === "string" ? [body] : [...body]).map(encode)
  return new ReadableStream(
    {
      pull: (controller) => {
        const piece = left.shift()
        if (piece === undefined) controller.close()
        else controller.enqueue(piece)
      }
    },
    { highWaterMark: 0 }
  )
}

/** A body that breaks off after what is given. */
export const broken = (status: number, headers: Record<string, string>, body: string): Response => {
  const left = [encode(body)]
  const stream = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        const piece = left.shift()
        if (piece === undefined) controller.error(new Error("terminated"))
        else controller.enqueue(piece)
      }
    },
    { highWaterMark: 0 }
  )
  return new Response(stream, { status, headers })
}

export const manifestAnswer = (bytes: Uint8Array = manifest, headers: Record<string, string> = {}): Response =>
  answer(200, { "content-type": MediaType.ociManifest, ...headers }, bytes)

export const collect = <A, E, R>(stream: Stream.Stream<A, E, R>): Effect.Effect<ReadonlyArray<A>, E, R> =>
  Effect.map(Stream.runCollect(stream), Chunk.toReadonlyArray)

export const text = <E, R>(stream: Stream.Stream<Uint8Array, E, R>): Effect.Effect<string, E, R> =>
  Stream.mkString(Stream.decodeText(stream))

/** Runs to the failure, which must be of this class. */
export const failing = <A, E extends { readonly _tag: string }, R, const Tag extends E["_tag"]>(
  tag: Tag,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<Extract<E, { readonly _tag: Tag }>, A, R> =>
  Effect.map(Effect.flip(effect), (error) => {
    assert(hasTag(error, tag), `${error._tag} instead of ${tag}`)
    return error
  })

const hasTag = <E extends { readonly _tag: string }, Tag extends string>(
  error: E,
  tag: Tag
): error is Extract<E, { readonly _tag: Tag }> => error._tag === tag

/** Bodies that registries and the proxies before them send with a 404, and the media types that they give them (P44). */
export const notFound: ReadonlyArray<readonly [name: string, contentType: string, body: string]> = [
  ["NOT_FOUND (Harbor)", "application/json", '{"errors":[{"code":"NOT_FOUND","message":"artifact not found"}]}'],
  ["digits", "application/json", '{"errors":[{"code":"404","message":"Not Found"}]}'],
  ["NOT_FOUND of a path", "application/json", '{"errors":[{"code":"NOT_FOUND","message":"404 page not found"}]}'],
  ["plain text", "text/plain", "Not found\r\n"],
  ["nothing", "application/json", ""],
  ["HTML", "text/html", "<html><body>404</body></html>"],
  ["XML", "application/xml", "<Error><Code>NoSuchKey</Code></Error>"],
  ["JSON cut short", "application/json", '{"errors":[{"code":"NAME_UNK']
]
