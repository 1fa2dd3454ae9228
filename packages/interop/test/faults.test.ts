/** A large layer through a proxy that cuts, resets, stalls and refuses. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import * as Array from "effect/Array"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { compile } from "../bench/compile.js"
import { gibibyte, mebibyte } from "../bench/data.js"
import * as Faults from "../bench/faults.js"
import * as Machine from "../bench/machine.js"

const count = 32

describe("a connection that breaks again and again", () => {
  it.scopedLive(
    `1 GiB goes up and down through ${count} faults: whole, hardly a byte twice, no upload left open, in flat memory`,
    () =>
      Effect.gen(function* () {
        const programs = yield* compile("programs/ours")
        const { folder } = yield* Machine.place(3 * gibibyte)
        const untroubled = yield* Faults.run(64 * mebibyte, 0, { folder, programs })
        const troubled = yield* Faults.run(gibibyte, count, { folder, programs })
        for (const [before, taken] of Array.zip(untroubled, troubled)) {
          yield* Console.log(`${Faults.describe(taken)}; ${Faults.memory(before)} for 64 MiB without faults`)
          assert.strictEqual(taken.faults.length, count)
          assert.isAtMost(taken.times, 1.05)
          assert.strictEqual(taken.sessions, 0)
          assert.isBelow(taken.memory - before.memory, 64 * mebibyte)
        }
      }).pipe(Effect.provide(NodeContext.layer)),
    240_000
  )
})
