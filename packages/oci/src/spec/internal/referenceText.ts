import * as Schema from "effect/Schema"
import { printable } from "./facts.js"

/** A text that names no registry, repository or reference. */
export class InvalidReference extends Schema.TaggedError<InvalidReference>("effect-oci/InvalidReference")(
  "InvalidReference",
  {
    /** What was given: its start only, safe to print, and without the password of a URL. */
    text: Schema.String,
    reason: Schema.String
  }
) {
  override get message(): string {
    return `invalid reference “${this.text}”: ${this.reason}. One looks like ghcr.io/org/app:1.2 or localhost:5000/app@sha256:…`
  }
}

/** The error for a text as a stranger gave it. */
export const invalid = (text: string, reason: string): InvalidReference =>
  new InvalidReference({ text: printable(text.replace(/^(?!oci:|docker:)([A-Za-z]+:\/\/)[^/]*@/, "$1***@")), reason })

/** What a scheme in front means: `http` and `https` are kept, `oci` and `docker` say nothing; others stay in `rest`. */
export const splitScheme = (
  text: string
): { readonly prefix: string; readonly scheme: "http" | "https" | undefined; readonly rest: string } => {
  const prefix = /^(?:https?|oci|docker):\/\//.exec(text)?.[0] ?? ""
  const scheme = prefix === "http://" ? "http" : prefix === "https://" ? "https" : undefined
  return { prefix, scheme, rest: text.slice(prefix.length) }
}

/** Whether the first component of a name is a registry and not a part of the path, which is told as Docker tells it. */
export const looksLikeRegistry = (component: string): boolean => component === "localhost" || /[.:A-Z]/.test(component)
