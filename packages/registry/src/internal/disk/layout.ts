/**
 * Where things are in the folder:
 *
 *     blobs/<algorithm>/<encoded>                           the content of a blob, as in an OCI image layout
 *     repositories/<name>/_blobs/<algorithm>/<encoded>      the same file by another name: the repository has the blob
 *     repositories/<name>/_manifests/<algorithm>/<encoded>  a line with the media type, then the manifest
 *     repositories/<name>/_tags/<tag>                       the digest that it points to
 *     repositories/<name>/_referrers/<subject>/<referrer>   the descriptor of a manifest with that subject
 *     uploads/<id>, uploads/<id>.json                       what has arrived, and what for
 *     temp/<id>                                             what is being written
 *
 * No part of a repository's name begins with an underscore, so that these folders can stand beside those of longer names.
 */
import * as Digest from "effect-oci/Digest"
import type { Tag } from "effect-oci/Reference"
import type { Place } from "./files.js"
import * as TagFile from "./tagFile.js"

const address = (digest: Digest.Digest): Place => [Digest.algorithm(digest), Digest.encoded(digest)]

export const contents: Place = ["blobs"]
export const content = (digest: Digest.Digest): Place => [...contents, ...address(digest)]

export const repositories: Place = ["repositories"]
export const repository = (name: string): Place => [...repositories, ...name.split("/")]
export const isPart = (segment: string): boolean => segment.startsWith("_")

export const blobs = (name: string): Place => [...repository(name), "_blobs"]
export const blob = (name: string, digest: Digest.Digest): Place => [...blobs(name), ...address(digest)]

export const manifests = (name: string): Place => [...repository(name), "_manifests"]
export const manifest = (name: string, digest: Digest.Digest): Place => [...manifests(name), ...address(digest)]

export const tags = (name: string): Place => [...repository(name), "_tags"]
export const tag = (name: string, tag: Tag): Place => [...tags(name), TagFile.of(tag)]

/** `subject` is a hash of the subject's digest, which may be of any algorithm and length. */
export const referrers = (name: string, subject: string): Place => [...repository(name), "_referrers", subject]
export const referrer = (name: string, subject: string, digest: Digest.Digest): Place => [
  ...referrers(name, subject),
  address(digest).join("-")
]

export const uploads: Place = ["uploads"]
export const upload = (id: string): Place => [...uploads, id]
export const uploadState = (id: string): Place => [...uploads, `${id}.json`]
