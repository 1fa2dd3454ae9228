import { Console, Effect } from "effect"
import { Descriptor, Manifests, MediaType, Reference, Uploads } from "effect-oci"

export const description = "end-9: deletes a manifest, which it wrote before"

export const program = ({ repository }: Reference.Reference) =>
  Effect.gen(function* () {
    const target = Reference.make(repository, { tag: "effect-oci-delete-me" })
    yield* Uploads.post(repository, Descriptor.empty, Descriptor.emptyBytes)
    const { descriptor } = yield* Manifests.put(target, {
      schemaVersion: 2,
      mediaType: MediaType.ociManifest,
      artifactType: "application/vnd.example.delete-me",
      config: Descriptor.empty,
      layers: [Descriptor.empty]
    })
    yield* Console.log(`wrote ${target}`)
    yield* Manifests.delete(repository, descriptor.digest)
    yield* Console.log(`deleted its manifest; is the tag there? ${yield* Manifests.exists(target)}`)
  })
