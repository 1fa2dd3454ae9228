/**
 * Hashing in WebAssembly by the library hash-wasm: for web pages that move large blobs, several times as fast as the portable
 * way. It is imported by this name alone, and `hash-wasm` is installed by those who do.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { createSHA256, createSHA384, createSHA512, type IHasher } from "hash-wasm"
import * as Hasher from "./Hasher.js"

/** WebAssembly is not here, or may not be compiled. */
export class WasmUnavailable extends Schema.TaggedError<WasmUnavailable>("effect-oci/WasmUnavailable")(
  "WasmUnavailable",
  {
    /** What the runtime says. */
    reason: Schema.String
  }
) {
  override get message(): string {
    return `no hashing in WebAssembly: ${this.reason}. A page's Content-Security-Policy must allow 'wasm-unsafe-eval'`
  }
}

/** Lets hashes take turns on one instance, as another one is not had at once. Those that wait keep their state. */
const sharing = (instance: IHasher): (() => Hasher.Incremental) => {
  let current: { state: Uint8Array | undefined } | undefined
  return () => {
    const own: NonNullable<typeof current> = { state: undefined }
    const take = () => {
      if (current === own) return
      if (current !== undefined) current.state = instance.save()
      current = own
      if (own.state === undefined) instance.init()
      else instance.load(own.state)
    }
    return {
      update: (bytes) => {
        take()
        instance.update(bytes)
      },
      digest: () => {
        take()
        current = undefined
        return instance.digest("binary")
      }
    }
  }
}

/**
 * Hashes everything in WebAssembly. It is compiled when the layer is built, which fails where that is not allowed;
 * `Layer.orElse(() => Hasher.layerPortable)` then goes on in JavaScript.
 */
export const layer: Layer.Layer<Hasher.Hasher, WasmUnavailable> = Layer.effect(
  Hasher.Hasher,
  Effect.map(
    Effect.tryPromise({
      try: () => Promise.all([createSHA256(), createSHA384(), createSHA512()]),
      catch: (error) => new WasmUnavailable({ reason: error instanceof Error ? error.message : String(error) })
    }),
    ([sha256, sha384, sha512]): Hasher.Service => {
      const make = { sha256: sharing(sha256), sha384: sharing(sha384), sha512: sharing(sha512) }
      return { make: (algorithm) => make[algorithm]() }
    }
  )
)
