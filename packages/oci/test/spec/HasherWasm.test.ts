import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Hasher from "effect-oci/Hasher"
import * as HasherWasm from "effect-oci/HasherWasm"

const algorithm = FastCheck.constantFrom("sha256" as const, "sha384" as const, "sha512" as const)
// more than WebAssembly is given at once
const piece = FastCheck.tuple(FastCheck.uint8Array({ maxLength: 300 }), FastCheck.constantFrom(1, 1, 1, 60)).map(
  ([bytes, times]) => new Uint8Array(bytes.length * times).map((_, at) => bytes[at % bytes.length] ?? 0)
)
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")

describe("HasherWasm", () => {
  it.effect.prop(
    "hashes as the portable hasher does, however many hashes take turns and end early",
    {
      algorithms: FastCheck.array(algorithm, { minLength: 1, maxLength: 5 }),
      pieces: FastCheck.array(FastCheck.tuple(FastCheck.nat(), piece), { maxLength: 20 })
    },
    ({ algorithms, pieces }) =>
      Effect.gen(function* () {
        const wasm = yield* Effect.provide(Hasher.Hasher, HasherWasm.layer)
        const portable = yield* Effect.provide(Hasher.Hasher, Hasher.layerPortable)
        const pairs = algorithms.map((algorithm) => [wasm.make(algorithm), portable.make(algorithm)] as const)
        for (const [turn, bytes] of pieces) {
          const whole = wasm.make("sha256")
          whole.update(bytes)
          for (const hash of pairs[turn % pairs.length] ?? []) hash.update(bytes)
          if (turn % 2 === 0) whole.digest()
        }
        const hashes = pairs.map((pair) => pair.map((hash) => hex(hash.digest())))
        assert.deepStrictEqual(
          hashes.map(([left]) => left),
          hashes.map(([, right]) => right)
        )
      })
  )

  it.effect("says that WebAssembly is missing, and lets the portable hasher go on", () =>
    Effect.gen(function* () {
      vi.stubGlobal("WebAssembly", undefined)
      const error = yield* Effect.flip(Layer.launch(HasherWasm.layer))
      assert.strictEqual(error._tag, "WasmUnavailable")
      assert.include(error.message, "WebAssembly is not supported in this environment")
      const either = Layer.orElse(HasherWasm.layer, () => Hasher.layerPortable)
      const digest = yield* Effect.provide(Hasher.digest(new TextEncoder().encode("abc")), either)
      assert.strictEqual(digest, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }).pipe(Effect.ensuring(Effect.sync(() => vi.unstubAllGlobals())))
  )
})
