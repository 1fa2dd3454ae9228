import * as Schema from "effect/Schema"
import { printable } from "../../spec/internal/facts.js"

/** A graph of content that goes beyond a limit of the copy: deeper, or of more pieces, than any that is meant well. */
export class GraphTooLarge extends Schema.TaggedError<GraphTooLarge>("effect-oci/GraphTooLarge")("GraphTooLarge", {
  /** What the store is called that it comes from. */
  store: Schema.String,
  kind: Schema.Literal("depth", "pieces", "manifest"),
  /** How deep, how many pieces, or how many bytes of a manifest. */
  limit: Schema.NonNegativeInt,
  digest: Schema.String
}) {
  override get message(): string {
    const what = {
      depth: `manifests within manifests, more than ${this.limit} deep`,
      pieces: `more than ${this.limit} pieces of content`,
      manifest: `a manifest of more than ${this.limit} bytes`
    }[this.kind]
    return printable(`${this.store}: ${what} (${this.digest})`, 2000)
  }
}
