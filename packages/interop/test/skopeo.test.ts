import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import * as NodeRegistry from "@effect-oci/node/NodeRegistry"
import type * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Blobs from "effect-oci/Blobs"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import * as Reference from "effect-oci/Reference"
import * as Skopeo from "../src/client/skopeo.js"
import * as Server from "../src/Server.js"
import { repository, temporary } from "./given.js"
import * as Images from "./images.js"
import { toolSuite } from "./tool.js"

toolSuite(Skopeo.skopeo)

describe("skopeo on the embedded registry", () => {
  const environment = (auth?: RegistryServer.Auth) =>
    Layer.mergeAll(Server.embeddedWith({ auth }), NodeRegistry.layer, NodeContext.layer)

  it.scopedLive("makes an image Docker's, and our client reads it", () =>
    Effect.gen(function* () {
      const [image, folder, target] = [yield* Images.single(), yield* temporary, yield* repository]
      yield* Images.writeLayout(folder, "1", image)
      yield* Skopeo.run("copy", "--format=v2s2", "--dest-tls-verify=false", `oci:${folder}:1`, `docker://${target}:1`)
      const { manifest } = yield* Manifests.get(Reference.make(target, { tag: "1" }))
      assert(manifest.mediaType === MediaType.dockerManifest)
      const layers = yield* Effect.forEach(manifest.layers, (layer) => Blobs.get(target, layer))
      assert.deepStrictEqual(
        layers.map((bytes) => new Uint8Array(bytes)),
        image.blobs.slice(1).map(({ bytes }) => bytes)
      )
    }).pipe(Effect.provide(environment()))
  )

  it.scopedLive("signs in with a name and a password, and not with another", () =>
    Effect.gen(function* () {
      const [image, folder, target] = [yield* Images.single(), yield* temporary, yield* repository]
      yield* Images.writeLayout(folder, "1", image)
      const push = (password: string) =>
        Skopeo.copy(`oci:${folder}:1`, `docker://${target}:1`, `--dest-creds=me:${password}`)
      yield* push("right")
      const refused = yield* Effect.flip(push("wrong"))
      assert(refused._tag === "ProcessFailed")
      assert.include(refused.output, "unauthorized")
    }).pipe(Effect.provide(environment({ type: "basic", users: { me: "right" } })))
  )
})
