import * as Brand from "effect/Brand"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { printable } from "./internal/facts.js"

export interface DigestBrand extends Brand.Brand<"effect-oci/Digest"> {}

/**
 * A content address, `algorithm:encoded`, as image-spec's descriptor defines it: `sha256:` and 64 lower-case hexadecimal
 * digits, say. Digests are the same when their text is; those of different algorithms never are.
 */
export type Digest = string & DigestBrand

/** The algorithms that content is verified with. Others pass when they are well-formed, but nothing can be checked by them. */
export type Algorithm = "sha256" | "sha384" | "sha512"

/** A text that is no digest. */
export class InvalidDigest extends Schema.TaggedError<InvalidDigest>("effect-oci/InvalidDigest")("InvalidDigest", {
  /** What was given, its start only and safe to print. */
  text: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `invalid digest “${this.text}”: ${this.reason}. One looks like sha256: and 64 lower-case hexadecimal digits`
  }
}

// The specification sets no limit; sha512 takes 135 characters.
const maxLength = 512

const hexLengths: ReadonlyMap<string, number> = new Map([
  ["sha256", 64],
  ["sha384", 96],
  ["sha512", 128],
  ["blake3", 64]
])

const flaw = (text: string): string | undefined => {
  if (text.length > maxLength) return `it is longer than ${maxLength} characters`
  const colon = text.indexOf(":")
  if (colon === -1) return "it has no colon between algorithm and hash"
  const algorithm = text.slice(0, colon)
  const encoded = text.slice(colon + 1)
  if (!/^[a-z0-9+._-]+$/.test(algorithm) || /^[+._-]|[+._-]{2}|[+._-]$/.test(algorithm)) {
    return "its algorithm is not made of lower-case letters and digits, with single separators + . _ - between them"
  }
  if (!/^[A-Za-z0-9=_-]+$/.test(encoded)) {
    return "its hash is empty or has a character other than letters, digits, = _ -"
  }
  const length = hexLengths.get(algorithm)
  if (length !== undefined && (encoded.length !== length || !/^[0-9a-f]+$/.test(encoded))) {
    return `a ${algorithm} hash is ${length} lower-case hexadecimal digits`
  }
  return undefined
}

const unsafe = Brand.nominal<Digest>()

/** A digest in a document: decoding fails with the reason that `parse` gives. */
export const Digest: Schema.Schema<Digest, string> = Schema.String.pipe(
  Schema.filter((text) => flaw(text)),
  Schema.brand("effect-oci/Digest"),
  Schema.annotations({
    identifier: "Digest",
    arbitrary: () => (fc) => fc.uint8Array({ minLength: 32, maxLength: 32 }).map((hash) => make("sha256", hash))
  })
)

/** Reads a digest. An algorithm unknown here passes when its form is right; `verifiable` tells whether it is of use. */
export const parse = (text: string): Either.Either<Digest, InvalidDigest> => {
  const reason = flaw(text)
  return reason === undefined
    ? Either.right(unsafe(text))
    : Either.left(new InvalidDigest({ text: printable(text), reason }))
}

/** The digest of a hash that was computed: `hash` is the algorithm's whole output. */
export const make = (algorithm: Algorithm, hash: Uint8Array): Digest =>
  unsafe(`${algorithm}:${Encoding.encodeHex(hash)}`)

/** What stands before the colon: `sha256`. */
export const algorithm = (digest: Digest): string => digest.slice(0, digest.indexOf(":"))

/** What stands after the colon: the hash, in hexadecimal for every algorithm named here. */
export const encoded = (digest: Digest): string => digest.slice(digest.indexOf(":") + 1)

/** The algorithm to verify content with; none when this library cannot compute it, and then content must not be trusted. */
export const verifiable = (digest: Digest): Option.Option<Algorithm> => {
  const name = algorithm(digest)
  return name === "sha256" || name === "sha384" || name === "sha512" ? Option.some(name) : Option.none()
}
