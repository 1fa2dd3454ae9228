import { inspect } from "node:util"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as Credentials from "effect-oci/Credentials"
import * as Files from "./credentialFiles.js"

const { base64, found } = Files

const auth = (text: string) => ({ auth: base64(text) })

/** A helper that has one credential, or none, for every server that its file `NAME` names. */
const helper = (username: string, secret: string) =>
  `#!/bin/sh\nread -r server\necho '{"ServerURL":"x","Username":"${username}","Secret":"${secret}"}'\n`

const emptyHelper = "#!/bin/sh\nread -r server\necho 'credentials not found in native keychain'\nexit 1\n"

/** What Docker's file gives for each of some names. */
const gives = (config: unknown, expected: Readonly<Record<string, string>>, files = {}, variables = {}) =>
  Effect.gen(function* () {
    const home = yield* Files.make({ ".docker/config.json": config, ...files })
    const all = yield* Effect.forEach(Object.keys(expected), (name) =>
      Effect.map(found(name), (credential) => [name, credential] as const)
    ).pipe(Effect.provide(home.layer(Credentials.dockerConfig, variables)))
    assert.deepStrictEqual(Object.fromEntries(all), expected)
  })

describe("Credentials.dockerConfig", () => {
  describe("precedence", () => {
    const helpers = {
      "bin/docker-credential-own": helper("own", "1"),
      "bin/docker-credential-all": helper("all", "2"),
      "bin/docker-credential-none": emptyHelper
    }
    const auths = { "a.test": auth("file:3"), "b.test": auth("file:4"), "c.test": {} }

    it.scoped("A58 asks a host's helper before the store, and the store before the file", () =>
      gives(
        { auths, credHelpers: { "a.test": "own" }, credsStore: "all" },
        { "a.test": "own:1", "b.test": "all:2", "c.test": "all:2" },
        helpers
      )
    )

    it.scoped("A58 takes what is in the file where no helper is named", () =>
      gives(
        { auths, credHelpers: { "c.test": "own" } },
        { "a.test": "file:3", "c.test": "own:1", "d.test": "none" },
        helpers
      )
    )

    it.scoped("A58 takes what is in the file where the helper has nothing", () =>
      gives({ auths, credsStore: "none" }, { "a.test": "file:3", "c.test": "none" }, helpers)
    )

    it.scoped("A58 asks no helper for a host whose helper has an empty name", () =>
      gives(
        { auths, credHelpers: { "a.test": "" }, credsStore: "all" },
        { "a.test": "file:3", "b.test": "all:2" },
        helpers
      )
    )
  })

  describe("hosts", () => {
    const hub = [
      "docker.io",
      "index.docker.io",
      "registry-1.docker.io",
      "registry.hub.docker.com",
      "docker.io/library/mongo"
    ]
    for (const key of [
      "https://index.docker.io/v1/",
      "index.docker.io",
      "docker.io",
      "registry-1.docker.io",
      "index.docker.io/v1/"
    ]) {
      it.scoped(`A59 knows Docker Hub by ${key}`, () =>
        gives({ auths: { [key]: auth("me:1") } }, Object.fromEntries(hub.map((name) => [name, "me:1"])))
      )
    }

    it.scoped("A59 prefers the name that Docker itself writes", () =>
      gives(
        { auths: { "docker.io": auth("old:1"), "https://index.docker.io/v1/": auth("me:2"), "index.docker.io": {} } },
        { "docker.io": "me:2" }
      )
    )

    const keys = [
      "registry.test",
      "https://registry.test",
      "registry.test/",
      "https://registry.test/v2/",
      "http://registry.test",
      "registry.test:443",
      "REGISTRY.test"
    ]
    for (const key of keys) {
      it.scoped(`A59 knows a registry by ${key}`, () =>
        gives(
          { auths: { [key]: auth("me:1") } },
          {
            "registry.test": "me:1",
            "https://registry.test/org/app": "me:1",
            "registry.test:5000": "none",
            "a.registry.test": "none"
          }
        )
      )
    }

    it.scoped("A59 does not take the port of https for that of http", () =>
      gives(
        { auths: { "registry.test:443": auth("me:1") } },
        { "http://registry.test": "none", "registry.test": "me:1" }
      )
    )
  })

  describe("parts of a registry", () => {
    it.scoped("A60 takes the most specific key", () =>
      gives(
        {
          auths: {
            "quay.io": auth("a:1"),
            "quay.io/org": auth("b:2"),
            "quay.io/org/repo": auth("c:3"),
            "docker.io/library": auth("d:4")
          }
        },
        {
          "quay.io": "a:1",
          "quay.io/other/repo": "a:1",
          "quay.io/org/repo": "c:3",
          "quay.io/org/repo/below": "c:3",
          "quay.io/org/repository": "b:2",
          "quay.io/organisation/repo": "a:1",
          "docker.io/library/mongo": "d:4",
          "docker.io/org/app": "none"
        }
      )
    )

    const part = FastCheck.constantFrom("a", "b", "ab")
    const path = FastCheck.array(part, { maxLength: 4 })
    it.effect.prop(
      "A60 always finds the longest key that is the name or ends before one of its slashes",
      {
        keys: FastCheck.uniqueArray(path, { selector: (key) => key.join("/"), maxLength: 6 }),
        name: FastCheck.array(part, { minLength: 1, maxLength: 4 })
      },
      ({ keys, name }) => {
        const entries = keys.map((key) => ["quay.io", ...key].join("/"))
        const record = Object.fromEntries(entries.map((key) => [key, { username: key, password: "x" }]))
        const whole = `quay.io/${name.join("/")}`
        const best = entries.filter((key) => `${whole}/`.startsWith(`${key}/`)).sort((a, b) => b.length - a.length)[0]
        return Effect.map(Effect.provide(found(whole), Credentials.fromRecord(record)), (credential) =>
          assert.strictEqual(credential, best === undefined ? "none" : `${best}:x`)
        )
      }
    )
  })

  describe("entries", () => {
    const read: ReadonlyArray<readonly [what: string, entry: unknown, credential: string]> = [
      ["cuts at the first colon", auth("user:pa:ss"), "user:pa:ss"],
      ["drops NULs and a line's end behind the password", auth("user:pass\0\0\r\n"), "user:pass"],
      ["needs no padding", { auth: base64("me:1").replace(/=+$/, "") }, "me:1"],
      [
        "takes lines of base64",
        { auth: `${base64("user:password").slice(0, 8)}\n${base64("user:password").slice(8)}\n` },
        "user:password"
      ],
      ["takes an empty user", auth(":pass"), ":pass"],
      ["takes an empty password", auth("user:"), "user:"],
      ["A65 reads UTF-8", auth("Jürgen:pässwörd"), "Jürgen:pässwörd"],
      ["takes user name and password as they are", { username: "me", password: "1" }, "me:1"],
      ["prefers auth to a user name and a password", { ...auth("you:2"), username: "me", password: "1" }, "you:2"],
      [
        "A62 takes an identity token",
        { ...auth("00000000-0000-0000-0000-000000000000:"), identitytoken: "ey.i" },
        "identity ey.i"
      ],
      ["A62 takes a registry token", { ...auth("me:1"), identitytoken: "ey.i", registrytoken: "ey.r" }, "token ey.r"],
      ["takes nothing from an empty one", {}, "none"],
      ["takes nothing from a lone colon", auth(":"), "none"]
    ]
    for (const [what, entry, credential] of read) {
      it.scoped(`A61 ${what}`, () => gives({ auths: { "registry.test": entry } }, { "registry.test": credential }))
    }

    const broken: ReadonlyArray<readonly [what: string, entry: unknown]> = [
      ["no base64", { auth: "s3cret!" }],
      ["no colon", auth("s3cret")],
      ["no UTF-8", { auth: Buffer.from([0xff, 0xfe, 0x3a, 0x41]).toString("base64") }],
      ["null", null],
      ["a text", "s3cret"]
    ]
    for (const [what, entry] of broken) {
      it.scoped(`A61 passes over an entry with ${what}, and says so`, () => {
        const lines: Array<string> = []
        const logger = Logger.replace(
          Logger.defaultLogger,
          Logger.make(({ message }) => void lines.push(inspect(message)))
        )
        return gives(
          { auths: { "registry.test": entry, "b.test": auth("me:1") } },
          { "registry.test": "none", "b.test": "me:1" }
        ).pipe(
          Effect.provide(logger),
          Effect.tap(() => {
            assert.strictEqual(lines.length, 1)
            assert.include(lines[0], "config.json: the entries for registry.test cannot be read")
            assert.notInclude(lines[0], "s3cret")
          })
        )
      })
    }

    it.scoped("S46 finds nothing under keys that every object has", () =>
      gives(
        '{"auths":{"__proto__":{"registry.test":{"username":"a","password":"b"}},"constructor":{}},"credHelpers":{"__proto__":"x","toString":"y"},"__proto__":{"credsStore":"evil"}}',
        { "registry.test": "none", "constructor.test": "none", CONSTRUCTOR: "none" }
      )
    )
  })

  describe("files", () => {
    for (const [what, content] of [
      ["nothing", ""],
      ["white space", " \n\t"],
      ["a byte order mark alone", "\uFEFF"],
      ["an object without auths", "{}"],
      ["null in places", '{"auths":null,"credHelpers":null}']
    ]) {
      it.scoped(`A64 has no credentials in a file with ${what}`, () => gives(content, { "registry.test": "none" }))
    }

    it.scoped("A64 has no credentials without a file, or a home", () =>
      Effect.gen(function* () {
        const home = yield* Files.make()
        const lookup = found("registry.test")
        assert.strictEqual(yield* Effect.provide(lookup, home.layer(Credentials.dockerConfig)), "none")
        assert.strictEqual(yield* Effect.provide(lookup, home.layer(Credentials.dockerConfig, { HOME: "" })), "none")
      })
    )

    it.scoped("A64 reads a file that begins with a byte order mark", () =>
      gives(`\uFEFF${JSON.stringify({ auths: { "registry.test": auth("me:1") } })}`, { "registry.test": "me:1" })
    )

    const wrong: ReadonlyArray<readonly [what: string, content: string, reason: string]> = [
      ["no JSON", '{"auths": s3cret', "it is not JSON"],
      ["a list", '["s3cret"]', "it holds no JSON object"],
      ["auths that are a text", '{"auths":"s3cret"}', 'its "auths" is no object'],
      ["a helper that is a number", '{"credHelpers":{"registry.test":1}}', 'its "credHelpers" are not all names']
    ]
    for (const [what, content, reason] of wrong) {
      it.scoped(`A64 fails a lookup, with the file's name, when it has ${what}`, () =>
        Effect.gen(function* () {
          const home = yield* Files.make({ ".docker/config.json": content })
          const error = yield* Effect.flip(Effect.provide(found("registry.test"), home.layer(Credentials.dockerConfig)))
          assert.strictEqual(error._tag, "CredentialsInvalid")
          assert.strictEqual(error.reason, `${home.folder}/.docker/config.json: ${reason}`)
          assert.notInclude(inspect(error, { depth: 10 }), "s3cret")
        })
      )
    }

    it.scoped("A64 fails a lookup when the file is a folder", () =>
      Effect.gen(function* () {
        const home = yield* Files.make({ ".docker/config.json/x": "" })
        const error = yield* Effect.flip(Effect.provide(found("registry.test"), home.layer(Credentials.dockerConfig)))
        assert.include(error.message, ".docker/config.json: it is a folder")
      })
    )

    it.scoped("A64 fails a lookup when the file may not be read", () =>
      Effect.gen(function* () {
        const home = yield* Files.make({ ".docker/config.json": "{}" })
        const denied = Layer.effect(
          FileSystem.FileSystem,
          Effect.map(FileSystem.FileSystem, (fs) => ({
            ...fs,
            readFileString: () => fs.readFileString("/proc/self/mem")
          }))
        )
        const source = Credentials.dockerConfig.pipe(Layer.provide(denied))
        const error = yield* Effect.flip(Effect.provide(found("registry.test"), home.layer(source)))
        assert.include(error.message, ".docker/config.json: it cannot be read (")
      }).pipe(Effect.provide(NodeContext.layer))
    )

    it.scoped("A64 reads the file in DOCKER_CONFIG, and not the one at home", () =>
      gives(
        { auths: { "a.test": auth("home:1") } },
        { "a.test": "none", "b.test": "there:2" },
        { "there/config.json": { auths: { "b.test": auth("there:2") } } },
        { DOCKER_CONFIG: "~/there" }
      )
    )

    it.scoped("A64 prefers what is in DOCKER_AUTH_CONFIG", () =>
      gives(
        { auths: { "a.test": auth("file:1"), "b.test": auth("file:2") } },
        { "a.test": "inline:3", "b.test": "file:2" },
        {},
        { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { "a.test": auth("inline:3") } }) }
      )
    )

    it.scoped("A64 says when DOCKER_AUTH_CONFIG is not JSON", () =>
      Effect.gen(function* () {
        const home = yield* Files.make()
        const layer = home.layer(Credentials.dockerConfig, { DOCKER_AUTH_CONFIG: "s3cret" })
        const error = yield* Effect.flip(Effect.provide(found("registry.test"), layer))
        assert.strictEqual(error.reason, "DOCKER_AUTH_CONFIG: it is not JSON")
      })
    )
  })

  describe("again and again", () => {
    const one = { auths: { "registry.test": auth("me:1") } }
    const two = { auths: { "registry.test": auth("me:2") } }

    it.scoped("A16 reads the file again after a minute, or at once when asked to", () =>
      Effect.gen(function* () {
        const home = yield* Files.make({ ".docker/config.json": one })
        yield* Effect.gen(function* () {
          assert.strictEqual(yield* found("registry.test"), "me:1")
          home.write(".docker/config.json", two)
          yield* TestClock.adjust("59 seconds")
          assert.strictEqual(yield* found("registry.test"), "me:1")
          yield* TestClock.adjust("1 seconds")
          assert.strictEqual(yield* found("registry.test"), "me:2")
          home.write(".docker/config.json", one)
          assert.strictEqual(yield* found("registry.test"), "me:2")
          assert.strictEqual(yield* found("registry.test", true), "me:1")
          assert.strictEqual(yield* found("registry.test"), "me:1")
        }).pipe(Effect.provide(home.layer(Credentials.dockerConfig)))
      })
    )

    it.scoped("a file that was put right is read at once", () =>
      Effect.gen(function* () {
        const home = yield* Files.make({ ".docker/config.json": "{" })
        yield* Effect.gen(function* () {
          yield* Effect.flip(found("registry.test"))
          home.write(".docker/config.json", one)
          assert.strictEqual(yield* found("registry.test"), "me:1")
        }).pipe(Effect.provide(home.layer(Credentials.dockerConfig)))
      })
    )

    it.scoped("a helper is asked once for many, and again after five minutes", () =>
      Effect.gen(function* () {
        const home = yield* Files.make({
          ".docker/config.json": { credsStore: "counting" },
          "bin/docker-credential-counting": `#!/bin/sh\nread -r server\necho "$server" >> "$(dirname "$0")/asked"\necho '{"ServerURL":"x","Username":"me","Secret":"1"}'\n`
        })
        const asked = () => home.read("bin/asked").trim().split("\n").length
        const many = Effect.forEach(Array.from({ length: 20 }), () => found("registry.test"), {
          concurrency: "unbounded"
        })
        yield* Effect.gen(function* () {
          yield* many
          assert.strictEqual(asked(), 1)
          yield* TestClock.adjust("5 minutes")
          yield* many
          assert.strictEqual(asked(), 2)
          yield* found("registry.test", true)
          assert.strictEqual(asked(), 3)
          yield* found("other.test")
          assert.strictEqual(home.read("bin/asked"), "registry.test\nregistry.test\nregistry.test\nother.test\n")
        }).pipe(Effect.provide(home.layer(Credentials.dockerConfig)))
      })
    )
  })
})

describe("Credentials.podmanAuth", () => {
  const file = (name: string) => ({ auths: { [`${name}.test`]: auth(`${name}:1`), "all.test": auth(`${name}:2`) } })
  const home = Files.make({
    "run/containers/auth.json": file("run"),
    ".config/containers/auth.json": file("config"),
    "xdg/containers/auth.json": file("xdg"),
    ".docker/config.json": file("docker"),
    "own.json": file("own")
  })
  const names = ["run.test", "config.test", "xdg.test", "docker.test", "own.test", "all.test"]
  const table: ReadonlyArray<readonly [what: string, variables: Readonly<Record<string, string>>, expected: string]> = [
    ["its three places in their order", {}, "run:1 config:1 none docker:1 none run:2"],
    ["XDG_CONFIG_HOME", { XDG_CONFIG_HOME: "~/xdg" }, "run:1 none xdg:1 docker:1 none run:2"],
    ["REGISTRY_AUTH_FILE alone", { REGISTRY_AUTH_FILE: "~/own.json" }, "none none none none own:1 own:2"]
  ]
  for (const [what, variables, expected] of table) {
    it.scoped(`A64 reads ${what}`, () =>
      Effect.gen(function* () {
        const { layer } = yield* home
        const all = yield* Effect.provide(
          Effect.forEach(names, (name) => found(name)),
          layer(Credentials.podmanAuth, variables)
        )
        assert.strictEqual(all.join(" "), expected)
      })
    )
  }

  it.effect("A64 looks on Linux for the folder of our own user when no variable names it", () => {
    const looked: Array<string> = []
    const fs = FileSystem.layerNoop({
      stat: (file) => {
        looked.push(file)
        return file === "/proc/self" ? Effect.succeed({ ...Files.info, uid: Option.some(1234) }) : Files.notFound
      }
    })
    return Effect.gen(function* () {
      assert.strictEqual(yield* found("registry.test"), "none")
      assert.deepStrictEqual(looked, [
        "/proc/self",
        "/run/containers/1234/auth.json",
        "/home/me/.config/containers/auth.json",
        "/home/me/.docker/config.json"
      ])
    }).pipe(
      Effect.provide(
        Credentials.podmanAuth.pipe(
          Layer.provide(fs),
          Layer.provide(NodeContext.layer),
          Layer.provide(Files.environment({ USERPROFILE: "/home/me" }))
        )
      )
    )
  })

  it.scoped("A58 asks the helpers that it names", () =>
    Effect.gen(function* () {
      const { layer } = yield* Files.make({
        "run/containers/auth.json": {
          credHelpers: { "registry.test": "own" },
          auths: { "registry.test": auth("file:1") }
        },
        "bin/docker-credential-own": helper("own", "2")
      })
      assert.strictEqual(yield* Effect.provide(found("registry.test"), layer(Credentials.podmanAuth)), "own:2")
    })
  )
})

describe("Credentials.defaultKeychain", () => {
  const file = (name: string) => ({ auths: { [`${name}.test`]: auth(`${name}:1`), "all.test": auth(`${name}:2`) } })
  const files = {
    ".docker/config.json": file("docker"),
    "run/containers/auth.json": file("run"),
    ".config/containers/auth.json": file("config"),
    "own.json": file("own")
  }
  const table: ReadonlyArray<readonly [what: string, variables: Readonly<Record<string, string>>, expected: string]> = [
    ["Docker's file first, then Podman's", {}, "none docker:1 run:1 config:1 none docker:2"],
    [
      "DOCKER_AUTH_CONFIG before all",
      { DOCKER_AUTH_CONFIG: JSON.stringify(file("variable")) },
      "variable:1 docker:1 run:1 config:1 none variable:2"
    ],
    [
      "REGISTRY_AUTH_FILE in place of Podman's",
      { REGISTRY_AUTH_FILE: "~/own.json" },
      "none docker:1 none none own:1 docker:2"
    ]
  ]
  for (const [what, variables, expected] of table) {
    it.scoped(`reads ${what}`, () =>
      Effect.gen(function* () {
        const home = yield* Files.make(files)
        const names = ["variable.test", "docker.test", "run.test", "config.test", "own.test", "all.test"]
        const all = yield* Effect.provide(
          Effect.forEach(names, (name) => found(name)),
          home.layer(Credentials.defaultKeychain, variables)
        )
        assert.strictEqual(all.join(" "), expected)
      })
    )
  }

  it.scoped("asks a helper that has nothing once, and then Podman's files", () =>
    Effect.gen(function* () {
      const home = yield* Files.make({
        ...files,
        ".docker/config.json": { credsStore: "counting" },
        "bin/docker-credential-counting": emptyHelper.replace("echo", `echo "$server" >> "$(dirname "$0")/asked"\necho`)
      })
      const lookups = Effect.all([found("run.test"), found("nobody.test")])
      const layer = home.layer(Credentials.defaultKeychain)
      assert.deepStrictEqual(yield* Effect.provide(lookups, layer), ["run:1", "none"])
      assert.strictEqual(home.read("bin/asked"), "run.test\nnobody.test\n")
    })
  )
})

describe("Credentials.regctl", () => {
  const config = {
    hosts: {
      "docker.io": { hostname: "registry-1.docker.io", user: "me", pass: "1", credHost: "https://index.docker.io/v1/" },
      "token.test": { token: "ey.i" },
      "helped.test": { credHelper: "docker-credential-own" },
      "odd.test": { credHelper: "sh" },
      "plain.test": { tls: "disabled" },
      "null.test": null
    }
  }
  it.scoped("reads users, tokens and helpers by host", () =>
    Effect.gen(function* () {
      const { layer } = yield* Files.make({
        ".regctl/config.json": config,
        "bin/docker-credential-own": helper("own", "2")
      })
      const names = ["docker.io", "docker.io/org/app", "token.test", "helped.test", "plain.test", "null.test"]
      const all = Effect.forEach(names, (name) => found(name))
      assert.deepStrictEqual(yield* Effect.provide(all, layer(Credentials.regctl)), [
        "me:1",
        "me:1",
        "identity ey.i",
        "own:2",
        "none",
        "none"
      ])
    })
  )

  it.scoped("S39 runs nothing but credential helpers", () =>
    Effect.gen(function* () {
      const { layer } = yield* Files.make({ ".regctl/config.json": config, "bin/sh": helper("evil", "2") })
      const error = yield* Effect.flip(Effect.provide(found("odd.test"), layer(Credentials.regctl)))
      assert.strictEqual(error.reason, '"sh" is no credential helper')
    })
  )

  it.scoped("reads the file of REGCTL_CONFIG, and writes none", () =>
    Effect.gen(function* () {
      const { layer } = yield* Files.make({ "own.json": { hosts: { "a.test": { user: "me", pass: "1" } } } })
      yield* Effect.gen(function* () {
        assert.strictEqual(yield* found("a.test"), "me:1")
        const { erase, store } = yield* Credentials.Credentials
        assert.isUndefined(store)
        assert.isUndefined(erase)
      }).pipe(Effect.provide(layer(Credentials.regctl, { REGCTL_CONFIG: "~/own.json" })))
    })
  )
})
