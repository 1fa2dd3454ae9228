import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Descriptor } from "../../spec/Descriptor.js"
import * as Digest from "../../spec/Digest.js"
import type { Repository } from "../../spec/Repository.js"
import type { RegistryClient } from "../RegistryClient.js"
import {
  BlobUploadInvalid,
  BlobUploadUnknown,
  DigestInvalid,
  DigestMismatch,
  NameInvalid,
  NameUnknown,
  PayloadTooLarge,
  RangeNotSatisfiable,
  SizeInvalid,
  UnexpectedResponse,
  type UnsafeLocation,
  type Unsupported
} from "../RegistryError.js"
import type { UploadSession } from "../Uploads.js"
import * as Body from "./body.js"
import * as Browser from "./browser.js"
import * as Link from "./link.js"
import type { Refusal } from "./refusal.js"
import * as Refused from "./refused.js"

/** What a refusal to begin an upload means. */
export const refusedStart = (refusal: Refusal): NameUnknown | NameInvalid | DigestInvalid | Unsupported | undefined => {
  const { facts, says, status } = refusal
  if (status >= 500 && status !== 501) return undefined
  if (says("NAME_INVALID")) return new NameInvalid(facts)
  if (status === 404 || says("NAME_UNKNOWN")) return new NameUnknown(facts)
  if (says("DIGEST_INVALID")) return new DigestInvalid(facts)
  return Refused.notDone(refusal)
}

/** What a refusal of bytes, or of the end of an upload, means. */
export const refusedBytes = (
  refusal: Refusal
):
  | BlobUploadUnknown
  | BlobUploadInvalid
  | RangeNotSatisfiable
  | PayloadTooLarge
  | DigestInvalid
  | SizeInvalid
  | undefined => {
  const { facts, headers, says, status } = refusal
  if (status >= 500) return undefined
  // one large registry says with 416 that a chunk is too large
  const large = facts.errors.some(({ message }) => /too large|exceeds the maximum/i.test(message))
  if (status === 413 || (status === 416 && large)) return new PayloadTooLarge(facts)
  if (status === 416 || says("RANGE_INVALID")) {
    return new RangeNotSatisfiable({ ...facts, received: received(headers.range) })
  }
  if (says("DIGEST_INVALID") || status === 422) return new DigestInvalid(facts)
  if (says("SIZE_INVALID")) return new SizeInvalid(facts)
  if (says("BLOB_UPLOAD_INVALID")) return new BlobUploadInvalid(facts)
  if (status === 404 || says("BLOB_UPLOAD_UNKNOWN")) return new BlobUploadUnknown(facts)
  return undefined
}

/** What a refusal to speak of a session means. */
export const refusedSession = ({ facts, status, says }: Refusal): BlobUploadUnknown | undefined =>
  status === 404 || (status < 500 && says("BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID"))
    ? new BlobUploadUnknown(facts)
    : undefined

/** How many bytes a `Range` of an upload speaks of: `0-9`, also as `bytes=0-9`, is ten. */
export const received = (range: string | undefined): number | undefined => {
  const end = /^(?:bytes[= ])?0-(\d{1,15})$/.exec(range?.trim() ?? "")?.[1]
  return end === undefined ? undefined : Number(end) + 1
}

/** More than this is no length of a chunk that anybody keeps; registries choose the number. */
const longestChunk = 1024 * 1024 * 1024

const chunkLength = ({ response }: Body.Answer, header: string): number | undefined => {
  const text = response.headers[header]?.trim() ?? ""
  const bytes = /^\d{1,12}$/.test(text) ? Number(text) : 0
  return bytes > 0 && bytes <= longestChunk ? bytes : undefined
}

const locationOf = (
  answer: Body.Answer
): Effect.Effect<Option.Option<Redacted.Redacted>, UnsafeLocation, RegistryClient> => {
  const location = answer.response.headers.location
  return location === undefined
    ? Effect.succeedNone
    : Effect.map(Link.judged(answer, "location", "PUT", location), (url) => Option.some(Redacted.make(url)))
}

/** The session that an answer to a `POST` opens. Where it goes on is the registry's to say, never guessed. */
export const begun = (
  answer: Body.Answer,
  repository: Repository
): Effect.Effect<UploadSession, UnexpectedResponse | UnsafeLocation, RegistryClient> =>
  Effect.flatMap(
    locationOf(answer),
    Option.match({
      onNone: () =>
        new UnexpectedResponse({
          ...Body.facts(answer),
          reason: `began an upload and does not say where it goes on${Browser.hidden("Location")}`
        }),
      onSome: (location) => {
        const maxChunk = chunkLength(answer, "oci-chunk-max-length")
        // a fresh session is empty, whatever its Range says: `0-0` is all that some can say
        return Effect.succeed<UploadSession>({
          _tag: "UploadSession",
          repository,
          location,
          offset: 0,
          minChunk: chunkLength(answer, "oci-chunk-min-length"),
          ...(maxChunk === undefined ? {} : { maxChunk })
        })
      }
    })
  )

/** The session after an answer that may have moved it, with the number of bytes that it now has. */
export const continued = (
  answer: Body.Answer,
  session: UploadSession,
  offset: number
): Effect.Effect<UploadSession, UnsafeLocation, RegistryClient> =>
  Effect.map(locationOf(answer), (location) => ({
    ...session,
    location: Option.getOrElse(location, () => session.location),
    offset
  }))

/** The blob that is now there. The registry's word for its digest is checked where it is in the same algorithm. */
export const finished = (answer: Body.Answer, descriptor: Descriptor): Effect.Effect<Descriptor, DigestMismatch> => {
  const claimed = Either.getRight(Digest.parse(answer.response.headers["docker-content-digest"] ?? ""))
  const other = Option.filter(
    claimed,
    (digest) => digest !== descriptor.digest && Digest.algorithm(digest) === Digest.algorithm(descriptor.digest)
  )
  return Option.match(other, {
    onNone: () => Effect.succeed(descriptor),
    onSome: (actual) => new DigestMismatch({ ...Body.facts(answer), expected: descriptor.digest, actual })
  })
}
