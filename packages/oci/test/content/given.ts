/** Content to copy, and registries to copy between. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as BlobSource from "effect-oci/BlobSource"
import type * as ContentStore from "effect-oci/ContentStore"
import * as Descriptor from "effect-oci/Descriptor"
import * as Manifest from "effect-oci/Manifest"
import * as MediaType from "effect-oci/MediaType"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as RegistryObserver from "effect-oci/RegistryObserver"
import * as Repository from "effect-oci/Repository"

export const text = (content: string): Uint8Array => new TextEncoder().encode(content)

export const at = (name: string): Repository.Repository => Either.getOrThrow(Repository.parse(name))

type Writer<E, R> = ContentStore.ContentWriter<E, R>

/** Puts bytes into a store. */
export const put = <E, R>(store: Writer<E, R>, bytes: Uint8Array, mediaType: string = MediaType.ociLayer) =>
  Effect.tap(Descriptor.fromBytes(bytes, { mediaType }), (descriptor) =>
    store.push(descriptor, BlobSource.bytes(bytes))
  )

/** Puts a manifest into a store. What it is made of need not be there. */
export const putManifest = <E, R>(store: Writer<E, R>, manifest: Manifest.Manifest, tags: ReadonlyArray<string> = []) =>
  Effect.flatMap(Manifest.content(manifest), ({ bytes, descriptor }) =>
    Effect.as(store.push(descriptor, BlobSource.bytes(bytes), { tags }), descriptor)
  )

/** An image of layers, by their text. */
export const image = <E, R>(
  store: Writer<E, R>,
  layers: ReadonlyArray<string>,
  options: { readonly tags?: ReadonlyArray<string>; readonly subject?: Descriptor.Descriptor } = {}
) =>
  Effect.gen(function* () {
    const config = yield* put(store, text(JSON.stringify({ made: layers })), MediaType.ociConfig)
    const descriptors = yield* Effect.forEach(layers, (layer) => put(store, text(layer)))
    return yield* putManifest(
      store,
      {
        schemaVersion: 2,
        mediaType: MediaType.ociManifest,
        config,
        layers: descriptors,
        ...(options.subject !== undefined && { subject: options.subject })
      },
      options.tags
    )
  })

export const index = <E, R>(
  store: Writer<E, R>,
  manifests: ReadonlyArray<Descriptor.Descriptor>,
  tags: ReadonlyArray<string> = []
) => putManifest(store, { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests }, tags)

/** What was asked of which registry, in its order, by operation and what it is about. */
export class Asked extends Context.Tag("test/Asked")<Asked, Array<string>>() {}

/** Two registries, `from.test` and `to.test`, and a client for both. */
export const registries = (
  options: { readonly from?: RegistryServer.Options; readonly to?: RegistryServer.Options } = {}
) =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const from = yield* RegistryServer.make(options.from)
      const to = yield* RegistryServer.make(options.to)
      const asked: Array<string> = []
      const client = HttpClient.make((request, url) => (url.host === "from.test" ? from : to).client.execute(request))
      const observer = RegistryObserver.layer({
        exchange: ({ operation: { name, reference, registry } }) =>
          Effect.sync(() => asked.push([registry.host, name, reference].filter((part) => part !== undefined).join(" ")))
      })
      return Layer.mergeAll(
        Layer.provide(RegistryClient.layer, [Layer.succeed(HttpClient.HttpClient, client), observer]),
        Layer.succeed(Asked, asked)
      )
    })
  )
