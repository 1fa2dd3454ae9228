import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { NodeHttp, NodeRegistry } from "@effect-oci/node"
import { RegistryServer, RegistryStorage, Script } from "@effect-oci/registry"
import * as ScriptServer from "@effect-oci/registry/node/ScriptServer"
import { Effect, Either, Fiber, Layer, TestClock } from "effect"
import {
  Blobs,
  Credentials,
  Descriptor,
  Manifests,
  Reference,
  RegistryAuth,
  RegistryClient,
  RegistryError,
  RegistryRetry,
  Tags
} from "effect-oci"
import { digestOf } from "../examples/use-compose.js"

// #region names
const { digest } = Descriptor.empty // of `{}`
const blob = `/v2/org/app/blobs/${digest}`
const { repository } = Either.getOrThrow(Reference.parse("registry.test/org/app"))
const signedIn = Layer.merge(RegistryAuth.layerBasic, Credentials.basic("registry.test", "me", "hunter2"))
// #endregion

describe("the mock registry", () => {
  // #region mock
  it.effect("tags what it has pushed", () =>
    Effect.gen(function* () {
      const reference = yield* Reference.parse("registry.test/org/app:1.2")
      const image = yield* Manifests.get(reference)
      yield* Manifests.put(yield* Reference.withTag(reference, "latest"), image)
      assert.deepStrictEqual((yield* Tags.list(reference.repository)).tags, ["1.2", "latest"])
    }).pipe(Effect.provide(RegistryServer.layerTest({ seed: { "org/app:1.2": {} } })))
  )
  // #endregion
})

describe("a registry on disk", () => {
  // #region disk
  const registry = (folder: string) =>
    RegistryServer.layerTest().pipe(
      Layer.provide(RegistryStorage.layerDisk(folder)), // without this line it is in memory
      Layer.provide(NodeContext.layer)
    )

  it.scoped("has what the one before it had", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())
      const { seed } = yield* Effect.provide(RegistryServer.RegistryServer, registry(folder))
      yield* seed({ "org/app:1.2": {} })
      const reference = yield* Reference.parse("registry.test/org/app:1.2")
      assert.isTrue(yield* Effect.provide(Manifests.exists(reference), registry(folder)))
    }).pipe(Effect.provide(NodeContext.layer))
  )
  // #endregion
})

describe("a registry that signs in", () => {
  // #region auth
  const registry = RegistryServer.layerTest({
    seed: { "org/app:1.2": {} },
    auth: { type: "basic", users: { bob: "hunter2" }, access: { bob: { "org/app": ["pull"] } } }
  })
  const bob = Layer.merge(RegistryAuth.layerBasic, Credentials.basic("registry.test", "bob", "hunter2"))

  it.effect("lets bob pull, and nothing else", () =>
    Effect.gen(function* () {
      const reference = yield* Reference.parse("registry.test/org/app:1.2")
      const image = yield* Manifests.get(reference)
      const error = yield* Effect.flip(Manifests.put(reference, image))
      assert.strictEqual(error._tag, "Denied")
    }).pipe(Effect.provide([registry, bob]))
  )
  // #endregion
})

describe("a registry that breaks", () => {
  // #region faults
  const unsteady = RegistryServer.layerTest({
    seed: { "org/app:1.2": {} },
    faults: { seed: 42, rate: { "manifests.head": 0.5 }, kinds: [429, 503, "reset"], limit: 10 }
  })

  it.effect("finds the image on a bad day", () =>
    Effect.gen(function* () {
      const reference = yield* Reference.parse("registry.test/org/app:1.2")
      const found = Effect.retry(Manifests.exists(reference), { while: RegistryError.isRetryable })
      assert.notInclude(yield* Effect.replicateEffect(found, 20), false)
      const { faults } = yield* RegistryServer.RegistryServer
      assert.deepStrictEqual(yield* faults.injected, { 429: 3, 503: 4, reset: 3 })
    }).pipe(Effect.provide([unsteady, RegistryRetry.layerNone]))
  )
  // #endregion
})

describe("a script", () => {
  // #region script
  const registry = Script.layerTest(
    Script.expect("GET", "/v2/org/app/manifests/9").answer(404, Script.refusal("MANIFEST_UNKNOWN"))
  )

  it.effect("finds no digest", () =>
    Effect.map(digestOf("registry.test/org/app:9"), assert.isUndefined).pipe(Effect.provide(registry))
  )
  // #endregion

  // #region conversation
  const cdn = Script.on("https://cdn.test")
  const moved = Script.layerTest(
    Script.secret("hunter2", { onlyTo: ["https://registry.test"] }),
    Script.expect("GET", blob, { headers: { authorization: /^Basic / } }).answer(307, {
      headers: { location: "https://cdn.test/x?sig=a%20b" }
    }),
    cdn.expect("GET", "/x?sig=a%20b").answer(200, { body: ["{", Script.delay("1 second"), "}"] })
  )

  it.effect("follows a blob to where it is stored, and leaves its password behind", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(Blobs.get(repository, digest))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(fiber)).length, 2)
    }).pipe(Effect.provide(signedIn), Effect.provide(moved))
  )
  // #endregion

  // #region time
  const stalls = Script.layerTest(Script.expect("GET", blob).answer(200, { body: ["{", Script.stall] }))

  it.effect("gives up a body that stalls", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.flip(Blobs.get(repository, digest)))
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Timeout")
    }).pipe(Effect.provide(RegistryRetry.layerNone), Effect.provide(stalls))
  )
  // #endregion

  // #region hold
  it.effect("asks for two blobs at the same time", () =>
    Effect.gen(function* () {
      const gate = yield* Script.hold
      const slow = Script.layerTest(Script.expect("GET", blob).answer(200, { after: gate, body: "{}" }).times(2))
      yield* Effect.gen(function* () {
        const get = Blobs.get(repository, digest)
        const fiber = yield* Effect.fork(Effect.zip(get, get, { concurrent: true }))
        yield* gate.arrived
        yield* gate.arrived // neither has had an answer
        yield* gate.release
        yield* Fiber.join(fiber)
      }).pipe(Effect.provide(slow))
    })
  )
  // #endregion

  // #region leaks
  const denies = Script.layerTest(Script.expect("GET", blob).answer(403, Script.refusal("DENIED")))

  it.effect("says nothing of the password", () =>
    Effect.flip(Blobs.get(repository, digest)).pipe(
      Script.withoutLeaks(["hunter2"]),
      Effect.provide(signedIn),
      Effect.provide(denies)
    )
  )
  // #endregion
})

describe("a script over sockets", () => {
  // #region socket
  const sockets = ScriptServer.layer(
    Script.expect("GET", blob).raw("HTTP/1.1 200 OK\r\ncOnTeNt-LeNgTh: 3\r\n\r\n", "{}", Script.cut)
  )

  it.live("notices that a byte is missing", () =>
    Effect.gen(function* () {
      const { address } = yield* Script.Script
      const { repository } = yield* Reference.parse(`${address("https://registry.test")}/org/app`)
      const error = yield* Effect.flip(Blobs.get(repository, digest))
      assert.strictEqual(error._tag, "TransportError")
    }).pipe(Effect.provide(RegistryRetry.layerNone), Effect.provide([NodeRegistry.layer, sockets]))
  )
  // #endregion

  // #region tls
  const encrypted = ScriptServer.layerTls(
    Script.expect("GET", blob).answer((_, address) => ({
      status: 307,
      headers: { location: `${address("https://cdn.test")}/x` }
    })),
    Script.on("https://cdn.test").handshake(Script.cut)
  )

  it.live("trusts a registry, and is cut off by its storage", () =>
    Effect.gen(function* () {
      const { address } = yield* Script.Script
      const { repository } = yield* Reference.parse(`${address("https://registry.test")}/org/app`)
      const { host } = new URL(address("https://registry.test"))
      const trusting = NodeHttp.layerWith({ tls: { [host]: { ca: yield* ScriptServer.Authority } } })
      const error = yield* Effect.flip(Blobs.get(repository, digest)).pipe(
        Effect.provide(Layer.provide(RegistryClient.layer, trusting))
      )
      assert.strictEqual(error._tag, "TransportError")
      const requests = yield* Script.requests
      assert.deepStrictEqual(
        requests.map(({ method }) => method),
        ["GET", "TLS"]
      )
    }).pipe(Effect.provide(RegistryRetry.layerNone), Effect.provide(encrypted))
  )
  // #endregion
})
