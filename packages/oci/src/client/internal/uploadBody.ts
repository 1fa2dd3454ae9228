import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import type { Sized } from "../BlobSource.js"
import { SizeMismatch, SourceNotReplayable } from "../RegistryError.js"
import * as Request from "./request.js"
import * as Verify from "./verify.js"

export const sizeOf = (content: Uint8Array | Sized<unknown, unknown>): number =>
  content instanceof Uint8Array ? content.length : content.size

/** Sends content with a request. What goes wrong in its source is what the whole fails with. */
export const send = <A, E, R, E2, R2>(
  content: Uint8Array | Sized<E, R>,
  facts: object,
  request: HttpClientRequest.HttpClientRequest,
  use: (request: HttpClientRequest.HttpClientRequest) => Effect.Effect<A, E2, R2>
): Effect.Effect<A, E | E2 | SizeMismatch, R | R2> => {
  if (content instanceof Uint8Array) return use(HttpClientRequest.bodyUint8Array(request, content, Request.octets))
  return Effect.gen(function* () {
    const context = yield* Effect.context<R>()
    const fault = yield* Ref.make<Option.Option<Cause.Cause<E | SizeMismatch>>>(Option.none())
    const body = Verify.sized(content.stream, content.size, facts).pipe(
      Stream.tapErrorCause((cause) => Ref.set(fault, Option.some(cause))),
      Stream.provideContext(context)
    )
    return yield* Effect.catchAllCause(
      use(HttpClientRequest.bodyStream(request, body, { contentType: Request.octets, contentLength: content.size })),
      (cause) =>
        Effect.flatMap(
          Ref.get(fault),
          (known): Effect.Effect<never, E | E2 | SizeMismatch> =>
            known._tag === "Some" ? Effect.failCause(known.value) : Effect.failCause(cause)
        )
    )
  })
}

/** For content that was sent whole before: when it now comes short, its source gives it only once. */
export const again = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  facts: object
): Effect.Effect<A, E | SourceNotReplayable, R> =>
  Effect.mapError(self, (error) =>
    error instanceof SizeMismatch && error.actual < error.expected ? new SourceNotReplayable(facts) : error
  )
