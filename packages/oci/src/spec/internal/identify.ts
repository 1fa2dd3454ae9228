import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as MediaType from "../MediaType.js"
import { mediaTypeName } from "./mediaTypeName.js"

/** The media types of the manifests that are decoded. */
export type Known =
  | typeof MediaType.ociManifest
  | typeof MediaType.ociIndex
  | typeof MediaType.dockerManifest
  | typeof MediaType.dockerManifestList
  | typeof MediaType.ociArtifactManifest

interface Json {
  readonly [key: string]: unknown
}

/** Why a document is not decoded: it is wrong, or it is of a kind that is only handed on. */
export type Refusal =
  | { readonly _tag: "Invalid"; readonly reason: string }
  | { readonly _tag: "Unsupported"; readonly mediaType: string }

type Family = "image" | "index" | "artifact" | "unsupported image"

const families: ReadonlyArray<readonly [Family, ReadonlyArray<string>]> = [
  ["image", ["config", "layers"]],
  ["index", ["manifests"]],
  ["artifact", ["blobs"]],
  ["unsupported image", ["fsLayers", "history"]]
]

const familyOf: ReadonlyMap<string, readonly [Family, Known]> = new Map([
  [MediaType.ociManifest, ["image", MediaType.ociManifest]],
  [MediaType.dockerManifest, ["image", MediaType.dockerManifest]],
  [MediaType.ociIndex, ["index", MediaType.ociIndex]],
  [MediaType.dockerManifestList, ["index", MediaType.dockerManifestList]],
  [MediaType.ociArtifactManifest, ["artifact", MediaType.ociArtifactManifest]]
])

const invalid = (reason: string) => Either.left<Refusal>({ _tag: "Invalid", reason })
const unsupported = (mediaType: string) => Either.left<Refusal>({ _tag: "Unsupported", mediaType })

// Go's decoder takes names whatever their case, and folds U+017F and U+212A into s and k.
const fold = (name: string) => name.toLowerCase().toUpperCase()

const strayIn = (names: ReadonlyArray<string>): ((value: unknown) => string | undefined) => {
  const exact = new Set(names)
  const folded = new Set(names.map(fold))
  return (value) =>
    Predicate.isRecord(value)
      ? Object.keys(value).find((name) => !exact.has(name) && folded.has(fold(name)))
      : undefined
}

const strayInManifest = strayIn([
  "schemaVersion",
  "mediaType",
  "artifactType",
  "subject",
  "annotations",
  ...families.flatMap(([, names]) => names)
])
const strayInDescriptor = strayIn([
  "mediaType",
  "digest",
  "size",
  "urls",
  "annotations",
  "data",
  "artifactType",
  "platform"
])
const strayInPlatform = strayIn(["architecture", "os", "os.version", "os.features", "variant"])

/** A key that differs from a field's name by case alone: other clients would read it as that field. */
const strayKey = (raw: Json): string | undefined => {
  const stray = strayInManifest(raw)
  if (stray !== undefined) return stray
  for (const field of ["config", "subject", "layers", "manifests", "blobs"]) {
    const value = raw[field]
    for (const descriptor of Array.isArray(value) ? value : [value]) {
      if (!Predicate.isRecord(descriptor)) continue
      const within = strayInDescriptor(descriptor) ?? strayInPlatform(descriptor.platform)
      if (within !== undefined) return within
    }
  }
  return undefined
}

/** What a Content-Type claims: nothing, unless it is one value that names a vendor's type. */
const claim = (contentType: string): string => {
  const name = MediaType.essence(contentType)
  return name.startsWith("application/vnd.") && !contentType.includes(",") ? name : ""
}

const structureOf = (raw: Json, family: Family | undefined): Known | undefined => {
  if (family === "image" && Object.hasOwn(raw, "config") && Object.hasOwn(raw, "layers")) {
    const { config } = raw
    const isDocker = Predicate.isRecord(config) && config.mediaType === MediaType.dockerConfig
    return isDocker ? MediaType.dockerManifest : MediaType.ociManifest
  }
  return family === "index" ? MediaType.ociIndex : undefined
}

const mediaTypeOf = (raw: Json, contentType: string): Either.Either<Known, Refusal> => {
  const stray = strayKey(raw)
  if (stray !== undefined) return invalid(`its key ${JSON.stringify(stray)} differs from a field's name by case alone`)

  const present = families.filter(([, names]) => names.some((name) => raw[name] !== undefined && raw[name] !== null))
  if (present.length > 1) {
    return invalid(`it is ambiguous, with fields of an ${present.map(([family]) => family).join(" and of an ")}`)
  }
  const [family] = present[0] ?? families.find(([, names]) => names.some((name) => Object.hasOwn(raw, name))) ?? []

  const mediaType = raw.mediaType ?? ""
  if (typeof mediaType !== "string" || (mediaType !== "" && !mediaTypeName.test(mediaType))) {
    return invalid("mediaType: it is not a media type")
  }
  const claimed = claim(contentType)
  const stated = MediaType.essence(mediaType)
  if (claimed !== "" && stated !== "" && claimed !== stated) {
    return invalid(`it should be ${claimed}, but calls itself ${stated}`)
  }
  const declared = stated || claimed

  if (raw.schemaVersion === 1) {
    if (MediaType.isSchemaOne(declared)) return unsupported(declared)
    return unsupported(Object.hasOwn(raw, "signatures") ? MediaType.dockerManifestV1Signed : MediaType.dockerManifestV1)
  }
  if (family === undefined && Array.isArray(raw.errors)) return invalid("it is an error document")
  if (declared === "") {
    const structure = structureOf(raw, family)
    return structure === undefined
      ? invalid("it has neither a mediaType nor the structure of a manifest")
      : Either.right(structure)
  }
  const known = familyOf.get(declared)
  if (known === undefined) {
    return MediaType.isSchemaOne(declared)
      ? invalid(`schemaVersion: it is not 1, as ${declared} demands`)
      : unsupported(declared)
  }
  const [expected, type] = known
  if (family !== undefined && family !== expected) {
    return invalid(`it should be ${declared}, but has fields of an ${family}`)
  }
  return expected === "index" && family === undefined ? invalid("manifests: it is missing") : Either.right(type)
}

/** A document of known kind: its own fields, the media type filled in where it left that out. */
export interface Identified extends Json {
  readonly mediaType: Known
}

/**
 * Decides what a document is before any Schema reads it: from what its sender claims, its own `mediaType`, then its
 * structure. Documents that two clients could take for different things are refused (CVE-2021-41190).
 */
export const identify = (document: unknown, contentType = ""): Either.Either<Identified, Refusal> =>
  Predicate.isRecord(document)
    ? Either.map(mediaTypeOf(document, contentType), (mediaType) => ({ ...document, mediaType }))
    : invalid("it is not a JSON object")
