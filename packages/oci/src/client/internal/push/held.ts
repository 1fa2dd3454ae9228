import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as MutableRef from "effect/MutableRef"
import type { RegistryClient } from "../../RegistryClient.js"
import * as RegistryRetry from "../../RegistryRetry.js"
import * as Uploads from "../../Uploads.js"

/** How long giving up a session may take: nobody waits for it but us. */
const patience = "2 seconds"

/**
 * Does something to its end. An interruption, and each one after it, reaches all fibers that a fiber has begun, even while it
 * cannot be interrupted itself: this one is nobody's.
 */
const undisturbed = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.uninterruptible(Effect.flatMap(Effect.forkDaemon(self), Fiber.join))

/** Tells the registry that it can forget a session (end-14). Whatever comes of it, it is not tried again. */
const abandon = (session: Uploads.UploadSession): Effect.Effect<void, never, RegistryClient> =>
  Uploads.cancel(session).pipe(
    Effect.interruptible,
    Effect.timeout(patience),
    Effect.ignore,
    Effect.provideService(RegistryRetry.RegistryRetry, RegistryRetry.none),
    undisturbed
  )

/** A place for a session that is not ours to give up: whoever made it goes on with what stands there. */
type Kept = MutableRef.MutableRef<Uploads.UploadSession | undefined>

/** The newest session of an upload. When its use ends before the upload has, the session is given up. */
export class Held {
  private session: Uploads.UploadSession | undefined
  private readonly kept: Kept | undefined

  constructor(kept: Kept | undefined) {
    this.kept = kept
    this.session = kept === undefined ? undefined : MutableRef.get(kept)
  }

  get current(): Uploads.UploadSession | undefined {
    return this.session
  }

  readonly set = (session: Uploads.UploadSession | undefined): void => {
    this.session = session
    if (this.kept !== undefined) MutableRef.set(this.kept, session)
  }

  /** Takes over what an effect answers with, even when that comes together with an interruption. */
  readonly taking = <A extends Uploads.UploadSession, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.map(restore(self), (session) => {
        this.set(session)
        return session
      })
    )

  /**
   * Begins a session. Whoever interrupts that waits a little for the answer: a registry that has begun one by then would
   * keep it, and nobody else knows of it.
   */
  readonly beginning = <A, E, R>(
    self: Effect.Effect<A, E, R>,
    begun: (answer: A) => Uploads.UploadSession | undefined
  ): Effect.Effect<A, E, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Effect.forkDaemon(Effect.interruptible(self)), (fiber) => {
        const taken = (answer: A) => {
          this.set(begun(answer))
          return answer
        }
        const late = Fiber.join(fiber).pipe(
          Effect.interruptible,
          Effect.timeout(patience),
          Effect.map(taken),
          Effect.ignore,
          Effect.zipRight(Fiber.interrupt(fiber)),
          undisturbed
        )
        return Effect.matchCauseEffect(restore(Fiber.join(fiber)), {
          onFailure: (cause) =>
            Cause.isInterruptedOnly(cause) ? Effect.zipRight(late, Effect.failCause(cause)) : Effect.failCause(cause),
          onSuccess: (answer) => Effect.succeed(taken(answer))
        })
      })
    )

  /** Gives the session up for another one. */
  readonly drop: Effect.Effect<void, never, RegistryClient> = Effect.suspend(() => {
    const { session } = this
    this.set(undefined)
    return session === undefined ? Effect.void : abandon(session)
  })

  /** Gives it up, unless somebody else goes on with it. */
  readonly end: Effect.Effect<void, never, RegistryClient> = Effect.suspend(() =>
    this.session === undefined || this.kept !== undefined ? Effect.void : abandon(this.session)
  )
}

/** Uses the session that was given, if there was one, or those that come; what is left of one is given up at the end. */
export const using = <A, E, R>(
  given: Uploads.UploadSession | Kept | undefined,
  use: (held: Held) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | RegistryClient> =>
  Effect.uninterruptibleMask((restore) => {
    const isSession = given !== undefined && "_tag" in given
    const held = new Held(isSession ? undefined : given)
    if (isSession) held.set(given)
    return Effect.flatMap(Effect.exit(restore(use(held))), (exit) => Effect.zipRight(held.end, exit))
  })
