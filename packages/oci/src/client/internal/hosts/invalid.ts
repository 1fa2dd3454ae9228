import * as Schema from "effect/Schema"

/** A file with settings of hosts that cannot be used. Nothing of it is. */
export class HostsInvalid extends Schema.TaggedError<HostsInvalid>("effect-oci/HostsInvalid")("HostsInvalid", {
  file: Schema.String,
  /** Counted from 1; missing when it is not one line's fault. */
  line: Schema.optional(Schema.Int),
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.file}${this.line === undefined ? "" : `:${this.line}`}: ${this.reason}`
  }
}
