import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type * as Descriptor from "./Descriptor.js"
import { printable } from "./internal/facts.js"
import { lenient, preserving } from "./internal/lenient.js"

/** What an image runs on, in Go's words: `linux`, `windows`; `amd64`, `arm64`. image-spec, image-index.md. */
export interface Platform {
  /** Empty when a document leaves it out. */
  readonly os: string
  /** Empty when a document leaves it out. */
  readonly architecture: string
  /** The CPU's level: `v7`. */
  readonly variant?: string | undefined
  /** On Windows, the build: `10.0.17763.1234`. */
  readonly "os.version"?: string | undefined
  /** What of the operating system is needed: `win32k`. */
  readonly "os.features"?: ReadonlyArray<string> | undefined
}

export const Platform: Schema.Schema<Platform, unknown> = preserving(
  lenient(
    "Platform",
    Schema.Struct({
      architecture: Schema.String,
      os: Schema.String,
      "os.version": Schema.optional(Schema.String),
      "os.features": Schema.optional(Schema.Array(Schema.String)),
      variant: Schema.optional(Schema.String)
    }),
    { architecture: "", os: "" }
  )
)

/** A text that names no platform. */
export class InvalidPlatform extends Schema.TaggedError<InvalidPlatform>("effect-oci/InvalidPlatform")(
  "InvalidPlatform",
  {
    /** What was given, its start only and safe to print. */
    text: Schema.String,
    reason: Schema.String
  }
) {
  override get message(): string {
    return `“${this.text}” is not a platform: ${this.reason}. One looks like linux/amd64 or linux/arm/v7`
  }
}

const shown = 20

/** An index has no image for the platform wanted. */
export class PlatformUnknown extends Schema.TaggedError<PlatformUnknown>("effect-oci/PlatformUnknown")(
  "PlatformUnknown",
  {
    wanted: Schema.String,
    /** What it has instead, each once, in its order. */
    available: Schema.Array(Schema.String)
  }
) {
  override get message(): string {
    const count = this.available.length
    const names = printable(this.available.slice(0, shown).join(", "), 1000)
    const more = count > shown ? ` and ${count - shown} more` : ""
    return `no image for ${printable(this.wanted)}. ${count === 0 ? "The index names no platform" : `There is ${names}${more}`}`
  }
}

const architectures: ReadonlyMap<string, readonly [architecture: string, variant?: string]> = new Map([
  ["i386", ["386"]],
  ["i686", ["386"]],
  ["x86_64", ["amd64"]],
  ["x86-64", ["amd64"]],
  ["aarch64", ["arm64"]],
  ["armhf", ["arm", "v7"]],
  ["armel", ["arm", "v6"]]
])

const defaultVariants: ReadonlyMap<string, string> = new Map([
  ["amd64", "v1"],
  ["arm", "v7"],
  ["arm64", "v8"]
])

const normalize = (platform: Platform): Platform => {
  const os = platform.os.toLowerCase()
  const named = platform.architecture.toLowerCase()
  const [architecture, implied] = architectures.get(named) ?? [named]
  const stated = platform.variant?.toLowerCase()
  const variant = stated === undefined || stated === "" ? implied : /^[0-9]/.test(stated) ? `v${stated}` : stated
  return { ...platform, os: os === "macos" ? "darwin" : os, architecture, ...(variant !== undefined && { variant }) }
}

/**
 * Reads `os/architecture[/variant]`; a version and features of the operating system go in parentheses, as containerd
 * writes them: `windows(10.0.17763+win32k)/amd64`. Other names in use become Go's: `x86_64`, `aarch64`, `armhf`, `macos`.
 */
export const parse = (text: string): Either.Either<Platform, InvalidPlatform> => {
  const invalid = (reason: string) => Either.left(new InvalidPlatform({ text: printable(text), reason }))
  if (text.length > 255) return invalid("it is longer than 255 characters")
  const [system = "", architecture, variant, ...more] = text.split("/")
  if (architecture === undefined || more.length > 0)
    return invalid("it is not os/architecture or os/architecture/variant")
  const [, os = "", detail] = /^([^()]*)(?:\(([^()]*)\))?$/.exec(system) ?? []
  const [version, ...features] = detail === undefined ? [] : detail.split("+")
  const parts = [
    os,
    architecture,
    ...(variant === undefined ? [] : [variant]),
    ...(version ? [version] : []),
    ...features
  ]
  if (!parts.every((part) => /^[A-Za-z0-9_.-]+$/.test(part)))
    return invalid("each part is made of letters, digits, _ . -")
  return Either.right(
    normalize({
      os,
      architecture,
      ...(variant !== undefined && { variant }),
      ...(version && { "os.version": version }),
      ...(features.length > 0 && { "os.features": features })
    })
  )
}

/** Writes a platform so that `parse` reads it: `linux/arm64/v8`. Parts that a document left out are `unknown`. */
export const format = (platform: Platform): string => {
  const detail = [platform["os.version"] ?? "", ...(platform["os.features"] ?? [])].join("+")
  const system = `${platform.os || "unknown"}${detail === "" ? "" : `(${detail})`}`
  return [system, platform.architecture || "unknown", ...(platform.variant ? [platform.variant] : [])].join("/")
}

/** v7 is 700, v8.2 is 802. */
const level = (variant: string): number | undefined => {
  const [, major, minor] = /^v([0-9]{1,4})(?:\.([0-9]{1,2}))?$/.exec(variant) ?? []
  return major === undefined ? undefined : Number(major) * 100 + Number(minor ?? 0)
}

const matchesVersion = (wanted: Platform, available: Platform): boolean => {
  const prefix = wanted["os.version"]
  const version = available["os.version"] ?? ""
  return !prefix || version === prefix || version.startsWith(prefix.endsWith(".") ? prefix : `${prefix}.`)
}

/** How far the variant of one that fits lies below what is wanted; undefined when it does not fit. Both normalised. */
const distance = (wanted: Platform, available: Platform): number | undefined => {
  if (available.os !== wanted.os || available.architecture !== wanted.architecture) return undefined
  if (!matchesVersion(wanted, available)) return undefined
  if (!(wanted["os.features"] ?? []).every((feature) => available["os.features"]?.includes(feature))) return undefined
  const fallback = defaultVariants.get(wanted.architecture)
  const wantedVariant = wanted.variant || fallback
  const availableVariant = available.variant || fallback
  if (wantedVariant === availableVariant) return 0
  if (fallback === undefined || wantedVariant === undefined || availableVariant === undefined) return undefined
  const ceiling = level(wantedVariant)
  const actual = level(availableVariant)
  return ceiling === undefined || actual === undefined || actual > ceiling ? undefined : ceiling - actual
}

/**
 * Whether an image for `available` is what `wanted` asks for. Without a variant arm means v7, arm64 v8 and amd64 v1; on
 * these three an image for a lower variant fits too, as for containerd. A version wanted of the operating system is a
 * prefix (`10.0.17763` fits `10.0.17763.1234`), and every feature wanted must be there.
 */
export const matches = (wanted: Platform, available: Platform): boolean =>
  distance(normalize(wanted), normalize(available)) !== undefined

/** Entries that BuildKit puts beside images to attest them: no image, whatever their media type says. */
const isAttestation = ({ annotations, platform }: Descriptor.Descriptor): boolean =>
  (annotations !== undefined && Object.hasOwn(annotations, "vnd.docker.reference.type")) ||
  (platform?.os === "unknown" && platform.architecture === "unknown")

/**
 * The entry of an index for the platform wanted: the first that matches, unless a later one is closer to the variant
 * wanted (an index that lists v6 before v7 is common). Attestations and entries that name no platform are passed over.
 */
export const select = (
  index: { readonly manifests: ReadonlyArray<Descriptor.Descriptor> },
  wanted: Platform
): Either.Either<Descriptor.Descriptor, PlatformUnknown> => {
  const target = normalize(wanted)
  const available = new Set<string>()
  let best: { readonly descriptor: Descriptor.Descriptor; readonly distance: number } | undefined
  for (const descriptor of index.manifests) {
    if (descriptor.platform === undefined || isAttestation(descriptor)) continue
    const far = distance(target, normalize(descriptor.platform))
    if (far === 0) return Either.right(descriptor)
    if (far !== undefined && (best === undefined || far < best.distance)) best = { descriptor, distance: far }
    available.add(format(descriptor.platform))
  }
  return best === undefined
    ? Either.left(new PlatformUnknown({ wanted: format(wanted), available: [...available] }))
    : Either.right(best.descriptor)
}
