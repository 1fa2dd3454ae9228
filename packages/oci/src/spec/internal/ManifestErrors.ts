import * as Schema from "effect/Schema"
import * as MediaType from "../MediaType.js"
import { describe, facts } from "./facts.js"

/** Bytes that are no manifest: not JSON, ambiguous, or not what their media type says; or a manifest a registry refused. */
export class ManifestInvalid extends Schema.TaggedError<ManifestInvalid>("effect-oci/ManifestInvalid")(
  "ManifestInvalid",
  {
    ...facts,
    /** What is wrong with it, with the path of the field. */
    reason: Schema.String,
    mediaType: Schema.optional(Schema.String)
  }
) {
  override get message(): string {
    return describe(this, `invalid manifest: ${this.reason}`)
  }
}

/** A manifest of a kind this library hands out but does not read: Docker schema 1, or a vendor's own. Its bytes are here. */
export class ManifestUnsupported extends Schema.TaggedError<ManifestUnsupported>("effect-oci/ManifestUnsupported")(
  "ManifestUnsupported",
  {
    ...facts,
    mediaType: Schema.String,
    /** As the registry sent them. */
    bytes: Schema.Uint8ArrayFromBase64
  }
) {
  override get message(): string {
    return describe(
      this,
      `manifest of type ${this.mediaType} is not decoded`,
      MediaType.isSchemaOne(this.mediaType)
        ? "Docker schema 1 is withdrawn: push the image again with a current client"
        : "The error holds its bytes and digest"
    )
  }
}
