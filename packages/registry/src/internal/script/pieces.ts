import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"

/** Time that passes, on the test's clock. */
export interface Delay {
  readonly _tag: "Delay"
  readonly duration: Duration.Duration
}

/** Nothing more comes, and the connection stays open. */
export interface Stall {
  readonly _tag: "Stall"
}

/** The connection is closed, in the middle of whatever it is. */
export interface Cut {
  readonly _tag: "Cut"
}

/** The connection is reset. */
export interface Reset {
  readonly _tag: "Reset"
}

/** A place where answers wait until the test lets them go on. */
export interface Hold {
  readonly _tag: "Hold"
  /** Waits until an answer is held here. Each time it is run, it waits for one more. */
  readonly arrived: Effect.Effect<void>
  /** Lets go all that is held here, and all that will come. */
  readonly release: Effect.Effect<void>
  /** Arrives here, as an answer does, and waits for the release. */
  readonly pass: Effect.Effect<void>
}

/** What happens between pieces of a body, or in the place of an answer. */
export type Cue = Delay | Stall | Cut | Reset | Hold

/** A part of a body, or what happens there. */
export type Piece = string | Uint8Array | Cue

export const delay = (duration: Duration.DurationInput): Delay => ({
  _tag: "Delay",
  duration: Duration.decode(duration)
})

export const hold: Effect.Effect<Hold> = Effect.gen(function* () {
  const gate = yield* Effect.makeLatch()
  const arrivals = yield* Queue.unbounded<void>()
  return {
    _tag: "Hold",
    arrived: Queue.take(arrivals),
    release: Effect.asVoid(gate.open),
    pass: Effect.zipRight(Queue.offer(arrivals, undefined), gate.await)
  }
})

const wait = (cue: Delay | Stall | Hold): Effect.Effect<void> => {
  switch (cue._tag) {
    case "Delay":
      return Effect.sleep(cue.duration)
    case "Stall":
      return Effect.never
    case "Hold":
      return cue.pass
  }
}

const encoder = new TextEncoder()

export const bytesOf = (piece: string | Uint8Array): Uint8Array =>
  typeof piece === "string" ? encoder.encode(piece) : piece

/**
 * The next bytes of a body each time it is run: fails with `none` at its end, and with the cue that breaks the connection.
 * Waits are handed to `within`, which may end them early.
 */
export const pull = <E>(
  pieces: Iterable<Piece>,
  within: (waiting: Effect.Effect<void>) => Effect.Effect<void, E>
): Effect.Effect<Uint8Array, Option.Option<Cut | Reset | E>> => {
  const rest = pieces[Symbol.iterator]()
  const next: Effect.Effect<Uint8Array, Option.Option<Cut | Reset | E>> = Effect.suspend(() => {
    const { done, value } = rest.next()
    if (done === true) return Effect.fail(Option.none())
    if (typeof value === "string" || value instanceof Uint8Array) {
      return value.length === 0 ? next : Effect.succeed(bytesOf(value))
    }
    if (value._tag === "Cut" || value._tag === "Reset") return Effect.fail(Option.some(value))
    return Effect.zipRight(Effect.mapError(within(wait(value)), Option.some), next)
  })
  return next
}

export const concat = (pieces: Iterable<Uint8Array>): Uint8Array => {
  const all = [...pieces]
  const whole = new Uint8Array(all.reduce((length, piece) => length + piece.length, 0))
  let at = 0
  for (const piece of all) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
