import { assert, describe, it } from "@effect/vitest"
import * as Script from "@effect-oci/registry/Script"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { BlobSource } from "effect-oci/BlobSource"
import type { Digest } from "effect-oci/Digest"
import * as Manifest from "effect-oci/Manifest"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import {
  content,
  describeBytes,
  encode,
  failing,
  manifestContent,
  manifestDigest,
  pinned,
  sha256,
  tagged
} from "../given.js"
import { begun, digest, playing, taken } from "./given.js"

const root = "/v2/org/app/manifests"
const line = (tag: string) => Script.expect("PUT", `${root}/${tag}`)
const config = sha256("{}")

/** The blobs of the manifest: its config, and its only layer. */
const contents: ReadonlyMap<Digest, Uint8Array | BlobSource> = new Map<Digest, Uint8Array | BlobSource>([
  [config, encode("{}")],
  [digest, { stream: Stream.make(encode(content)) }]
])
const all = (asked: Digest) => Option.fromNullable(contents.get(asked))
const only = (one: Digest) => (asked: Digest) => (asked === one ? all(one) : Option.none())

const lacking = (status: number, ...details: ReadonlyArray<unknown>) =>
  line("1.2").answer(status, {
    json: { errors: details.map((detail) => ({ code: "MANIFEST_BLOB_UNKNOWN", message: "blob unknown", detail })) }
  })

describe("Manifests.put of a manifest whose blobs the registry lacks", () => {
  const put = Manifests.put(tagged, manifestContent, { blobs: all })

  it.effect("U42 U54: pushes those that are named, whatever it said of them before, and the manifest once more", () =>
    Effect.map(put, ({ tags }) => assert.deepStrictEqual(tags, ["1.2"])).pipe(
      playing(lacking(400, { digest }), begun(1), taken(1), line("1.2").answer(201))
    )
  )

  it.effect("U54: pushes several, in their order", () =>
    put.pipe(
      playing(
        lacking(404, digest, { name: "x", digest: config }),
        begun(1),
        taken(1, config),
        begun(2),
        taken(2),
        line("1.2").answer(201)
      )
    )
  )

  it.effect("U54: pushes all where none is named", () =>
    put.pipe(playing(lacking(400, undefined), begun(1), taken(1, config), begun(2), taken(2), line("1.2").answer(201)))
  )

  it.effect("U54: only once", () =>
    Effect.gen(function* () {
      const error = yield* failing("ManifestBlobUnknown", put)
      assert.deepStrictEqual(error.missing, [digest])
    }).pipe(playing(lacking(400, digest), begun(1), taken(1), lacking(400, digest)))
  )

  it.effect("U54: pushes nothing where one of them is not to be had", () =>
    Effect.gen(function* () {
      const error = yield* failing(
        "ManifestBlobUnknown",
        Manifests.put(tagged, manifestContent, { blobs: only(config) })
      )
      assert.deepStrictEqual(error.missing, [config, digest])
    }).pipe(playing(lacking(400, config, digest)))
  )

  it.effect("U54: pushes no content that the manifest does not name", () => {
    const other = sha256("other")
    const blobs = () => Option.some(encode("other"))
    return failing("ManifestBlobUnknown", Manifests.put(tagged, manifestContent, { blobs })).pipe(
      playing(lacking(400, other))
    )
  })

  it.effect("U54: a blob of another size than the manifest says is not pushed", () =>
    failing("SizeMismatch", Manifests.put(tagged, manifestContent, { blobs: () => Option.some(encode("12345")) })).pipe(
      playing(lacking(400, digest))
    )
  )

  it.effect("U55: a manifest that an index names is none of its blobs", () =>
    Effect.gen(function* () {
      const index = yield* Manifest.content({
        schemaVersion: 2,
        mediaType: MediaType.ociIndex,
        manifests: [manifestContent.descriptor]
      })
      const blobs = () => Option.some(manifestContent.bytes)
      const error = yield* failing("ManifestBlobUnknown", Manifests.put(tagged, index, { blobs }))
      assert.deepStrictEqual(error.missing, [manifestDigest])
    }).pipe(playing(lacking(404, manifestDigest)))
  )

  it.effect("U65: a layer that may not be distributed is not pushed", () =>
    Effect.gen(function* () {
      const foreign = describeBytes(content, MediaType.ociLayerNonDistributableGzip)
      const image = yield* Manifest.content({
        schemaVersion: 2,
        mediaType: MediaType.ociManifest,
        config: describeBytes("{}", MediaType.ociEmpty),
        layers: [foreign]
      })
      yield* failing("ManifestBlobUnknown", Manifests.put(tagged, image, { blobs: all }))
    }).pipe(playing(lacking(400, digest)))
  )
})

describe("Manifests.put with skipIfSame", () => {
  const put = Manifests.put(tagged, manifestContent, { skipIfSame: true })
  const is = (tag: string, named: Digest) =>
    Script.expect("HEAD", `${root}/${tag}`).answer(200, { headers: { "docker-content-digest": named } })

  it.effect("U58: leaves a tag alone that names the manifest already", () =>
    Effect.gen(function* () {
      const { descriptor, tags } = yield* put
      assert.deepStrictEqual([descriptor.digest, tags], [manifestDigest, ["1.2"]])
    }).pipe(playing(is("1.2", manifestDigest)))
  )

  it.effect("U58: moves a tag that names another", () =>
    put.pipe(playing(is("1.2", sha256("other")), line("1.2").answer(201)))
  )

  for (const status of [401, 404, 405, 500]) {
    it.effect(`U58: puts where the registry answers ${status}`, () =>
      put.pipe(playing(Script.expect("HEAD", `${root}/1.2`).answer(status), line("1.2").answer(201)))
    )
  }

  it.effect("U58: puts where the registry does not tell the digest", () =>
    put.pipe(playing(Script.expect("HEAD", `${root}/1.2`).answer(200), line("1.2").answer(201)))
  )

  it.effect("U58: looks at each of several tags, and puts the rest", () =>
    Effect.gen(function* () {
      const { tags } = yield* Manifests.put(tagged, manifestContent, { skipIfSame: true, tags: ["1", "latest"] })
      assert.deepStrictEqual(tags, ["1.2", "1", "latest"])
    }).pipe(
      playing(is("1.2", manifestDigest), is("1", sha256("other")), is("latest", manifestDigest), line("1").answer(201))
    )
  )

  it.effect("U58: looks at a digest", () =>
    Manifests.put(pinned, manifestContent, { skipIfSame: true }).pipe(playing(is(manifestDigest, manifestDigest)))
  )

  it.effect("U58: an immutable tag that names another is TagImmutable, whatever the status", () =>
    failing("TagImmutable", put).pipe(
      playing(
        is("1.2", sha256("other")),
        line("1.2").answer(
          400,
          Script.refusal(
            "TAG_INVALID",
            "The image tag '1.2' already exists and cannot be overwritten because the tag is immutable."
          )
        )
      )
    )
  )
})

describe("Manifests.put of several tags where a query is too much", () => {
  const tags = ["a", "b", "c"]
  const put = Manifests.put(pinned, manifestContent, { tags })
  const query = (some: ReadonlyArray<string>) =>
    Script.expect(
      "PUT",
      `${root}/${manifestDigest}${some.length === 0 ? "" : `?${some.map((tag) => `tag=${tag}`).join("&")}`}`
    )

  for (const status of [400, 414, 431]) {
    it.effect(`U60: ${status} is answered with fewer tags, and at last with one by one`, () =>
      Effect.map(put, (done) => assert.deepStrictEqual(done.tags, tags)).pipe(
        playing(
          query(tags).answer(status),
          query(["a"]).answer(status),
          query([]).answer(201),
          line("a").answer(201),
          line("b").answer(201),
          line("c").answer(201)
        )
      )
    )
  }

  it.effect("U60: those of the smaller request need none of their own", () =>
    put.pipe(
      playing(
        query(tags).answer(414),
        query(["a"]).answer(201, { headers: { "oci-tag": "a" } }),
        line("b").answer(201),
        line("c").answer(201)
      )
    )
  )

  it.effect("U60: a manifest that is refused is refused", () =>
    failing("ManifestInvalid", put).pipe(playing(query(tags).answer(400, Script.refusal("MANIFEST_INVALID"))))
  )
})
