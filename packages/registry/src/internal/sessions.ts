import type { PlatformError } from "@effect/platform/Error"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type Refusal, refuse } from "./refusal.js"
import type { Registry } from "./registry.js"
import type { Store, Upload } from "./store.js"

/** Forgets an upload, if it is there. */
export const forget = (store: Store, id: string): Effect.Effect<void, PlatformError> =>
  Effect.suspend(() => {
    const upload = store.uploads.get(id)
    store.uploads.delete(id)
    return upload === undefined ? Effect.void : upload.discard
  })

const forgetUnused = ({ settings, store }: Registry, now: number): Effect.Effect<void, PlatformError> =>
  Effect.suspend(() => {
    const unused = Array.from(store.uploads.values()).filter(
      ({ busy, touched }) => !busy && now - touched > settings.uploadExpiry
    )
    return Effect.forEach(unused, ({ id }) => forget(store, id), { discard: true })
  })

/** Gives an upload an address. */
export const keep = (registry: Registry, upload: Upload): Effect.Effect<void, PlatformError> =>
  Effect.gen(function* () {
    yield* forgetUnused(registry, upload.touched)
    yield* upload.keep
    registry.store.uploads.set(upload.id, upload)
  })

export const find = (
  registry: Registry,
  repository: string,
  id: string
): Effect.Effect<Upload, Refusal | PlatformError> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    yield* forgetUnused(registry, now)
    const upload = registry.store.uploads.get(id)
    if (upload === undefined || upload.repository !== repository) {
      return yield* refuse(404, "BLOB_UPLOAD_UNKNOWN", "blob upload not known to registry", { detail: { id } })
    }
    yield* upload.touch(now)
    return upload
  })

/** An upload that is in use does not rest, however long that takes. */
export const using = <A, E, R>(upload: Upload, use: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      upload.busy = true
    }),
    () => use,
    () =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        upload.busy = false
        // it may have ended
        return Effect.ignore(upload.touch(now))
      })
  )
