import { assert, describe, it } from "@effect/vitest"
import * as NodeHasher from "@effect-oci/node/NodeHasher"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Hasher from "effect-oci/Hasher"

const pieces = FastCheck.array(FastCheck.uint8Array({ maxLength: 300 }), { maxLength: 5 })

describe("NodeHasher", () => {
  it.effect.prop(
    "hashes as the portable hasher does, however the bytes are cut",
    [FastCheck.constantFrom("sha256" as const, "sha384" as const, "sha512" as const), pieces],
    ([algorithm, pieces]) =>
      Effect.gen(function* () {
        const hashed = Effect.map(Hasher.Hasher, (hasher) => {
          const hash = hasher.make(algorithm)
          for (const piece of pieces) hash.update(piece)
          return new Uint8Array(hash.digest())
        })
        const portable = yield* hashed
        assert.deepStrictEqual(yield* Effect.provide(hashed, NodeHasher.layer), portable)
      })
  )
})
