import * as Effect from "effect/Effect"
import type { Digest } from "../../spec/Digest.js"
import type { Reference } from "../../spec/Reference.js"
import type { RegistryName } from "../../spec/RegistryName.js"
import type { Repository } from "../../spec/Repository.js"
import type { Name, Operation } from "../Operation.js"

/** Paths are built from parts that their parsers have let through, so nothing in them needs escaping. */
export const manifest = (repository: Repository, target: string): string => `/v2/${repository.name}/manifests/${target}`

export const blob = (repository: Repository, digest: string): string => `/v2/${repository.name}/blobs/${digest}`

export const uploads = (repository: Repository): string => `/v2/${repository.name}/blobs/uploads/`

/** The type of content whose type nobody tells. */
export const octets = "application/octet-stream"

/** A query of the parts that are there, in their order, each value escaped. */
export const query = (
  parameters: ReadonlyArray<readonly [name: string, value: string | number | undefined]>
): string => {
  const given = parameters.flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`]
  )
  return given.length === 0 ? "" : `?${given.join("&")}`
}

/** Adds to the query of a URL as text: a signed query must reach its server byte for byte. */
export const append = (url: string, name: string, value: string): string =>
  `${url}${url.includes("?") ? (/[?&]$/.test(url) ? "" : "&") : "?"}${name}=${encodeURIComponent(value)}`

export const onRepository = (name: Name, repository: Repository, reference?: string): Operation => ({
  name,
  registry: repository.registry,
  repository,
  reference
})

export const onRegistry = (name: Name, registry: RegistryName): Operation => ({ name, registry })

/** What a span is about. */
export const attributes = (repository: Repository, target?: string): Readonly<Record<string, string>> => ({
  "oci.registry": repository.registry.toString(),
  "oci.repository": repository.name,
  ...(target === undefined ? {} : { [target.includes(":") ? "oci.digest" : "oci.reference"]: target })
})

/** Says of the current span what it is about. */
export const annotate = (repository: Repository, target?: string): Effect.Effect<void> =>
  Effect.annotateCurrentSpan(attributes(repository, target))

/** What is known of a reference before any request. */
export const facts = (reference: Reference) => ({
  ...repositoryFacts(reference.repository),
  reference: reference.tag,
  digest: reference.digest
})

export const repositoryFacts = (repository: Repository) => ({
  registry: repository.registry.toString(),
  repository: repository.name
})

export const blobFacts = (repository: Repository, digest: Digest) => ({ ...repositoryFacts(repository), digest })
