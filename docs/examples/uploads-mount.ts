import { Console, Effect } from "effect"
import { Manifest, Manifests, type Reference, Repository, Uploads } from "effect-oci"

export const description = "end-11: puts the layers of an image into the repository NAME/mounted, without their bytes"

export const program = (reference: Reference.Reference) =>
  Effect.gen(function* () {
    const { name, registry } = reference.repository
    const target = new Repository.Repository({ registry, name: `${name}/mounted` })
    const { manifest } = yield* Manifests.resolve(reference)
    for (const { digest } of Manifest.isImage(manifest) ? manifest.layers : []) {
      const result = yield* Uploads.mount(target, digest, reference.repository)
      // a registry that does not mount begins an upload instead
      if (result._tag === "UploadSession") yield* Uploads.cancel(result)
      yield* Console.log(result._tag === "Mounted" ? `wrote ${target}@${digest}` : `not mounted: ${digest}`)
    }
  })
