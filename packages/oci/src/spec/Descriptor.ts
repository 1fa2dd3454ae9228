import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import * as Digest from "./Digest.js"
import * as Hasher from "./Hasher.js"
import { descriptor } from "./internal/descriptor.js"
import { preserving } from "./internal/lenient.js"
import * as MediaType from "./MediaType.js"
import type * as Platform from "./Platform.js"

/** What names content: its type, its digest, its size. image-spec, descriptor.md. Fields unknown here survive decoding. */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest.Digest
  /** In bytes. */
  readonly size: number
  /** Where else the content may be had. Whoever wrote the document chose them: not to be trusted. */
  readonly urls?: ReadonlyArray<string> | undefined
  readonly annotations?: { readonly [key: string]: string } | undefined
  /** The content itself, unverified: `embedded` checks it. */
  readonly data?: Uint8Array | undefined
  /** The type of the artifact that the manifest named here is. */
  readonly artifactType?: string | undefined
  /** What the image named here runs on; in an index. */
  readonly platform?: Platform.Platform | undefined
}

export const Descriptor: Schema.Schema<Descriptor, unknown> = preserving(descriptor)

/** Describes bytes in memory. The algorithm is sha256 unless another is asked for. */
export const fromBytes = (
  bytes: Uint8Array,
  options: {
    readonly mediaType: string
    readonly algorithm?: Digest.Algorithm | undefined
    readonly annotations?: { readonly [key: string]: string } | undefined
    readonly artifactType?: string | undefined
    readonly platform?: Platform.Platform | undefined
  }
): Effect.Effect<Descriptor> => {
  const { algorithm, mediaType, ...rest } = options
  return Effect.map(Hasher.digest(bytes, algorithm), (digest) => ({ mediaType, digest, size: bytes.length, ...rest }))
}

/** The content of `empty`: `{}`. */
export const emptyBytes: Uint8Array = new TextEncoder().encode("{}")

/** image-spec's empty descriptor, its content embedded: for an artifact's config or its only layer. */
export const empty: Descriptor = {
  mediaType: MediaType.ociEmpty,
  digest: Either.getOrThrow(Digest.parse("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")),
  size: emptyBytes.length,
  data: emptyBytes
}

/** The content that a descriptor carries; none when there is none, or size or digest disagree, or it can't be verified. */
export const embedded = (descriptor: Descriptor): Effect.Effect<Option.Option<Uint8Array>> => {
  const { data, digest, size } = descriptor
  const algorithm = Digest.verifiable(digest)
  if (data === undefined || data.length !== size || Option.isNone(algorithm)) return Effect.succeedNone
  return Effect.map(Hasher.digest(data, algorithm.value), (actual) =>
    actual === digest ? Option.some(data) : Option.none()
  )
}
