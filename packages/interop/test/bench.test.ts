/** That the benchmarks measure what they say. */
import * as Command from "@effect/platform/Command"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Cost from "../bench/cost.js"
import { mebibyte } from "../bench/data.js"
import { median, rotate } from "../bench/rounds.js"

const node = (code: string) => Command.make(process.execPath, "-e", code)
const busy = "for (const end = performance.now() + 400; performance.now() < end; );"

describe("benchmarks", () => {
  it.scopedLive("count processor time and memory of a program, and of what it starts", () =>
    Effect.gen(function* () {
      const idle = yield* Cost.of(node("setTimeout(() => {}, 300)"), [])
      assert.isAtLeast(idle.wall, 0.3)
      const working = yield* Cost.of(node(`Buffer.alloc(${200 * mebibyte}, 1); ${busy}`), [])
      assert.isAtLeast(working.cpu - idle.cpu, 0.1)
      assert.isAtLeast(working.memory - idle.memory, 150 * mebibyte)
      const parent = yield* Cost.of(
        node(`require("child_process").execFileSync(process.execPath, ["-e", ${JSON.stringify(busy)}])`),
        []
      )
      assert.isAtLeast(parent.cpu - idle.cpu, 0.1)
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scopedLive("count processor time of servers while a program runs", () =>
    Effect.gen(function* () {
      const server = yield* Command.start(node(`setTimeout(() => { ${busy} }, 300); setTimeout(() => {}, 60_000)`))
      const { server: served } = yield* Cost.of(node("setTimeout(() => {}, 1500)"), [server.pid])
      assert.isAtLeast(served, 0.1)
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.effect("let sides take turns, and leave the first round out", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const side = (name: string) => ({ name, run: Effect.sync(() => order.push(name)) })
      const taken = yield* rotate([side("a"), side("b")], 2)
      assert.deepStrictEqual(order, ["a", "b", "b", "a", "a", "b"])
      assert.deepStrictEqual(
        taken.map(({ rounds }) => rounds),
        [
          [4, 5],
          [3, 6]
        ]
      )
      assert.strictEqual(median([3, 1, 2]), 2)
    })
  )
})
