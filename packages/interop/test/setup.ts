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

/** A folder as certs.d is: in it one for a host, with whom to trust there, and who we are. */
export const certificates = (host: string, client?: Certificates.Pair) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const { ca } = yield* Certificates.Certificates
    const folder = yield* fs.makeTempDirectoryScoped()
    yield* fs.makeDirectory(`${folder}/${host}`)
    yield* fs.copyFile(ca, `${folder}/${host}/ca.crt`)
    if (client !== undefined) {
      yield* fs.copyFile(client.cert, `${folder}/${host}/client.cert`)
      yield* fs.copyFile(client.key, `${folder}/${host}/client.key`)
    }
    return folder
  })

/** A client that trusts the authority of these tests at the registry of the test. */
export const trusting = (client?: Certificates.Pair) =>
  Layer.unwrapScoped(
    Effect.gen(function* () {
      const folder = yield* certificates(yield* Server.Host, client)
      return Layer.merge(NodeRegistry.layerWith({ certificates: [folder] }), RegistryHosts.layer({ scheme: "https" }))
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
