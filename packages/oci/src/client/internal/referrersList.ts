import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { isRecord } from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Descriptor from "../../spec/Descriptor.js"
import * as Digest from "../../spec/Digest.js"
import { identify } from "../../spec/internal/identify.js"
import { read as readJson } from "../../spec/internal/json.js"
import * as MediaType from "../../spec/MediaType.js"
import type { Repository } from "../../spec/Repository.js"
import type { RegistryClient } from "../RegistryClient.js"
import { type CallError, ManifestInvalid, type Unsupported } from "../RegistryError.js"
import * as Body from "./body.js"
import * as Call from "./call.js"
import * as Mirrors from "./hosts/mirrors.js"
import * as Refused from "./refused.js"
import * as Request from "./request.js"

/** The tag of the list: algorithm, `-` and encoded part of the subject's digest, each cut and made to fit a tag. */
export const tag = (digest: Digest.Digest): string =>
  `${Digest.algorithm(digest).slice(0, 32)}-${Digest.encoded(digest).slice(0, 64)}`.replace(/[^A-Za-z0-9._-]/g, "-")

/** What is to become true of a list. */
export type Change =
  | { readonly _tag: "Added"; readonly descriptor: Descriptor.Descriptor }
  | { readonly _tag: "Removed"; readonly digest: Digest.Digest }

type Json = Readonly<Record<string, unknown>>

/** A list as it stands under its tag. The document is kept as it is, with all that is not known here. */
export interface List {
  readonly bytes: Uint8Array
  readonly document: Json
  readonly etag: string | undefined
}

const isDescriptor = (entry: unknown): entry is Json & { readonly digest: string } =>
  isRecord(entry) && Either.isRight(Schema.decodeUnknownEither(Descriptor.Descriptor)(entry))

const entries = ({ manifests }: Json): ReadonlyArray<Json & { readonly digest: string }> =>
  // null is how some encoders write none; what is no descriptor would keep readers from the rest
  Arr.dedupeWith(Array.isArray(manifests) ? manifests.filter(isDescriptor) : [], (a, b) => a.digest === b.digest)

/** The document with the changes made, or none when they hold already. What others wrote stays as it is. */
export const changed = (document: Json, changes: ReadonlyArray<Change>): Option.Option<Json> => {
  const listed = new Map(entries(document).map((entry) => [entry.digest, entry]))
  let differs = false
  for (const change of changes) {
    if (change._tag === "Removed") {
      differs = listed.delete(change.digest) || differs
    } else if (!listed.has(change.descriptor.digest)) {
      listed.set(change.descriptor.digest, { ...change.descriptor })
      differs = true
    }
  }
  return differs
    ? Option.some({ ...document, schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [...listed.values()] })
    : Option.none()
}

export const isEmpty = ({ manifests }: Json): boolean => Array.isArray(manifests) && manifests.length === 0

/** An entity tag that a condition can name: a weak one never matches. */
const strong = (etag: string | undefined): string | undefined =>
  etag !== undefined && /^"[\x21\x23-\x7e]{1,256}"$/.test(etag) ? etag : undefined

const decoded = (answer: Body.Answer, bytes: Uint8Array): Either.Either<List, ManifestInvalid> => {
  const { headers } = answer.response
  const invalid = (reason: string) =>
    new ManifestInvalid({ ...Body.facts(answer), reason: `it is no list of referrers: ${reason}` })
  return readJson(bytes).pipe(
    Either.flatMap((document) =>
      Either.mapLeft(identify(document, headers["content-type"]), (refusal) =>
        refusal._tag === "Invalid" ? refusal.reason : `it is of type ${refusal.mediaType}`
      )
    ),
    Either.filterOrLeft(
      ({ mediaType }) => mediaType === MediaType.ociIndex,
      ({ mediaType }) => `it is of type ${mediaType}`
    ),
    Either.filterOrLeft(
      ({ manifests }) => Array.isArray(manifests) || manifests === null,
      () => "its manifests are no list"
    ),
    Either.mapBoth({
      onLeft: invalid,
      onRight: (document) => ({ bytes, document, etag: strong(headers.etag) })
    })
  )
}

/** The list under a tag, from the registry itself; none when nothing stands there. */
export const read = (
  repository: Repository,
  tag: string
): Effect.Effect<Option.Option<List>, ManifestInvalid | CallError, RegistryClient> =>
  Call.read(
    {
      operation: Request.onRepository("manifests.get", repository, tag),
      request: HttpClientRequest.get(Request.manifest(repository, tag)).pipe(
        // what is no list must be seen too, lest it be overwritten
        HttpClientRequest.setHeader("accept", MediaType.accept)
      ),
      accepts: [200],
      refused: Refused.manifestGone
    },
    (limits) => limits.manifest,
    decoded
  ).pipe(
    Effect.asSome,
    Effect.catchTags({ ManifestUnknown: () => Effect.succeedNone, NameUnknown: () => Effect.succeedNone }),
    Mirrors.without
  )

/** A header that makes a write depend on what is there. */
export type Condition = readonly [name: "if-match" | "if-none-match", value: string]

/** What makes sure that a list is still as it was read, where the registry has entity tags. */
export const unchanged = (found: Option.Option<List>): Condition | undefined =>
  Option.match(found, {
    onNone: () => ["if-none-match", "*"],
    onSome: ({ etag }) => (etag === undefined ? undefined : ["if-match", etag])
  })

/** Puts a list under a tag, and says whether the condition held. */
export const write = (
  repository: Repository,
  tag: string,
  document: Json,
  condition: Condition | undefined
): Effect.Effect<boolean, Unsupported | CallError, RegistryClient> =>
  Effect.map(
    Call.head({
      operation: Request.onRepository("manifests.put", repository, tag),
      request: HttpClientRequest.put(Request.manifest(repository, tag)).pipe(
        HttpClientRequest.setHeaders(condition === undefined ? {} : [condition]),
        HttpClientRequest.bodyUint8Array(new TextEncoder().encode(JSON.stringify(document)), MediaType.ociIndex)
      ),
      accepts: condition === undefined ? [200, 201, 202] : [200, 201, 202, 412],
      refused: Refused.notDone
    }),
    ({ response }) => response.status !== 412
  )
