import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type * as AST from "effect/SchemaAST"
import type * as Descriptor from "./Descriptor.js"
import type * as Digest from "./Digest.js"
import * as Hasher from "./Hasher.js"
import { canonical } from "./internal/canonical.js"
import { describe, isOci } from "./internal/describe.js"
import { descriptor } from "./internal/descriptor.js"
import { printable } from "./internal/facts.js"
import { identify, type Known, type Refusal } from "./internal/identify.js"
import { read } from "./internal/json.js"
import { decoder, lenient, preserving } from "./internal/lenient.js"
import { ManifestInvalid, ManifestUnsupported } from "./internal/ManifestErrors.js"
import { payload } from "./internal/schemaOne.js"
import * as MediaType from "./MediaType.js"

/** One image, or an artifact in an image's clothes. image-spec, manifest.md. Fields unknown here survive decoding. */
export interface ImageManifest {
  readonly schemaVersion: 2
  readonly mediaType: typeof MediaType.ociManifest
  readonly artifactType?: string | undefined
  readonly config: Descriptor.Descriptor
  /** The base first. */
  readonly layers: ReadonlyArray<Descriptor.Descriptor>
  /** The manifest that this one is about: a signature's image, say. */
  readonly subject?: Descriptor.Descriptor | undefined
  readonly annotations?: { readonly [key: string]: string } | undefined
}

/** Manifests side by side, mostly one image for several platforms. image-spec, image-index.md. */
export interface ImageIndex {
  readonly schemaVersion: 2
  readonly mediaType: typeof MediaType.ociIndex
  readonly artifactType?: string | undefined
  readonly manifests: ReadonlyArray<Descriptor.Descriptor>
  readonly subject?: Descriptor.Descriptor | undefined
  readonly annotations?: { readonly [key: string]: string } | undefined
}

/** Docker's image manifest, version 2 schema 2. */
export interface DockerManifest {
  readonly schemaVersion: 2
  readonly mediaType: typeof MediaType.dockerManifest
  readonly config: Descriptor.Descriptor
  readonly layers: ReadonlyArray<Descriptor.Descriptor>
}

/** Docker's manifest list, version 2 schema 2. */
export interface DockerManifestList {
  readonly schemaVersion: 2
  readonly mediaType: typeof MediaType.dockerManifestList
  readonly manifests: ReadonlyArray<Descriptor.Descriptor>
}

/** The artifact manifest that image-spec 1.1 withdrew before its release: to be read, not to be made. */
export interface ArtifactManifest {
  readonly mediaType: typeof MediaType.ociArtifactManifest
  readonly artifactType?: string | undefined
  readonly blobs: ReadonlyArray<Descriptor.Descriptor>
  readonly subject?: Descriptor.Descriptor | undefined
  readonly annotations?: { readonly [key: string]: string } | undefined
}

/** Any manifest: `mediaType` tells which, also when the document itself left it out. */
export type Manifest = ImageManifest | ImageIndex | DockerManifest | DockerManifestList | ArtifactManifest

const schemaVersion = Schema.Literal(2)
const descriptors = Schema.Array(descriptor)
const common = {
  artifactType: Schema.optional(Schema.String),
  subject: Schema.optional(descriptor),
  annotations: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.String }))
}

type Of<K extends Known> = Extract<Manifest, { readonly mediaType: K }>

/** What each kind has; fields that are not known come on top. */
const documents: { readonly [K in Known]: Schema.Schema<Of<K>, unknown> } = {
  [MediaType.ociManifest]: lenient(
    "ImageManifest",
    Schema.Struct({
      schemaVersion,
      mediaType: Schema.Literal(MediaType.ociManifest),
      config: descriptor,
      layers: descriptors,
      ...common
    }),
    { layers: [] }
  ),
  [MediaType.ociIndex]: lenient(
    "ImageIndex",
    Schema.Struct({ schemaVersion, mediaType: Schema.Literal(MediaType.ociIndex), manifests: descriptors, ...common }),
    { manifests: [] }
  ),
  [MediaType.dockerManifest]: lenient(
    "DockerManifest",
    Schema.Struct({
      schemaVersion,
      mediaType: Schema.Literal(MediaType.dockerManifest),
      config: descriptor,
      layers: descriptors
    }),
    { layers: [] }
  ),
  [MediaType.dockerManifestList]: lenient(
    "DockerManifestList",
    Schema.Struct({ schemaVersion, mediaType: Schema.Literal(MediaType.dockerManifestList), manifests: descriptors }),
    { manifests: [] }
  ),
  [MediaType.ociArtifactManifest]: lenient(
    "ArtifactManifest",
    Schema.Struct({ mediaType: Schema.Literal(MediaType.ociArtifactManifest), blobs: descriptors, ...common }),
    { blobs: [] }
  )
}

const complaint = (refusal: Refusal): string =>
  refusal._tag === "Invalid" ? refusal.reason : `manifests of type ${refusal.mediaType} are not decoded`

/** JSON that passed `identify`. */
const identified = (expected?: Known): Schema.Schema<unknown> => {
  const check = (document: unknown, _: unknown, ast: AST.AST) =>
    Either.mapLeft(identify(document, expected), (refusal) => new ParseResult.Type(ast, document, complaint(refusal)))
  return Schema.transformOrFail(Schema.Unknown, Schema.Unknown, { strict: true, decode: check, encode: check })
}

const of = <K extends Known>(mediaType: K): Schema.Schema<Of<K>, unknown> => {
  const document: Schema.Schema<Of<K>, unknown> = documents[mediaType]
  return Schema.compose(identified(mediaType), preserving(document))
}

export const ImageManifest: Schema.Schema<ImageManifest, unknown> = of(MediaType.ociManifest)
export const ImageIndex: Schema.Schema<ImageIndex, unknown> = of(MediaType.ociIndex)
export const DockerManifest: Schema.Schema<DockerManifest, unknown> = of(MediaType.dockerManifest)
export const DockerManifestList: Schema.Schema<DockerManifestList, unknown> = of(MediaType.dockerManifestList)
export const ArtifactManifest: Schema.Schema<ArtifactManifest, unknown> = of(MediaType.ociArtifactManifest)

/** Any manifest. Each of these Schemas refuses a document that could also be read as another kind. */
export const Manifest: Schema.Schema<Manifest, unknown> = Schema.compose(
  identified(),
  preserving(Schema.Union(...Object.values(documents)))
)

const typed = <K extends Known>(mediaType: K): MediaType.MediaType<Of<K>> => MediaType.make(mediaType, of(mediaType))

export const imageManifest: MediaType.MediaType<ImageManifest> = typed(MediaType.ociManifest)
export const imageIndex: MediaType.MediaType<ImageIndex> = typed(MediaType.ociIndex)
export const dockerManifest: MediaType.MediaType<DockerManifest> = typed(MediaType.dockerManifest)
export const dockerManifestList: MediaType.MediaType<DockerManifestList> = typed(MediaType.dockerManifestList)
export const artifactManifest: MediaType.MediaType<ArtifactManifest> = typed(MediaType.ociArtifactManifest)

const decoders: { readonly [K in Known]: (document: unknown) => Either.Either<Manifest, ParseResult.ParseError> } = {
  [MediaType.ociManifest]: decoder(documents[MediaType.ociManifest]),
  [MediaType.ociIndex]: decoder(documents[MediaType.ociIndex]),
  [MediaType.dockerManifest]: decoder(documents[MediaType.dockerManifest]),
  [MediaType.dockerManifestList]: decoder(documents[MediaType.dockerManifestList]),
  [MediaType.ociArtifactManifest]: decoder(documents[MediaType.ociArtifactManifest])
}

/** The first thing wrong, after its path: `layers[2].size: Expected NonNegativeInt, actual -1`. */
const firstIssue = (error: ParseResult.ParseError): string => {
  const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
  if (issue === undefined) return "it does not fit its media type"
  const path = issue.path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("")
  return `${path.slice(path.startsWith(".") ? 1 : 0)}: ${issue.message}`
}

/** What was received, for a person who must find out what it is. */
const received = (bytes: Uint8Array, contentType: string | undefined): string => {
  const start = printable(new TextDecoder().decode(bytes.subarray(0, 240)), 60)
  const type = contentType === undefined || contentType === "" ? "no Content-Type" : printable(contentType, 100)
  return `${type}, ${bytes.length === 0 ? "empty" : `it starts “${start}”`}`
}

/**
 * Reads a manifest. `mediaType` is what its sender calls it, a Content-Type or a descriptor's media type: a manifest's own
 * type must agree with it; one that says nothing, such as `text/plain`, leaves the decision to the document.
 *
 * Documents of Docker schema 1 and of vendors' types unknown here fail with `ManifestUnsupported`, which holds the bytes.
 */
export const decode = (
  bytes: Uint8Array,
  mediaType?: string | undefined
): Either.Either<Manifest, ManifestInvalid | ManifestUnsupported> => {
  const invalid = (reason: string) => {
    const stated = mediaType === undefined ? undefined : printable(MediaType.essence(mediaType), 100)
    return new ManifestInvalid({ reason: printable(reason), mediaType: stated })
  }
  const notManifest = (reason: string) => invalid(`${reason} (${received(bytes, mediaType)})`)
  return Either.mapLeft(read(bytes), notManifest).pipe(
    Either.flatMap((document) =>
      Either.mapLeft(identify(document, mediaType), (refusal) =>
        refusal._tag === "Invalid"
          ? notManifest(refusal.reason)
          : new ManifestUnsupported({ mediaType: refusal.mediaType, bytes })
      )
    ),
    Either.flatMap((document) =>
      Either.mapLeft(decoders[document.mediaType](document), (error) => invalid(firstIssue(error)))
    )
  )
}

/**
 * Writes a manifest as canonical JSON: no white space, fields in the order of the specification. For new ones; a manifest
 * that was received keeps its bytes in `ManifestContent`, since writing it again would change its digest.
 */
export const encode = (manifest: Manifest): Uint8Array => new TextEncoder().encode(canonical(manifest))

/** Whether it lists other manifests. */
export const isIndex = (manifest: Manifest): manifest is ImageIndex | DockerManifestList =>
  manifest.mediaType === MediaType.ociIndex || manifest.mediaType === MediaType.dockerManifestList

/** Whether it has a config and layers. */
export const isImage = (manifest: Manifest): manifest is ImageManifest | DockerManifest =>
  manifest.mediaType === MediaType.ociManifest || manifest.mediaType === MediaType.dockerManifest

/** What kind of artifact a manifest is: its `artifactType`, else the media type of its config. */
export const artifactType = (manifest: Manifest): Option.Option<string> => {
  const stated = isOci(manifest) ? manifest.artifactType : undefined
  return Option.fromNullable(stated || (isImage(manifest) ? manifest.config.mediaType : undefined))
}

/** The manifest that this one is about. */
export const subject = (manifest: Manifest): Option.Option<Descriptor.Descriptor> =>
  Option.fromNullable(isOci(manifest) ? manifest.subject : undefined)

const described = (
  bytes: Uint8Array,
  manifest: Manifest,
  algorithm?: Digest.Algorithm | undefined
): Effect.Effect<ManifestContent> =>
  Effect.map(
    Hasher.digest(bytes, algorithm),
    (digest) => new ManifestContent({ descriptor: describe(manifest, digest, bytes.length), bytes, manifest })
  )

const withDigest = (
  { bytes, mediaType }: ManifestUnsupported,
  algorithm: Digest.Algorithm | undefined
): Effect.Effect<never, ManifestInvalid | ManifestUnsupported> => {
  const hashed = mediaType === MediaType.dockerManifestV1Signed ? payload(bytes) : Option.some(bytes)
  return Option.match(hashed, {
    onNone: () => Effect.fail(new ManifestInvalid({ mediaType, reason: "signatures: they can't be read or disagree" })),
    onSome: (part) =>
      Effect.flatMap(Hasher.digest(part, algorithm), (digest) =>
        Effect.fail(new ManifestUnsupported({ mediaType, bytes, digest }))
      )
  })
}

/** A manifest as it travels: the bytes are the truth, the rest was read from them. */
export class ManifestContent extends Data.Class<{
  /** Media type, digest and size of the bytes, and the artifact type when the manifest states one. */
  readonly descriptor: Descriptor.Descriptor
  readonly bytes: Uint8Array
  readonly manifest: Manifest
}> {
  /** Reads and hashes. A `ManifestUnsupported` knows its digest too: for signed schema 1 that of the payload. */
  static readonly fromBytes = (
    bytes: Uint8Array,
    options: {
      /** As for `decode`. */
      readonly mediaType?: string | undefined
      /** sha256 unless another is asked for. */
      readonly algorithm?: Digest.Algorithm | undefined
    } = {}
  ): Effect.Effect<ManifestContent, ManifestInvalid | ManifestUnsupported> =>
    Effect.matchEffect(decode(bytes, options.mediaType), {
      onFailure: (error) =>
        error._tag === "ManifestUnsupported" ? withDigest(error, options.algorithm) : Effect.fail(error),
      onSuccess: (manifest) => described(bytes, manifest, options.algorithm)
    })

  /** The payload read as a typed media type, one of the user's own too; none when it is another or does not fit. */
  as<A>(mediaType: MediaType.MediaType<A>): Option.Option<A> {
    return MediaType.essence(mediaType.name) === this.descriptor.mediaType
      ? Either.getRight(mediaType.decode(this.bytes))
      : Option.none()
  }
}

/** Encodes a manifest, to be pushed. Nothing is checked: a registry refuses what does not hold together. */
export const content = (manifest: Manifest): Effect.Effect<ManifestContent> => described(encode(manifest), manifest)
