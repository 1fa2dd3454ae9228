import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Blobs from "effect-oci/Blobs"
import * as Credentials from "effect-oci/Credentials"
import * as Manifests from "effect-oci/Manifests"
import * as OriginPolicy from "effect-oci/OriginPolicy"
import * as Reference from "effect-oci/Reference"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import * as RegistryError from "effect-oci/RegistryError"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as RegistryObserver from "effect-oci/RegistryObserver"
import * as Tags from "effect-oci/Tags"
import {
  encode,
  type It,
  image,
  newRepository,
  pushBlob,
  pushImage,
  Subject
} from "../../../../oci/test/endpoints/suite/support.js"

export const redirecting = (it: It): void => {
  it.effect("E2 reads a blob that is kept elsewhere, verified", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const blob = yield* pushBlob(repository, "0123456789")
      assert.strictEqual((yield* Blobs.head(repository, blob.digest)).size, 10)
      assert.deepStrictEqual(yield* Blobs.get(repository, blob), encode("0123456789"))
      const part = Blobs.range(repository, blob.digest, { start: 3, end: 5 })
      assert.strictEqual(yield* Stream.mkString(Stream.decodeText(part)), "345")
    })
  )

  it.effect("E2 shows one exchange for a redirect that the browser has followed", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const blob = yield* pushBlob(repository, "0123456789")
      const seen: Array<number | undefined> = []
      const observer = {
        ...RegistryObserver.silent,
        exchange: ({ status }: RegistryObserver.Exchange) => Effect.sync(() => void seen.push(status))
      }
      yield* Effect.provideService(Blobs.get(repository, blob), RegistryObserver.RegistryObserver, observer)
      assert.deepStrictEqual(seen, [200])
    })
  )

  it.effect("E2 leaves credentials at home", () =>
    Effect.gen(function* () {
      const registry = yield* Subject
      const repository = yield* newRepository
      const blob = yield* pushBlob(repository, "0123456789")
      const signedIn = Layer.mergeAll(
        Credentials.basic(registry.toString(), "user", Redacted.make("secret")),
        RegistryAuth.layerBasic,
        RegistryHosts.layer({ scheme: "http" })
      )
      // the other origin refuses whoever says who he is
      assert.deepStrictEqual(yield* Effect.provide(Blobs.get(repository, blob), signedIn), encode("0123456789"))
    })
  )

  it.effect("E2 hands out nothing else that comes from elsewhere", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      yield* pushImage(repository, "layer", ["1"])
      const error = yield* Effect.flip(Tags.list(repository))
      assert(error._tag === "UnsafeLocation")
      assert.strictEqual(error.kind, "redirect")
      assert.strictEqual(error.reason, "only content is fetched from another host")
      assert.notStrictEqual(new URL(error.target).host, repository.registry.toString())
      const trusting = OriginPolicy.layerTrusting([new URL(error.target).host])
      assert.deepStrictEqual((yield* Effect.provide(Tags.list(repository), trusting)).tags, ["1"])
    })
  )

  it.effect("E2 does not follow a redirect of what changes something", () =>
    Effect.gen(function* () {
      const repository = yield* newRepository
      const manifest = yield* image(repository, "layer")
      const moved = Reference.make(repository, { tag: "moved" })
      const error = yield* Effect.flip(Manifests.put(moved, manifest))
      assert(error._tag === "TransportError")
      assert.strictEqual(error.code, "ERR_BROWSER_REDIRECT")
      assert.include(error.message, "a PUT was redirected, and a browser does not show where to")
      assert.isFalse(RegistryError.isRetryable(error))
      assert.isFalse(yield* Manifests.exists(moved))
    })
  )

  it.effect("E2 ends redirects that lead round in a circle", () =>
    Effect.gen(function* () {
      const reference = Reference.make(yield* newRepository, { tag: "round" })
      assert.strictEqual((yield* Effect.flip(Manifests.get(reference)))._tag, "TransportError")
    })
  )
}
