import type { Deviations } from "../../oci/test/endpoints/suite/support.js"

/** What is a registry's, and not the transport's. */
type OfServer = Omit<Deviations, "streams">

/** Each deviation that the endpoint suite knows, in a sentence: what the registry does, and what our client makes of it. */
const sentences: { readonly [K in keyof OfServer]-?: Readonly<Record<`${NonNullable<OfServer[K]>}`, string>> } = {
  sha512: {
    "stored as sha256":
      "What is pushed by a sha512 digest is stored by its sha256: a blob is found by both, a manifest is refused with `DigestInvalid`.",
    "blobs lost":
      "A blob that is pushed by a sha512 digest is taken, and kept by its sha256 alone: reading it by the other is `BlobUnknown`."
  },
  openRanges: {
    false: "A range of a blob without an end, or with one beyond the blob's, is refused: `RangeNotSatisfiable`."
  },
  chunkOrder: {
    false: "A chunk that leaves a gap is taken, to another place than it was sent to: `UnexpectedResponse`.",
    untold:
      "A chunk that leaves a gap is refused without a word of where to go on: `RangeNotSatisfiable`, `received` unset."
  },
  uploadStatus: { false: "An upload cannot be asked how far it is: `UnexpectedResponse`." },
  uploadCancel: { false: "An upload cannot be given up: `UnexpectedResponse`." },
  mount: {
    false: "Blobs are never mounted: each mount is a session to upload to.",
    "from a repository":
      "A blob is mounted only from a repository that is named: without one, the mount is a session to upload to."
  },
  missingBlobs: { taken: "A manifest is taken whatever it names, with blobs that are not there: `put` succeeds." },
  deletes: { false: "Neither blobs nor manifests can be deleted: `Unsupported`." },
  missingBlobDelete: { breaks: "To delete a blob that is not there is answered with 500: `RegistryUnavailable`." },
  deletedTags: { stay: "The tags of a manifest outlive its deletion: they are still found." },
  tagDelete: { false: "Tags cannot be deleted: `Unsupported`." },
  referrersApi: {
    false:
      "There is no referrers API: `Referrers` reads the tag that clients keep, which skopeo does not, and a push reports no `subject`."
  },
  tagPaging: {
    false: "`n` is ignored when tags are listed: all come at once.",
    "no links":
      "A full page of `n` tags does not say that there are more: `Tags.stream` asks what comes after its last tag."
  },
  catalogPaging: {
    "no links":
      "A full page of `n` repositories does not say that there are more: `Catalog.stream` asks what comes after its last one, is given the same page again, and ends with it. Without `n`, all repositories come."
  },
  tagOrder: { false: "Tags come in no order, and are handed out as they come." }
}

/** What a registry does otherwise than the specification says. */
export const described = (deviations: Deviations): ReadonlyArray<string> => {
  const texts: Readonly<Record<string, Readonly<Record<string, string>>>> = sentences
  return Object.entries(deviations).flatMap(([name, value]) => texts[name]?.[String(value)] ?? [])
}

/** What else is to be known of those that sign in, and of those who sign in to them. */
export const found: ReadonlyArray<string> = [
  "docker-registry and distribution take a token for a minute longer than it says: the token server of the tests dates its tokens back.",
  "What a token does not allow they refuse with 401, however good the credentials: `Unauthorized`, not `Denied`.",
  "crane and oras sign in to Docker's file, skopeo to whichever it is told, and regctl to a file of its own.",
  "skopeo asks a credential helper that `credHelpers` names for a host, and not that of `credsStore`."
]
