import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { read } from "./json.js"

const Signed = Schema.Struct({ signatures: Schema.NonEmptyArray(Schema.Struct({ protected: Schema.String })) })
const Protected = Schema.Struct({ formatLength: Schema.NonNegativeInt, formatTail: Schema.String })

const protectedHeader = (encoded: string) =>
  Encoding.decodeBase64Url(encoded).pipe(
    Either.flatMap(read),
    Either.flatMap(Schema.decodeUnknownEither(Protected)),
    Either.flatMap(({ formatLength, formatTail }) =>
      Either.map(Encoding.decodeBase64Url(formatTail), (tail) => ({ length: formatLength, tail }))
    ),
    Either.getRight
  )

const same = (left: Uint8Array, right: Uint8Array) =>
  left.length === right.length && left.every((byte, at) => byte === right[at])

/**
 * What the digest of a Docker schema 1 manifest is computed over: all of it when nothing signs it, else the payload, which
 * is its first `formatLength` bytes and the `formatTail` that its signatures keep. None when the signatures can't be read
 * or disagree.
 */
export const payload = (bytes: Uint8Array): Option.Option<Uint8Array> => {
  const document = Either.getOrUndefined(read(bytes))
  if (typeof document !== "object" || document === null) return Option.none()
  if (!Object.hasOwn(document, "signatures")) return Option.some(bytes)
  return Schema.decodeUnknownOption(Signed)(document).pipe(
    Option.flatMap(({ signatures }) => Option.all(signatures.map((signature) => protectedHeader(signature.protected)))),
    Option.flatMap(([first, ...others]) => {
      if (first === undefined || first.length > bytes.length) return Option.none()
      if (others.some(({ length, tail }) => length !== first.length || !same(tail, first.tail))) return Option.none()
      const whole = new Uint8Array(first.length + first.tail.length)
      whole.set(bytes.subarray(0, first.length))
      whole.set(first.tail, first.length)
      return Option.some(whole)
    })
  )
}
