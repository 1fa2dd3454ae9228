import * as Effect from "effect/Effect"
import * as Annotations from "effect-oci/Annotations"
import * as Descriptor from "effect-oci/Descriptor"
import * as Hasher from "effect-oci/Hasher"
import type { ImageConfig } from "effect-oci/ImageConfig"
import * as Manifest from "effect-oci/Manifest"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import * as Reference from "effect-oci/Reference"
import * as Uploads from "effect-oci/Uploads"
import { createTar } from "nanotar"

/** Where it is pushed to: a registry in this process, which any name reaches. */
const repository = Effect.map(Reference.parse("registry.test/org/hello"), ({ repository }) => repository)

const files = { "bin/hello": '#!/bin/sh\necho "Hello, $NAME"\n', "etc/hello.conf": `greeting=${"o".repeat(48_000)}\n` }

const upload = (bytes: Uint8Array, mediaType: string) =>
  Effect.gen(function* () {
    const descriptor = yield* Descriptor.fromBytes(bytes, { mediaType })
    return yield* Uploads.post(yield* repository, descriptor, bytes)
  })

/** An image of one layer for each file. */
const image = (architecture: string) =>
  Effect.gen(function* () {
    const tars = Object.entries(files).map(([name, data]) => createTar([{ name, data }], { attrs: { mtime: 0 } }))
    const config: ImageConfig = {
      architecture,
      os: "linux",
      created: "2026-01-02T03:04:05Z",
      config: {
        Entrypoint: ["/bin/hello"],
        Env: ["PATH=/bin", "NAME=world"],
        WorkingDir: "/",
        Labels: { [Annotations.licenses]: "MIT" }
      },
      rootfs: { type: "layers", diff_ids: yield* Effect.forEach(tars, (tar) => Hasher.digest(tar)) },
      history: Object.keys(files).map((name) => ({ created_by: `COPY ${name} /${name}` }))
    }
    const content = yield* Manifest.content({
      schemaVersion: 2,
      mediaType: MediaType.ociManifest,
      config: yield* upload(new TextEncoder().encode(JSON.stringify(config)), MediaType.ociConfig),
      layers: yield* Effect.forEach(tars, (tar) => upload(tar, MediaType.ociLayer)),
      annotations: { [Annotations.title]: "hello", [Annotations.version]: "1" }
    })
    const { descriptor } = content
    yield* Manifests.put(Reference.make(yield* repository, { digest: descriptor.digest }), content)
    return { ...descriptor, platform: { os: "linux", architecture } }
  })

/** An image for two platforms, and what has been built before it. */
export const push = Effect.gen(function* () {
  const manifests = yield* Effect.forEach(["amd64", "arm64"], image)
  const index = { schemaVersion: 2, mediaType: MediaType.ociIndex } as const
  yield* Manifests.put(Reference.make(yield* repository, { tag: "1.0" }), {
    ...index,
    manifests: manifests.slice(0, 1)
  })
  yield* Manifests.put(Reference.make(yield* repository, { tag: "1.1" }), { ...index, manifests })
})
