import * as Either from "effect/Either"
import type { InvalidReference } from "../../../spec/RegistryName.js"
import * as RegistryName from "../../../spec/RegistryName.js"
import * as Repository from "../../../spec/Repository.js"

/**
 * What a credential is kept under: a host, or a host and the beginning of a repository's name, as `quay.io/org`. All names
 * of Docker Hub are `docker.io`.
 */
export type Key = string

/** Docker's own name for Docker Hub, in its files and to its helpers. */
const hubAddress = "https://index.docker.io/v1/"

/** The name under which Docker keeps a registry's credential, and asks helpers for it. */
export const address = (registry: RegistryName.RegistryName): string =>
  registry.official ? hubAddress : registry.authority

/** The hosts whose keys are a registry's: the port 443 is that of https, written or not. */
export const hosts = ({ authority, port, scheme }: RegistryName.RegistryName): ReadonlyArray<Key> => {
  if (scheme === "http" || (port !== undefined && port !== 443)) return [authority]
  return [authority, port === 443 ? authority.slice(0, -":443".length) : `${authority}:443`]
}

/** What is kept for a repository, or for a registry as such: under the longest of its keys. */
export const find = <A>(
  all: ReadonlyMap<Key, A>,
  registry: RegistryName.RegistryName,
  repository?: Repository.Repository | undefined
): A | undefined => {
  if (all.size === 0) return undefined
  const names = hosts(registry)
  let path = repository === undefined ? "" : `/${repository.name}`
  while (true) {
    for (const name of names) {
      const found = all.get(name + path)
      if (found !== undefined) return found
    }
    if (path === "") return undefined
    path = path.slice(0, path.lastIndexOf("/"))
  }
}

const cut = (text: string): readonly [host: string, path: string] => {
  const slash = text.indexOf("/")
  return slash === -1 ? [text, ""] : [text.slice(0, slash), text.slice(slash + 1)]
}

const withoutEndSlash = (text: string): string => (text.endsWith("/") ? text.slice(0, -1) : text)

/**
 * The key that a file means: `quay.io/org`, `ghcr.io`, `https://ghcr.io/`, `https://index.docker.io/v1/`. With a scheme it
 * is a server's address, whose path says nothing. Nothing for what names no host.
 */
export const fromFile = (text: string): Key | undefined => {
  const bare = text.replace(/^https?:\/\//, "")
  const [host, path] = cut(bare)
  const name = Either.getOrUndefined(RegistryName.parse(host))
  const scope = withoutEndSlash(path)
  if (name === undefined) return undefined
  return scope === "" || bare !== text || scope === "v1" || scope === "v2"
    ? name.authority
    : `${name.authority}/${scope}`
}

/** The key that a user means, who is told when it is none. */
export const fromUser = (text: string): Either.Either<Key, InvalidReference> => {
  const registry = Either.map(RegistryName.parse(text), ({ authority }) => authority)
  const [host, path] = cut(text)
  const name = RegistryName.parse(host)
  if (Either.isRight(registry) || Either.isLeft(name) || text.includes("://")) return registry
  return Either.map(Repository.parse(text), () => `${name.right.authority}/${path}`)
}
