/**
 * What each endpoint can fail with and what it needs, pinned both ways: tsc fails when an endpoint gains or loses an error,
 * when it asks for more than a `RegistryClient`, and when a new one is not listed here.
 */
import type { PlatformError } from "@effect/platform/Error"
import type { FileSystem } from "@effect/platform/FileSystem"
import * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import * as BlobSource from "effect-oci/BlobSource"
import * as Blobs from "effect-oci/Blobs"
import * as Catalog from "effect-oci/Catalog"
import type { Descriptor } from "effect-oci/Descriptor"
import type { Digest } from "effect-oci/Digest"
import type { ManifestContent } from "effect-oci/Manifest"
import * as Manifests from "effect-oci/Manifests"
import type { Reference } from "effect-oci/Reference"
import * as Referrers from "effect-oci/Referrers"
import * as Registry from "effect-oci/Registry"
import type { RegistryClient } from "effect-oci/RegistryClient"
import type * as RegistryError from "effect-oci/RegistryError"
import type { RegistryName } from "effect-oci/RegistryName"
import type { Repository } from "effect-oci/Repository"
import * as Tags from "effect-oci/Tags"
import * as Uploads from "effect-oci/Uploads"
import type { CallTag, Failure, Needs, Running, Same, TagOf } from "./pins.js"

/** What is not of the registry's making. */
type OutsideTag = "SourceError" | PlatformError["_tag"]

/** An endpoint that fails with what every call can meet and with `Particular`, and needs a `RegistryClient` alone. */
interface Fails<T, Particular extends RegistryError.RegistryError["_tag"] | OutsideTag = never, R = never> {
  readonly errors: Same<TagOf<Failure<T>>, CallTag | Particular>
  readonly needs: Same<Needs<T>, RegistryClient | R>
}

interface Pinned {
  readonly errors: true
  readonly needs: true
}

/** Its argument, if nothing differs. */
type Checked<T extends { readonly [Name in keyof T]: Pinned }> = T

export const callError: Same<RegistryError.CallError["_tag"], CallTag> = true

interface Given {
  readonly registry: RegistryName
  readonly repository: Repository
  readonly reference: Reference
  readonly digest: Digest
  readonly descriptor: Descriptor
  readonly manifest: ManifestContent
  readonly session: Uploads.UploadSession
  readonly bytes: Uint8Array
  readonly source: Stream.Stream<Uint8Array, SourceError, Source>
}

interface SourceError {
  readonly _tag: "SourceError"
}

interface Source {
  readonly source: unique symbol
}

/** Each endpoint as it is called. Never run. */
const calls = ({ bytes, descriptor, digest, manifest, reference, registry, repository, session, source }: Given) => ({
  "Registry.ping": Registry.ping(registry),
  "Registry.supports": Registry.supports(registry),
  "Registry.login": Registry.login(registry, { token: "" }),
  "Registry.logout": Registry.logout(registry),
  "Blobs.head": Blobs.head(repository, digest),
  "Blobs.exists": Blobs.exists(repository, digest),
  "Blobs.get": Blobs.get(repository, descriptor),
  "Blobs.stream": Blobs.stream(repository, digest),
  "Blobs.toFile": Blobs.toFile(repository, descriptor, "layer.tar"),
  "Blobs.range": Blobs.range(repository, digest, { start: 0 }),
  "Blobs.push": Blobs.push(repository, bytes),
  "Blobs.push of a source": Blobs.push(repository, { stream: source }),
  "Blobs.push of a file": Blobs.push(repository, BlobSource.file("")),
  "Blobs.delete": Blobs.delete(repository, digest),
  "Manifests.head": Manifests.head(reference),
  "Manifests.exists": Manifests.exists(reference),
  "Manifests.get": Manifests.get(reference),
  "Manifests.get for a platform": Manifests.get(reference, { platform: "linux/arm64" }),
  "Manifests.resolve": Manifests.resolve(reference),
  "Manifests.put": Manifests.put(reference, manifest),
  "Manifests.put with blobs": Manifests.put(reference, manifest, { blobs: () => Option.some({ stream: source }) }),
  "Manifests.delete": Manifests.delete(repository, digest),
  "Uploads.start": Uploads.start(repository),
  "Uploads.post": Uploads.post(repository, descriptor, bytes),
  "Uploads.patch": Uploads.patch(session, bytes),
  "Uploads.finish": Uploads.finish(session, digest),
  "Uploads.post of a source": Uploads.post(repository, descriptor, source),
  "Uploads.patch of a source": Uploads.patch(session, { size: 1, stream: source }),
  "Uploads.finish of a source": Uploads.finish(session, digest, { size: 1, stream: source }),
  "Uploads.mount": Uploads.mount(repository, digest),
  "Uploads.status": Uploads.status(session),
  "Uploads.cancel": Uploads.cancel(session),
  "Uploads.resume": Uploads.resume(Uploads.save(session)),
  "Tags.list": Tags.list(repository),
  "Tags.stream": Tags.stream(repository),
  "Tags.delete": Tags.delete(repository, "latest"),
  "Tags.delete by a dummy": Tags.delete(repository, "latest", { fallback: "dummy" }),
  "Referrers.list": Referrers.list(repository, digest),
  "Referrers.stream": Referrers.stream(repository, digest),
  "Referrers.get": Referrers.get(repository, digest, descriptor),
  "Referrers.attach": Referrers.attach(repository, descriptor, manifest),
  "Referrers.attach to a reference": Referrers.attach(repository, reference, manifest),
  "Catalog.list": Catalog.list(registry),
  "Catalog.stream": Catalog.stream(registry)
})

type Calls = ReturnType<typeof calls>

type In<Module extends string, T> = {
  [Name in keyof T & string]: T[Name] extends (...args: never) => Running ? `${Module}.${Name}` : never
}[keyof T & string]

type Public =
  | In<"Registry", typeof Registry>
  | In<"Blobs", typeof Blobs>
  | In<"Manifests", typeof Manifests>
  | In<"Uploads", typeof Uploads>
  | In<"Tags", typeof Tags>
  | In<"Referrers", typeof Referrers>
  | In<"Catalog", typeof Catalog>

export const all: Same<Public, Exclude<keyof Calls, `${string} ${string}`>> = true

type BlobGone = "BlobUnknown" | "NameUnknown"
type BlobRead = BlobGone | "DigestMismatch" | "SizeMismatch"
type ManifestGone = "ManifestUnknown" | "NameUnknown"
type ManifestRead = ManifestGone | "ManifestInvalid" | "DigestMismatch"
type ManifestPut =
  | "ManifestInvalid"
  | "ManifestBlobUnknown"
  | "NameUnknown"
  | "NameInvalid"
  | "DigestInvalid"
  | "DigestMismatch"
  | "TagImmutable"
  | "PayloadTooLarge"
  | "Unsupported"
  | "InvalidReference"
type Start = "NameUnknown" | "NameInvalid" | "DigestInvalid" | "Unsupported"
type Bytes =
  | "BlobUploadUnknown"
  | "BlobUploadInvalid"
  | "DigestInvalid"
  | "SizeInvalid"
  | "SizeMismatch"
  | "RangeNotSatisfiable"
  | "PayloadTooLarge"
type Push = Start | Bytes | "DigestMismatch" | "SourceNotReplayable"

/** What is particular to each. */
export type Endpoints = Checked<{
  "Registry.ping": Fails<Calls["Registry.ping"], "Unsupported">
  "Registry.supports": Fails<Calls["Registry.supports"]>
  "Registry.login": Fails<Calls["Registry.login"], "Unsupported">
  // asks no registry
  "Registry.logout": {
    readonly errors: Same<TagOf<Failure<Calls["Registry.logout"]>>, "CredentialsInvalid">
    readonly needs: Same<Needs<Calls["Registry.logout"]>, RegistryClient>
  }
  "Blobs.head": Fails<Calls["Blobs.head"], BlobGone>
  "Blobs.exists": Fails<Calls["Blobs.exists"]>
  "Blobs.get": Fails<Calls["Blobs.get"], BlobRead>
  "Blobs.stream": Fails<Calls["Blobs.stream"], BlobRead>
  "Blobs.toFile": Fails<Calls["Blobs.toFile"], BlobRead | PlatformError["_tag"], FileSystem>
  "Blobs.range": Fails<Calls["Blobs.range"], BlobGone | "RangeNotSatisfiable" | "SizeMismatch">
  "Blobs.push": Fails<Calls["Blobs.push"], Push>
  "Blobs.push of a source": Fails<Calls["Blobs.push of a source"], Push | "SourceError", Source>
  "Blobs.push of a file": Fails<Calls["Blobs.push of a file"], Push | PlatformError["_tag"], FileSystem>
  "Blobs.delete": Fails<Calls["Blobs.delete"], BlobGone | "Unsupported">
  "Manifests.head": Fails<Calls["Manifests.head"], ManifestRead>
  "Manifests.exists": Fails<Calls["Manifests.exists"]>
  "Manifests.get": Fails<Calls["Manifests.get"], ManifestRead>
  "Manifests.get for a platform": Fails<
    Calls["Manifests.get for a platform"],
    ManifestRead | "PlatformUnknown" | "InvalidPlatform"
  >
  "Manifests.resolve": Fails<Calls["Manifests.resolve"], ManifestRead | "PlatformUnknown" | "InvalidPlatform">
  "Manifests.put": Fails<Calls["Manifests.put"], ManifestPut>
  "Manifests.put with blobs": Fails<Calls["Manifests.put with blobs"], ManifestPut | Push | "SourceError", Source>
  "Manifests.delete": Fails<Calls["Manifests.delete"], ManifestGone | "Unsupported" | "ReferrersNotUpdated">
  "Uploads.start": Fails<Calls["Uploads.start"], Start>
  "Uploads.post": Fails<Calls["Uploads.post"], Start | Bytes | "DigestMismatch" | "SourceNotReplayable">
  "Uploads.patch": Fails<Calls["Uploads.patch"], Bytes>
  "Uploads.finish": Fails<Calls["Uploads.finish"], Bytes | "DigestMismatch">
  "Uploads.post of a source": Fails<
    Calls["Uploads.post of a source"],
    Start | Bytes | "DigestMismatch" | "SourceNotReplayable" | "SourceError",
    Source
  >
  "Uploads.patch of a source": Fails<Calls["Uploads.patch of a source"], Bytes | "SourceError", Source>
  "Uploads.finish of a source": Fails<
    Calls["Uploads.finish of a source"],
    Bytes | "DigestMismatch" | "SourceError",
    Source
  >
  "Uploads.mount": Fails<Calls["Uploads.mount"], Start | "DigestMismatch">
  "Uploads.status": Fails<Calls["Uploads.status"], "BlobUploadUnknown">
  "Uploads.cancel": Fails<Calls["Uploads.cancel"], "BlobUploadUnknown" | "Unsupported">
  "Uploads.resume": Fails<Calls["Uploads.resume"], "BlobUploadUnknown">
  "Tags.list": Fails<Calls["Tags.list"], "NameUnknown" | "Unsupported">
  "Tags.stream": Fails<Calls["Tags.stream"], "NameUnknown" | "Unsupported" | "PaginationLoop">
  "Tags.delete": Fails<Calls["Tags.delete"], ManifestGone | "Unsupported" | "InvalidReference">
  "Tags.delete by a dummy": Fails<Calls["Tags.delete by a dummy"], ManifestGone | "Unsupported" | "InvalidReference">
  "Referrers.list": Fails<Calls["Referrers.list"], "NameUnknown" | "ManifestInvalid" | "PaginationLoop">
  "Referrers.get": Fails<
    Calls["Referrers.get"],
    "ManifestUnknown" | "NameUnknown" | "ManifestInvalid" | "DigestMismatch"
  >
  "Referrers.attach": Fails<Calls["Referrers.attach"], ManifestPut | "ReferrersNotUpdated">
  "Referrers.attach to a reference": Fails<
    Calls["Referrers.attach to a reference"],
    ManifestPut | "ReferrersNotUpdated" | "ManifestUnknown"
  >
  "Referrers.stream": Fails<Calls["Referrers.stream"], "NameUnknown" | "ManifestInvalid" | "PaginationLoop">
  "Catalog.list": Fails<Calls["Catalog.list"], "Unsupported">
  "Catalog.stream": Fails<Calls["Catalog.stream"], "Unsupported" | "PaginationLoop">
}>
