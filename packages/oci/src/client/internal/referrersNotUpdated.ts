import * as Schema from "effect/Schema"
import { describe, facts } from "../../spec/internal/facts.js"

/**
 * The list of referrers that a tag keeps, where the registry has no API for them, could not be brought up to date. The
 * manifest itself was pushed or deleted: a pushed one is there and not listed, a deleted one is still listed.
 */
export class ReferrersNotUpdated extends Schema.TaggedError<ReferrersNotUpdated>("effect-oci/ReferrersNotUpdated")(
  "ReferrersNotUpdated",
  {
    ...facts,
    /** The digest of the manifest whose referrers they are; `reference` is the tag of the list. */
    subject: Schema.String,
    /** The digest of the manifest that was pushed or deleted. */
    referrer: Schema.String,
    change: Schema.Literal("pushed", "deleted"),
    /** What went wrong with the list. */
    reason: Schema.String,
    /** Whether to attach it again may succeed. */
    retryable: Schema.Boolean
  }
) {
  override get message(): string {
    const { change, reason, referrer, registry, repository, reference, subject } = this
    const state = change === "pushed" ? "pushed but not listed" : "deleted but may still be listed"
    return describe(
      { registry, repository, reference, errors: [] },
      `${referrer} is ${state} as a referrer of ${subject}: ${reason}`,
      change === "pushed" ? "Attach it again to list it" : undefined
    )
  }
}
