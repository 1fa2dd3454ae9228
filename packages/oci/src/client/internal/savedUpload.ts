import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Repository from "../../spec/Repository.js"
import * as OriginPolicy from "../OriginPolicy.js"
import { RegistryClient } from "../RegistryClient.js"
import type { UnsafeLocation } from "../RegistryError.js"
import * as RegistryHosts from "../RegistryHosts.js"
import * as Request from "./request.js"

/** An upload as it can be written down, for another process to go on with. */
export interface Saved {
  readonly repository: Repository.Repository
  /** Where to go on. It may be signed, and whoever has it can write to the upload: encoded, it is a secret in plain text. */
  readonly location: Redacted.Redacted
  /** How many bytes the registry had. */
  readonly offset: number
  readonly minChunk?: number | undefined
  readonly maxChunk?: number | undefined
}

export interface SavedEncoded {
  readonly repository: string
  readonly location: string
  readonly offset: number
  readonly minChunk?: number | undefined
  readonly maxChunk?: number | undefined
}

const written = ({ name, registry }: Repository.Repository): string => {
  const scheme = registry.scheme === undefined ? "" : `${registry.scheme}://`
  return `${scheme}${registry}/${name}`
}

const repository = Schema.transformOrFail(Schema.String, Schema.instanceOf(Repository.Repository), {
  strict: true,
  decode: (text, _, ast) =>
    Either.mapLeft(Repository.parse(text), ({ message }) => new ParseResult.Type(ast, text, message)),
  encode: (repository) => ParseResult.succeed(written(repository))
})

const bytes = Schema.optional(Schema.NonNegativeInt)

export const Saved: Schema.Schema<Saved, SavedEncoded> = Schema.Struct({
  repository,
  location: Schema.Redacted(Schema.String),
  offset: Schema.NonNegativeInt,
  minChunk: bytes,
  maxChunk: bytes
})

/** The location of a saved upload, once it has been judged as if the registry had just handed it out. */
export const judged = ({
  location,
  repository
}: Saved): Effect.Effect<Redacted.Redacted, UnsafeLocation, RegistryClient> =>
  Effect.flatMap(RegistryClient, ({ provide }) =>
    provide(
      Effect.gen(function* () {
        const policy = yield* OriginPolicy.OriginPolicy
        const { baseUrl } = yield* RegistryHosts.of(repository.registry, repository)
        const operation = Request.onRepository("uploads.status", repository)
        const handed = {
          kind: "location",
          operation,
          method: "GET",
          from: baseUrl,
          to: Redacted.value(location)
        } as const
        return Redacted.make((yield* policy.judge(handed)).url)
      })
    )
  )
