import * as NodeFs from "node:fs"
import { SystemError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Credentials from "effect-oci/Credentials"
import * as Files from "./credentialFiles.js"

const { base64, found, registryOf } = Files

const config = ".docker/config.json"

const me: Credentials.Credential = { _tag: "Basic", username: "me", password: Redacted.make("s3cret") }

const store = (registry: string, credential: Credentials.Credential = me) =>
  Effect.gen(function* () {
    const { store } = yield* Credentials.Credentials
    assert(store !== undefined)
    return Option.getOrUndefined(yield* store(registryOf(registry), credential))
  })

const erase = (registry: string) =>
  Effect.gen(function* () {
    const { erase } = yield* Credentials.Credentials
    assert(erase !== undefined)
    yield* erase(registryOf(registry))
  })

const document = (home: Files.Home, file = config): unknown => JSON.parse(home.read(file))

const names = (home: Files.Home, folder = ".docker") => NodeFs.readdirSync(`${home.folder}/${folder}`)

const mode = (file: string) => NodeFs.statSync(file).mode & 0o777

describe("Credentials that are kept", () => {
  it.scoped("makes the file and its folder, for their owner alone", () =>
    Effect.gen(function* () {
      const home = yield* Files.make()
      yield* Effect.gen(function* () {
        assert.strictEqual(yield* found("registry.test"), "none")
        assert.strictEqual(yield* store("registry.test"), `${home.folder}/${config}`)
        assert.strictEqual(yield* found("registry.test"), "me:s3cret")
      }).pipe(Effect.provide(home.layer(Credentials.dockerConfig)))
      assert.deepStrictEqual(document(home), { auths: { "registry.test": { auth: base64("me:s3cret") } } })
      assert.strictEqual(mode(`${home.folder}/${config}`), 0o600)
      assert.strictEqual(mode(`${home.folder}/.docker`), 0o700)
      assert.deepStrictEqual(names(home), ["config.json"])
    })
  )

  const kept: ReadonlyArray<
    readonly [what: string, credential: Credentials.Credential, entry: unknown, shown: string]
  > = [
    [
      "a user name and password in UTF-8",
      { _tag: "Basic", username: "Jürgen", password: Redacted.make("pä:ss") },
      { auth: base64("Jürgen:pä:ss") },
      "Jürgen:pä:ss"
    ],
    [
      "an identity token",
      { _tag: "IdentityToken", token: Redacted.make("ey.i") },
      { auth: base64("<token>:"), identitytoken: "ey.i" },
      "identity ey.i"
    ],
    ["a bearer token", { _tag: "Token", token: Redacted.make("ey.r") }, { registrytoken: "ey.r" }, "token ey.r"]
  ]
  for (const [what, credential, entry, shown] of kept) {
    it.scoped(`A62 keeps ${what} so that others read it, and reads it back`, () =>
      Effect.gen(function* () {
        const home = yield* Files.make()
        yield* Effect.gen(function* () {
          yield* store("registry.test", credential)
          assert.strictEqual(yield* found("registry.test"), shown)
        }).pipe(Effect.provide(home.layer(Credentials.dockerConfig)))
        assert.deepStrictEqual(document(home), { auths: { "registry.test": entry } })
      })
    )
  }

  it.scoped("keeps what it does not know, and every other entry", () =>
    Effect.gen(function* () {
      const before = {
        HttpHeaders: { "X-Team": "a" },
        auths: {
          "other.test": { auth: base64("you:1"), email: "you@other.test" },
          "registry.test/org": { auth: base64("part:2") },
          "https://registry.test/v2/": { auth: base64("old:3"), email: "me@registry.test" }
        },
        psFormat: "table {{.ID}}",
        nested: { list: [1, { a: null }] }
      }
      const home = yield* Files.make({ [config]: before })
      const layer = home.layer(Credentials.dockerConfig)
      yield* Effect.provide(store("registry.test"), layer)
      const { "https://registry.test/v2/": _, ...rest } = before.auths
      assert.deepStrictEqual(document(home), {
        ...before,
        auths: { ...rest, "registry.test": { auth: base64("me:s3cret"), email: "me@registry.test" } }
      })
      yield* Effect.provide(erase("registry.test"), layer)
      assert.deepStrictEqual(document(home), { ...before, auths: rest })
    })
  )

  it.scoped("S46 keeps keys that every object has", () =>
    Effect.gen(function* () {
      const home = yield* Files.make({
        [config]: '{"__proto__":{"a":1},"auths":{"__proto__":{"b":2},"constructor":{}}}'
      })
      yield* Effect.provide(store("registry.test"), home.layer(Credentials.dockerConfig))
      const text = JSON.stringify(document(home))
      assert.include(text, '"__proto__":{"a":1}')
      assert.include(text, '"auths":{"__proto__":{"b":2},"constructor":{}')
    })
  )

  for (const name of ["docker.io", "registry-1.docker.io", "https://index.docker.io/v1/"]) {
    it.scoped(`A59 keeps Docker Hub, as ${name}, where Docker does, and in one place`, () =>
      Effect.gen(function* () {
        const home = yield* Files.make({
          [config]: { auths: { "index.docker.io": { auth: base64("old:1") }, "docker.io": {} } }
        })
        yield* Effect.gen(function* () {
          yield* store(name)
          assert.deepStrictEqual(document(home), {
            auths: { "https://index.docker.io/v1/": { auth: base64("me:s3cret") } }
          })
          assert.strictEqual(yield* found("index.docker.io"), "me:s3cret")
          yield* erase("docker.io")
          assert.deepStrictEqual(document(home), { auths: {} })
        }).pipe(Effect.provide(home.layer(Credentials.dockerConfig)))
      })
    )
  }

  it.scoped("A59 keeps Docker Hub in Podman's file as Podman does", () =>
    Effect.gen(function* () {
      const home = yield* Files.make({ [config]: { auths: { "docker.io": { auth: base64("docker:1") } } } })
      yield* Effect.gen(function* () {
        assert.strictEqual(yield* store("docker.io"), `${home.folder}/run/containers/auth.json`)
        assert.deepStrictEqual(document(home, "run/containers/auth.json"), {
          auths: { "docker.io": { auth: base64("me:s3cret") } }
        })
        yield* erase("docker.io")
        assert.strictEqual(yield* found("docker.io"), "none")
      }).pipe(Effect.provide(home.layer(Credentials.podmanAuth)))
    })
  )

  it.scoped("follows a link, also to a file that is not there yet", () =>
    Effect.gen(function* () {
      const home = yield* Files.make({ "dots/x": "" })
      NodeFs.mkdirSync(`${home.folder}/.docker`)
      NodeFs.symlinkSync("../dots/docker.json", `${home.folder}/${config}`)
      const layer = home.layer(Credentials.dockerConfig)
      for (const registry of ["a.test", "b.test"]) yield* Effect.provide(store(registry), layer)
      assert.isTrue(NodeFs.lstatSync(`${home.folder}/${config}`).isSymbolicLink())
      assert.isFalse(NodeFs.lstatSync(`${home.folder}/dots/docker.json`).isSymbolicLink())
      assert.deepStrictEqual(names(home, "dots"), ["docker.json", "x"])
      assert.strictEqual(yield* Effect.provide(found("a.test"), layer), "me:s3cret")
    })
  )

  it.scoped("takes back the rights that others had", () =>
    Effect.gen(function* () {
      const home = yield* Files.make({ [config]: {} })
      NodeFs.chmodSync(`${home.folder}/${config}`, 0o644)
      yield* Effect.provide(store("registry.test"), home.layer(Credentials.dockerConfig))
      assert.strictEqual(mode(`${home.folder}/${config}`), 0o600)
    })
  )

  it.scoped("loses nothing when many write at once, in clients of their own", () =>
    Effect.gen(function* () {
      const home = yield* Files.make({ [config]: { auths: { "z.test": { auth: base64("z:1") } } } })
      const hosts = Array.from({ length: 12 }, (_, at) => `r${at}.test`)
      yield* Effect.forEach(
        hosts,
        (host) => Effect.provide(store(host), Layer.fresh(home.layer(Credentials.dockerConfig))),
        { concurrency: "unbounded" }
      )
      const all = yield* Effect.provide(
        Effect.forEach([...hosts, "z.test"], (host) => found(host)),
        home.layer(Credentials.dockerConfig)
      )
      assert.deepStrictEqual(all, [...hosts.map(() => "me:s3cret"), "z:1"])
    })
  )

  it.scoped("does not touch a file that it cannot read, or that has nothing to forget", () =>
    Effect.gen(function* () {
      const home = yield* Files.make({ [config]: '{"auths": s3cret' })
      const layer = home.layer(Credentials.dockerConfig)
      const error = yield* Effect.flip(Effect.provide(store("registry.test"), layer))
      assert.include(error.message, "config.json: it is not JSON")
      assert.strictEqual(home.read(config), '{"auths": s3cret')
      home.write(config, '{"auths":{}  }')
      yield* Effect.provide(erase("registry.test"), Layer.fresh(layer))
      assert.strictEqual(home.read(config), '{"auths":{}  }')
    })
  )

  it.scoped("leaves the file as it was, and nothing beside it, when it cannot be replaced", () =>
    Effect.gen(function* () {
      const home = yield* Files.make({ [config]: { auths: {} } })
      const stuck = Layer.effect(
        FileSystem.FileSystem,
        Effect.map(FileSystem.FileSystem, (fs) => ({
          ...fs,
          rename: () => new SystemError({ reason: "Busy", module: "FileSystem", method: "rename" })
        }))
      )
      const layer = home.layer(Layer.provide(Credentials.dockerConfig, stuck))
      const error = yield* Effect.flip(Effect.provide(store("registry.test"), layer))
      assert.include(error.message, "config.json: it cannot be written (Busy)")
      assert.deepStrictEqual(names(home), ["config.json"])
      assert.deepStrictEqual(document(home), { auths: {} })
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scoped("refuses what a file cannot hold", () =>
    Effect.gen(function* () {
      const home = yield* Files.make()
      const odd: Credentials.Credential = { _tag: "Basic", username: "a:b", password: Redacted.make("s3cret") }
      const error = yield* Effect.flip(
        Effect.provide(store("registry.test", odd), home.layer(Credentials.dockerConfig))
      )
      assert.strictEqual(error.reason, "a user name with a colon or control characters cannot be kept")
    })
  )

  describe("by a helper", () => {
    const helper = `#!/bin/sh
read -r input
case "$1" in
get) cat "$(dirname "$0")/kept" 2> /dev/null || { echo credentials not found in native keychain; exit 1; } ;;
store) echo "$input" > "$(dirname "$0")/kept" ;;
erase) rm "$(dirname "$0")/kept"; echo "$input" >> "$(dirname "$0")/erased" ;;
esac
`
    it.scoped("A58 go there, and what the file had of them goes away", () =>
      Effect.gen(function* () {
        const home = yield* Files.make({
          [config]: { credsStore: "test", auths: { "docker.io": { auth: base64("old:1") } } },
          "bin/docker-credential-test": helper
        })
        yield* Effect.gen(function* () {
          assert.strictEqual(yield* found("docker.io"), "old:1")
          assert.strictEqual(yield* store("docker.io"), "docker-credential-test")
          assert.strictEqual(
            home.read("bin/kept"),
            '{"ServerURL":"https://index.docker.io/v1/","Username":"me","Secret":"s3cret"}\n'
          )
          assert.deepStrictEqual(document(home), { credsStore: "test", auths: {} })
          assert.strictEqual(yield* found("docker.io"), "me:s3cret")
          yield* erase("docker.io")
          assert.strictEqual(yield* found("docker.io"), "none")
          assert.strictEqual(home.read("bin/erased"), "https://index.docker.io/v1/\n")
          yield* erase("docker.io")
        }).pipe(Effect.provide(home.layer(Credentials.dockerConfig)))
      })
    )

    it.scoped("A63 go nowhere when it is not there", () =>
      Effect.gen(function* () {
        const home = yield* Files.make({ [config]: { credsStore: "gone" } })
        const error = yield* Effect.flip(Effect.provide(store("registry.test"), home.layer(Credentials.dockerConfig)))
        assert.include(error.message, "docker-credential-gone is not on the PATH")
        assert.deepStrictEqual(document(home), { credsStore: "gone" })
      })
    )
  })

  it.scoped("of two sources go into the first that keeps any, and are forgotten by both", () =>
    Effect.gen(function* () {
      const home = yield* Files.make({ [config]: { auths: { "a.test": { auth: base64("docker:1") } } } })
      const sources = Credentials.forHost(Credentials.podmanAuth, "b.test").pipe(
        Credentials.orElse(Credentials.dockerConfig)
      )
      yield* Effect.gen(function* () {
        assert.strictEqual(yield* store("b.test"), `${home.folder}/run/containers/auth.json`)
        assert.strictEqual(yield* store("a.test"), `${home.folder}/${config}`)
        home.write(config, { auths: { "a.test": {}, "b.test": { auth: base64("docker:2") } } })
        yield* erase("b.test")
        assert.strictEqual(yield* found("b.test", true), "none")
      }).pipe(Effect.provide(home.layer(sources)))
    })
  )
})
