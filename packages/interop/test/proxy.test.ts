import { assert } from "@effect/vitest"
import * as NodeRegistry from "@effect-oci/node/NodeRegistry"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Credentials from "effect-oci/Credentials"
import * as Registry from "effect-oci/Registry"
import * as RegistryName from "effect-oci/RegistryName"
import * as RegistryRetry from "effect-oci/RegistryRetry"
import * as Repository from "effect-oci/Repository"
import * as Accounts from "../src/Accounts.js"
import * as Certificates from "../src/Certificates.js"
import * as Server from "../src/Server.js"
import * as Squid from "../src/Squid.js"
import * as Tool from "../src/Tool.js"
import * as Images from "./images.js"
import { certificates, setUp } from "./setup.js"

class Proxy extends Context.Tag("test/Proxy")<Proxy, Squid.Squid>() {}

const environment = Layer.merge(
  Server.distributionWith(
    Tool.dockerRegistry,
    Effect.gen(function* () {
      const { cert, key } = (yield* Certificates.Certificates).server
      const auth = { htpasswd: { realm: "tests", path: yield* Accounts.htpasswd } }
      return { auth, tls: { certificate: cert, key } }
    })
  ),
  Layer.scoped(Proxy, Squid.make(Certificates.serverName))
).pipe(Layer.provideMerge(Certificates.layer))

/** The registry by a name that the proxy knows, and nobody else. */
const named = Effect.map(Server.Host, (host) => host.replace("127.0.0.1", Certificates.serverName))

const { password, username } = Accounts.me

const client = (proxy: string) =>
  Layer.unwrapScoped(
    Effect.gen(function* () {
      const host = yield* named
      return Layer.merge(
        NodeRegistry.layerWith({ certificates: [yield* certificates(host)], proxy: { https: proxy, except: "" } }),
        Credentials.basic(host, username, password)
      )
    })
  )

setUp("docker-registry over TLS with squid on the way", environment, (it) => {
  it.scoped("our client asks for a tunnel, pushes and pulls, and the proxy learns no password", () =>
    Effect.gen(function* () {
      const [image, host, proxy] = [yield* Images.single(), yield* named, yield* Proxy]
      const target = yield* Repository.parse(`${host}/test/${crypto.randomUUID()}`)
      const roundTrip = Effect.zipRight(Images.push(target, "1", image), Images.pull(target, "1"))
      assert.deepStrictEqual(yield* Effect.provide(roundTrip, client(proxy.url)), image)
      // noted when the connections are closed
      const log = yield* Effect.repeat(Effect.delay(proxy.log, "20 millis"), {
        until: (log) => log.includes("CONNECT")
      })
      assert.include(log, `CONNECT ${host} 200`)
      assert.notInclude(log, "Authorization")
      assert.notInclude(log, Buffer.from(`${username}:${password}`).toString("base64"))
    })
  )

  it.scoped("without the proxy there is no way", () =>
    Effect.gen(function* () {
      const ping = Effect.flatMap(RegistryName.parse(yield* named), Registry.ping)
      const error = yield* Effect.flip(Effect.provide(ping, client("")))
      assert.strictEqual(error._tag, "TransportError")
    }).pipe(Effect.provide(RegistryRetry.layerNone))
  )
})
