import * as Effect from "effect/Effect"
import * as Blobs from "effect-oci/Blobs"
import type * as Descriptor from "effect-oci/Descriptor"
import * as ImageConfig from "effect-oci/ImageConfig"
import * as Manifest from "effect-oci/Manifest"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import * as Platform from "effect-oci/Platform"
import * as Reference from "effect-oci/Reference"
import * as Tags from "effect-oci/Tags"

/** More than this in one list is nothing to choose from. */
const most = 200

/** What else is in the repository, or why that is not told: an image can be shown without. */
export const tags = (reference: Reference.Reference) => Effect.either(Tags.list(reference.repository, { n: most }))

export type TagList = Effect.Effect.Success<ReturnType<typeof tags>>

/** The images that an index names for platforms; what is for none is not to be run. */
const platforms = (manifest: Manifest.Manifest): ReadonlyArray<string> =>
  Manifest.isIndex(manifest)
    ? manifest.manifests.flatMap(({ platform }) =>
        platform === undefined || platform.os === "unknown" ? [] : [Platform.format(platform)]
      )
    : []

const configTypes: ReadonlyArray<string> = [MediaType.ociConfig, MediaType.dockerConfig]

const readConfig = (reference: Reference.Reference, descriptor: Descriptor.Descriptor) =>
  configTypes.includes(descriptor.mediaType)
    ? Effect.flatMap(Blobs.get(reference.repository, descriptor), ImageConfig.oci.decode)
    : Effect.succeed(undefined)

/** What a reference names and, of an index, what it names for a platform. */
export const read = (reference: Reference.Reference, wanted: string | undefined) =>
  Effect.gen(function* () {
    const root = yield* Manifests.get(reference)
    const available = platforms(root.manifest)
    const platform = wanted ?? available[0]
    const content =
      platform === undefined
        ? root
        : yield* Manifests.resolve(Reference.withDigest(reference, root.descriptor.digest), { platform })
    const { manifest } = content
    const config = Manifest.isImage(manifest) ? yield* readConfig(reference, manifest.config) : undefined
    return { reference, root, platforms: available, platform, content, config }
  })

export type Image = Effect.Effect.Success<ReturnType<typeof read>>

/** Where a page is about an image: `#ref=localhost:5000/org/app:1.2&platform=linux/arm64`. */
export interface Place {
  readonly text: string
  readonly platform?: string | undefined
}

const readable = (text: string) => encodeURIComponent(text).replace(/%(2F|3A|40)/g, decodeURIComponent)

export const toHash = ({ platform, text }: Place): string =>
  `#ref=${readable(text)}${platform === undefined ? "" : `&platform=${readable(platform)}`}`

export const fromHash = (hash: string): Place => {
  const parameters = new URLSearchParams(hash.slice(1))
  return { text: parameters.get("ref") ?? "", platform: parameters.get("platform") ?? undefined }
}
