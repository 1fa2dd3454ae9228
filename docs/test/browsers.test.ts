import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { Digest, Hasher, RegistryClient } from "effect-oci"
import * as HasherWasm from "effect-oci/HasherWasm"

// #region hashing
const hashing = HasherWasm.layer.pipe(Layer.orElse(() => Hasher.layerPortable))
const client = RegistryClient.layer.pipe(Layer.provide([FetchHttpClient.layer, hashing]))
// #endregion

describe("docs/browsers.md", () => {
  it.scoped("hashes a client's streams in WebAssembly", () =>
    Effect.gen(function* () {
      const { provide } = Context.get(yield* Layer.build(client), RegistryClient.RegistryClient)
      const hasher = yield* provide(Hasher.Hasher)
      const portable = yield* Effect.provide(Hasher.Hasher, Hasher.layerPortable)
      assert.isTrue(hasher !== portable)
      const hash = hasher.make("sha256")
      hash.update(new TextEncoder().encode("abc"))
      assert.strictEqual(
        Digest.make("sha256", hash.digest()),
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
      )
    })
  )
})
