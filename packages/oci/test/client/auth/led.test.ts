import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Script from "@effect-oci/registry/Script"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Blobs from "effect-oci/Blobs"
import * as OriginPolicy from "effect-oci/OriginPolicy"
import * as RegistryClient from "effect-oci/RegistryClient"
import { digest, repository } from "../support.js"
import { asks, bearer, grants, list, listed, pull, service, tagsPath, tokenFor } from "./support.js"

type Led = readonly [host: string, led: string | undefined]

/** Runs an effect against a script, and gives each request's host and who led there, as a transport sees them. */
const led = <A, E>(
  self: Effect.Effect<A, E, RegistryClient.RegistryClient>,
  ...lines: ReadonlyArray<Script.Line>
): Effect.Effect<ReadonlyArray<Led>, E> =>
  Effect.suspend(() => {
    const seen: Array<Led> = []
    const client = Layer.effect(
      HttpClient.HttpClient,
      Effect.map(
        HttpClient.HttpClient,
        HttpClient.mapRequestEffect((request) =>
          Effect.map(OriginPolicy.Led, (led) => {
            seen.push([new URL(request.url).host, led])
            return request
          })
        )
      )
    )
    const layer = Layer.provide(RegistryClient.layer, Layer.provide(client, Script.layer(...lines)))
    return Effect.as(Effect.provide(self, layer), seen)
  })

const same = Script.on("https://registry.test")

const lets = (token = "T") =>
  same.expect("GET", tagsPath, { headers: { authorization: `Bearer ${token}` } }).answer(200, listed)

describe("OriginPolicy.Led", () => {
  it.effect("S49 S10 is the registry in the request to a token service elsewhere, and in no other", () =>
    Effect.gen(function* () {
      const seen = yield* led(
        list,
        same.expect("GET", tagsPath).answer(401, asks(bearer(pull))),
        service.expect("GET", tokenFor(pull)).answer(200, grants()),
        lets()
      )
      assert.deepStrictEqual(seen, [
        ["registry.test", undefined],
        ["auth.registry.test", "registry.test"],
        ["registry.test", undefined]
      ])
    })
  )

  it.effect("S49 S10 is nobody where the registry gives its tokens itself", () =>
    Effect.gen(function* () {
      const seen = yield* led(
        list,
        same.expect("GET", tagsPath).answer(401, asks('Bearer realm="/token"')),
        same.expect("GET", `/token?scope=${encodeURIComponent(pull)}`).answer(200, grants()),
        lets()
      )
      assert.deepStrictEqual(
        seen.map(([, led]) => led),
        [undefined, undefined, undefined]
      )
    })
  )

  it.effect("S49 S10 is nobody where the user trusts the token service", () =>
    Effect.gen(function* () {
      const seen = yield* led(
        list.pipe(Effect.provide(Layer.orDie(OriginPolicy.layerTrusting(["auth.registry.test"])))),
        same.expect("GET", tagsPath).answer(401, asks(bearer(pull))),
        service.expect("GET", tokenFor(pull)).answer(200, grants()),
        lets()
      )
      assert.deepStrictEqual(
        seen.map(([, led]) => led),
        [undefined, undefined, undefined]
      )
    })
  )

  describe("S49 of another registry that a redirect leads to", () => {
    const other = Script.on("https://other.test")
    const blob = `/v2/org/app/blobs/${digest}`
    const moved = "/v2/mirror/app/blobs/1"
    const token = "/token?scope=repository%3Amirror%2Fapp%3Apull"
    const conversation = (realm: string): ReadonlyArray<Script.Line> => [
      same.expect("GET", blob).answer(307, { headers: { location: `https://other.test${moved}` } }),
      other.expect("GET", moved).answer(401, asks(`Bearer realm="${realm}",scope="repository:mirror/app:pull"`)),
      Script.on(new URL(realm).origin).expect("GET", token).answer(200, grants("O")),
      other.expect("GET", moved, { headers: { authorization: "Bearer O" } }).answer(200, { body: "{}" })
    ]

    it.effect("S49 S10 is who sent us there, for all that is asked of it", () =>
      Effect.gen(function* () {
        const seen = yield* led(Blobs.get(repository, digest), ...conversation("https://other.test/token"))
        assert.deepStrictEqual(seen, [
          ["registry.test", undefined],
          ["other.test", "registry.test"],
          ["other.test", "registry.test"],
          ["other.test", "registry.test"]
        ])
      })
    )

    it.effect("S49 S10 is the other registry for its token service", () =>
      Effect.gen(function* () {
        const seen = yield* led(Blobs.get(repository, digest), ...conversation("https://auth.other.test/token"))
        assert.deepStrictEqual(seen.slice(2), [
          ["auth.other.test", "other.test"],
          ["other.test", "registry.test"]
        ])
      })
    )
  })

  it.effect("S49 is nobody on the way to a host that the user trusts, whoever led there", () =>
    Effect.gen(function* () {
      const blob = `/v2/org/app/blobs/${digest}`
      const seen = yield* led(
        Blobs.get(repository, digest).pipe(Effect.provide(Layer.orDie(OriginPolicy.layerTrusting(["store.test"])))),
        same.expect("GET", blob).answer(307, { headers: { location: "https://cdn.test/1" } }),
        Script.on("https://cdn.test")
          .expect("GET", "/1")
          .answer(307, { headers: { location: "https://store.test/2" } }),
        Script.on("https://store.test").expect("GET", "/2").answer(200, { body: "{}" })
      )
      assert.deepStrictEqual(seen, [
        ["registry.test", undefined],
        ["cdn.test", "registry.test"],
        ["store.test", undefined]
      ])
    })
  )
})
