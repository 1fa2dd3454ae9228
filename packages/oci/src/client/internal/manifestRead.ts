import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Descriptor } from "../../spec/Descriptor.js"
import * as Digest from "../../spec/Digest.js"
import * as Manifest from "../../spec/Manifest.js"
import * as MediaType from "../../spec/MediaType.js"
import * as Platform from "../../spec/Platform.js"
import * as Reference from "../../spec/Reference.js"
import type { Repository } from "../../spec/Repository.js"
import type { RegistryClient } from "../RegistryClient.js"
import {
  type CallError,
  type DigestMismatch,
  ManifestInvalid,
  ManifestUnknown,
  type NameUnknown
} from "../RegistryError.js"
import type * as Body from "./body.js"
import * as Call from "./call.js"
import * as ManifestAnswer from "./manifestAnswer.js"
import * as Refused from "./refused.js"
import * as Request from "./request.js"
import * as Verify from "./verify.js"

type GetError = ManifestUnknown | NameUnknown | ManifestInvalid | DigestMismatch | CallError

interface Options {
  readonly accept?: ReadonlyArray<string> | undefined
}

const target = (reference: Reference.Reference) => Request.manifest(reference.repository, reference.target)

const operation = (name: "manifests.get" | "manifests.head", reference: Reference.Reference) =>
  Request.onRepository(name, reference.repository, reference.target)

const accepting = (options?: Options) =>
  HttpClientRequest.setHeader("accept", options?.accept?.join(", ") ?? MediaType.accept)

/** A manifest with its bytes, verified. */
export const fetch = (
  reference: Reference.Reference,
  options?: Options & { readonly mediaType?: string | undefined }
): Effect.Effect<Manifest.ManifestContent, GetError, RegistryClient> =>
  Effect.suspend(() => {
    const { digest } = reference
    const read = Call.read(
      {
        operation: operation("manifests.get", reference),
        request: HttpClientRequest.get(target(reference)).pipe(accepting(options)),
        accepts: [200],
        refused: Refused.manifestGone
      },
      (limits) => limits.manifest,
      (answer, bytes) => ManifestAnswer.read(answer, bytes, { digest, mediaType: options?.mediaType })
    )
    return digest === undefined ? read : Effect.zipRight(Verify.algorithm(digest, Request.facts(reference)), read)
  })

/** An index within an index within an index: deeper than this is an attack, or a mistake. */
const deepest = 5

/** The manifest for a platform, from an index or those in it. */
export const select = (
  reference: Reference.Reference,
  content: Manifest.ManifestContent,
  wanted: Platform.Platform
): Effect.Effect<Manifest.ManifestContent, GetError | Platform.PlatformUnknown, RegistryClient> =>
  Effect.gen(function* () {
    let current = content
    for (let depth = 0; Manifest.isIndex(current.manifest); depth++) {
      if (depth === deepest) {
        return yield* new ManifestInvalid({
          ...Request.facts(reference),
          reason: `indexes within indexes, more than ${deepest} deep`
        })
      }
      current = yield* fetchDescribed(reference.repository, yield* Platform.select(current.manifest, wanted))
    }
    return current
  })

/** A manifest that another one describes. Its digest is verified; then its size was a lie, or is right. */
const fetchDescribed = (repository: Repository, descriptor: Descriptor) =>
  Effect.filterOrFail(
    fetch(Reference.make(repository, { digest: descriptor.digest }), { mediaType: descriptor.mediaType }),
    ({ bytes }) => bytes.length === descriptor.size,
    ({ bytes }) =>
      new ManifestInvalid({
        ...Request.facts(Reference.make(repository, { digest: descriptor.digest })),
        reason: `its index says ${descriptor.size} bytes, it has ${bytes.length}`
      })
  )

/** Statuses that some registries give to HEAD alone. */
const headless = [400, 405, 501]

/** Asks for a manifest without its bytes. */
export const ask = (reference: Reference.Reference, options?: Options) =>
  Call.head({
    operation: operation("manifests.head", reference),
    request: HttpClientRequest.head(target(reference)).pipe(accepting(options)),
    accepts: [200, ...headless],
    refused: ({ facts, status }) => (status === 404 ? new ManifestUnknown(facts) : undefined)
  })

/** The descriptor that the headers of a `HEAD` tell, if they tell all of it. */
export const described = ({ response }: Body.Answer, reference: Reference.Reference): Option.Option<Descriptor> => {
  if (response.status !== 200) return Option.none()
  const {
    "content-length": length = "",
    "content-type": type = "",
    "docker-content-digest": claimed = ""
  } = response.headers
  const mediaType = MediaType.essence(type)
  const size = /^[1-9]\d{0,14}$/.test(length) ? Number(length) : undefined
  if (size === undefined || !MediaType.isManifest(mediaType)) return Option.none()
  const digest = reference.digest === undefined ? Either.getRight(Digest.parse(claimed)) : Option.some(reference.digest)
  return Option.map(digest, (digest) => ({ mediaType, digest, size }))
}
