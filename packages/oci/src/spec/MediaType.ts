import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { read } from "./internal/json.js"

// OCI: documents

export const ociManifest = "application/vnd.oci.image.manifest.v1+json"
export const ociIndex = "application/vnd.oci.image.index.v1+json"
export const ociConfig = "application/vnd.oci.image.config.v1+json"
/** The two bytes `{}`: stands where a descriptor is due and there is nothing to say. */
export const ociEmpty = "application/vnd.oci.empty.v1+json"
export const ociDescriptor = "application/vnd.oci.descriptor.v1+json"
export const ociLayoutHeader = "application/vnd.oci.layout.header.v1+json"
/** Withdrawn before image-spec 1.1 was final, yet still found in registries. */
export const ociArtifactManifest = "application/vnd.oci.artifact.manifest.v1+json"

// OCI: layers

export const ociLayer = "application/vnd.oci.image.layer.v1.tar"
export const ociLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip"
export const ociLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd"
/** Deprecated by image-spec: read it, don't make it. So are its two compressed forms. */
export const ociLayerNonDistributable = "application/vnd.oci.image.layer.nondistributable.v1.tar"
export const ociLayerNonDistributableGzip = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
export const ociLayerNonDistributableZstd = "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"

// Docker: documents

/** Image manifest, version 2 schema 2. */
export const dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
export const dockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json"
export const dockerConfig = "application/vnd.docker.container.image.v1+json"
export const dockerPluginConfig = "application/vnd.docker.plugin.v1+json"
/** Image manifest, version 2 schema 1, without signatures. */
export const dockerManifestV1 = "application/vnd.docker.distribution.manifest.v1+json"
/** Image manifest, version 2 schema 1, signed: its digest is that of the payload without the signatures. */
export const dockerManifestV1Signed = "application/vnd.docker.distribution.manifest.v1+prettyjws"

// Docker: layers

export const dockerLayer = "application/vnd.docker.image.rootfs.diff.tar"
export const dockerLayerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip"
export const dockerLayerZstd = "application/vnd.docker.image.rootfs.diff.tar.zstd"
/** To be had from the URLs in its descriptor and not to be pushed; gzipped. */
export const dockerForeignLayer = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
export const dockerForeignLayerUncompressed = "application/vnd.docker.image.rootfs.foreign.diff.tar"

// Helm

export const helmConfig = "application/vnd.cncf.helm.config.v1+json"
export const helmChart = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
export const helmProvenance = "application/vnd.cncf.helm.chart.provenance.v1.prov"

// WebAssembly

export const wasmConfig = "application/vnd.wasm.config.v0+json"
export const wasm = "application/wasm"

// Attestations, signatures, bills of materials

export const inToto = "application/vnd.in-toto+json"
export const dsseEnvelope = "application/vnd.dsse.envelope.v1+json"
export const cosignSimpleSigning = "application/vnd.dev.cosign.simplesigning.v1+json"
export const sigstoreBundle = "application/vnd.dev.sigstore.bundle.v0.3+json"
export const notarySignature = "application/vnd.cncf.notary.signature"
export const spdx = "application/spdx+json"
export const cycloneDx = "application/vnd.cyclonedx+json"

/**
 * The bare media type of a Content-Type header: parameters dropped, lower case, the first when several values were
 * joined. The empty string when there is none.
 */
export const essence = (contentType: string): string => {
  const end = contentType.search(/[;,]/)
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}

/** The Accept header for any manifest, as one value: some registries read the first line only, some refuse weights. */
export const accept: string = [ociIndex, ociManifest, dockerManifestList, dockerManifest].join(", ")

const indexes: ReadonlySet<string> = new Set([ociIndex, dockerManifestList])
const schemaOne: ReadonlySet<string> = new Set([dockerManifestV1, dockerManifestV1Signed])
const manifests: ReadonlySet<string> = new Set([
  ...indexes,
  ...schemaOne,
  ociManifest,
  dockerManifest,
  ociArtifactManifest
])
const nonDistributable: ReadonlySet<string> = new Set([
  ociLayerNonDistributable,
  ociLayerNonDistributableGzip,
  ociLayerNonDistributableZstd,
  dockerForeignLayer,
  dockerForeignLayerUncompressed
])
const layers: ReadonlySet<string> = new Set([
  ...nonDistributable,
  ociLayer,
  ociLayerGzip,
  ociLayerZstd,
  dockerLayer,
  dockerLayerGzip,
  dockerLayerZstd
])
const configs: ReadonlySet<string> = new Set([ociConfig, dockerConfig, dockerPluginConfig, helmConfig, wasmConfig])

/** An OCI index or a Docker manifest list. */
export const isIndex = (mediaType: string): boolean => indexes.has(essence(mediaType))

/** Anything a registry keeps under `manifests`: images, indexes (`isIndex` tells them apart), artifacts, schema 1. */
export const isManifest = (mediaType: string): boolean => manifests.has(essence(mediaType))

/** A layer of a container image, OCI's or Docker's. */
export const isLayer = (mediaType: string): boolean => layers.has(essence(mediaType))

/** A configuration known here: of images, Docker plugins, Helm charts, WebAssembly. Artifacts bring their own. */
export const isConfig = (mediaType: string): boolean => configs.has(essence(mediaType))

/** Whether content of this type may be pushed to a registry: all but non-distributable and foreign layers. */
export const isDistributable = (mediaType: string): boolean => !nonDistributable.has(essence(mediaType))

/** Docker schema 1, signed or not. */
export const isSchemaOne = (mediaType: string): boolean => schemaOne.has(essence(mediaType))

/** A media type whose payload can be read: its name and what reads it. For a payload that is not JSON, write the two. */
export interface MediaType<out A> {
  readonly name: string
  readonly decode: (bytes: Uint8Array) => Either.Either<A, ParseResult.ParseError>
}

/**
 * A media type with a JSON payload that a Schema describes. It refuses what readers of JSON disagree about: duplicate
 * keys, text that is not UTF-8, absurd nesting.
 */
export const make = <A, I>(name: string, schema: Schema.Schema<A, I>): MediaType<A> => {
  const decode = Schema.decodeUnknownEither(schema)
  return {
    name,
    decode: (bytes) =>
      read(bytes).pipe(
        Either.mapLeft((reason) => ParseResult.parseError(new ParseResult.Type(schema.ast, bytes, reason))),
        Either.flatMap((json) => decode(json))
      )
  }
}
