import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import { isRecord } from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { Descriptor } from "../Descriptor.js"
import * as Digest from "../Digest.js"
import * as Platform from "../Platform.js"
import { lenient, quick } from "./lenient.js"
import { mediaTypeName } from "./mediaTypeName.js"

const MediaTypeName = Schema.String.pipe(
  Schema.pattern(mediaTypeName, {
    identifier: "MediaTypeName",
    message: ({ actual }) => (actual === "" ? "it is empty" : "it is not a media type")
  })
)

// Data that is no base64 is as good as none: the content is there to be fetched.
const Data = Schema.transform(Schema.Unknown, Schema.UndefinedOr(Schema.Uint8ArrayFromSelf), {
  strict: true,
  decode: (data) => (typeof data === "string" ? Either.getOrUndefined(Encoding.decodeBase64(data)) : undefined),
  encode: (data) => data && Encoding.encodeBase64(data)
})

const whole: Schema.Schema<Descriptor, unknown> = lenient(
  "Descriptor",
  Schema.Struct({
    mediaType: MediaTypeName,
    digest: Digest.Digest,
    size: Schema.NonNegativeInt,
    urls: Schema.optional(Schema.Array(Schema.String)),
    annotations: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.String })),
    data: Schema.optional(Data),
    platform: Schema.optional(Platform.Platform),
    artifactType: Schema.optional(Schema.String)
  })
)

/** Most have these three fields and no others. */
const isDone = (document: unknown): document is Descriptor =>
  isRecord(document) &&
  Object.keys(document).length === 3 &&
  typeof document.mediaType === "string" &&
  mediaTypeName.test(document.mediaType) &&
  typeof document.digest === "string" &&
  Either.isRight(Digest.parse(document.digest)) &&
  Number.isSafeInteger(document.size) &&
  Number(document.size) >= 0

/** A descriptor without the fields that are not known: `Descriptor.Descriptor` keeps those. */
export const descriptor: Schema.Schema<Descriptor, unknown> = quick(whole, isDone, "Descriptor")
