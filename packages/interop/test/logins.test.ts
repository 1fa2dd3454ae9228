import * as FileSystem from "@effect/platform/FileSystem"
import { assert } from "@effect/vitest"
import * as NodeRegistry from "@effect-oci/node/NodeRegistry"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Credentials from "effect-oci/Credentials"
import * as Registry from "effect-oci/Registry"
import * as RegistryName from "effect-oci/RegistryName"
import * as Tags from "effect-oci/Tags"
import * as Accounts from "../src/Accounts.js"
import * as Helper from "../src/Helper.js"
import * as Login from "../src/login.js"
import * as Server from "../src/Server.js"
import * as Tool from "../src/Tool.js"
import { repository, temporary } from "./given.js"
import * as Images from "./images.js"
import { as, setUp } from "./setup.js"

const registry = Server.distributionWith(
  Tool.dockerRegistry,
  Effect.map(Accounts.htpasswd, (path) => ({ auth: { htpasswd: { realm: "tests", path } } }))
)

/** A repository with a tag, which nobody sees who has not signed in. */
const secret = Effect.gen(function* () {
  const [image, target] = [yield* Images.single(), yield* repository]
  yield* Images.push(target, "1", image).pipe(Effect.provide([NodeRegistry.layer, as(Accounts.me)]))
  return target
})

const placeOf = (name: "config.json" | "auth.json") =>
  Effect.map(temporary, (folder): Login.Place => ({ folder, file: `${folder}/${name}` }))

const sources = {
  docker: Credentials.dockerConfig,
  podman: Credentials.podmanAuth,
  regctl: Credentials.regctl
}

/** Our client, with the credentials of a place and of nowhere else. */
const ours = (source: keyof typeof sources, { file, folder, path = "" }: Login.Place) => {
  const variables = [
    ["PATH", path],
    ["DOCKER_CONFIG", folder],
    ["REGISTRY_AUTH_FILE", file],
    ["REGCTL_CONFIG", `${folder}/regctl.json`]
  ] as const
  const environment = Layer.setConfigProvider(ConfigProvider.fromMap(new Map(variables)))
  return Layer.merge(NodeRegistry.layer, Layer.provide(sources[source], environment))
}

const { password, username } = Accounts.me

const login = Effect.gen(function* () {
  const name = yield* RegistryName.parse(yield* Server.Host)
  return yield* Registry.login(name, { username, password })
})

const logout = Effect.flatMap(Effect.flatMap(Server.Host, RegistryName.parse), Registry.logout)

setUp("docker-registry with a password that is kept in a file", registry, (it) => {
  for (const [file, source, name] of [
    ["Docker's", "docker", "config.json"],
    ["Podman's", "podman", "auth.json"]
  ] as const) {
    for (const theirs of [Login.skopeo, Login.crane, Login.oras]) {
      it.scoped(`a login of ours in ${file} file is used by ${theirs.tool.name}`, () =>
        Effect.gen(function* () {
          const [target, place] = [yield* secret, yield* placeOf(name)]
          const { stored } = yield* Effect.provide(login, ours(source, place))
          assert.strictEqual(stored, place.file)
          yield* theirs.use(`${target}`, place)
          yield* Effect.provide(logout, ours(source, place))
          yield* Effect.flip(theirs.use(`${target}`, place))
        })
      )
    }
  }

  for (const [theirs, file, source, name] of [
    [Login.skopeo, "Podman's", "podman", "auth.json"],
    [Login.skopeo, "Docker's", "docker", "config.json"],
    [Login.crane, "Docker's", "docker", "config.json"],
    [Login.oras, "Docker's", "docker", "config.json"],
    [Login.regctl, "its own", "regctl", "config.json"]
  ] as const) {
    it.scoped(`a login of ${theirs.tool.name} in ${file} file is used by our client`, () =>
      Effect.gen(function* () {
        const [target, place] = [yield* secret, yield* placeOf(name)]
        const tags = Effect.map(Tags.list(target), ({ tags }) => tags)
        const before = yield* Effect.flip(Effect.provide(tags, ours(source, place)))
        assert.strictEqual(before._tag, "Unauthorized")
        yield* theirs.login(yield* Server.Host, Accounts.me, place)
        assert.deepStrictEqual(yield* Effect.provide(tags, ours(source, place)), ["1"])
      })
    )
  }

  it.scoped("a password that is refused is not kept", () =>
    Effect.gen(function* () {
      const [place, fs] = [yield* placeOf("config.json"), yield* FileSystem.FileSystem]
      const name = yield* RegistryName.parse(yield* Server.Host)
      const wrong = Registry.login(name, { username, password: "wrong" })
      const error = yield* Effect.flip(Effect.provide(wrong, ours("docker", place)))
      assert.strictEqual(error._tag, "Unauthorized")
      assert.isFalse(yield* fs.exists(place.file))
    })
  )
})

/** Docker's file, which leaves credentials to the helper: those of the registry, or all. */
const helped = (field: "credHelpers" | "credsStore") =>
  Effect.gen(function* () {
    const [place, fs, helper] = [yield* placeOf("config.json"), yield* FileSystem.FileSystem, yield* Helper.make]
    const value = field === "credsStore" ? Helper.name : { [yield* Server.Host]: Helper.name }
    yield* fs.writeFileString(place.file, JSON.stringify({ [field]: value }))
    return { ...place, path: `${helper.folder}:${process.env.PATH}`, kept: helper.kept }
  })

setUp("docker-registry with a password that a credential helper keeps", registry, (it) => {
  for (const [theirs, field] of [
    [Login.skopeo, "credHelpers"],
    [Login.crane, "credHelpers"],
    [Login.crane, "credsStore"],
    [Login.oras, "credsStore"]
  ] as const) {
    it.scoped(`a login of ours is used by ${theirs.tool.name}, until our logout (\`${field}\`)`, () =>
      Effect.gen(function* () {
        const [target, place, fs] = [yield* secret, yield* helped(field), yield* FileSystem.FileSystem]
        const { stored } = yield* Effect.provide(login, ours("docker", place))
        assert.strictEqual(stored, `docker-credential-${Helper.name}`)
        assert.include(yield* place.kept, password)
        assert.notInclude(
          yield* fs.readFileString(place.file),
          Buffer.from(`${username}:${password}`).toString("base64")
        )
        yield* theirs.use(`${target}`, place)
        yield* Effect.provide(logout, ours("docker", place))
        assert.notInclude(yield* place.kept, password)
        yield* Effect.flip(theirs.use(`${target}`, place))
      })
    )

    it.scoped(`a login of ${theirs.tool.name} is used by our client (\`${field}\`)`, () =>
      Effect.gen(function* () {
        const [target, place] = [yield* secret, yield* helped(field)]
        yield* theirs.login(yield* Server.Host, Accounts.me, place)
        assert.include(yield* place.kept, password)
        const { tags } = yield* Effect.provide(Tags.list(target), ours("docker", place))
        assert.deepStrictEqual(tags, ["1"])
      })
    )
  }

  it.scoped("a helper that is not on the PATH is `CredentialsInvalid`", () =>
    Effect.gen(function* () {
      const [target, place] = [yield* repository, yield* helped("credsStore")]
      const error = yield* Effect.flip(
        Effect.provide(Tags.list(target), ours("docker", { ...place, path: "/nowhere" }))
      )
      assert.strictEqual(error._tag, "CredentialsInvalid")
    })
  )
})
