import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Digest from "./Digest.js"

/** One hash under way. It belongs to one caller: feed it in order, ask for the digest once. */
export interface Incremental {
  readonly update: (bytes: Uint8Array) => void
  /** The hash of all that was fed, as raw bytes. Nothing may be fed after it. */
  readonly digest: () => Uint8Array
}

/** What computes hashes. It must be synchronous and must not fail: it stands on the path of every chunk. */
export interface Service {
  readonly make: (algorithm: Digest.Algorithm) => Incremental
}

const algorithms = { sha256, sha384, sha512 }

const portable: Service = {
  make: (algorithm) => {
    const hash = algorithms[algorithm].create()
    return {
      update: (bytes) => {
        hash.update(bytes)
      },
      digest: () => hash.digest()
    }
  }
}

/**
 * The service of incremental hashing. The default is written in JavaScript and runs everywhere; a platform's layer brings
 * a native one, which is several times faster.
 */
export class Hasher extends Context.Reference<Hasher>()("effect-oci/Hasher", {
  defaultValue: (): Service => portable
}) {}

/** The digest of bytes in memory. */
export const digest = (bytes: Uint8Array, algorithm: Digest.Algorithm = "sha256"): Effect.Effect<Digest.Digest> =>
  Effect.map(Hasher, (hasher) => {
    const hash = hasher.make(algorithm)
    hash.update(bytes)
    return Digest.make(algorithm, hash.digest())
  })
