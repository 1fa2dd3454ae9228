import { Console, Effect } from "effect"
import { Descriptor, Manifests, MediaType, type Reference, Referrers, Uploads } from "effect-oci"

export const description = "end-7: attaches a bill of materials to an image, and lists what is attached"

export const program = (reference: Reference.Reference) =>
  Effect.gen(function* () {
    const { repository } = reference
    const image = yield* Manifests.head(reference)

    const bytes = new TextEncoder().encode('{"spdxVersion":"SPDX-2.3"}')
    const sbom = yield* Descriptor.fromBytes(bytes, { mediaType: MediaType.spdx })
    yield* Uploads.post(repository, sbom, bytes)
    yield* Uploads.post(repository, Descriptor.empty, Descriptor.emptyBytes)

    // #region attach
    const { descriptor } = yield* Referrers.attach(repository, image, {
      schemaVersion: 2,
      mediaType: MediaType.ociManifest,
      artifactType: MediaType.spdx,
      config: Descriptor.empty,
      layers: [sbom],
      annotations: { "org.example.made-by": "effect-oci" }
    })
    // #endregion
    yield* Console.log(`attached ${descriptor.digest}`)
    const listed = yield* Referrers.list(repository, image.digest, { artifactType: MediaType.spdx })
    yield* Console.log(`is it listed? ${listed.some(({ digest }) => digest === descriptor.digest)}`)
  })
