import * as fs from "node:fs/promises"
import { createServer } from "node:http"
import * as os from "node:os"
import * as path from "node:path"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as NodeRegistry from "@effect-oci/node/NodeRegistry"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Blobs from "effect-oci/Blobs"
import * as Credentials from "effect-oci/Credentials"
import * as Hasher from "effect-oci/Hasher"
import * as Manifests from "effect-oci/Manifests"
import * as Reference from "effect-oci/Reference"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import * as RegistryClient from "effect-oci/RegistryClient"
import { digest, repositoryAt, serve } from "./support.js"

const blob = serve((_, response) => response.setHeader("content-length", 2).end("{}"))

const as = (host: string, name: string) =>
  Layer.merge(RegistryAuth.layerBasic, Layer.orDie(Credentials.basic(host, name, "pass")))

const named = (authorization: string | undefined) => atob(authorization?.replace("Basic ", "") ?? "").split(":")[0]

/** A home with files in it, which goes with the scope. */
const homeWith = (files: { readonly [name: string]: string }) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const home = await fs.mkdtemp(path.join(os.tmpdir(), "effect-oci-home-"))
      for (const [name, text] of Object.entries(files)) {
        await fs.mkdir(path.join(home, path.dirname(name)), { recursive: true })
        await fs.writeFile(path.join(home, name), text)
      }
      return home
    }),
    (home) => Effect.promise(() => fs.rm(home, { recursive: true }))
  )

/** A registry that wants a token, behind a socket. */
const signingIn = RegistryServer.layerHttp({
  seed: { "org/app:1.2": {} },
  auth: { type: "token", users: { me: "s3cret" } }
}).pipe(Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })))

describe("NodeRegistry", () => {
  it.scopedLive("is all that a program needs", () =>
    Effect.gen(function* () {
      const repository = yield* repositoryAt(yield* blob)
      const program: Effect.Effect<Uint8Array, unknown> = Effect.provide(
        Blobs.get(repository, digest),
        NodeRegistry.layer
      )
      assert.deepStrictEqual(yield* program, new TextEncoder().encode("{}"))
    })
  )

  it.scopedLive("hashes natively for the program too", () =>
    Effect.gen(function* () {
      const portable = yield* Hasher.Hasher
      const native = yield* Effect.provide(Hasher.Hasher, NodeRegistry.layer)
      assert.notStrictEqual(native, portable)
      assert.strictEqual(yield* Hasher.digest(new TextEncoder().encode("{}")), digest)
    })
  )

  it.scopedLive("takes policies given to it, beside it, around the program and around a call; the nearest counts", () =>
    Effect.gen(function* () {
      const server = yield* blob
      const repository = yield* repositoryAt(server)
      const get = Blobs.get(repository, digest)
      const [outer, inner] = [as(server.host, "outer"), as(server.host, "inner")]
      yield* Effect.provide(get, Layer.provide(NodeRegistry.layer, inner))
      yield* Effect.provide(get, Layer.merge(NodeRegistry.layer, inner))
      yield* get.pipe(Effect.provide(NodeRegistry.layer), Effect.provide(inner))
      yield* get.pipe(Effect.provide(inner), Effect.provide(Layer.provide(NodeRegistry.layer, outer)))
      assert.deepStrictEqual(
        server.requests.map(({ headers }) => named(headers.authorization)),
        ["inner", "inner", "inner", "inner"]
      )
    })
  )

  it.scopedLive("is a client of its own at each place where it stands", () =>
    Effect.gen(function* () {
      const server = yield* blob
      const repository = yield* repositoryAt(server)
      class Other extends Context.Tag("Other")<Other, RegistryClient.Service>() {}
      const both = Layer.merge(
        Layer.provide(NodeRegistry.layer, as(server.host, "one")),
        Layer.effect(Other, RegistryClient.RegistryClient).pipe(
          Layer.provide(NodeRegistry.layer),
          Layer.provide(as(server.host, "two"))
        )
      )
      const get = Blobs.get(repository, digest)
      yield* Effect.gen(function* () {
        yield* get
        yield* Effect.provideServiceEffect(get, RegistryClient.RegistryClient, Other)
      }).pipe(Effect.provide(both))
      assert.deepStrictEqual(
        server.requests.map(({ headers }) => named(headers.authorization)),
        ["one", "two"]
      )
    })
  )

  it.scopedLive("signs in and asks mirrors as this machine's files say, without a word in the program", () =>
    Effect.gen(function* () {
      const mirror = yield* serve((_, response) => response.writeHead(404).end())
      const { address } = yield* HttpServer.HttpServer
      assert(address._tag === "TcpAddress")
      const registry = `127.0.0.1:${address.port}`
      const reference = yield* Reference.parse(`${registry}/org/app:1.2`)
      const machine = (auths: object) =>
        Effect.map(
          homeWith({
            ".docker/config.json": JSON.stringify({ auths }),
            ".config/containers/registries.conf": `
              [[registry]]
              location = "${registry}"
              [[registry.mirror]]
              location = "${mirror.host}/mirrored"
            `
          }),
          (home) => ConfigProvider.fromMap(new Map([["HOME", home]]))
        )
      const head = Effect.provide(Manifests.head(reference), NodeRegistry.layer)

      const me = yield* machine({ [registry]: { auth: btoa("me:s3cret") } })
      assert.match((yield* Effect.withConfigProvider(head, me)).digest, /^sha256:/)
      assert.deepStrictEqual(
        mirror.requests.map(({ headers, method, target }) => [method, target, headers.authorization]),
        [["HEAD", "/v2/mirrored/org/app/manifests/1.2", undefined]]
      )

      const nobody = yield* machine({})
      assert.strictEqual((yield* Effect.flip(Effect.withConfigProvider(head, nobody)))._tag, "Unauthorized")
    }).pipe(Effect.provide(signingIn))
  )
})
