import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Schema from "effect/Schema"
import type { Descriptor } from "../Descriptor.js"
import * as Digest from "../Digest.js"
import * as Platform from "../Platform.js"
import { lenient } from "./lenient.js"
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

/** A descriptor without the fields that are not known: `Descriptor.Descriptor` keeps those. */
export const descriptor: Schema.Schema<Descriptor, unknown> = lenient(
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
