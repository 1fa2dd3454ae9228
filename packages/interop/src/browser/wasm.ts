/**
 * A page that hashes in WebAssembly, if it may.
 */
import * as Effect from "effect/Effect"
import * as Hasher from "effect-oci/Hasher"
import * as HasherWasm from "effect-oci/HasherWasm"

declare global {
  /** The digest of a text, or why there is none. */
  var hashInWasm: (text: string) => Promise<string>
}

globalThis.hashInWasm = (text) =>
  Hasher.digest(new TextEncoder().encode(text)).pipe(
    Effect.provide(HasherWasm.layer),
    Effect.catchTag("WasmUnavailable", ({ message }) => Effect.succeed(message)),
    Effect.runPromise
  )
