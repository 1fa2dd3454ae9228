import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Script from "@effect-oci/registry/Script"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Credentials from "effect-oci/Credentials"
import * as Registry from "effect-oci/Registry"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import * as RegistryRetry from "effect-oci/RegistryRetry"
import * as Tags from "effect-oci/Tags"
import * as Files from "../client/credentialFiles.js"
import { registry, repository } from "./given.js"

const asked = RegistryServer.layerTest({
  auth: { type: "basic", users: { me: "s3cret" } },
  seed: { "org/app:1.2": {} }
})
const open = RegistryServer.layerTest({ seed: { "org/app:1.2": {} } })
const quiet = Layer.merge(RegistryAuth.layerBasic, RegistryRetry.layerNone)

const me = { username: "me", password: "s3cret" }

const shown = ({ registry, ...rest }: Registry.SignedIn) => ({ registry: registry.toString(), ...rest })

describe("Registry.login", () => {
  it.scoped("verifies, keeps, and says what it signed in with", () =>
    Effect.gen(function* () {
      const home = yield* Files.make()
      yield* Effect.gen(function* () {
        assert.strictEqual((yield* Effect.flip(Tags.list(repository)))._tag, "Unauthorized")
        const signedIn = yield* Registry.login(registry, me)
        assert.deepStrictEqual(shown(signedIn), {
          registry: "registry.test",
          username: "me",
          scheme: "Basic",
          stored: `${home.folder}/.docker/config.json`
        })
        assert.deepStrictEqual((yield* Tags.list(repository)).tags, ["1.2"])
        yield* Registry.logout(registry)
        assert.strictEqual((yield* Effect.flip(Tags.list(repository)))._tag, "Unauthorized")
      }).pipe(Effect.provide([asked, quiet, home.layer(Credentials.dockerConfig)]))
    })
  )

  it.scoped("A28 is Unauthorized with a wrong password, and keeps nothing", () =>
    Effect.gen(function* () {
      const before = { auths: { "registry.test": { auth: Files.base64("old:1") } } }
      const home = yield* Files.make({ ".docker/config.json": before })
      const error = yield* Registry.login(registry, { username: "me", password: "wr0ng" }).pipe(
        Effect.flip,
        Effect.provide([asked, quiet, home.layer(Credentials.dockerConfig)])
      )
      assert(error._tag === "Unauthorized")
      assert.isTrue(error.authenticated)
      assert.notInclude(inspect(error, { depth: 10 }), "wr0ng")
      assert.strictEqual(home.read(".docker/config.json"), JSON.stringify(before))
    })
  )

  it.effect("shows the registry the given credential, not what is kept of old", () =>
    Effect.map(Registry.login(registry, me), ({ stored }) => assert.isUndefined(stored)).pipe(
      Effect.provide([asked, quiet, Credentials.basic("registry.test", "old", "1")])
    )
  )

  it.effect("A1 says that the registry asks nobody", () =>
    Effect.map(Registry.login(registry, me), (signedIn) =>
      assert.deepStrictEqual(shown(signedIn), {
        registry: "registry.test",
        username: "me",
        scheme: undefined,
        stored: undefined
      })
    ).pipe(Effect.provide([open, quiet]))
  )

  it.effect("does not believe a password because a registry answers everybody", () =>
    Effect.map(Effect.flip(Registry.login(registry, me)), ({ _tag }) => assert.strictEqual(_tag, "Unauthorized")).pipe(
      Effect.provide(RegistryRetry.layerNone),
      Effect.provide(
        Script.layerTest(
          Script.expect("GET", "/v2/", { headers: { authorization: undefined } }).answer(200),
          Script.expect("GET", "/v2/", { headers: { authorization: /^Basic / } }).answer(
            401,
            Script.refusal("UNAUTHORIZED")
          )
        )
      )
    )
  )

  it.effect("A62 signs in with a token", () =>
    Effect.map(Registry.login(registry, { token: Redacted.make("ey.r") }), (signedIn) =>
      assert.deepStrictEqual(shown(signedIn), {
        registry: "registry.test",
        username: undefined,
        scheme: "Bearer",
        stored: undefined
      })
    ).pipe(
      Effect.provide(quiet),
      Effect.provide(
        Script.layerTest(
          Script.expect("GET", "/v2/").answer(401, Script.refusal("UNAUTHORIZED")),
          Script.expect("GET", "/v2/", { headers: { authorization: "Bearer ey.r" } }).answer(200)
        )
      )
    )
  )

  it.effect("is Unsupported where no registry is", () =>
    Effect.map(Effect.flip(Registry.login(registry, me)), ({ _tag }) => assert.strictEqual(_tag, "Unsupported")).pipe(
      Effect.provide(Script.layerTest(Script.expect("GET", "/v2/").answer(404)))
    )
  )

  it.effect("S43 leaves no secret in errors, logs and spans", () =>
    Effect.flip(Registry.login(registry, me)).pipe(
      Script.withoutLeaks(["s3cret", Files.base64("me:s3cret")]),
      Effect.provide(quiet),
      Effect.provide(
        Script.layerTest(Script.expect("GET", "/v2/").answer(401, Script.refusal("UNAUTHORIZED")).times(2))
      )
    )
  )
})

describe("Registry.logout", () => {
  it.effect("does nothing where nothing is kept", () =>
    Registry.logout(registry).pipe(Effect.provide([open, Credentials.basic("registry.test", "me", "1")]))
  )

  it.effect("tells a source of one's own", () => {
    const told: Array<string> = []
    const source = Layer.succeed(Credentials.Credentials, {
      lookup: () => Effect.succeedNone,
      store: (registry, credential) =>
        Effect.sync(() => {
          told.push(`store ${registry} ${credential._tag}`)
          return Option.some("a safe place")
        }),
      erase: (registry) => Effect.sync(() => void told.push(`erase ${registry}`))
    })
    return Effect.gen(function* () {
      const { stored } = yield* Registry.login(registry, { identityToken: "ey.i" })
      assert.strictEqual(stored, "a safe place")
      yield* Registry.logout(registry)
      assert.deepStrictEqual(told, ["store registry.test IdentityToken", "erase registry.test"])
    }).pipe(Effect.provide([open, source]))
  })
})
