import { randomBytes } from "node:crypto"
import { assert } from "@effect/vitest"
import * as NodeRegistry from "@effect-oci/node/NodeRegistry"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Blobs from "effect-oci/Blobs"
import * as Catalog from "effect-oci/Catalog"
import * as Credentials from "effect-oci/Credentials"
import * as Descriptor from "effect-oci/Descriptor"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import * as Reference from "effect-oci/Reference"
import * as RegistryName from "effect-oci/RegistryName"
import * as Uploads from "effect-oci/Uploads"
import * as Accounts from "../src/Accounts.js"
import * as Certificates from "../src/Certificates.js"
import * as Server from "../src/Server.js"
import * as TokenServer from "../src/TokenServer.js"
import * as Tool from "../src/Tool.js"
import { repository } from "./given.js"
import * as Images from "./images.js"
import { as, exchanges, roundTrip, setUp } from "./setup.js"

/** How long a token lasts that lapses. */
const seconds = 3

const lapse = Effect.sleep("3100 millis")

/** What has been asked of the token server for a resource: `repository:org/app`. */
const asked = (resource: string) =>
  Effect.map(TokenServer.TokenServer, ({ asked }) =>
    asked.filter(({ scopes }) => scopes.some((scope) => scope.startsWith(`${resource}:`)))
  )

/** The endpoints that were answered as wanted meanwhile, in their order. */
const succeeded = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.map(exchanges(self), (all) =>
    all.flatMap(({ operation, status = 0 }) =>
      status < 400 && operation.name !== "auth.token" ? [operation.name] : []
    )
  )

const registry = (tool: Tool.Tool, options: TokenServer.Options) =>
  Server.distributionWith(tool, TokenServer.TokenServer).pipe(
    Layer.provideMerge(TokenServer.layer(options)),
    Layer.provide(Certificates.layer)
  )

for (const [tool, key, signed] of [
  [Tool.dockerRegistry, "x5c", "their certificate beside them (`x5c`)"],
  [Tool.distribution, "kid", "their key by its name (`kid`)"]
] as const) {
  setUp(`${tool.name} with signed tokens, ${signed}`, registry(tool, { key, seconds: 60 }), (it) => {
    it.scoped("our client asks for a token of what it does, pushes and pulls", () =>
      Effect.gen(function* () {
        const [image, target] = [yield* Images.single(), yield* repository]
        yield* Images.push(target, "1", image)
        assert.deepStrictEqual(yield* asked(`repository:${target.name}`), [
          { username: "me", scopes: [`repository:${target.name}:pull,push`], refreshed: false }
        ])
        assert.deepStrictEqual(yield* Images.pull(target, "1"), image)
      }).pipe(Effect.provide([NodeRegistry.layer, as(Accounts.me)]))
    )

    it.scoped("an identity token is exchanged for tokens", () =>
      Effect.gen(function* () {
        const { name } = yield* roundTrip
        const requests = yield* asked(`repository:${name}`)
        assert.isNotEmpty(requests)
        assert.isTrue(requests.every(({ refreshed }) => refreshed))
      }).pipe(
        Effect.provide(NodeRegistry.layer),
        Effect.provide(
          Layer.unwrapEffect(
            Effect.map(Server.Host, (host) =>
              Credentials.fromRecord({ [host]: { identityToken: TokenServer.identityToken(Accounts.me) } })
            )
          )
        )
      )
    )

    it.scoped("who may only pull pulls, and is `Unauthorized` to push", () =>
      Effect.gen(function* () {
        const [image, target] = [yield* Images.single(), yield* repository]
        yield* Effect.provide(Images.push(target, "1", image), as(Accounts.me))
        assert.deepStrictEqual(yield* Images.pull(target, "1"), image)
        const error = yield* Effect.flip(Images.push(target, "2", image))
        assert.strictEqual(error._tag, "Unauthorized")
      }).pipe(Effect.provide(as(Accounts.reader)), Effect.provide(NodeRegistry.layer))
    )

    it.scoped("who has no credentials is `Unauthorized`, and so is a wrong password", () =>
      Effect.gen(function* () {
        const reference = Reference.make(yield* repository, { tag: "1" })
        const anonymous = yield* Effect.flip(Manifests.get(reference))
        const mistaken = yield* Effect.flip(
          Effect.provide(Manifests.get(reference), as({ ...Accounts.me, password: "wrong" }))
        )
        assert.deepStrictEqual([anonymous._tag, mistaken._tag], ["Unauthorized", "Unauthorized"])
      }).pipe(Effect.provide(NodeRegistry.layer))
    )

    it.scoped("a hundred calls at once ask for one token", () =>
      Effect.gen(function* () {
        const [image, target] = [yield* Images.single(), yield* repository]
        yield* Effect.provide(Images.push(target, "1", image), as(Accounts.me))
        const head = Manifests.head(Reference.make(target, { tag: "1" }))
        yield* Effect.all(Arr.replicate(head, 100), { concurrency: "unbounded" })
        const requests = yield* asked(`repository:${target.name}`)
        assert.deepStrictEqual(
          requests.map(({ username }) => username),
          ["me", "reader"]
        )
      }).pipe(Effect.provide(as(Accounts.reader)), Effect.provide(NodeRegistry.layer))
    )
  })

  const untold = tool === Tool.distribution
  setUp(
    `${tool.name} with tokens that last ${seconds} seconds, which is ${untold ? "not " : ""}said`,
    registry(tool, { key, seconds, untold }),
    (it) => {
      it.scoped(
        "a token that lapses within an upload is renewed, and the upload goes on",
        () =>
          Effect.gen(function* () {
            const target = yield* repository
            const bytes = new Uint8Array(randomBytes(30_000))
            const chunks = [0, 10_000, 20_000].map((start) => bytes.subarray(start, start + 10_000))
            const { digest } = yield* Descriptor.fromBytes(bytes, { mediaType: MediaType.ociLayer })
            const upload = Effect.gen(function* () {
              let session = yield* Uploads.start(target)
              for (const chunk of chunks) {
                session = yield* Uploads.patch(session, chunk)
                if (chunk !== chunks[1]) yield* lapse
              }
              yield* Uploads.finish(session, digest)
            })
            const done = yield* succeeded(upload)
            assert.deepStrictEqual(done, [
              "uploads.start",
              "uploads.patch",
              "uploads.patch",
              "uploads.patch",
              "uploads.finish"
            ])
            assert.strictEqual((yield* asked(`repository:${target.name}`)).length, 3)
            assert.deepStrictEqual(new Uint8Array(yield* Blobs.get(target, digest)), bytes)
          }).pipe(Effect.provide([NodeRegistry.layer, as(Accounts.me)])),
        { concurrent: true }
      )

      it.scoped(
        "a token that lapses between two pages is renewed, and the list goes on",
        () =>
          Effect.gen(function* () {
            const image = yield* Images.single()
            const targets = [yield* repository, yield* repository, yield* repository]
            yield* Effect.forEach(targets, (target) => Images.push(target, "1", image))
            const registry = yield* RegistryName.parse(yield* Server.Host)
            const names: Array<string> = []
            const list = Catalog.stream(registry, { n: 1 }).pipe(
              Stream.runForEach((name) => {
                names.push(name)
                return names.length === 2 ? lapse : Effect.void
              })
            )
            const pages = yield* succeeded(list)
            assert.includeMembers(
              names,
              targets.map(({ name }) => name)
            )
            assert.strictEqual(new Set(names).size, names.length)
            assert.isAtMost(pages.length, names.length + 1)
            assert.strictEqual((yield* asked("registry:catalog")).length, 2)
          }).pipe(Effect.provide([NodeRegistry.layer, as(Accounts.me)])),
        { concurrent: true }
      )
    }
  )
}
