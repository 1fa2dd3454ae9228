import * as HttpApp from "@effect/platform/HttpApp"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"

/** The ways a connection ends before its time: closed in the middle of something, or reset. */
export type Way = "cut" | "reset"

/** The connection is over, in the words of undici. */
export class Ended extends Data.TaggedError("Ended")<{ readonly code: string; readonly message: string }> {}

const words = {
  cut: { code: "UND_ERR_SOCKET", message: "other side closed" },
  reset: { code: "ECONNRESET", message: "read ECONNRESET" }
} as const

/**
 * Waits until the connection is closed. The platform's servers handle a request uninterruptibly where nothing says else, and
 * to a `HEAD` that is interrupted Node's would write an answer, and wait for ever for that to be gone.
 */
export const closed: Effect.Effect<never> = Effect.never.pipe(
  Effect.interruptible,
  Effect.onInterrupt(() => HttpApp.appendPreResponseHandler(() => Effect.interrupt))
)

/** Where there is no connection to end. */
export const failing = (way: Way): Effect.Effect<never, Ended> => Effect.suspend(() => new Ended(words[way]))

interface Socket {
  readonly destroy: () => unknown
  readonly destroySoon: () => unknown
  readonly resetAndDestroy: () => unknown
}

const isSocket = (input: unknown): input is Socket =>
  ["destroy", "destroySoon", "resetAndDestroy"].every(
    (name) => Predicate.hasProperty(input, name) && Predicate.isFunction(input[name])
  )

/**
 * Ends the connection that a server's request came over, where its source shows one, as Node's does. Nothing comes after:
 * the server gives up the answer when it sees that its connection is closed.
 */
export const ofSource = (source: unknown): ((way: Way) => Effect.Effect<never, Ended>) => {
  const socket = Predicate.hasProperty(source, "socket") ? source.socket : undefined
  if (!isSocket(socket)) return failing
  return (way) =>
    // TLS has no reset of its own
    Effect.try(() => (way === "cut" ? socket.destroySoon() : socket.resetAndDestroy())).pipe(
      Effect.catchAll(() => Effect.sync(() => socket.destroy())),
      Effect.zipRight(closed)
    )
}
