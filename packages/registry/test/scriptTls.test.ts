import type { LookupFunction } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as NodeHttp from "@effect-oci/node/NodeHttp"
import * as ScriptServer from "@effect-oci/registry/node/ScriptServer"
import * as Script from "@effect-oci/registry/Script"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Blobs from "effect-oci/Blobs"
import * as Descriptor from "effect-oci/Descriptor"
import * as Reference from "effect-oci/Reference"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as RegistryRetry from "effect-oci/RegistryRetry"
import { failures, registry } from "./scriptSupport.js"

const cdn = "https://cdn.test"
const plain = "http://registry.test"
const { digest } = Descriptor.empty // of `{}`
const blob = `/v2/org/app/blobs/${digest}`
const served = Script.expect("GET", blob).answer(200, { body: "{}" })

/** Every name is this machine. */
const here: LookupFunction = (_, options, callback) =>
  options.all === true ? callback(null, [{ address: "127.0.0.1", family: 4 }]) : callback(null, "127.0.0.1", 4)

const client = (options: NodeHttp.Options) =>
  RegistryClient.layer.pipe(
    Layer.provide([NodeHttp.layerWith({ certificates: [], lookup: here, ...options }), RegistryRetry.layerNone])
  )

const hostOf = (address: string) => new URL(address).host

/** The blob of a registry, by whatever name. */
const get = (address: string, options: NodeHttp.Options = {}) =>
  Effect.flatMap(Reference.parse(`${address}/org/app`), ({ repository }) => Blobs.get(repository, digest)).pipe(
    Effect.provide(client(options))
  )

/** How a call fails: with the code of its connection's error, else its own name. */
const failure = <A, E extends { readonly _tag: string }, R>(self: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(self), (error) => ("code" in error ? error.code : undefined) ?? error._tag)

const strangers = "UNABLE_TO_VERIFY_LEAF_SIGNATURE"

describe("ScriptServer by TLS", () => {
  it.live("S57 an authority that is trusted for a registry is not for where it sends us", () =>
    Effect.gen(function* () {
      const { address } = yield* Script.Script
      const ca = yield* ScriptServer.Authority
      const [registryHost, cdnHost] = [hostOf(address(registry)), hostOf(address(cdn))]
      const [one, both] = [{ [registryHost]: { ca } }, { [registryHost]: { ca }, [cdnHost]: { ca } }]
      assert.strictEqual(yield* failure(get(address(registry), { tls: one })), strangers)
      assert.deepStrictEqual(yield* Effect.map(Script.requests, (all) => all.map(({ origin }) => origin)), [registry])
      assert.strictEqual((yield* get(address(registry), { tls: both })).length, 2)
    }).pipe(
      Effect.provide(
        ScriptServer.layerTls(
          Script.expect("GET", blob)
            .answer((_, address) => ({ status: 307, headers: { location: `${address(cdn)}/x` } }))
            .times(2),
          Script.on(cdn).expect("GET", "/x").answer(200, { body: "{}" })
        )
      )
    )
  )

  it.live("S57 that any certificate of a registry is taken does not hold for where it sends us", () =>
    Effect.gen(function* () {
      const { address } = yield* Script.Script
      const insecure = RegistryHosts.fromRecord({ [hostOf(address(registry))]: { insecure: true } })
      assert.strictEqual(yield* failure(get(address(registry))), strangers)
      assert.strictEqual(yield* failure(Effect.provide(get(address(registry)), insecure)), strangers)
      assert.strictEqual((yield* Script.requests).length, 1)
    }).pipe(
      Effect.provide(
        ScriptServer.layerTls(
          Script.expect("GET", blob).answer((_, address) => ({
            status: 307,
            headers: { location: `${address(cdn)}/x` }
          })),
          Script.on(cdn).expect("GET", "/x").answer(200).times(0)
        )
      )
    )
  )

  it.live("an origin's certificate is for its name, localhost and 127.0.0.1, and for no other", () =>
    Effect.gen(function* () {
      const { address } = yield* Script.Script
      const ca = yield* ScriptServer.Authority
      const { port } = new URL(address(registry))
      const by = (name: string) => get(`https://${name}:${port}`, { tls: { [`${name}:${port}`]: { ca } } })
      for (const name of ["registry.test", "localhost", "127.0.0.1"]) yield* by(name)
      assert.strictEqual(yield* failure(by("cdn.test")), "ERR_TLS_CERT_ALTNAME_INVALID")
    }).pipe(Effect.provide(ScriptServer.layerTls(served.times(3))))
  )

  it.live("an authority is trusted for nothing that another script's has signed", () =>
    Effect.gen(function* () {
      const other = yield* Effect.provide(ScriptServer.Authority, ScriptServer.layerTls())
      const { address } = yield* Script.Script
      const tls = { [hostOf(address(registry))]: { ca: other } }
      assert.strictEqual(yield* failure(get(address(registry), { tls })), strangers)
    }).pipe(Effect.provide(ScriptServer.layerTls(served.times(0))))
  )

  it.live("speaks in the clear where an origin is http", () =>
    Effect.gen(function* () {
      const { address } = yield* Script.Script
      assert.match(address(plain), /^http:\/\/127\.0\.0\.1:\d+$/)
      assert.strictEqual((yield* get(address(plain))).length, 2)
    }).pipe(Effect.provide(ScriptServer.layerTls(Script.on(plain).expect("GET", blob).answer(200, { body: "{}" }))))
  )

  const endings: ReadonlyArray<readonly [how: string, code: string, ...ReadonlyArray<Script.Piece>]> = [
    ["is closed", "ECONNRESET", Script.cut],
    ["is reset", "ECONNRESET", Script.reset],
    ["is closed within a record", "ECONNRESET", Uint8Array.of(22, 3, 3, 0, 90, 2), Script.cut],
    ["is answered in HTTP", "ERR_SSL_WRONG_VERSION_NUMBER", "HTTP/1.0 400 Bad Request\r\n\r\n", Script.cut],
    ["stalls", "Timeout", Script.stall]
  ]
  for (const [how, code, ...pieces] of endings) {
    it.live(`a handshake that ${how} is an error, and the next one is as good as any`, () =>
      Effect.gen(function* () {
        const { address } = yield* Script.Script
        const tls = { [hostOf(address(registry))]: { ca: yield* ScriptServer.Authority } }
        assert.strictEqual(yield* failure(get(address(registry), { tls, connectTimeout: "100 millis" })), code)
        assert.strictEqual((yield* get(address(registry), { tls })).length, 2)
        assert.deepStrictEqual(
          (yield* Script.requests).map(({ connection, method }) => [connection, method]),
          [
            [1, "TLS"],
            [2, "GET"]
          ]
        )
      }).pipe(Effect.provide(ScriptServer.layerTls(Script.on(registry).handshake(...pieces), served)))
    )
  }

  it.live("cuts and resets a body by TLS", () =>
    Effect.gen(function* () {
      const { address } = yield* Script.Script
      const tls = { [hostOf(address(registry))]: { ca: yield* ScriptServer.Authority } }
      assert.strictEqual(yield* failure(get(address(registry), { tls })), "UND_ERR_SOCKET")
      assert.strictEqual(yield* failure(get(address(registry), { tls })), "ECONNRESET")
    }).pipe(
      Effect.provide(
        ScriptServer.layerTls(
          Script.expect("GET", blob).answer(200, { body: ["{", Script.cut] }),
          Script.expect("GET", blob).answer(200, { body: ["{", Script.reset] })
        )
      )
    )
  )

  it.live("fails a test whose handshake never came", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(
        Effect.provide(Effect.void, ScriptServer.layerTls(Script.on(registry).handshake(Script.cut)))
      )
      assert.deepStrictEqual(failures(exit), [`TLS ${registry} never came`])
    })
  )
})
