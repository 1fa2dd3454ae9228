import { SystemError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Reference from "effect-oci/Reference"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as RegistryName from "effect-oci/RegistryName"
import * as Repository from "effect-oci/Repository"

type Files = Readonly<Record<string, string>>

const missing = (pathOrDescriptor: string) =>
  Effect.fail(new SystemError({ module: "FileSystem", method: "read", reason: "NotFound", pathOrDescriptor }))

/** A disk with these files. */
const disk = (files: Files) =>
  Layer.merge(
    Path.layer,
    FileSystem.layerNoop({
      readFile: (path) => {
        const text = files[path]
        return text === undefined ? missing(path) : Effect.succeed(new TextEncoder().encode(text))
      },
      readDirectory: (path) => {
        const names = new Set(
          Object.keys(files).flatMap((file) =>
            file.startsWith(`${path}/`) ? [file.slice(path.length + 1).split("/")[0] ?? ""] : []
          )
        )
        return names.size === 0 ? missing(path) : Effect.succeed([...names])
      }
    })
  )

const environment = (variables: Readonly<Record<string, string>>) =>
  Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))

const system = "/etc/containers/registries.conf"
const user = "/home/me/.config/containers/registries.conf"

const conf = (files: Files, variables: Readonly<Record<string, string>> = { HOME: "/home/me" }) =>
  RegistryHosts.registriesConf.pipe(Layer.provide([disk(files), environment(variables)]))

/** Where a repository is, and its mirrors, as a reader would say it. */
const shown = (text: string) =>
  Effect.gen(function* () {
    const repository = yield* Repository.parse(text)
    const host = yield* RegistryHosts.of(repository.registry, repository)
    const at = ({ baseUrl, insecure, namespace, rename }: RegistryHosts.Host) =>
      `${baseUrl} ${(rename ?? String)(repository.name)}${insecure ? " insecure" : ""}${namespace ? " ns" : ""}`
    return [...host.mirrors.map((mirror) => `${mirror.pull} ${at(mirror.host)}`), host.blocked ? "blocked" : at(host)]
  })

const refused = (layer: Layer.Layer<RegistryHosts.RegistryHosts, unknown>) =>
  Effect.map(Effect.flip(Effect.provide(shown("a.test/b"), layer)), (error) =>
    error instanceof RegistryHosts.HostsInvalid ? error.message : error
  )

describe("RegistryHosts.registriesConf", () => {
  const hosts = conf({
    [system]: `
unqualified-search-registries = ["registry.test", "docker.io"]

[aliases]
"alpine" = "quay.io/team/alpine"

[[registry]]
prefix = "example.com/foo"
location = "internal.test:5000/bar/foo"
insecure = true

[[registry]]
location = "example.com"

[[registry]]
prefix = "*.example.com"
blocked = true

[[registry]]
prefix = "good.example.com"
location = "good.example.com"

[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "mirror.test/hub"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "plain.test:5000"
insecure = true
pull-from-mirror = "tag-only"
[[registry.mirror]]
location = "all.test"

[[registry]]
location = "quay.io"
mirror-by-digest-only = true
[[registry.mirror]]
location = "mirror.test/quay"
`
  })

  const table: ReadonlyArray<readonly [repository: string, shown: ReadonlyArray<string>]> = [
    ["other.test/x", ["https://other.test x"]],
    ["example.com/foo/x", ["https://internal.test:5000 bar/foo/x insecure"]],
    ["example.com/foo", ["https://internal.test:5000 bar/foo insecure"]],
    ["example.com/food", ["https://example.com food"]],
    ["example.com/x", ["https://example.com x"]],
    ["bad.example.com/x", ["blocked"]],
    ["very.bad.example.com/x", ["blocked"]],
    ["badexample.com/x", ["https://badexample.com x"]],
    ["good.example.com/x", ["https://good.example.com x"]],
    [
      "alpine",
      [
        "digest-only https://mirror.test hub/library/alpine",
        "tag-only https://plain.test:5000 library/alpine insecure",
        "all https://all.test library/alpine",
        "https://registry-1.docker.io library/alpine"
      ]
    ],
    ["quay.io/x", ["digest-only https://mirror.test quay/x", "https://quay.io x"]]
  ]
  for (const [repository, expected] of table) {
    it.effect(`T18 puts ${repository} at ${expected.join(", then ")}`, () =>
      Effect.map(Effect.provide(shown(repository), hosts), (found) => assert.deepStrictEqual(found, expected))
    )
  }

  it.effect("S57 says of a host by its name alone whether its certificate counts", () =>
    Effect.gen(function* () {
      const insecure = (name: string) =>
        Effect.map(RegistryHosts.of(Either.getOrThrow(RegistryName.parse(name))), ({ insecure }) => insecure)
      assert.isTrue(yield* insecure("internal.test:5000"))
      assert.isTrue(yield* insecure("plain.test:5000"))
      assert.isFalse(yield* insecure("plain.test"))
      assert.isFalse(yield* insecure("example.com"))
    }).pipe(Effect.provide(hosts))
  )

  it.effect("tells what a short name may mean, and guesses nothing", () =>
    Effect.gen(function* () {
      const of = (text: string) =>
        Effect.map(RegistryHosts.candidates(text), (all) => all.map((reference) => Reference.format(reference)))
      assert.deepStrictEqual(yield* of("alpine:3"), ["quay.io/team/alpine:3"])
      assert.deepStrictEqual(yield* of("busybox:1"), ["registry.test/busybox:1", "docker.io/library/busybox:1"])
      assert.deepStrictEqual(yield* of("other.test/alpine:3"), ["other.test/alpine:3"])
      const error = yield* Effect.flip(Effect.provide(of("busybox"), RegistryHosts.layer({})))
      assert.include(error.message, "no registries are searched")
    }).pipe(Effect.provide(hosts))
  )

  const registry = (location: string) => `[[registry]]\nprefix = "a.test"\nlocation = "${location}"\n`
  const places: ReadonlyArray<
    readonly [what: string, files: Files, variables: Readonly<Record<string, string>>, host: string]
  > = [
    ["nothing where there are no files", {}, { HOME: "/home/me" }, "a.test"],
    ["the system's file", { [system]: registry("system.test") }, {}, "system.test"],
    [
      "the user's file before it",
      { [system]: registry("system.test"), [user]: registry("user.test") },
      { HOME: "/home/me" },
      "user.test"
    ],
    [
      "the file that the environment names before both",
      { [system]: registry("system.test"), [user]: registry("user.test"), "/x.conf": registry("x.test") },
      { HOME: "/home/me", CONTAINERS_REGISTRIES_CONF: "/x.conf" },
      "x.test"
    ],
    [
      "drop-ins in the order of their names, the user's last",
      {
        [system]: registry("system.test"),
        [`${system}.d/20.conf`]: registry("twenty.test"),
        [`${system}.d/10.conf`]: registry("ten.test"),
        [`${system}.d/30.txt`]: registry("thirty.test")
      },
      { HOME: "/home/me" },
      "twenty.test"
    ],
    [
      "the user's drop-ins after the system's",
      { [`${system}.d/20.conf`]: registry("twenty.test"), [`${user}.d/10.conf`]: registry("ten.test") },
      { HOME: "/home/me" },
      "ten.test"
    ],
    [
      "no drop-ins of the system beside a file of the user",
      { [user]: registry("user.test"), [`${system}.d/20.conf`]: registry("twenty.test") },
      { HOME: "/home/me" },
      "user.test"
    ]
  ]
  for (const [what, files, variables, host] of places) {
    it.effect(`reads ${what}`, () =>
      Effect.map(Effect.provide(shown("a.test/b"), conf(files, variables)), (found) =>
        assert.deepStrictEqual(found, [`https://${host} b`])
      )
    )
  }

  const faults: ReadonlyArray<readonly [text: string, message: string]> = [
    ["x = 1\ny = = 2\n", `${system}:2: `],
    ["[registries.search]\nregistries = []\n", `${system}:1: version 1`],
    ["[[registry]]\nblocked = true\n", `${system}:1: a registry has neither prefix nor location`],
    ['\n[[registry]]\nlocation = "no host"\n', `${system}:3: “no host” names no host`],
    ['[[registry]]\nlocation = "a.test"\ninsecure = "yes"\n', `${system}: `],
    [
      '[[registry]]\nlocation = "a.test"\npull-from-mirror = "all"\n',
      `${system}:3: pull-from-mirror belongs to a mirror`
    ],
    [
      '[[registry]]\nlocation = "a.test"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "m.test"\npull-from-mirror = "all"\n',
      `${system}:6: pull-from-mirror and mirror-by-digest-only`
    ],
    [
      '[[registry]]\nlocation = "a.test"\n[[registry]]\nlocation = "a.test"\nblocked = true\n',
      `${system}:2: “a.test” is there twice`
    ],
    ['[[registry]]\nlocation = "a.test"\n[[registry.mirror]]\nlocation = "https://m.test/A"\n', `${system}:`]
  ]
  for (const [text, message] of faults) {
    it.effect(`refuses a file with ${JSON.stringify(text.slice(0, 60))}, and says where`, () =>
      Effect.map(refused(conf({ [system]: text })), (said) => {
        assert.isString(said)
        assert.include(said, message)
      })
    )
  }

  it.effect("refuses a file that the environment names and nobody wrote", () =>
    Effect.map(refused(conf({}, { CONTAINERS_REGISTRIES_CONF: "/x.conf" })), (said) =>
      assert.strictEqual(said, "/x.conf: there is no such file")
    )
  )
})

describe("RegistryHosts.hostsToml", () => {
  const certs = "/etc/containerd/certs.d"
  const toml = (files: Files) => RegistryHosts.hostsToml().pipe(Layer.provide(disk(files)))
  const hosts = toml({
    [`${certs}/docker.io/hosts.toml`]: `
server = "https://registry-1.docker.io"

[host."https://z.test"]
  capabilities = ["pull"]
[host."http://a.test:5000"]
  capabilities = ["pull", "resolve"]
  skip_verify = true
[host."https://harbor.test/v2/hub"]
  capabilities = ["pull", "resolve"]
  override_path = true
[host."https://jfrog.test/artifactory/api/docker/hub"]
[host."https://push.test"]
  capabilities = ["push"]
`,
    [`${certs}/registry.test_5000_/hosts.toml`]: `
server = "http://registry.test:5000"
ca = "ca.pem"
client = [["client.cert", "/keys/client.key"], "both.pem"]
`,
    [`${certs}/own.test/hosts.toml`]: `
[host."https://own.test"]
  skip_verify = true
`,
    [`${certs}/_default/hosts.toml`]: `server = "https://proxy.test"\n`,
    [`${certs}/README`]: "no folder"
  })

  const table: ReadonlyArray<readonly [repository: string, shown: ReadonlyArray<string>]> = [
    [
      "alpine",
      [
        "digest-only https://z.test library/alpine ns",
        "all http://a.test:5000 library/alpine insecure ns",
        "all https://harbor.test hub/library/alpine ns",
        "all https://jfrog.test/artifactory/api/docker/hub library/alpine ns",
        "https://registry-1.docker.io library/alpine"
      ]
    ],
    ["registry.test:5000/x", ["http://registry.test:5000 x"]],
    ["own.test/x", ["https://own.test x insecure"]],
    ["other.test/x", ["https://proxy.test x ns"]]
  ]
  for (const [repository, expected] of table) {
    it.effect(`T18 puts ${repository} at ${expected.join(", then ")}`, () =>
      Effect.map(Effect.provide(shown(repository), hosts), (found) => assert.deepStrictEqual(found, expected))
    )
  }

  it.effect("S57 hands out the files of a host's certificates", () =>
    Effect.map(RegistryHosts.of(Either.getOrThrow(RegistryName.parse("registry.test:5000"))), ({ tls }) =>
      assert.deepStrictEqual(tls, {
        ca: [`${certs}/registry.test_5000_/ca.pem`],
        client: [
          { cert: `${certs}/registry.test_5000_/client.cert`, key: "/keys/client.key" },
          { cert: `${certs}/registry.test_5000_/both.pem` }
        ]
      })
    ).pipe(Effect.provide(hosts))
  )

  it.effect("says nothing where there is no folder", () =>
    Effect.map(Effect.provide(shown("a.test/b"), toml({})), (found) =>
      assert.deepStrictEqual(found, ["https://a.test b"])
    )
  )

  const faults: ReadonlyArray<readonly [text: string, message: string]> = [
    ["server = ", "hosts.toml:1: "],
    ['server = "https://"\n', "hosts.toml:1: "],
    ['[host."https://m.test/x"]\noverride_path = true\n', "hosts.toml:1: override_path"],
    ['[host."https://m.test"]\n[host."https://m.test".header]\nx = "y"\n', "hosts.toml:2: headers"],
    ['[host."https://m.test"]\ncapabilities = ["fly"]\n', "hosts.toml: "]
  ]
  for (const [text, message] of faults) {
    it.effect(`refuses a file with ${JSON.stringify(text)}, and says where`, () =>
      Effect.map(refused(toml({ [`${certs}/a.test/hosts.toml`]: text })), (said) => {
        assert.isString(said)
        assert.include(said, message)
      })
    )
  }
})
