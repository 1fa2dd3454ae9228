/** Ways of hashing, in Node and in a page alike. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Algorithm } from "effect-oci/Digest"
import * as Hasher from "effect-oci/Hasher"
import * as HasherWasm from "effect-oci/HasherWasm"

export type Way = (content: Uint8Array, algorithm: Algorithm) => Promise<Uint8Array>

/** In pieces of 64 KiB, as streams are hashed. */
export const incremental =
  ({ make }: Hasher.Service): Way =>
  async (content, algorithm) => {
    const hash = make(algorithm)
    const piece = 64 * 1024
    for (let at = 0; at < content.length; at += piece) hash.update(content.subarray(at, at + piece))
    return hash.digest()
  }

/** In one piece, as bytes in memory are hashed. */
const whole: Way = async (content, algorithm) =>
  new Uint8Array(await crypto.subtle.digest(algorithm.replace("sha", "SHA-"), new Uint8Array(content)))

export const ways = Effect.gen(function* () {
  const all: Readonly<Record<string, Way>> = {
    "@noble/hashes": incremental(yield* Effect.provide(Hasher.Hasher, Hasher.layerPortable)),
    "hash-wasm": incremental(yield* Effect.provide(Hasher.Hasher, Layer.orDie(HasherWasm.layer))),
    "Web Crypto, in one piece": whole
  }
  return all
})

/** 64 MiB that are always the same. */
export const content = (): Uint8Array => {
  const words = new Uint32Array((64 * 1024 * 1024) / 4)
  for (let at = 0, word = 1; at < words.length; at++) {
    // xorshift
    word ^= word << 13
    word ^= word >>> 17
    word ^= word << 5
    words[at] = word
  }
  return new Uint8Array(words.buffer)
}

export interface Measured {
  /** In MB/s. */
  readonly rate: number
  /** The hash's bytes, to compare. */
  readonly hash: string
}

/** Hashes content once. */
export const measure = async (way: Way, algorithm: Algorithm, content: Uint8Array): Promise<Measured> => {
  const begun = performance.now()
  const hash = await way(content, algorithm)
  return { rate: content.length / 1000 / (performance.now() - begun), hash: hash.join() }
}
