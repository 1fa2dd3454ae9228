import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import { Config, ConfigProvider, Effect, Layer, Option, Redacted } from "effect"
import { CredentialHelper, Credentials, Manifests, Reference, Registry, RegistryName } from "effect-oci"

// #region files
const CredentialsLive = Credentials.defaultKeychain.pipe(
  Credentials.orElse(Credentials.regctl),
  Layer.provide(NodeContext.layer)
)
// #endregion

const password = Redacted.make("hunter2")

// #region values
const Fixed = Credentials.fromRecord({
  "ghcr.io": { username: "me", password },
  "quay.io/org": { token: password },
  "docker.io": { identityToken: password }
})
// #endregion

// #region config
const FromEnvironment = Credentials.layerConfig({
  registry: "ghcr.io",
  username: Config.string("GITHUB_ACTOR"),
  password: Config.redacted("GITHUB_TOKEN")
})
// #endregion

// #region helper
const Ecr = CredentialHelper.layer("ecr-login").pipe(Credentials.forHost("1234.dkr.ecr.eu-west-1.amazonaws.com"))
// #endregion

const askVault = (_: string) => Effect.succeed(password)

// #region own
const Vault = Layer.succeed(Credentials.Credentials, {
  lookup: (registry) =>
    Effect.map(askVault(registry.authority), (token) => Option.some<Credentials.Credential>({ _tag: "Token", token }))
}).pipe(Credentials.cached("10 minutes"), Credentials.forHost("registry.internal:5000"))
// #endregion

// #region login
const signIn = Effect.gen(function* () {
  const registry = yield* RegistryName.parse("registry.test")
  const { scheme, stored, username } = yield* Registry.login(registry, { username: "me", password })
  return `${username}, by ${scheme}, kept in ${stored}`
})
// #endregion

// #region basic
const digestOf = (reference: Reference.Reference) =>
  Effect.map(Manifests.head(reference), ({ digest }) => digest).pipe(
    Effect.provide(Credentials.basic("registry.test", "me", password))
  )
// #endregion

const environment = (variables: Readonly<Record<string, string>>) =>
  Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))

const lookup = (name: string) =>
  Effect.gen(function* () {
    const { lookup } = yield* Credentials.Credentials
    const { registry, repository } = yield* Reference.parse(`${name}/org/app`)
    return Option.getOrUndefined(yield* lookup(registry, repository))?._tag
  })

describe("docs/credentials.md", () => {
  it.scoped("keeps a login in Docker's file, where the next call finds it", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const live = Layer.provide(CredentialsLive, environment({ DOCKER_CONFIG: folder, PATH: "" }))
      const program = Effect.gen(function* () {
        assert.strictEqual(yield* signIn, `me, by Basic, kept in ${folder}/config.json`)
        assert.isTrue(yield* Manifests.exists(yield* Reference.parse("registry.test/org/app:1.2")))
      })
      const registry = RegistryServer.layerTest({
        auth: { type: "basic", users: { me: "hunter2" } },
        seed: { "org/app:1.2": {} }
      })
      yield* Effect.provide(program, [registry, live])
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.effect("signs in to a registry with a token service, given a user name and a password", () =>
    Effect.gen(function* () {
      assert.match(yield* digestOf(yield* Reference.parse("registry.test/org/app:1.2")), /^sha256:/)
    }).pipe(
      Effect.provide(
        RegistryServer.layerTest({
          auth: { type: "token", users: { me: "hunter2" } },
          seed: { "org/app:1.2": {} }
        })
      )
    )
  )

  it.effect("takes credentials from values, the environment and a vault", () =>
    Effect.gen(function* () {
      const names = ["ghcr.io", "quay.io", "docker.io", "registry.internal:5000", "other.test"]
      const variables = environment({ GITHUB_ACTOR: "me", GITHUB_TOKEN: "hunter2" })
      const all = Fixed.pipe(Credentials.orElse(Vault))
      assert.deepStrictEqual(yield* Effect.provide(Effect.forEach(names, lookup), all), [
        "Basic",
        "Token",
        "IdentityToken",
        "Token",
        undefined
      ])
      const given = yield* Effect.provide(lookup("ghcr.io"), Layer.provide(FromEnvironment, variables))
      assert.strictEqual(given, "Basic")
    })
  )

  it.effect("asks a helper for its registry alone", () =>
    Effect.gen(function* () {
      assert.isUndefined(yield* lookup("ghcr.io"))
      const error = yield* Effect.flip(lookup("1234.dkr.ecr.eu-west-1.amazonaws.com"))
      assert.include(error.message, "docker-credential-ecr-login is not on the PATH")
    }).pipe(Effect.provide(Ecr.pipe(Layer.provide(NodeContext.layer), Layer.provide(environment({ PATH: "" })))))
  )
})
