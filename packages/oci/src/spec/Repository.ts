import * as Data from "effect/Data"
import * as Either from "effect/Either"
import { type InvalidReference, invalid, looksLikeRegistry, splitScheme } from "./internal/referenceText.js"
import * as RegistryName from "./RegistryName.js"

const library = "library/"

/**
 * A repository of a registry. `parse` is the checked way to make one; the constructor takes its fields as they are.
 * Repositories are equal by value.
 */
export class Repository extends Data.Class<{
  readonly registry: RegistryName.RegistryName
  /** The name on the wire, with Docker Hub's `library/` where it belongs: `library/mongo`. */
  readonly name: string
}> {
  /** Whether this is one of Docker Hub's own images, which are known by one word: `mongo`. */
  get official(): boolean {
    return this.registry.official && this.name.startsWith(library) && !this.name.includes("/", library.length)
  }

  /** The name that the registry knows: `library/mongo`. The same as `name`. */
  get remoteName(): string {
    return this.name
  }

  /** The name that an engine shows for its local copy: `mongo`, `org/app`, and with the registry for all but Docker Hub. */
  get localName(): string {
    return this.registry.official ? shortName(this) : this.toString()
  }

  /** Registry and name without `library/`: `docker.io/mongo`. `toString` has the whole of it. */
  get canonicalName(): string {
    return `${this.registry}/${shortName(this)}`
  }

  /** Registry and name, with nothing left to a default: `docker.io/library/mongo`. The scheme, if any, is not in it. */
  override toString(): string {
    return `${this.registry}/${this.name}`
  }
}

const shortName = (repository: Repository): string =>
  repository.official ? repository.name.slice(library.length) : repository.name

export interface ParseOptions {
  /** The registry of names that have none: a text that `RegistryName.parse` reads, or a registry. Default: Docker Hub. */
  readonly defaultRegistry?: string | RegistryName.RegistryName | undefined
  /**
   * Takes only what leaves nothing to a default: the registry must be written, on Docker Hub the namespace too
   * (`docker.io/library/alpine`), and no scheme may stand in front. `defaultRegistry` is then not used. Default: false.
   */
  readonly strict?: boolean | undefined
}

/**
 * Reads a repository, `[registry/]name`, by the rules of distribution/reference. The first component is the registry when
 * it has a dot, a colon or a capital letter, or is `localhost`; `RegistryName.parse` says which ones are valid. A name has
 * at most 255 characters, the registry not counted: lower-case letters and digits in components between slashes, with
 * `.`, `_`, `__` or any number of `-` inside a component. On Docker Hub a name of one component is in `library/`. 64
 * hexadecimal digits without a registry are refused, because they could be an image's identifier.
 *
 * After `http://` and `https://`, which stay as the registry's scheme, a registry must follow; `oci://` and `docker://`
 * are dropped.
 */
export const parse = (text: string, options?: ParseOptions): Either.Either<Repository, InvalidReference> =>
  Either.gen(function* () {
    const refuse = (reason: string) => Either.left(invalid(text, reason))
    if (text.length > 1024) return yield* refuse("it is longer than 1024 characters")
    const { prefix, rest, scheme } = splitScheme(text)
    const strict = options?.strict === true
    if (strict && prefix !== "") return yield* refuse("a scheme stands in front, which strict forbids")
    const slash = rest.indexOf("/")
    const hasRegistry = slash !== -1 && (scheme !== undefined || looksLikeRegistry(rest.slice(0, slash)))
    if (!hasRegistry) {
      if (scheme !== undefined) return yield* refuse("it has a registry but no repository")
      if (strict) return yield* refuse("its registry is not written out, which strict demands")
      if (/^[0-9a-f]{64}$/.test(rest)) return yield* refuse("it could be an image's identifier: write its registry too")
    }
    const { defaultRegistry = RegistryName.dockerHub } = options ?? {}
    const registry = yield* hasRegistry
      ? Either.mapLeft(RegistryName.parse(prefix + rest.slice(0, slash)), ({ reason }) => invalid(text, reason))
      : typeof defaultRegistry === "string"
        ? Either.mapLeft(RegistryName.parse(defaultRegistry), ({ reason }) =>
            invalid(text, `as for the default registry, ${reason}`)
          )
        : Either.right(defaultRegistry)
    const path = hasRegistry ? rest.slice(slash + 1) : rest
    if (path === "") return yield* refuse("its repository is empty")
    const inLibrary = registry.official && !path.includes("/")
    if (strict && inLibrary) return yield* refuse("its namespace is not written out (library/), which strict demands")
    const name = inLibrary ? `${library}${path}` : path
    const flaw = nameFlaw(name)
    return flaw === undefined ? new Repository({ registry, name }) : yield* refuse(flaw)
  })

const isComponent = (text: string): boolean =>
  /^[a-z0-9._-]+$/.test(text) && !/^[._-]|[._-]$|[._-]\.|\.[_-]|_-|-_|___/.test(text)

const nameFlaw = (name: string): string | undefined => {
  if (name.length > 255) return "its repository is longer than 255 characters"
  if (name.split("/").every(isComponent)) return undefined
  return /[A-Z]/.test(name)
    ? "its repository has capital letters"
    : "its repository is not made of lower-case letters and digits, with . _ __ or hyphens between them and single slashes"
}
