import { FileSystem, Path } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { RegistryServer, Script } from "@effect-oci/registry"
import { Config, ConfigProvider, Effect, Either, Layer, Stream } from "effect"
import { Blobs, Descriptor, Manifests, Reference, RegistryClient, RegistryHosts, Tags } from "effect-oci"

const { digest } = Descriptor.empty // of `{}`
const { repository } = Either.getOrThrow(Reference.parse("registry.test/org/app"))

describe("hosts", () => {
  // #region record
  const hosts = RegistryHosts.fromRecord({
    "registry.test": { mirrors: [{ location: "mirror.test:5000/copies", pull: "digest-only" }] },
    "mirror.test:5000": { scheme: "http", concurrency: 4 },
    "jfrog.test": { prefix: "/artifactory/api/docker/local" },
    "registry.test/secret": { blocked: true },
    "*": { requestsPerSecond: 20 }
  })
  // #endregion

  // #region mirror
  const conversation = Script.layerTest(
    Script.on("http://mirror.test:5000").expect("GET", `/v2/copies/org/app/blobs/${digest}`).answer(404),
    Script.expect("GET", `/v2/org/app/blobs/${digest}`).answer(200, { body: "{}" })
  )

  it.effect("asks the source for what the mirror does not have", () =>
    Effect.map(Blobs.get(repository, digest), ({ length }) => assert.strictEqual(length, 2)).pipe(
      Effect.provide(hosts),
      Effect.provide(conversation)
    )
  )
  // #endregion

  it.effect("are read from the configuration", () =>
    Effect.map(RegistryHosts.of(repository.registry), ({ baseUrl }) =>
      assert.strictEqual(baseUrl, "https://registry.test/proxied")
    ).pipe(
      Effect.provide(fromConfig),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["REGISTRY_PREFIX", "proxied"]])))
    )
  )

  // #region config
  const fromConfig = RegistryHosts.layerConfig({
    "registry.test": { prefix: Config.string("REGISTRY_PREFIX") }
  })
  // #endregion

  // #region files
  const machine = RegistryHosts.registriesConf // or RegistryHosts.hostsToml()
  // #endregion

  it.effect("are those of the machine", () =>
    Effect.map(RegistryHosts.of(repository.registry), ({ baseUrl }) =>
      assert.strictEqual(baseUrl, "https://registry.test")
    ).pipe(
      Effect.provide(machine),
      Effect.provide(Layer.merge(Path.layer, FileSystem.layerNoop({}))),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map()))
    )
  )

  it.effect("have slots for copies", () =>
    Effect.gen(function* () {
      const source = yield* Reference.parse("a.test/org/app:1")
      const target = yield* Reference.parse("b.test/org/app:1")
      // #region together
      const copy = Effect.flatMap(Manifests.get(source), (manifest) => Manifests.put(target, manifest)).pipe(
        RegistryClient.together([source.repository, target.repository])
      )
      // #endregion
      yield* Effect.ignore(copy)
      const tags = yield* Stream.runCollect(Tags.stream(source.repository))
      assert.deepStrictEqual([...tags], ["1"])
    }).pipe(
      Effect.provide(RegistryHosts.layer({ concurrency: 1 })),
      Effect.provide(RegistryServer.layerTest({ seed: { "org/app:1": {} } }))
    )
  )
})
