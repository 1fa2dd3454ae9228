import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Descriptor from "effect-oci/Descriptor"
import * as Manifest from "effect-oci/Manifest"
import * as MediaType from "effect-oci/MediaType"
import * as Platform from "effect-oci/Platform"
import * as Reference from "effect-oci/Reference"
import type { Store } from "./store.js"
import * as Tar from "./tar.js"

/** One thing to have from the start: an image, or an artifact when it has an `artifactType`. */
export interface SeedEntry {
  /** As `linux/arm64`. One makes an image, several an index of images. Default: `linux/amd64`. An artifact has none. */
  readonly platforms?: ReadonlyArray<string> | undefined
  readonly artifactType?: string | undefined
  /** What this is about: the name of an entry above, in the same repository. */
  readonly subject?: string | undefined
  readonly annotations?: { readonly [key: string]: string } | undefined
}

/** What a registry has from the start, by name: `org/app:1.2`, or `org/app` for its tag `latest`. */
export interface Seed {
  readonly [name: string]: SeedEntry
}

const encoder = new TextEncoder()

const parse = (name: string) => Reference.parse(`registry.test/${name}`, { strict: true })

const addBlob = (store: Store, name: string, bytes: Uint8Array, mediaType: string) =>
  Effect.gen(function* () {
    const descriptor = yield* Descriptor.fromBytes(bytes, { mediaType })
    const upload = yield* store.newUpload(name, "sha256")
    yield* upload.append(Stream.succeed(bytes))
    yield* upload.commit(descriptor.digest)
    return descriptor
  })

const addManifest = (store: Store, name: string, manifest: Manifest.Manifest) =>
  Effect.gen(function* () {
    const content = yield* Manifest.content(manifest)
    yield* store.putManifest(name, content)
    return content.descriptor
  })

const findSubject = (store: Store, name: string, subject: string) =>
  Effect.gen(function* () {
    const { digest, repository, tag = "latest" } = yield* parse(subject)
    const target = digest === undefined ? yield* store.tag(repository.name, tag) : Option.some(digest)
    const stored = Option.isNone(target) ? Option.none() : yield* store.manifest(repository.name, target.value)
    if (Option.isNone(target) || Option.isNone(stored) || repository.name !== name) {
      return yield* Effect.dieMessage(`seed: the subject ${subject} is not an entry above, in the same repository`)
    }
    const { bytes, mediaType } = stored.value
    return (yield* Manifest.ManifestContent.fromBytes(bytes, { mediaType })).descriptor
  })

type Extras = Pick<Manifest.ImageManifest, "annotations" | "subject">

const image = (store: Store, name: string, platform: Platform.Platform, extras: Extras) =>
  Effect.gen(function* () {
    const label = Platform.format(platform)
    const layer = yield* addBlob(
      store,
      name,
      Tar.file("image", encoder.encode(`${name} for ${label}\n`)),
      MediaType.ociLayer
    )
    const configuration = {
      created: "1970-01-01T00:00:00Z",
      ...platform,
      config: {},
      rootfs: { type: "layers", diff_ids: [layer.digest] }
    }
    const config = yield* addBlob(store, name, encoder.encode(JSON.stringify(configuration)), MediaType.ociConfig)
    return yield* addManifest(store, name, {
      schemaVersion: 2,
      mediaType: MediaType.ociManifest,
      config,
      layers: [layer],
      ...extras
    })
  })

const index = (store: Store, name: string, platforms: ReadonlyArray<Platform.Platform>, extras: Extras) =>
  Effect.gen(function* () {
    const manifests = yield* Effect.forEach(platforms, (platform) =>
      Effect.map(image(store, name, platform, {}), (descriptor) => ({ ...descriptor, platform }))
    )
    return yield* addManifest(store, name, { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests, ...extras })
  })

const artifact = (store: Store, name: string, artifactType: string, extras: Extras) =>
  Effect.gen(function* () {
    yield* addBlob(store, name, Descriptor.emptyBytes, MediaType.ociEmpty)
    return yield* addManifest(store, name, {
      schemaVersion: 2,
      mediaType: MediaType.ociManifest,
      artifactType,
      config: Descriptor.empty,
      layers: [Descriptor.empty],
      ...extras
    })
  })

/**
 * Adds the entries in their order. A name, platform or subject that is wrong is a mistake in the program, and dies, as does a
 * storage that cannot be written to.
 */
export const add = (store: Store, seed: Seed): Effect.Effect<void> =>
  Effect.forEach(
    Object.entries(seed),
    ([key, entry]) =>
      Effect.gen(function* () {
        const { repository, target } = yield* parse(key)
        const extras = {
          ...(entry.subject === undefined
            ? {}
            : { subject: yield* findSubject(store, repository.name, entry.subject) }),
          ...(entry.annotations === undefined ? {} : { annotations: entry.annotations })
        }
        const platforms = yield* Effect.forEach(entry.platforms ?? ["linux/amd64"], Platform.parse)
        const [first, ...others] = platforms
        const descriptor = yield* entry.artifactType !== undefined
          ? artifact(store, repository.name, entry.artifactType, extras)
          : first !== undefined && others.length === 0
            ? image(store, repository.name, first, extras)
            : index(store, repository.name, platforms, extras)
        yield* store.putTag(repository.name, target, descriptor.digest)
      }),
    { discard: true }
  ).pipe(Effect.orDie)
