import { SystemError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as RegistryStorage from "@effect-oci/registry/RegistryStorage"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Digest from "effect-oci/Digest"
import * as Hasher from "effect-oci/Hasher"
import { bytesOf, chunk, manifest, putManifest, send } from "./support.js"

/** A file system that is gone after so many changes. The last write of bytes is half done by then. */
const dying = (fs: FileSystem.FileSystem, changes: number) => {
  let left = changes
  const killed = new SystemError({ module: "FileSystem", method: "any", reason: "Unknown", description: "killed" })
  const step = <A, E, R>(self: Effect.Effect<A, E, R>, half: Effect.Effect<unknown, E> = Effect.void) =>
    Effect.suspend(() => {
      left--
      return left > 0 ? self : Effect.zipRight(left === 0 ? half : Effect.void, Effect.fail(killed))
    })
  const file = (file: FileSystem.File): FileSystem.File => ({
    [FileSystem.FileTypeId]: FileSystem.FileTypeId,
    fd: file.fd,
    stat: file.stat,
    // a process that ends takes nothing from the cache of the system
    sync: Effect.void,
    seek: (offset, from) => file.seek(offset, from),
    read: (buffer) => file.read(buffer),
    readAlloc: (size) => file.readAlloc(size),
    truncate: (length) => step(file.truncate(length)),
    write: (bytes) => step(file.write(bytes)),
    writeAll: (bytes) => step(file.writeAll(bytes), file.writeAll(bytes.subarray(0, bytes.length / 2)))
  })
  return {
    isDead: () => left <= 0,
    /** How many changes there were. */
    count: () => changes - left,
    fs: {
      ...fs,
      makeDirectory: (path, options) => step(fs.makeDirectory(path, options)),
      rename: (from, to) => step(fs.rename(from, to)),
      link: (from, to) => step(fs.link(from, to)),
      remove: (path, options) => step(fs.remove(path, options)),
      writeFile: (path, bytes, options) => step(fs.writeFile(path, bytes, options)),
      writeFileString: (path, text, options) => step(fs.writeFileString(path, text, options)),
      open: (path, options) =>
        Effect.map(options?.flag === undefined ? fs.open(path) : step(fs.open(path, options)), file)
    } satisfies FileSystem.FileSystem
  }
}

const texts = { config: "{}", small: "small", large: "0123456789" }

const digestOf = (text: string) => Hasher.digest(bytesOf(text))

/** What a client was told to be so. */
interface Told {
  readonly there: Set<string>
  readonly gone: Set<string>
  upload?: { readonly location: string; readonly size: number }
}

/** Does a bit of everything, as far as it gets. */
const story = (told: Told, isDead: () => boolean) =>
  Effect.gen(function* () {
    const { config, large, small } = texts
    const did = (status: number, there: ReadonlyArray<string>, gone: ReadonlyArray<string> = []) => {
      if (status >= 400) return
      for (const path of there) told.gone.delete(path)
      for (const path of gone) told.there.delete(path)
      for (const path of there) told.there.add(path)
      for (const path of gone) told.gone.add(path)
    }
    const blob = (text: string) => Effect.map(digestOf(text), (digest) => `/v2/org/app/blobs/${digest}`)
    for (const text of [config, small]) {
      const answer = yield* send("POST", `/v2/org/app/blobs/uploads/?digest=${yield* digestOf(text)}`, { body: text })
      did(answer.status, [yield* blob(text)])
    }
    const started = yield* send("POST", "/v2/org/app/blobs/uploads/")
    const location = started.headers.location ?? "/v2/none/blobs/uploads/none"
    if (started.status === 202) told.upload = { location, size: 0 }
    const patched = yield* chunk(location, 0, large.slice(0, 5))
    if (patched.status === 202) told.upload = { location, size: 5 }
    // while it is finished it may be lost
    if (!isDead()) delete told.upload
    const finished = yield* send("PUT", `${location}?digest=${yield* digestOf(large)}`, { body: large.slice(5) })
    did(finished.status, [yield* blob(large)])

    const put = (tag: string, body: string) =>
      Effect.gen(function* () {
        const answer = yield* putManifest("org/app", tag, body)
        did(answer.status, [`/v2/org/app/manifests/${yield* digestOf(body)}`, `/v2/org/app/manifests/${tag}`])
      })
    const [one, two, about] = yield* bodies
    yield* put("1", one)
    yield* put("1", two)
    yield* put("about", about)
    const mounted = yield* send("POST", `/v2/org/b/blobs/uploads/?mount=${yield* digestOf(small)}&from=org/app`)
    did(mounted.status === 201 ? 201 : 500, [`/v2/org/b/blobs/${yield* digestOf(small)}`])
    const deleted = yield* send("DELETE", `/v2/org/app/manifests/${yield* digestOf(about)}`)
    // it may be gone in part
    if (deleted.status >= 400) told.there.delete("/v2/org/app/manifests/about")
    if (deleted.status >= 400) told.there.delete(`/v2/org/app/manifests/${yield* digestOf(about)}`)
    did(deleted.status, [], [`/v2/org/app/manifests/${yield* digestOf(about)}`, "/v2/org/app/manifests/about"])
    for (const text of [large, small]) {
      const answer = yield* send("DELETE", yield* blob(text))
      if (answer.status >= 400) told.there.delete(yield* blob(text))
      did(answer.status, [], [yield* blob(text)])
    }
  })

const bodies = Effect.gen(function* () {
  const [config, small] = [yield* digestOf(texts.config), yield* digestOf(texts.small)]
  const one = manifest({ blobs: [config] })
  return [
    one,
    manifest({ blobs: [config, small] }),
    manifest({ blobs: [config], subject: yield* digestOf(one), annotations: { n: "1" } })
  ] as const
})

/** What must hold whatever happened: all that is served is whole, and all that was told is so. */
const holds = (told: Told, fs: FileSystem.FileSystem, folder: string) =>
  Effect.gen(function* () {
    const json = (path: string) => Effect.map(send("GET", path), ({ json }) => Object(json))
    const blobs = yield* Effect.forEach(Object.values(texts), digestOf)
    const manifests = yield* Effect.forEach(yield* bodies, digestOf)
    for (const name of (yield* json("/v2/_catalog")).repositories) {
      const { tags } = yield* json(`/v2/${name}/tags/list`)
      for (const path of [
        ...[...tags, ...manifests].map((reference) => `/v2/${name}/manifests/${reference}`),
        ...blobs.map((digest) => `/v2/${name}/blobs/${digest}`)
      ]) {
        const { bytes, headers, status } = yield* send("GET", path)
        if (status === 404) assert.notInclude(tags, path.slice(path.lastIndexOf("/") + 1))
        else assert.strictEqual(yield* Hasher.digest(bytes), headers["docker-content-digest"])
      }
      const { manifests: referrers } = yield* json(`/v2/${name}/referrers/${manifests[0]}`)
      for (const { digest } of referrers) {
        assert.strictEqual((yield* send("HEAD", `/v2/${name}/manifests/${digest}`)).status, 200)
      }
    }
    for (const path of told.there) assert.strictEqual((yield* send("HEAD", path)).status, 200, path)
    for (const path of told.gone) assert.strictEqual((yield* send("HEAD", path)).status, 404, path)
    if (told.upload !== undefined) {
      const { location, size } = told.upload
      const { headers, status } = yield* send("GET", location)
      assert.strictEqual(status, 204)
      const offset = headers.range === "0-0" ? 0 : Number(headers.range?.slice(2)) + 1
      assert.isAtLeast(offset, size)
      const digest = yield* digestOf(texts.large)
      const put = yield* send("PUT", `${location}?digest=${digest}`, { body: texts.large.slice(offset) })
      assert.strictEqual(put.status, 201)
      assert.strictEqual((yield* send("GET", `/v2/org/app/blobs/${digest}`)).text, texts.large)
    }
    assert.deepStrictEqual(yield* fs.readDirectory(`${folder}/temp`), [])
    for (const digest of blobs) {
      const content = `${folder}/blobs/sha256/${Digest.encoded(digest)}`
      if (yield* fs.exists(content)) {
        assert.isAbove(
          Option.getOrElse((yield* fs.stat(content)).nlink, () => 0),
          1
        )
      }
    }
  })

/** Lives through the story until the file system is gone, then starts again on what is left. */
const crash = (changes: number) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const folder = `${yield* fs.makeTempDirectoryScoped()}/registry`
    const registry = (files: FileSystem.FileSystem) =>
      RegistryServer.layerHttpClient().pipe(
        Layer.provide(RegistryStorage.layerDisk(folder)),
        Layer.provide([NodeContext.layer, Layer.succeed(FileSystem.FileSystem, files)])
      )
    const told: Told = { there: new Set(), gone: new Set() }
    const fate = dying(fs, changes)
    const lived: Effect.Effect<unknown, unknown> = Effect.provide(
      story(told, fate.isDead) satisfies Effect.Effect<void, unknown, HttpClient.HttpClient>,
      registry(fate.fs)
    )
    yield* Effect.ignore(lived)
    yield* Effect.provide(holds(told, fs, folder), registry(fs))
    return fate.count()
  }).pipe(Effect.scoped, Effect.provide([NodeContext.layer, Logger.replace(Logger.defaultLogger, Logger.none)]))

/** Each of them is tried by `CRASH_STEP=1`. */
const step = Number(process.env.CRASH_STEP ?? 3)

describe("a registry on disk that ends in the middle of something", () => {
  it.effect(
    "serves nothing torn and all that it promised, whichever of its changes was the last",
    () =>
      Effect.gen(function* () {
        const all = yield* crash(1_000_000)
        assert.isAbove(all, 60)
        yield* Effect.forEach(
          Array.from({ length: all / step }, (_, at) => at * step + 1),
          (changes) => Effect.tapErrorCause(crash(changes), () => Console.error(`it ended after ${changes} changes`)),
          { concurrency: 8, discard: true }
        )
      }),
    60_000
  )
})
