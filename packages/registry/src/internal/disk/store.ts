import type * as PlatformError from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Descriptor from "effect-oci/Descriptor"
import * as Digest from "effect-oci/Digest"
import * as Hasher from "effect-oci/Hasher"
import * as Manifest from "effect-oci/Manifest"
import type * as Reference from "effect-oci/Reference"
import * as Referrer from "../referrer.js"
import * as Store from "../store.js"
import * as Layout from "./layout.js"
import * as Start from "./start.js"
import * as TagFile from "./tagFile.js"
import * as Upload from "./upload.js"

/** Files that are read at the same time. */
const concurrency = 8

/** What is read of a blob at a time, once more while that is sent. */
const chunkSize = 1024 * 1024

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const newline = 0x0a

/** The media type stands in a line before the manifest: the document itself need not have it. */
const encodeManifest = ({ bytes, descriptor }: Manifest.ManifestContent): Uint8Array => {
  const head = encoder.encode(`${descriptor.mediaType}\n`)
  const whole = new Uint8Array(head.length + bytes.length)
  whole.set(head)
  whole.set(bytes, head.length)
  return whole
}

const decodeManifest = (whole: Uint8Array): Store.Stored => {
  const end = whole.indexOf(newline)
  return { mediaType: decoder.decode(whole.subarray(0, end)), bytes: whole.subarray(end + 1) }
}

const DescriptorText = Schema.parseJson(Descriptor.Descriptor)

/** A folder of which nothing is kept in memory but the uploads that are under way. */
export const make = (
  directory: string
): Effect.Effect<Store.Store, PlatformError.PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const files = yield* Start.open(directory)
    const { fs } = files
    const uploads = new Map<string, Store.Upload>()
    const forget = (id: string): void => {
      uploads.delete(id)
    }
    for (const upload of yield* Start.restore(files, forget)) uploads.set(upload.id, upload)
    yield* Start.collectAll(files)

    const has = (name: string) =>
      Effect.map(Effect.forEach([Layout.blobs(name), Layout.manifests(name)], files.find), (found) =>
        found.some(Option.isSome)
      )

    /** The repositories below a place, by name. */
    const below = (name: string): Effect.Effect<ReadonlyArray<string>, PlatformError.PlatformError> =>
      Effect.gen(function* () {
        const entries = yield* files.list(name === "" ? Layout.repositories : Layout.repository(name))
        const nested = yield* Effect.forEach(
          entries.filter((entry) => !Layout.isPart(entry)),
          (entry) => below(name === "" ? entry : `${name}/${entry}`),
          { concurrency }
        )
        return entries.some(Layout.isPart) && (yield* has(name)) ? [name, ...nested.flat()] : nested.flat()
      })

    const blob = (name: string, digest: Digest.Digest) =>
      Effect.gen(function* () {
        const place = Layout.blob(name, digest)
        const info = Option.filter(yield* files.stat(place), ({ type }) => type === "File")
        const path = yield* files.find(place)
        return Option.zipWith(
          info,
          path,
          ({ size }, path) =>
            ({
              digest,
              size: Number(size),
              bytes: ({ end, start }) =>
                fs.stream(path, { offset: start, bytesToRead: end - start, chunkSize, bufferSize: 1 })
            }) satisfies Store.Content
        )
      })

    const manifest = (name: string, digest: Digest.Digest) =>
      Effect.map(files.read(Layout.manifest(name, digest)), Option.map(decodeManifest))

    const hashOf = (subject: Digest.Digest) => Effect.map(Hasher.digest(encoder.encode(subject)), Digest.encoded)

    const referrerOf = (content: Manifest.ManifestContent) =>
      Option.match(Referrer.of(content), {
        onNone: () => Effect.succeedNone,
        onSome: ({ descriptor, subject }) => Effect.map(hashOf(subject), (hash) => Option.some({ descriptor, hash }))
      })

    const tags = (name: string) => Effect.map(files.list(Layout.tags(name)), (names) => names.map(TagFile.tag))

    const tag = (name: string, tag: Reference.Tag) =>
      Effect.map(
        files.read(Layout.tag(name, tag)),
        Option.flatMap((bytes) => Option.getRight(Digest.parse(decoder.decode(bytes))))
      )

    return {
      repositories: below(""),
      has,
      exclusively: Store.exclusively(),

      blob,
      mount: (from, name, digest) => files.link(Layout.blob(from, digest), Layout.blob(name, digest)),
      removeBlob: (name, digest) =>
        Effect.tap(files.remove(Layout.blob(name, digest)), (removed) =>
          removed ? Start.collect(files, Layout.content(digest)) : Effect.void
        ),

      manifest,
      putManifest: (name, content) =>
        Effect.gen(function* () {
          const { digest } = content.descriptor
          const referrer = yield* referrerOf(content)
          // before the manifest: one that is there is listed
          if (Option.isSome(referrer)) {
            const { descriptor, hash } = referrer.value
            const text = yield* Effect.orDie(Schema.encode(DescriptorText)(descriptor))
            yield* files.write(Layout.referrer(name, hash, digest), encoder.encode(text))
          }
          yield* files.write(Layout.manifest(name, digest), encodeManifest(content))
        }),
      removeManifest: (name, digest) =>
        Effect.gen(function* () {
          const pointing = yield* Effect.filter(
            yield* tags(name),
            (each) => Effect.map(tag(name, each), Option.contains(digest)),
            { concurrency }
          )
          yield* Effect.forEach(pointing, (each) => files.remove(Layout.tag(name, each)), { discard: true })
          const stored = yield* manifest(name, digest)
          yield* files.remove(Layout.manifest(name, digest))
          if (Option.isNone(stored)) return
          const { bytes, mediaType } = stored.value
          const content = yield* Effect.option(Manifest.ManifestContent.fromBytes(bytes, { mediaType }))
          const referrer = Option.isNone(content) ? Option.none() : yield* referrerOf(content.value)
          if (Option.isSome(referrer)) yield* files.remove(Layout.referrer(name, referrer.value.hash, digest))
        }),
      referrers: (name, subject) =>
        Effect.gen(function* () {
          const hash = yield* hashOf(subject)
          const names = yield* files.list(Layout.referrers(name, hash))
          const found = yield* Effect.forEach(
            names,
            (each) =>
              Effect.gen(function* () {
                const written = yield* files.read([...Layout.referrers(name, hash), each])
                const descriptor = Option.flatMap(written, (bytes) =>
                  Schema.decodeOption(DescriptorText)(decoder.decode(bytes))
                )
                if (Option.isNone(descriptor)) return []
                const manifest = yield* files.find(Layout.manifest(name, descriptor.value.digest))
                return Option.isSome(manifest) ? [descriptor.value] : []
              }),
            { concurrency }
          )
          return found.flat()
        }),

      tags,
      tag,
      putTag: (name, tag, digest) => files.write(Layout.tag(name, tag), encoder.encode(digest)),
      removeTag: (name, tag) => Effect.asVoid(files.remove(Layout.tag(name, tag))),

      uploads,
      newUpload: (repository, algorithm) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => Upload.begin(files, { repository, algorithm, now }, forget))
    }
  })
