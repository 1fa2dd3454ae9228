// Keys that image-spec's annotations.md defines. Any other key may stand beside them.

/** When the image was built, RFC 3339. */
export const created = "org.opencontainers.image.created"
/** Contact details of the people or organisation responsible. */
export const authors = "org.opencontainers.image.authors"
/** Where to find more about the image. */
export const url = "org.opencontainers.image.url"
/** Where its documentation is. */
export const documentation = "org.opencontainers.image.documentation"
/** Where its source code is. */
export const source = "org.opencontainers.image.source"
/** The version of the packaged software. */
export const version = "org.opencontainers.image.version"
/** The revision in source control that it was built from. */
export const revision = "org.opencontainers.image.revision"
/** Who distributes it. */
export const vendor = "org.opencontainers.image.vendor"
/** Its licences, an SPDX expression. */
export const licenses = "org.opencontainers.image.licenses"
/** The tag of an entry in a layout's `index.json`; it has no meaning elsewhere. */
export const refName = "org.opencontainers.image.ref.name"
/** A title for people; on the layers of an artifact, a file's name. */
export const title = "org.opencontainers.image.title"
/** A description for people. */
export const description = "org.opencontainers.image.description"
/** The digest of the image that this one is built on. */
export const baseDigest = "org.opencontainers.image.base.digest"
/** The full name of the image that this one is built on. */
export const baseName = "org.opencontainers.image.base.name"
