import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as RegistryStorage from "@effect-oci/registry/RegistryStorage"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Digest from "effect-oci/Digest"
import * as Hasher from "effect-oci/Hasher"
import { bytesOf, chunk, codes, manifest, pushBlob, pushManifest, putManifest, send, startUpload } from "./support.js"

/** A registry whose storage is this folder. */
const registry = (folder: string, options?: RegistryServer.Options) =>
  RegistryServer.layerHttpClient(options).pipe(
    Layer.provide(RegistryStorage.layerDisk(folder)),
    Layer.provide(NodeContext.layer)
  )

/** Runs with a folder of its own, which is not there yet. */
const withFolder = <A, E, R>(use: (folder: string, fs: FileSystem.FileSystem) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return yield* use(`${yield* fs.realPath(yield* fs.makeTempDirectoryScoped())}/registry`, fs)
  }).pipe(Effect.scoped, Effect.provide(NodeContext.layer))

/** The file of a digest in a folder. */
const file = (folder: string, digest: Digest.Digest) => `${folder}/sha256/${Digest.encoded(digest)}`

const statusOf = (path: string) => Effect.map(send("HEAD", path), ({ status }) => status)

describe("RegistryStorage.layerDisk", () => {
  it.effect("has what the registry before it had", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        const [blob, image, about] = yield* Effect.gen(function* () {
          const image = yield* pushManifest("org/app", "1")
          const about = yield* pushManifest("org/app", "About", { subject: image, artifactType: "text/x" })
          return [yield* pushBlob("org/deep/er", "blob"), image, about]
        }).pipe(Effect.provide(registry(folder)))
        yield* Effect.gen(function* () {
          assert.strictEqual((yield* send("GET", `/v2/org/deep/er/blobs/${blob}`)).text, "blob")
          const get = yield* send("GET", "/v2/org/app/manifests/1")
          assert.strictEqual(yield* Hasher.digest(get.bytes), image)
          assert.deepStrictEqual((yield* send("GET", "/v2/org/app/tags/list")).json, {
            name: "org/app",
            tags: ["1", "About"]
          })
          const { json } = yield* send("GET", `/v2/org/app/referrers/${image}`)
          assert.deepStrictEqual(
            Object(json).manifests.map(({ digest }: { readonly digest: string }) => digest),
            [about]
          )
          assert.deepStrictEqual((yield* send("GET", "/v2/_catalog")).json, {
            repositories: ["org/app", "org/deep/er"]
          })
        }).pipe(Effect.provide(registry(folder)))
      })
    )
  )

  for (const algorithm of ["sha256", "sha512"] as const) {
    it.effect(`an upload goes on where it was when the registry stopped, to a ${algorithm} digest`, () =>
      withFolder((folder) =>
        Effect.gen(function* () {
          const location = yield* Effect.gen(function* () {
            const location = yield* startUpload("org/app")
            yield* chunk(location, 0, "hello ")
            return location
          }).pipe(Effect.provide(registry(folder)))
          yield* Effect.gen(function* () {
            assert.strictEqual((yield* send("GET", location)).headers.range, "0-5")
            yield* chunk(location, 6, "wor")
            const digest = yield* Hasher.digest(bytesOf("hello world"), algorithm)
            assert.strictEqual((yield* send("PUT", `${location}?digest=${digest}`, { body: "ld" })).status, 201)
            assert.strictEqual((yield* send("GET", `/v2/org/app/blobs/${digest}`)).text, "hello world")
          }).pipe(Effect.provide(registry(folder)))
        })
      )
    )
  }

  it.effect("an upload that rested too long is forgotten, whichever registry it began with", () =>
    withFolder((folder, fs) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(1_700_000_000_000)
        const location = yield* startUpload("org/app").pipe(
          Effect.tap((location) => chunk(location, 0, "x")),
          Effect.provide(registry(folder))
        )
        yield* TestClock.adjust("50 minutes")
        assert.strictEqual((yield* send("GET", location).pipe(Effect.provide(registry(folder)))).status, 204)
        yield* TestClock.adjust("59 minutes")
        yield* Effect.gen(function* () {
          assert.strictEqual((yield* fs.readDirectory(`${folder}/uploads`)).length, 2)
          yield* TestClock.adjust("2 minutes")
          assert.deepStrictEqual(codes(yield* send("GET", location)), ["BLOB_UPLOAD_UNKNOWN"])
        }).pipe(Effect.provide(registry(folder)))
        assert.deepStrictEqual(yield* fs.readDirectory(`${folder}/uploads`), [])
      })
    )
  )

  it.effect("an upload that a body is coming for does not rest", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        const location = yield* startUpload("org/app")
        const [started, go] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const body = Stream.make("first ", "second").pipe(
          Stream.rechunk(1),
          Stream.map(bytesOf),
          Stream.tap(() => Effect.zipRight(Deferred.succeed(started, undefined), Deferred.await(go)))
        )
        const sending = yield* Effect.fork(send("PATCH", location, { body }))
        yield* Deferred.await(started)
        yield* TestClock.adjust("2 hours")
        yield* startUpload("org/other")
        yield* Deferred.succeed(go, undefined)
        assert.strictEqual((yield* Fiber.join(sending)).headers.range, "0-11")
      }).pipe(Effect.provide(registry(folder)))
    )
  )

  it.effect("keeps a blob once for all repositories, and no longer than one has it", () =>
    withFolder((folder, fs) =>
      Effect.gen(function* () {
        const digest = yield* pushBlob("org/one", "shared")
        yield* pushBlob("org/two", "shared")
        yield* send("POST", `/v2/org/three/blobs/uploads/?mount=${digest}&from=org/one`)
        const content = file(`${folder}/blobs`, digest)
        assert.strictEqual(Option.getOrUndefined((yield* fs.stat(content)).nlink), 4)
        for (const name of ["org/one", "org/two", "org/three"]) {
          assert.isTrue(yield* fs.exists(content))
          assert.strictEqual((yield* send("DELETE", `/v2/${name}/blobs/${digest}`)).status, 202)
        }
        assert.isFalse(yield* fs.exists(content))
      }).pipe(Effect.provide(registry(folder)))
    )
  )

  it.effect("a blob that is deleted is read to its end by who began before", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        const bytes = new Uint8Array(20 * 1024 * 1024).fill(7)
        const digest = yield* pushBlob("org/app", bytes)
        const client = yield* HttpClient.HttpClient
        const { stream } = yield* client.get(`http://registry.test/v2/org/app/blobs/${digest}`)
        const [begun, deleted] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const reading = yield* stream.pipe(
          Stream.tap(() => Effect.zipRight(Deferred.succeed(begun, undefined), Deferred.await(deleted))),
          Stream.runFold(0, (size, piece) => size + piece.length),
          Effect.fork
        )
        yield* Deferred.await(begun)
        assert.strictEqual((yield* send("DELETE", `/v2/org/app/blobs/${digest}`)).status, 202)
        assert.strictEqual(yield* statusOf(`/v2/org/app/blobs/${digest}`), 404)
        yield* Deferred.succeed(deleted, undefined)
        assert.strictEqual(yield* Fiber.join(reading), bytes.length)
      }).pipe(Effect.provide(registry(folder)))
    )
  )

  it.effect("takes one blob from many at once, while others delete it", () =>
    withFolder((folder, fs) =>
      Effect.gen(function* () {
        const digest = yield* Hasher.digest(bytesOf("the same"))
        const names = Array.from({ length: 6 }, (_, n) => `org/n${n}`)
        const busy = (name: string) =>
          Effect.gen(function* () {
            for (let round = 0; round < 5; round++) {
              yield* pushBlob(name, "the same")
              assert.strictEqual((yield* send("GET", `/v2/${name}/blobs/${digest}`)).text, "the same")
              assert.strictEqual((yield* send("DELETE", `/v2/${name}/blobs/${digest}`)).status, 202)
            }
          })
        yield* Effect.forEach(names, busy, { concurrency: "unbounded" })
        assert.deepStrictEqual(yield* fs.readDirectory(`${folder}/blobs/sha256`), [])
        assert.deepStrictEqual(yield* fs.readDirectory(`${folder}/uploads`), [])
      }).pipe(Effect.provide(registry(folder)))
    )
  )

  it.effect.prop(
    "keeps the case of tags, on file systems too that do not",
    { tags: FastCheck.array(FastCheck.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/), { minLength: 1 }) },
    ({ tags }) =>
      withFolder((folder, fs) =>
        Effect.gen(function* () {
          const digest = yield* pushManifest("org/app", "v1")
          const body = yield* send("GET", `/v2/org/app/manifests/${digest}`)
          const all = new Set(["v1", "V1", "RC1", "rc1", "Rc1", "A".repeat(128), "aB".repeat(64), ...tags])
          yield* Effect.forEach(all, (tag) => putManifest("org/app", tag, body.text), { concurrency: 8 })
          const { json } = yield* send("GET", "/v2/org/app/tags/list?n=1000")
          assert.deepStrictEqual(Object(json).tags, Array.from(all).sort())
          const files = yield* fs.readDirectory(`${folder}/repositories/org/app/_tags`)
          assert.strictEqual(new Set(files.map((name) => name.toLowerCase())).size, all.size)
        }).pipe(Effect.provide(registry(folder)))
      ),
    { fastCheck: { numRuns: 3 } }
  )

  it.effect("clears away what a registry left that was killed, and nothing else", () =>
    withFolder((folder, fs) =>
      Effect.gen(function* () {
        const [digest, location] = yield* Effect.all([pushBlob("org/app", "kept"), startUpload("org/app")]).pipe(
          Effect.provide(registry(folder))
        )
        const id = location.slice(location.lastIndexOf("/") + 1)
        const lost = crypto.randomUUID()
        const content = file(`${folder}/blobs`, yield* Hasher.digest(bytesOf("nobody's")))
        for (const path of [`${folder}/temp/${lost}`, `${folder}/uploads/${lost}`, content]) {
          yield* fs.writeFileString(path, "nobody's")
        }
        yield* Effect.gen(function* () {
          assert.deepStrictEqual(yield* fs.readDirectory(`${folder}/temp`), [])
          assert.sameMembers(yield* fs.readDirectory(`${folder}/uploads`), [id, `${id}.json`])
          assert.isFalse(yield* fs.exists(content))
          assert.strictEqual(yield* statusOf(`/v2/org/app/blobs/${digest}`), 200)
          assert.strictEqual((yield* send("GET", location)).status, 204)
        }).pipe(Effect.provide(registry(folder)))
      })
    )
  )

  it.effect("does not take a folder that has something else in it", () =>
    withFolder((folder, fs) =>
      Effect.gen(function* () {
        yield* fs.makeDirectory(`${folder}/temp`, { recursive: true })
        yield* fs.writeFileString(`${folder}/temp/mine`, "mine")
        const error = yield* Effect.flip(Effect.provide(send("GET", "/v2/"), registry(folder)))
        assert.include(error.message, "the folder is not empty, and not that of a registry")
        assert.deepStrictEqual(yield* fs.readDirectory(`${folder}/temp`), ["mine"])
      })
    )
  )

  it.effect("reads nothing through a symbolic link, and writes nothing through one", () =>
    withFolder((folder, fs) =>
      Effect.gen(function* () {
        const outside = `${folder}-outside`
        const blob = yield* pushBlob("org/app", "secret")
        const image = yield* pushManifest("org/app", "1")
        const repository = `${folder}/repositories/org/app`
        yield* fs.copy(repository, outside)
        yield* fs.makeDirectory(`${folder}/repositories/org/linked`)
        for (const part of ["_blobs", "_manifests", "_tags"]) {
          yield* fs.symlink(`${outside}/${part}`, `${folder}/repositories/org/linked/${part}`)
        }
        yield* fs.symlink(outside, `${folder}/repositories/org/whole`)
        yield* fs.remove(file(`${repository}/_blobs`, blob))
        yield* fs.symlink(file(`${outside}/_blobs`, blob), file(`${repository}/_blobs`, blob))
        for (const path of [
          `org/app/blobs/${blob}`,
          `org/linked/blobs/${blob}`,
          `org/linked/manifests/1`,
          `org/linked/manifests/${image}`,
          `org/whole/blobs/${blob}`,
          `org/whole/manifests/1`
        ]) {
          assert.strictEqual(yield* statusOf(`/v2/${path}`), 404, path)
        }
        for (const name of ["org/linked", "org/whole"]) {
          const put = yield* send("POST", `/v2/${name}/blobs/uploads/?digest=${blob}`, { body: "secret" })
          assert.strictEqual(put.status, 500)
          yield* send("DELETE", `/v2/${name}/blobs/${blob}`)
          yield* send("DELETE", `/v2/${name}/manifests/1`)
        }
        assert.isTrue(yield* fs.exists(file(`${outside}/_blobs`, blob)))
        assert.isTrue(yield* fs.exists(`${outside}/_tags/1`))
        assert.deepStrictEqual((yield* send("GET", "/v2/_catalog")).json, { repositories: ["org/app"] })
      }).pipe(Effect.provide(registry(folder)))
    )
  )

  for (const from of ["../outside", "org/../../outside"]) {
    it.effect(`mounts nothing from ${from}`, () =>
      withFolder((folder, fs) =>
        Effect.gen(function* () {
          const digest = yield* pushBlob("org/app", "there")
          yield* fs.copy(`${folder}/repositories/org/app`, `${folder}/outside`)
          const query = `mount=${digest}&from=${encodeURIComponent(from)}`
          assert.strictEqual((yield* send("POST", `/v2/org/target/blobs/uploads/?${query}`)).status, 202)
        }).pipe(Effect.provide(registry(folder)))
      )
    )
  }

  it.effect("what the disk refuses is answered with 500, and the log says why", () =>
    withFolder((folder, fs) =>
      Effect.gen(function* () {
        const digest = yield* pushBlob("org/app", "there")
        const location = yield* startUpload("org/app")
        yield* fs.remove(`${folder}/temp`, { recursive: true })
        const put = yield* putManifest("org/app", "1", manifest({ blobs: [digest] }))
        assert.strictEqual(put.status, 500)
        assert.deepStrictEqual(put.json, { errors: [{ code: "UNKNOWN", message: "the storage failed" }] })
        yield* fs.makeDirectory(`${folder}/temp`)
        assert.strictEqual((yield* putManifest("org/app", "1", manifest({ blobs: [digest] }))).status, 201)
        assert.strictEqual((yield* chunk(location, 0, "x")).status, 202)
      }).pipe(Effect.provide(registry(folder)))
    )
  )
})
