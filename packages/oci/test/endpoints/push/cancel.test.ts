import { assert, describe, it } from "@effect/vitest"
import * as Script from "@effect-oci/registry/Script"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as MutableRef from "effect/MutableRef"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as Blobs from "effect-oci/Blobs"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import type * as Uploads from "effect-oci/Uploads"
import { failing, repository } from "../given.js"
import {
  absent,
  at,
  begun,
  cancelled,
  chunked,
  digest,
  end,
  MiB,
  playing,
  root,
  small,
  source,
  taken,
  within
} from "./given.js"

const { bytes, chunk, patch } = chunked

/** Runs until an answer is held, and interrupts. Answers how long the interruption took, with retries as by default. */
const interrupting = <A, E, R>(hold: Effect.Effect.Success<typeof Script.hold>, self: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(self)
    yield* hold.arrived
    const before = yield* Clock.currentTimeMillis
    const interruption = yield* Effect.fork(Fiber.interrupt(fiber))
    yield* TestClock.adjust("10 seconds")
    const exit = yield* Fiber.join(interruption)
    assert.isTrue(Exit.isInterrupted(exit))
    return (yield* Clock.currentTimeMillis) - before
  })

const scripted = (...lines: ReadonlyArray<Script.Line>) =>
  Effect.provide(Layer.provideMerge(Script.layerTest(...lines), RegistryAuth.layerNone))

describe("Blobs.push that is interrupted", () => {
  it.effect("U50 DS31: gives up the upload of a whole blob", () =>
    Effect.flatMap(Script.hold, (hold) =>
      interrupting(hold, Blobs.push(repository, small)).pipe(
        scripted(
          absent(),
          begun(1),
          Script.expect("PUT", end(1)).answer(201, { after: hold }),
          Script.expect("DELETE", at(1), { body: "" }).answer(204)
        )
      )
    )
  )

  it.effect("U50: gives up the newest session of an upload in chunks", () =>
    Effect.flatMap(Script.hold, (hold) =>
      interrupting(
        hold,
        Blobs.push(repository, { stream: source(bytes).source.stream }).pipe(within({ chunk: { max: MiB } }))
      ).pipe(
        scripted(
          begun(1),
          patch(1, 0, MiB),
          patch(2, MiB, 2 * MiB),
          chunk(3, 2 * MiB, 3 * MiB).answer(202, { after: hold }),
          cancelled(3)
        )
      )
    )
  )

  it.effect("U50: gives up a session that begins while it is interrupted", () =>
    Effect.gen(function* () {
      const hold = yield* Script.hold
      const push = Effect.gen(function* () {
        const fiber = yield* Effect.fork(Blobs.push(repository, small))
        yield* hold.arrived
        const interruption = yield* Effect.fork(Fiber.interrupt(fiber))
        yield* TestClock.adjust("1 second")
        yield* hold.release
        yield* Fiber.join(interruption)
      })
      yield* push.pipe(
        scripted(
          absent(),
          Script.expect("POST", `${root}/uploads/`).answer(202, { headers: { location: at(1) }, after: hold }),
          cancelled(1)
        )
      )
    })
  )

  it.effect("U50: gives it up, however often it is interrupted", () =>
    Effect.gen(function* () {
      const [sent, given] = yield* Effect.all([Script.hold, Script.hold])
      const push = Effect.gen(function* () {
        const fiber = yield* Effect.fork(Blobs.push(repository, small))
        yield* sent.arrived
        yield* Fiber.interruptFork(fiber)
        yield* given.arrived
        const again = yield* Effect.fork(Fiber.interrupt(fiber))
        yield* TestClock.adjust("1 second")
        assert.isTrue((yield* Fiber.poll(again))._tag === "None")
        yield* given.release
        yield* Fiber.join(again)
      })
      yield* push.pipe(
        scripted(
          absent(),
          begun(1),
          Script.expect("PUT", end(1)).answer(201, { after: sent }),
          Script.expect("DELETE", at(1)).answer(204, { after: given })
        )
      )
    })
  )

  const unheeded: ReadonlyArray<readonly [name: string, answer: Script.Step]> = [
    ...[400, 401, 404, 405, 429, 500, 503].map(
      (status) => [String(status), Script.expect("DELETE", at(1)).answer(status)] as const
    ),
    ["a reset", Script.expect("DELETE", at(1)).answer(Script.reset)],
    ["an UnsafeLocation", Script.expect("DELETE", at(1)).answer(307, { headers: { location: "https://evil.test/" } })]
  ]
  for (const [name, answer] of unheeded) {
    it.effect(`U50 DS32: is not hindered by ${name}, nor tries again`, () =>
      Effect.flatMap(Script.hold, (hold) =>
        interrupting(hold, Blobs.push(repository, small)).pipe(
          scripted(absent(), begun(1), Script.expect("PUT", end(1)).answer(201, { after: hold }), answer)
        )
      )
    )
  }

  it.effect("U50: waits two seconds for a registry that says nothing to that", () =>
    Effect.gen(function* () {
      const hold = yield* Script.hold
      yield* Effect.gen(function* () {
        const fiber = yield* Effect.fork(Blobs.push(repository, small))
        yield* hold.arrived
        const interruption = yield* Effect.fork(Fiber.interrupt(fiber))
        yield* TestClock.adjust("1999 millis")
        assert.isTrue((yield* Fiber.poll(interruption))._tag === "None")
        yield* TestClock.adjust("1 millis")
        yield* Fiber.join(interruption)
      }).pipe(
        scripted(
          absent(),
          begun(1),
          Script.expect("PUT", end(1)).answer(201, { after: hold }),
          Script.expect("DELETE", at(1)).answer(Script.stall)
        )
      )
    })
  )

  it.effect("U51: has nothing to give up before a session, nor after its end was accepted", () =>
    Effect.gen(function* () {
      const hold = yield* Script.hold
      yield* interrupting(hold, Blobs.push(repository, small)).pipe(
        scripted(Script.expect("HEAD", `/v2/org/app/blobs/${digest}`).answer(404, { after: hold }))
      )
    })
  )

  it.effect("leaves a session that somebody keeps, the newest of it in its place", () =>
    Effect.gen(function* () {
      const hold = yield* Script.hold
      const session = MutableRef.make<Uploads.UploadSession | undefined>(undefined)
      const push = Blobs.push(repository, { stream: source(bytes).source.stream }, { session })
      yield* interrupting(hold, push.pipe(within({ chunk: { max: MiB } }))).pipe(
        scripted(begun(1), patch(1, 0, MiB), chunk(2, MiB, 2 * MiB).answer(202, { after: hold }))
      )
      const kept = MutableRef.get(session)
      assert.strictEqual(kept?.offset, MiB)
      assert.strictEqual(kept === undefined ? "" : Redacted.value(kept.location), `https://registry.test${at(2)}`)
    })
  )
})

describe("Blobs.push that ends", () => {
  it.effect("U51: cancels nothing when the registry accepts another digest than ours", () =>
    failing("DigestMismatch", Blobs.push(repository, small)).pipe(
      playing(
        absent(),
        begun(1),
        Script.expect("PUT", end(1)).answer(201, { headers: { "docker-content-digest": `sha256:${"0".repeat(64)}` } })
      )
    )
  )

  it.effect("U51: cancels nothing when it is done, and keeps no session", () =>
    Effect.gen(function* () {
      const session = MutableRef.make<Uploads.UploadSession | undefined>(undefined)
      yield* Blobs.push(repository, small, { session })
      assert.isUndefined(MutableRef.get(session))
    }).pipe(playing(absent(), begun(1), taken(1)))
  )

  it.effect("U50: its failure is not hidden by one of the cancel", () =>
    failing("Denied", Blobs.push(repository, small)).pipe(
      playing(
        absent(),
        begun(1),
        Script.expect("PUT", end(1)).answer(403),
        Script.expect("DELETE", at(1)).answer(Script.stall)
      )
    )
  )
})
