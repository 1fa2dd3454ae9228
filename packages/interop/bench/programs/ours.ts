/**
 * Images by the library, as its users would write it.
 *
 *   pull REFERENCE FOLDER [--ranges=N] | push FOLDER REFERENCE [--unasked] | copy REFERENCE REFERENCE, the first two with
 *   [--progress], all with [--impatient]
 *
 * With `--unasked` the registry is not asked whether it has a blob before that is pushed; with `--impatient` silence of
 * a second or two is a fault.
 */
import { parseArgs } from "node:util"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeRegistry from "@effect-oci/node/NodeRegistry"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as MutableRef from "effect/MutableRef"
import * as Order from "effect/Order"
import * as Stream from "effect/Stream"
import * as BlobSource from "effect-oci/BlobSource"
import * as Blobs from "effect-oci/Blobs"
import * as Copy from "effect-oci/Copy"
import type { Descriptor } from "effect-oci/Descriptor"
import * as Manifest from "effect-oci/Manifest"
import * as Manifests from "effect-oci/Manifests"
import * as Reference from "effect-oci/Reference"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as RegistryStore from "effect-oci/RegistryStore"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    impatient: { type: "boolean", default: false },
    progress: { type: "boolean", default: false },
    ranges: { type: "string" },
    unasked: { type: "boolean", default: false }
  }
})

const moved = MutableRef.make(0)
const options = {
  progress: values.progress ? moved : undefined,
  ranges: values.ranges === undefined ? undefined : Number(values.ranges),
  check: !values.unasked
}

const file = (folder: string, { digest }: { readonly digest: string }) => `${folder}/blobs/${digest.replace(":", "/")}`

const largest = Order.reverse(Order.mapInput(Order.number, ({ size }: Descriptor) => size))

/** All blobs of an image, the largest first. */
const each = <E, R>(
  { manifest }: Manifest.ManifestContent,
  one: (blob: Descriptor) => Effect.Effect<unknown, E, R>
) => {
  const blobs = Manifest.isImage(manifest) ? [...manifest.layers, manifest.config] : []
  return Effect.forEach(blobs.sort(largest), one, { concurrency: 6, discard: true })
}

const pull = (source: string, folder: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const reference = yield* Reference.parse(source)
    yield* fs.makeDirectory(`${folder}/blobs/sha256`, { recursive: true })
    const image = yield* Manifests.get(reference)
    yield* each(image, (blob) => Blobs.toFile(reference.repository, blob, file(folder, blob), options))
  })

const push = (folder: string, target: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const reference = yield* Reference.parse(target)
    const index = yield* Manifest.ManifestContent.fromBytes(yield* fs.readFile(`${folder}/index.json`))
    const [root] = Manifest.isIndex(index.manifest) ? index.manifest.manifests : []
    if (root === undefined) return yield* Effect.dieMessage(`${folder} is empty`)
    const image = yield* Manifest.ManifestContent.fromBytes(yield* fs.readFile(file(folder, root)))
    yield* each(image, (blob) => Blobs.push(reference.repository, BlobSource.file(file(folder, blob), blob), options))
    yield* Manifests.put(reference, image)
  })

const copy = (source: string, target: string) =>
  Effect.gen(function* () {
    const from = yield* Reference.parse(source)
    const to = yield* Reference.parse(target)
    const stores = [RegistryStore.make(from.repository), RegistryStore.make(to.repository)] as const
    yield* Stream.runDrain(Copy.copy(...stores, { root: from.target, tags: [to.target] }))
  })

const [job, from = "", to = ""] = positionals

/** Somebody who looks at the progress now and then. */
const looking = Effect.sync(() => MutableRef.get(moved)).pipe(Effect.delay("100 millis"), Effect.forever)

const hosts = values.impatient
  ? RegistryHosts.layer({ limits: { idle: Duration.seconds(1), answer: Duration.seconds(2) } })
  : Layer.empty

Effect.gen(function* () {
  if (values.progress) yield* Effect.fork(looking)
  if (job === "pull") yield* pull(from, to)
  else if (job === "push") yield* push(from, to)
  else yield* copy(from, to)
}).pipe(Effect.provide(Layer.merge(NodeRegistry.layer, hosts)), NodeRuntime.runMain)
