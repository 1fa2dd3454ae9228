import { FileSystem } from "@effect/platform"
import { MultiBar, Presets } from "cli-progress"
import { Config, Console, Effect, MutableRef, Order, Schedule } from "effect"
import { Blobs, type Descriptor, Digest, Manifest, Manifests, type Reference } from "effect-oci"

export const description = "an image in a folder (FOLDER, else ./image), a bar for each blob; goes on after Ctrl-C"

const largestFirst = Order.reverse(Order.mapInput(Order.number, ({ size }: Descriptor.Descriptor) => size))

/** A terminal's bars. What they show is looked up ten times a second, and costs the download nothing. */
const bars = Effect.gen(function* () {
  if (!process.stderr.isTTY) return () => Effect.succeed(MutableRef.make(0))
  const multi = yield* Effect.acquireRelease(
    Effect.sync(() => new MultiBar({ format: "{name} {bar} {percentage} % of {total} bytes" }, Presets.shades_grey)),
    (multi) => Effect.sync(() => multi.stop())
  )
  return ({ digest, size }: Descriptor.Descriptor) =>
    Effect.gen(function* () {
      const progress = MutableRef.make(0)
      const bar = multi.create(size, 0, { name: Digest.encoded(digest).slice(0, 12) })
      const draw = Effect.sync(() => bar.update(MutableRef.get(progress)))
      yield* Effect.addFinalizer(() => draw)
      yield* Effect.forkScoped(Effect.repeat(draw, Schedule.spaced("100 millis")))
      return progress
    })
})

export const program = (reference: Reference.Reference) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* Config.withDefault(Config.string("FOLDER"), "image")
    const { bytes, descriptor, manifest } = yield* Manifests.resolve(reference)
    const blobs = Manifest.isImage(manifest) ? [manifest.config, ...manifest.layers] : []

    const pathOf = ({ digest }: Descriptor.Descriptor) =>
      Effect.gen(function* () {
        const place = `${folder}/blobs/${Digest.algorithm(digest)}`
        yield* fs.makeDirectory(place, { recursive: true })
        return `${place}/${Digest.encoded(digest)}`
      })

    // #region download
    const download = Effect.gen(function* () {
      const bar = yield* bars
      const one = (blob: Descriptor.Descriptor) =>
        Effect.gen(function* () {
          const path = yield* pathOf(blob)
          // what has its final name was verified
          if (yield* fs.exists(path)) return
          yield* Blobs.toFile(reference.repository, blob, path, { progress: yield* bar(blob) })
        })
      yield* Effect.forEach(blobs.sort(largestFirst), (blob) => Effect.scoped(one(blob)), { concurrency: 4 })
    })
    // #endregion

    yield* Effect.scoped(download)
    // an OCI layout, which other tools read
    yield* fs.writeFile(yield* pathOf(descriptor), bytes)
    yield* fs.writeFileString(`${folder}/oci-layout`, JSON.stringify({ imageLayoutVersion: "1.0.0" }))
    yield* fs.writeFileString(`${folder}/index.json`, JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }))
    yield* Console.log(`${blobs.length} blobs of ${descriptor.digest} are in the folder`)
  })
