import { Console, Effect } from "effect"
import { Annotations, Descriptor, Manifests, MediaType, Reference, Uploads } from "effect-oci"

export const description = "end-7a: writes a manifest, a small artifact, under the tag effect-oci-example"

export const program = ({ repository }: Reference.Reference) =>
  Effect.gen(function* () {
    const target = Reference.make(repository, { tag: "effect-oci-example" })
    // what a manifest names must be there before it
    yield* Uploads.post(repository, Descriptor.empty, Descriptor.emptyBytes)
    const { descriptor } = yield* Manifests.put(target, {
      schemaVersion: 2,
      mediaType: MediaType.ociManifest,
      artifactType: "application/vnd.example.note",
      config: Descriptor.empty,
      layers: [Descriptor.empty],
      annotations: { [Annotations.title]: "A note" }
    })
    yield* Console.log(`wrote ${target}, which is ${descriptor.digest}`)
  })
