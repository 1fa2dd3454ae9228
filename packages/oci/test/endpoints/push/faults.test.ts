/** Pushes to a registry that breaks things on purpose: what arrives is whole, and no session is left behind. */
import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as MutableRef from "effect/MutableRef"
import * as Blobs from "effect-oci/Blobs"
import * as Hasher from "effect-oci/Hasher"
import * as RegistryClient from "effect-oci/RegistryClient"
import { elapsing } from "../../client/elapsing.js"
import { repository, sha256 } from "../given.js"
import { bytesOf, MiB, source, within } from "./given.js"

const bytes = bytesOf(1.2 * MiB)
const digest = sha256(bytes)
const size = bytes.length

const sources = [
  ["bytes", () => bytes],
  ["a source that is known", () => source(bytes, { digest, size }).source],
  ["a source of known size", () => source(bytes, { size }).source],
  ["a stream of which nothing is known", () => source(bytes, { from: undefined }).source]
] as const

/** A registry in this process, and the Location of each session that it has said it began. */
const recorded = (options: RegistryServer.Options) => {
  const sessions: Array<string> = []
  const recording = Layer.effect(
    HttpClient.HttpClient,
    Effect.map(
      HttpClient.HttpClient,
      HttpClient.tap((response) =>
        Effect.sync(() => {
          const { location } = response.headers
          if (response.request.method === "POST" && response.status === 202 && location !== undefined)
            sessions.push(location)
        })
      )
    )
  )
  const layer = RegistryClient.layer.pipe(
    Layer.provide(recording),
    Layer.provideMerge(RegistryServer.layerHttpClient(options)),
    // hashing in turns of a fiber's own
    Layer.provideMerge(Hasher.layerPortable)
  )
  /** The sessions that are open, after all that goes wrong has gone wrong. */
  const open = Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const status = (path: string) =>
      client.get(`https://registry.test${path}`).pipe(
        Effect.tap(({ text }) => text),
        Effect.map(({ status }) => status),
        Effect.scoped,
        Effect.timeout("1 minute"),
        Effect.repeat({ until: (status) => status === 204 || status === 404 }),
        Effect.retry({ times: 10 })
      )
    const statuses = yield* elapsing(Effect.forEach(sessions, status))
    return statuses.filter((status) => status === 204).length
  })
  return { layer, open, sessions }
}

describe("Blobs.push to a registry that is out of order now and then", () => {
  const faults = (seed: number): RegistryServer.Faults => ({
    seed,
    rate: { "blobs.head": 0.3, "uploads.finish": 0.6, "uploads.patch": 0.5, "uploads.status": 0.4 },
    kinds: [408, 429, 500, 502, 503, 504, "reset", "cut", "stall", "slow", "lost upload"],
    limit: 4
  })

  for (const [name, given] of sources) {
    it.effect(
      `U23 U24 U25 U33: ${name} arrives whole, whatever breaks`,
      () =>
        Effect.gen(function* () {
          let injected = 0
          for (let seed = 0; seed < 10; seed++) {
            const { layer, open } = recorded({ faults: faults(seed) })
            yield* Effect.gen(function* () {
              const progress = MutableRef.make(0)
              const pushed = yield* elapsing(Blobs.push(repository, given(), { progress }))
              assert.deepStrictEqual([pushed.digest, pushed.size, progress.current], [digest, size, size])
              const { faults } = yield* RegistryServer.RegistryServer
              injected += Object.values(yield* faults.injected).reduce((sum, count) => sum + count, 0)
              assert.strictEqual((yield* elapsing(Blobs.get(repository, digest))).length, size)
              assert.strictEqual(yield* open, 0, `sessions left with seed ${seed}`)
            }).pipe(within({ chunk: { max: MiB / 4 } }), Effect.provide(layer))
          }
          assert.isAtLeast(injected, 10)
        }),
      60_000
    )
  }
})

describe("Blobs.push that is interrupted at any moment", () => {
  for (const [name, given] of sources) {
    it.effect(
      `U50: leaves no session of ${name}`,
      () =>
        Effect.gen(function* () {
          let interrupted = 0
          let begun = 0
          for (let turns = 0; turns < 30; turns++) {
            const { layer, open, sessions } = recorded({})
            yield* Effect.gen(function* () {
              const fiber = yield* Effect.fork(Blobs.push(repository, given()))
              for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow()
              const exit = yield* elapsing(Fiber.interrupt(fiber))
              if (Exit.isInterrupted(exit)) interrupted++
              begun += sessions.length
              assert.strictEqual(yield* open, 0, `a session is left after ${turns} turns`)
            }).pipe(within({ chunk: { max: MiB / 4 } }), Effect.provide(layer))
          }
          assert.isAtLeast(interrupted, 4)
          assert.isAtLeast(begun, 4)
        }),
      60_000
    )
  }
})
