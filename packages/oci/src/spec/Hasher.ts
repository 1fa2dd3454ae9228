import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Digest from "./Digest.js"
import { key } from "./internal/hasherKey.js"

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
 * The service of hashing. Where it is not provided, bytes in memory are hashed by Web Crypto, and content that comes in
 * pieces in JavaScript, which runs everywhere. A platform's layer brings native hashing for both.
 */
export class Hasher extends Context.Reference<Hasher>()(key, {
  defaultValue: (): Service => portable
}) {}

/** Hashes everything in JavaScript: for web pages that are not served by https, which have no Web Crypto. */
export const layerPortable: Layer.Layer<Hasher> = Layer.succeed(Hasher, portable)

/** The service, if it was provided: asking so, a small program does not bring the portable one along. */
const Provided = Context.GenericTag<Hasher, Service>(key)

const webNames = { sha256: "SHA-256", sha384: "SHA-384", sha512: "SHA-512" }

const web = (bytes: Uint8Array, algorithm: Digest.Algorithm): Effect.Effect<Uint8Array> =>
  globalThis.crypto?.subtle === undefined
    ? Effect.dieMessage("there is no Web Crypto here: provide Hasher.layerPortable")
    : Effect.promise(() => crypto.subtle.digest(webNames[algorithm], new Uint8Array(bytes))).pipe(
        Effect.map((hash) => new Uint8Array(hash))
      )

/** The digest of bytes in memory. */
export const digest = (bytes: Uint8Array, algorithm: Digest.Algorithm = "sha256"): Effect.Effect<Digest.Digest> =>
  Effect.contextWithEffect((context: Context.Context<never>) =>
    Option.match(Context.getOption(context, Provided), {
      onNone: () => web(bytes, algorithm),
      onSome: (hasher) =>
        Effect.sync(() => {
          const hash = hasher.make(algorithm)
          hash.update(bytes)
          return hash.digest()
        })
    })
  ).pipe(Effect.map((hash) => Digest.make(algorithm, hash)))
