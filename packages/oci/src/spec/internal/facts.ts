import * as Schema from "effect/Schema"

/** One entry of a registry's error document. `code` keeps the registry's own spelling; it is empty when there was none. */
export interface ErrorDetail {
  readonly code: string
  readonly message: string
  readonly detail?: unknown
}

export const ErrorDetail: Schema.Schema<ErrorDetail> = Schema.Struct({
  code: Schema.String,
  message: Schema.String,
  detail: Schema.optionalWith(Schema.Unknown, { exact: true })
})

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optional(schema)

/**
 * What a person needs to act on a failure. All but the registry may be unknown: a failure before any answer has no
 * status, one that concerns a whole registry has no repository.
 */
export const facts = {
  registry: optional(Schema.String),
  repository: optional(Schema.String),
  reference: optional(Schema.String),
  digest: optional(Schema.String),
  /** The HTTP method of the request that failed. */
  method: optional(Schema.String),
  /** Its URL without query and fragment, which may hold secrets. */
  url: optional(Schema.String),
  status: optional(Schema.Int),
  /** The registry's own codes, messages and details, in its order. */
  errors: Schema.optionalWith(Schema.Array(ErrorDetail), { default: () => [] }),
  /** The start of an answer that was not an error document, made safe for a terminal. */
  body: optional(Schema.String),
  /** The registry's name for this request, to quote in a support case. */
  requestId: optional(Schema.String),
  /** How many requests it took to fail so, when the call was made again, or would have been if not for its limits. */
  attempts: optional(Schema.NonNegativeInt)
}

export interface Facts {
  readonly registry?: string | undefined
  readonly repository?: string | undefined
  readonly reference?: string | undefined
  readonly digest?: string | undefined
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly status?: number | undefined
  readonly errors: ReadonlyArray<ErrorDetail>
  readonly body?: string | undefined
  readonly requestId?: string | undefined
  readonly attempts?: number | undefined
}

/** Makes text of a stranger fit to print: one line, no control or bidirectional characters, at most `limit` characters. */
export const printable = (text: string, limit = 300): string => {
  const safe = text
    .slice(0, limit)
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, " ")
    .trim()
  return text.length > limit ? `${safe}…` : safe
}

const subject = (facts: Facts): string => {
  const name = [facts.registry, facts.repository].filter((part) => part !== undefined).join("/")
  const target = facts.digest ?? facts.reference
  if (target === undefined) return name
  return `${name}${target.includes(":") ? "@" : ":"}${target}`
}

const answer = (facts: Facts): string => {
  const said = facts.errors
    .slice(0, 3)
    .map(({ code, message }) => [code, message].filter((part) => part !== "").join(": "))
    .filter((part) => part !== "")
  const shown = said.length > 0 ? said.join("; ") : facts.body
  const request =
    facts.method === undefined || facts.url === undefined
      ? undefined
      : `${facts.method} ${facts.url}${facts.status === undefined ? "" : ` answered ${facts.status}`}`
  const attempts = facts.attempts !== undefined && facts.attempts > 1 ? `after ${facts.attempts} attempts` : undefined
  return [request, attempts, shown === undefined || shown === "" ? undefined : `“${printable(shown)}”`]
    .filter((part) => part !== undefined)
    .join(", ")
}

/** The one shape of every error's message: subject: what happened (the exchange). What to do. */
export const describe = (facts: Facts, what: string, advice?: string): string => {
  const name = subject(facts)
  const exchange = answer(facts)
  const said = `${name === "" ? "" : `${name}: `}${what}${exchange === "" ? "" : ` (${exchange})`}`
  return [printable(said, 2000), ...(advice === undefined ? [] : [advice])].join(". ")
}
