import * as FileSystem from "@effect/platform/FileSystem"
import { assert } from "@effect/vitest"
import * as NodeRegistry from "@effect-oci/node/NodeRegistry"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as Repository from "effect-oci/Repository"
import * as Accounts from "../src/Accounts.js"
import * as Skopeo from "../src/client/skopeo.js"
import * as Nginx from "../src/Nginx.js"
import * as Server from "../src/Server.js"
import * as Tool from "../src/Tool.js"
import { repository, temporary } from "./given.js"
import * as Images from "./images.js"
import { as, exchanges, setUp } from "./setup.js"

/** The registry whose copies the mirror hands out. */
class Copies extends Context.Tag("test/Copies")<Copies, string>() {}

const environment = Layer.merge(
  Server.distributionWith(
    Tool.dockerRegistry,
    Effect.map(Accounts.htpasswd, (path) => ({ auth: { htpasswd: { realm: "tests", path } } }))
  ),
  Layer.effect(Copies, Server.Host).pipe(Layer.provide(Server.ggcr.layer))
)

const mirror = Effect.flatMap(Copies, (copies) => Nginx.make(`location / { ${Nginx.to(copies)} }`))

/** The registry of the test, with a mirror. */
const mirrored = ({ host }: Nginx.Nginx) =>
  Layer.unwrapEffect(
    Effect.map(Server.Host, (source) => RegistryHosts.fromRecord({ [source]: { mirrors: [{ location: host }] } }))
  )

/** The same repository among the copies. */
const copiesOf = ({ name }: Repository.Repository) =>
  Effect.flatMap(Copies, (copies) => Repository.parse(`${copies}/${name}`))

const client = Layer.mergeAll(NodeRegistry.layer, as(Accounts.me))

/** How many requests went to the registry itself. */
const toSource = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const source = yield* Server.Host
    return (yield* exchanges(self)).filter(({ url }) => new URL(url).host === source).length
  })

setUp("docker-registry with nginx as its mirror", environment, (it) => {
  it.scoped("pulls go to the mirror, without the registry's password", () =>
    Effect.gen(function* () {
      const [image, source, nginx] = [yield* Images.single(), yield* repository, yield* mirror]
      yield* Images.push(source, "1", image)
      yield* Images.push(yield* copiesOf(source), "1", image)
      const pull = Images.pull(source, "1").pipe(Effect.provide(mirrored(nginx)))
      assert.strictEqual(yield* toSource(pull), 0)
      const log = yield* nginx.log
      assert.strictEqual(log.length, 1 + image.blobs.length)
      for (const line of log) assert.match(line, /^GET \/v2\/\S+ 200 "-"$/)
    }).pipe(Effect.provide(client))
  )

  it.scoped("pushes go to the registry", () =>
    Effect.gen(function* () {
      const [image, source, nginx] = [yield* Images.single(), yield* repository, yield* mirror]
      yield* Effect.provide(Images.push(source, "1", image), mirrored(nginx))
      assert.deepStrictEqual(yield* nginx.log, [])
      assert.deepStrictEqual(yield* Images.pull(source, "1"), image)
    }).pipe(Effect.provide(client))
  )

  it.scoped("what the mirror lacks comes from the registry", () =>
    Effect.gen(function* () {
      const [image, source, nginx] = [yield* Images.single(), yield* repository, yield* mirror]
      yield* Images.push(source, "1", image)
      // this registry takes a manifest without what it names
      yield* Images.push(yield* copiesOf(source), "1", { ...image, blobs: image.blobs.slice(0, 1) })
      const pulled = yield* Images.pull(source, "1").pipe(Effect.provide(mirrored(nginx)))
      assert.deepStrictEqual(pulled, image)
      const statuses = (yield* nginx.log).map((line) => line.split(" ")[2])
      assert.deepStrictEqual(statuses, ["200", "200", "404", "404"])
    }).pipe(Effect.provide(client))
  )

  it.scoped("when the mirror is stopped, all comes from the registry", () =>
    Effect.gen(function* () {
      const [image, source, scope] = [yield* Images.single(), yield* repository, yield* Scope.make()]
      yield* Images.push(source, "1", image)
      yield* Images.push(yield* copiesOf(source), "1", image)
      const nginx = yield* Scope.extend(mirror, scope)
      const pull = yield* Effect.gen(function* () {
        assert.strictEqual(yield* toSource(Images.pull(source, "1")), 0)
        yield* Scope.close(scope, Exit.void)
        return yield* Images.pull(source, "1")
      }).pipe(Effect.provide(mirrored(nginx)))
      assert.deepStrictEqual(pull, image)
    }).pipe(Effect.provide(client))
  )

  it.scoped("one registries.conf leads skopeo and our client to the mirror", () =>
    Effect.gen(function* () {
      const [image, source, nginx] = [yield* Images.single(), yield* repository, yield* mirror]
      const [folder, host, fs] = [yield* temporary, yield* Server.Host, yield* FileSystem.FileSystem]
      yield* Images.push(source, "1", image)
      yield* Images.push(yield* copiesOf(source), "1", image)
      const file = `${folder}/registries.conf`
      const table = (name: string, location: string) => `[[${name}]]\nlocation = "${location}"\ninsecure = true\n`
      yield* fs.writeFileString(file, `${table("registry", host)}${table("registry.mirror", nginx.host)}`)
      yield* Skopeo.run(`--registries-conf=${file}`, "copy", `docker://${source}:1`, `oci:${folder}/image`)
      const theirs = (yield* nginx.log).length
      assert.isAtLeast(theirs, 1 + image.blobs.length)
      const environment = ConfigProvider.fromMap(new Map([["CONTAINERS_REGISTRIES_CONF", file]]))
      const hosts = Layer.provide(RegistryHosts.registriesConf, Layer.setConfigProvider(environment))
      assert.strictEqual(yield* toSource(Effect.provide(Images.pull(source, "1"), hosts)), 0)
      assert.strictEqual((yield* nginx.log).length, theirs + 1 + image.blobs.length)
    }).pipe(Effect.provide(client))
  )
})
