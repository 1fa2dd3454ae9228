import * as Data from "effect/Data"
import * as Either from "effect/Either"
import { dual } from "effect/Function"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as Digest from "./Digest.js"
import { type InvalidReference, invalid } from "./internal/referenceText.js"
import type * as RegistryName from "./RegistryName.js"
import * as Repository from "./Repository.js"

/** A name that a repository gives to a manifest and may move: see `isTag`. */
export type Tag = string

/** Whether a text can be a tag: a letter, digit or underscore, then at most 127 of these, dots and hyphens; ASCII only. */
export const isTag = (text: string): boolean => /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(text)

const tagRule =
  "its tag is not made of 1 to 128 letters, digits, underscores, dots and hyphens, the first no dot or hyphen"

interface Fields {
  readonly repository: Repository.Repository
  readonly tag?: Tag | undefined
  readonly digest?: Digest.Digest | undefined
}

/**
 * What names a manifest: its repository and a tag, a digest or both. Both are kept, and then the digest decides. `parse` and
 * `withTag` check what they are given; the constructor and `make` take their fields as they are. References are equal by
 * value.
 */
export class Reference extends Data.Class<Fields> {
  constructor(fields: Fields) {
    // Absent fields are keys too, so that `{ repository }` and `{ repository, tag: undefined }` are equal.
    super({ repository: fields.repository, tag: fields.tag, digest: fields.digest })
  }

  get registry(): RegistryName.RegistryName {
    return this.repository.registry
  }

  /** What a request asks for: the digest, else the tag, else `latest`. */
  get target(): string {
    return this.digest ?? this.tag ?? "latest"
  }

  /** As `format` writes it. */
  override toString(): string {
    const scheme = this.registry.scheme
    return withSuffix(`${scheme === undefined ? "" : `${scheme}://`}${this.repository}`, this)
  }
}

const withSuffix = (name: string, { digest, tag }: Reference): string =>
  `${name}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`

/** A reference of parts that are known to be valid. */
export const make = (
  repository: Repository.Repository,
  target?: { readonly tag?: Tag | undefined; readonly digest?: Digest.Digest | undefined }
): Reference => new Reference({ repository, tag: target?.tag, digest: target?.digest })

/**
 * Reads `[registry/]repository[:tag][@digest]`. Registry and repository are read as `Repository.parse` does it, with the
 * same options; a text without a slash has no registry, so that `localhost:5000` is a repository with a tag. What is not
 * written stays absent: `latest` is where requests go, not what the reference says.
 */
export const parse = (text: string, options?: Repository.ParseOptions): Either.Either<Reference, InvalidReference> =>
  Either.gen(function* () {
    if (text.length > 2048) return yield* Either.left(invalid(text, "it is longer than 2048 characters"))
    const at = text.indexOf("@")
    const tagged = at === -1 ? text : text.slice(0, at)
    const colon = tagged.indexOf(":", tagged.lastIndexOf("/") + 1)
    const repository = yield* Either.mapLeft(
      Repository.parse(colon === -1 ? tagged : tagged.slice(0, colon), options),
      ({ reason }) => invalid(text, reason)
    )
    const tag = colon === -1 ? undefined : tagged.slice(colon + 1)
    if (tag !== undefined && !isTag(tag)) return yield* Either.left(invalid(text, tagRule))
    const digest =
      at === -1
        ? undefined
        : yield* Either.mapLeft(Digest.parse(text.slice(at + 1)), ({ reason }) =>
            invalid(text, `as for its digest, ${reason}`)
          )
    return new Reference({ repository, tag, digest })
  })

/**
 * The whole reference, with nothing left to a default: `docker.io/library/alpine:3`. A scheme that was written is in front.
 * `parse` reads it back as the same reference.
 */
export const format = (reference: Reference): string => reference.toString()

/**
 * The shortest form, which Docker shows: `alpine:3`, `org/app`, `ghcr.io/org/app`, without a scheme. Where a short name
 * would be read as another repository, its registry stays.
 */
export const familiar = (reference: Reference): string => {
  const { repository } = reference
  const isSame = Either.match(Repository.parse(repository.localName), {
    onLeft: () => false,
    onRight: (read) => read.toString() === repository.toString()
  })
  return withSuffix(isSame ? repository.localName : repository.canonicalName, reference)
}

/** The reference with another tag. A digest stays, and goes on to decide. */
export const withTag: {
  (tag: string): (reference: Reference) => Either.Either<Reference, InvalidReference>
  (reference: Reference, tag: string): Either.Either<Reference, InvalidReference>
} = dual(2, (reference: Reference, tag: string) =>
  isTag(tag)
    ? Either.right(make(reference.repository, { tag, digest: reference.digest }))
    : Either.left(invalid(tag, tagRule))
)

/** The reference with another digest. A tag stays, for information. */
export const withDigest: {
  (digest: Digest.Digest): (reference: Reference) => Reference
  (reference: Reference, digest: Digest.Digest): Reference
} = dual(2, (reference: Reference, digest: Digest.Digest) => make(reference.repository, { tag: reference.tag, digest }))

/** A reference in a document, as text: decoded by `parse` with its defaults, encoded by `format`. */
export const FromString: Schema.Schema<Reference, string> = Schema.transformOrFail(
  Schema.String,
  Schema.instanceOf(Reference),
  {
    strict: true,
    decode: (text, _, ast) => Either.mapLeft(parse(text), ({ message }) => new ParseResult.Type(ast, text, message)),
    encode: (reference) => Either.right(format(reference))
  }
)
