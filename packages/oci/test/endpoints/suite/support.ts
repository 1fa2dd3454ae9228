import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Descriptor from "effect-oci/Descriptor"
import type { Algorithm } from "effect-oci/Digest"
import * as Digest from "effect-oci/Digest"
import * as Manifest from "effect-oci/Manifest"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import * as Reference from "effect-oci/Reference"
import type { RegistryClient } from "effect-oci/RegistryClient"
import type { RegistryName } from "effect-oci/RegistryName"
import * as Repository from "effect-oci/Repository"
import * as Uploads from "effect-oci/Uploads"

/** Where a registry is not as the specification wants it. What is left out is as it should be. */
export interface Deviations {
  /**
   * A blob of a sha512 digest is kept under its sha256 too, and a manifest is taken by no other digest than that; or a blob
   * is kept under its sha256 alone.
   */
  readonly sha512?: "stored as sha256" | "blobs lost"
  /** Ranges of blobs must have both ends, and both within the blob. */
  readonly openRanges?: false
  /** Chunks are taken at any place, or refused without a word of where to go on. */
  readonly chunkOrder?: false | "untold"
  /** Sessions cannot be asked where they stand. */
  readonly uploadStatus?: false
  /** Sessions cannot be given up. */
  readonly uploadCancel?: false
  /** Blobs are mounted where `from` says where they are, or never: a session is opened instead. */
  readonly mount?: false | "from a repository"
  /** Manifests are taken whatever they name. */
  readonly missingBlobs?: "taken"
  /** Neither blobs nor manifests can be deleted. */
  readonly deletes?: false
  /** The deletion of a blob that is not there is answered with 500. */
  readonly missingBlobDelete?: "breaks"
  /** The tags of a deleted manifest stay. */
  readonly deletedTags?: "stay"
  /** Tags cannot be deleted. */
  readonly tagDelete?: false
  /** There is no referrers API, and no `OCI-Subject`. */
  readonly referrersApi?: false
  /** `n` is ignored when tags are listed: all come at once. Or the list ends after `n`, as if there were no more. */
  readonly tagPaging?: false | "no links"
  /** The list of repositories ends after `n`, as if there were no more. */
  readonly catalogPaging?: "no links"
  /** Tags come in no order. */
  readonly tagOrder?: false
}

/** The registry that the suite runs against. */
export class Subject extends Context.Tag("effect-oci/test/Subject")<Subject, RegistryName>() {}

export type Environment = RegistryClient | Subject

/** What the suite's tests are registered with: the part of an `it` that any runner can play. */
export interface It {
  readonly effect: <E>(name: string, test: () => Effect.Effect<void, E, Environment>) => void
}

export const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A repository that no other test knows. A real server keeps what earlier runs left, so its name is not fixed. */
export const newRepository: Effect.Effect<Repository.Repository, never, Subject> = Effect.map(
  Subject,
  (registry) => new Repository.Repository({ registry, name: `effect-oci/test-${crypto.randomUUID()}` })
)

/** A digest that nothing has. */
export const nothing = (algorithm: Algorithm = "sha256"): Digest.Digest =>
  Digest.make(algorithm, new Uint8Array({ sha256: 32, sha384: 48, sha512: 64 }[algorithm]).fill(7))

export const describe = (content: string, algorithm?: Algorithm): Effect.Effect<Descriptor.Descriptor> =>
  Descriptor.fromBytes(encode(content), { mediaType: "application/octet-stream", algorithm })

export const pushBlob = (repository: Repository.Repository, content: string, algorithm?: Algorithm) =>
  Effect.flatMap(describe(content, algorithm), (descriptor) => Uploads.post(repository, descriptor, encode(content)))

type Extras = Partial<Omit<Manifest.ImageManifest, "config" | "layers">>

/** The manifest of an image of one small layer, whose blobs are in the repository. */
export const image = (
  repository: Repository.Repository,
  content: string,
  extras?: Extras
): Effect.Effect<Manifest.ManifestContent, Effect.Effect.Error<ReturnType<typeof pushBlob>>, RegistryClient> =>
  Effect.gen(function* () {
    const config = yield* pushBlob(repository, "{}")
    const layer = yield* pushBlob(repository, content)
    return yield* Manifest.content({
      schemaVersion: 2,
      mediaType: MediaType.ociManifest,
      config: { ...config, mediaType: MediaType.ociEmpty },
      layers: [{ ...layer, mediaType: MediaType.ociLayer }],
      ...extras
    })
  })

/** An image, pushed under tags. */
export const pushImage = (
  repository: Repository.Repository,
  content: string,
  tags: ReadonlyArray<string>,
  extras?: Extras
) =>
  Effect.gen(function* () {
    const manifest = yield* image(repository, content, extras)
    const { digest } = manifest.descriptor
    yield* Manifests.put(Reference.make(repository, { digest }), manifest, { tags })
    return manifest
  })
