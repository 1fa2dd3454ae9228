import { blobs } from "./blobs.js"
import { listings } from "./listings.js"
import { manifests } from "./manifests.js"
import { registry } from "./registry.js"
import type { Deviations, It } from "./support.js"
import { uploads } from "./uploads.js"

/** Registers the tests of all endpoints, with whatever runs them. A browser cannot send `streams`. */
export const endpoints = (it: It, deviations: Deviations, streams = true): void => {
  registry(it)
  blobs(it, deviations)
  uploads(it, deviations, streams)
  manifests(it, deviations)
  listings(it, deviations)
}
