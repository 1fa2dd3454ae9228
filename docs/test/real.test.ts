import { createServer } from "node:http"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Story from "../demo/story.js"
import * as Runner from "../examples/internal/runner.js"
import { printed } from "./support.js"

const registry = Layer.provideMerge(
  RegistryServer.layerHttp({
    seed: { "org/app:1.2": { platforms: ["linux/amd64", "linux/arm64"] } },
    auth: { type: "basic", users: { me: "secret" } }
  }),
  NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })
)

const reference = HttpServer.addressWith((address) =>
  Effect.succeed(`127.0.0.1:${address._tag === "TcpAddress" ? address.port : 0}/org/app:1.2`)
)

describe("on a real registry", () => {
  it.live("an example signs in with -u and -p, over --plain-http", () =>
    Effect.gen(function* () {
      const args = ["manifests-head", yield* reference, "-u", "me", "-p", "secret", "--plain-http"]
      const { out } = yield* printed(Runner.run(args))
      assert.deepStrictEqual(out, ["sha256:…", "application/vnd.oci.image.index.v1+json, 491 bytes"])
    }).pipe(Effect.provide(registry))
  )

  it.live("an example says what is wrong, not where in the program", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(printed(Runner.run(["manifests-head", yield* reference])))
      assert.match(error.message, /^127\.0\.0\.1:\d+\/org\/app:1\.2: authentication is required/)
    }).pipe(Effect.provide(registry))
  )

  it.live("the demo tells the reading half", () =>
    Effect.gen(function* () {
      const { out } = yield* printed(Story.run([yield* reference, "-u", "me", "-p", "secret"]))
      const verbs = out.map((line) => line.split(" ", 1)[0]).filter((verb) => verb !== "")
      assert.deepStrictEqual(verbs.slice(1, -1), [
        "tags",
        "catalog",
        "resolve",
        "resolve",
        "referrers",
        "pull",
        "missing"
      ])
      assert.include(out.join("\n"), "✓ unpacked it is sha256:…, as the config says")
    }).pipe(Effect.provide(registry))
  )
})
