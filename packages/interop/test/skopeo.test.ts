import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it, layer } from "@effect/vitest"
import * as NodeRegistry from "@effect-oci/node/NodeRegistry"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Blobs from "effect-oci/Blobs"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import * as Reference from "effect-oci/Reference"
import * as Repository from "effect-oci/Repository"
import * as Process from "../src/Process.js"
import * as Tool from "../src/Tool.js"
import * as Images from "./images.js"
import { dockerRegistry, embedded, Host } from "./servers.js"

const skopeo = (...args: ReadonlyArray<string>) =>
  Effect.flatMap(Tool.program(Tool.skopeo), (program) => Process.run(program, "--insecure-policy", ...args))

/** Copies byte for byte, with all that an index lists. */
const copy = (from: string, to: string, ...options: ReadonlyArray<string>) =>
  skopeo(
    "copy",
    "--all",
    "--preserve-digests",
    "--src-tls-verify=false",
    "--dest-tls-verify=false",
    ...options,
    from,
    to
  )

const repository = (name: string) => Effect.flatMap(Host, (host) => Repository.parse(`${host}/${name}`))

const temporary = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())

const Inspected = Schema.parseJson(
  Schema.Struct({
    Digest: Schema.String,
    RepoTags: Schema.Array(Schema.String),
    Architecture: Schema.String,
    Os: Schema.String,
    Layers: Schema.Array(Schema.String)
  })
)

const Listed = Schema.parseJson(Schema.Struct({ Repository: Schema.String, Tags: Schema.Array(Schema.String) }))

const kinds = [
  ["image", Images.single()],
  ["index", Images.multi]
] as const

const registries = [
  ["the embedded registry", embedded()],
  ["docker-registry", Layer.provide(dockerRegistry, NodeContext.layer)]
] as const

for (const [name, registry] of registries) {
  layer(Layer.mergeAll(registry, NodeRegistry.layer, NodeContext.layer), {
    excludeTestServices: true,
    timeout: "30 seconds"
  })(`skopeo and our client on ${name}`, (it) => {
    for (const [kind, make] of kinds) {
      it.scoped(`our client reads an ${kind} that skopeo pushed, byte for byte`, () =>
        Effect.gen(function* () {
          const [image, folder, target] = [yield* make, yield* temporary, yield* repository(`skopeo/${kind}`)]
          yield* Images.writeLayout(folder, "1", image)
          yield* copy(`oci:${folder}:1`, `docker://${target}:1`)
          assert.deepStrictEqual(yield* Images.pull(target, "1"), image)
        })
      )

      it.scoped(`skopeo reads an ${kind} that our client pushed, byte for byte`, () =>
        Effect.gen(function* () {
          const [image, folder, source] = [yield* make, yield* temporary, yield* repository(`ours/${kind}`)]
          yield* Images.push(source, "1", image)
          yield* copy(`docker://${source}:1`, `oci:${folder}:1`)
          assert.deepStrictEqual(yield* Images.readLayout(folder, image), Images.bytesOf(image))
        })
      )

      it.scoped(`skopeo copies an ${kind} within the registry`, () =>
        Effect.gen(function* () {
          const image = yield* make
          const [source, target] = [yield* repository(`from/${kind}`), yield* repository(`to/${kind}`)]
          yield* Images.push(source, "1", image)
          yield* copy(`docker://${source}:1`, `docker://${target}:2`)
          assert.deepStrictEqual(yield* Images.pull(target, "2"), image)
        })
      )
    }

    it.scoped("skopeo lists tags and inspects what our client pushed", () =>
      Effect.gen(function* () {
        const image = yield* Images.single("arm64")
        const source = yield* repository("inspected/app")
        yield* Images.push(source, "1.2", image)
        yield* Images.push(source, "1.3", yield* Images.single())
        const listed = yield* Schema.decode(Listed)(
          yield* skopeo("list-tags", "--tls-verify=false", `docker://${source}`)
        )
        assert.deepStrictEqual(listed.Tags.toSorted(), ["1.2", "1.3"])
        const inspect = (...options: ReadonlyArray<string>) =>
          skopeo("inspect", "--tls-verify=false", ...options, `docker://${source}:1.2`)
        const inspected = yield* Schema.decode(Inspected)(yield* inspect())
        assert.deepStrictEqual(
          { ...inspected, RepoTags: inspected.RepoTags.toSorted() },
          {
            Digest: image.root.descriptor.digest,
            RepoTags: ["1.2", "1.3"],
            Architecture: "arm64",
            Os: "linux",
            Layers: image.blobs.slice(1).map(({ descriptor }) => descriptor.digest)
          }
        )
        assert.strictEqual(yield* inspect("--raw"), new TextDecoder().decode(image.root.bytes))
        assert.strictEqual(yield* inspect("--raw", "--config"), new TextDecoder().decode(image.blobs[0]?.bytes))
      })
    )

    it.scoped("our client reads what skopeo made Docker's", () =>
      Effect.gen(function* () {
        const [image, folder] = [yield* Images.single(), yield* temporary]
        const target = yield* repository("docker/app")
        yield* Images.writeLayout(folder, "1", image)
        yield* skopeo("copy", "--format=v2s2", "--dest-tls-verify=false", `oci:${folder}:1`, `docker://${target}:1`)
        const { manifest } = yield* Manifests.get(Reference.make(target, { tag: "1" }))
        assert(manifest.mediaType === MediaType.dockerManifest)
        const layers = yield* Effect.forEach(manifest.layers, (layer) => Blobs.get(target, layer))
        assert.deepStrictEqual(
          layers.map((bytes) => new Uint8Array(bytes)),
          image.blobs.slice(1).map(({ bytes }) => bytes)
        )
      })
    )

    it.scoped("our client finds gone what skopeo deleted", () =>
      Effect.gen(function* () {
        const source = yield* repository("deleted/app")
        yield* Images.push(source, "1", yield* Images.single())
        yield* skopeo("delete", "--tls-verify=false", `docker://${source}:1`)
        assert.isFalse(yield* Manifests.exists(Reference.make(source, { tag: "1" })))
      })
    )
  })
}

describe("skopeo on the embedded registry with passwords", () => {
  it.scopedLive("signs in with a name and a password, and not with another", () =>
    Effect.gen(function* () {
      const [image, folder, target] = [yield* Images.single(), yield* temporary, yield* repository("private/app")]
      yield* Images.writeLayout(folder, "1", image)
      const push = (password: string) => copy(`oci:${folder}:1`, `docker://${target}:1`, `--dest-creds=me:${password}`)
      yield* push("right")
      const refused = yield* Effect.flip(push("wrong"))
      assert(refused._tag === "ProcessFailed")
      assert.include(refused.output, "unauthorized")
    }).pipe(Effect.provide([embedded({ credentials: { me: "right" } }), NodeContext.layer]))
  )
})
