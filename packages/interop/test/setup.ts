/** What the tests of sign-in, proxies and mirrors have in common. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, layer, type Vitest } from "@effect/vitest"
import * as NodeRegistry from "@effect-oci/node/NodeRegistry"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Credentials from "effect-oci/Credentials"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as RegistryObserver from "effect-oci/RegistryObserver"
import type * as Accounts from "../src/Accounts.js"
import * as Certificates from "../src/Certificates.js"
import * as Matrix from "../src/Matrix.js"
import * as Server from "../src/Server.js"
import { repository } from "./given.js"
import * as Images from "./images.js"

/** Tests of a set-up, which are rows of the matrix. */
export const setUp = <R, E>(
  name: string,
  environment: Layer.Layer<R, E, NodeContext.NodeContext>,
  tests: (it: Vitest.MethodsNonLive<R | NodeContext.NodeContext, true>) => void
): void => {
  describe(Matrix.setUps, () => {
    layer(Layer.provideMerge(environment, NodeContext.layer), { excludeTestServices: true, timeout: "30 seconds" })(
      name,
      tests
    )
  })
}

/** Signs in as an account, at the registry of the test. */
export const as = ({ password, username }: Accounts.Account) =>
  Layer.unwrapEffect(Effect.map(Server.Host, (host) => Credentials.basic(host, username, password)))

/** A client that trusts the authority of these tests. */
export const trusting = (client?: Certificates.Pair) =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { ca } = yield* Certificates.Certificates
      const pair =
        client === undefined
          ? {}
          : { cert: yield* fs.readFileString(client.cert), key: yield* fs.readFileString(client.key) }
      return Layer.merge(
        NodeRegistry.layerWith({ tls: { ca: yield* fs.readFileString(ca), ...pair } }),
        RegistryHosts.layer({ scheme: "https" })
      )
    })
  )

/** Pushes an image, pulls it back, and says where that was. */
export const roundTrip = Effect.gen(function* () {
  const [image, target] = [yield* Images.single(), yield* repository]
  yield* Images.push(target, "1", image)
  assert.deepStrictEqual(yield* Images.pull(target, "1"), image)
  return target
})

/** The exchanges with registries while an effect runs. */
export const exchanges = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const seen: Array<RegistryObserver.Exchange> = []
    const observer: RegistryObserver.Service = {
      ...RegistryObserver.silent,
      exchange: (exchange) => Effect.sync(() => void seen.push(exchange))
    }
    yield* Effect.provideService(self, RegistryObserver.RegistryObserver, observer)
    return seen
  })
