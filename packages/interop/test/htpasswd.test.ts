import { assert } from "@effect/vitest"
import * as NodeRegistry from "@effect-oci/node/NodeRegistry"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Registry from "effect-oci/Registry"
import * as RegistryName from "effect-oci/RegistryName"
import * as RegistryRetry from "effect-oci/RegistryRetry"
import * as Accounts from "../src/Accounts.js"
import * as Certificates from "../src/Certificates.js"
import * as Skopeo from "../src/client/skopeo.js"
import * as Server from "../src/Server.js"
import * as Tool from "../src/Tool.js"
import { as, certificates, roundTrip, setUp, trusting } from "./setup.js"

const registry = (clients: boolean) =>
  Server.distributionWith(
    Tool.dockerRegistry,
    Effect.gen(function* () {
      const { ca, server } = yield* Certificates.Certificates
      const tls = { certificate: server.cert, key: server.key, ...(clients ? { clientcas: [ca] } : {}) }
      return { auth: { htpasswd: { realm: "tests", path: yield* Accounts.htpasswd } }, tls }
    })
  ).pipe(Layer.provideMerge(Certificates.layer))

const ping = Server.Host.pipe(
  Effect.flatMap((host) => RegistryName.parse(`https://${host}`)),
  Effect.flatMap(Registry.ping)
)

setUp("docker-registry over TLS with a private CA and htpasswd", registry(false), (it) => {
  it.scoped("our client signs in, pushes and pulls", () =>
    roundTrip.pipe(Effect.provide(as(Accounts.me)), Effect.provide(trusting()))
  )

  it.scoped("a wrong password is `Unauthorized`", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(ping)
      assert.strictEqual(error._tag, "Unauthorized")
    }).pipe(Effect.provide(as({ ...Accounts.me, password: "wrong" })), Effect.provide(trusting()))
  )

  it.scoped("without the CA there is no connection: `TransportError`", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(ping)
      assert.strictEqual(error._tag, "TransportError")
    }).pipe(Effect.provide([as(Accounts.me), RegistryRetry.layerNone]), Effect.provide(NodeRegistry.layer))
  )
})

setUp("docker-registry that also wants a client certificate", registry(true), (it) => {
  it.scoped("our client shows its certificate, signs in, pushes and pulls", () =>
    Effect.gen(function* () {
      const { client } = yield* Certificates.Certificates
      yield* Effect.provide(roundTrip, trusting(client))
    }).pipe(Effect.provide(as(Accounts.me)))
  )

  it.scoped("skopeo is let in by the same folder of certificates", () =>
    Effect.gen(function* () {
      const [{ client }, host] = [yield* Certificates.Certificates, yield* Server.Host]
      const target = yield* Effect.provide(roundTrip, trusting(client))
      const folder = yield* certificates(host, client)
      const { password, username } = Accounts.me
      yield* Skopeo.run(
        "inspect",
        "--raw",
        `--cert-dir=${folder}/${host}`,
        `--creds=${username}:${password}`,
        `docker://${target}:1`
      )
    }).pipe(Effect.provide(as(Accounts.me)))
  )

  it.scoped("without a certificate a password is of no use: `TransportError`", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(ping)
      assert.strictEqual(error._tag, "TransportError")
    }).pipe(Effect.provide([as(Accounts.me), RegistryRetry.layerNone]), Effect.provide(trusting()))
  )
})
