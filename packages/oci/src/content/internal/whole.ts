import * as Effect from "effect/Effect"
import * as MutableRef from "effect/MutableRef"
import * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import * as Request from "../../client/internal/request.js"
import { upTo } from "../../client/internal/upTo.js"
import * as Verify from "../../client/internal/verify.js"
import type { DigestMismatch, SizeMismatch } from "../../client/RegistryError.js"
import type { Descriptor } from "../../spec/Descriptor.js"
import * as Digest from "../../spec/Digest.js"
import * as Manifest from "../../spec/Manifest.js"
import type { Repository } from "../../spec/Repository.js"

/** What errors say of content in a store that may be a repository. */
export const facts = (repository: Option.Option<Repository>, { digest }: Descriptor): object =>
  Option.match(repository, {
    onNone: () => ({ digest }),
    onSome: (repository) => Request.blobFacts(repository, digest)
  })

/** All bytes of content, verified; of more than its descriptor says, one chunk too many is read. */
export const bytes = <E, R>(
  content: Descriptor,
  stream: Stream.Stream<Uint8Array, E, R>,
  facts: object,
  progress: MutableRef.MutableRef<number> = MutableRef.make(0)
): Effect.Effect<Uint8Array, E | DigestMismatch | SizeMismatch, R> =>
  Effect.flatMap(
    upTo(stream, content.size, (total) => MutableRef.set(progress, total)),
    ({ bytes }) => Verify.bytes(bytes, content, facts)
  )

/** A manifest from bytes that have been verified. */
export const manifest = (content: Descriptor, bytes: Uint8Array) =>
  Manifest.ManifestContent.fromBytes(bytes, {
    mediaType: content.mediaType,
    algorithm: Option.getOrUndefined(Digest.verifiable(content.digest))
  })
