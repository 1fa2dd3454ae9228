import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as RegistryName from "effect-oci/RegistryName"
import * as Repository from "effect-oci/Repository"
import * as Uploads from "effect-oci/Uploads"
import { play, refusal } from "../scripted.js"
import { answer, blob, content, decode, encode, failing, repository, sha256, sha512, v2 } from "./given.js"

const { digest } = blob
const escaped = encodeURIComponent(digest)
const begun = (headers: Record<string, string> = {}) =>
  answer(202, { location: "/v2/org/app/blobs/uploads/1?_state=a", ...headers })

describe("Uploads.post", () => {
  const postLine = `POST ${v2}/blobs/uploads/?digest=${escaped}`
  const finishLine = `PUT ${v2}/blobs/uploads/1?_state=a&digest=${escaped}`
  const typed = { ...blob, mediaType: "text/plain", annotations: { a: "b" } }
  const stream = Stream.make(encode("01234"), encode("56789"))

  const bodies = [
    ["bytes", encode(content)],
    ["a stream", stream]
  ] as const
  for (const [name, body] of bodies) {
    it.effect(`U18 sends ${name} with one request`, () =>
      play([[postLine, answer(201, { location: "/anywhere", "docker-content-digest": digest })]], (sent) =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* Uploads.post(repository, typed, body), typed)
          assert.strictEqual(decode(sent[0]?.body), content)
          assert.strictEqual(sent[0]?.headers["content-length"], "10")
          assert.strictEqual(sent[0]?.headers["content-type"], "application/octet-stream")
        })
      )
    )

    it.effect(`U18 sends ${name} once more where the registry has begun a session instead`, () =>
      play(
        [
          [postLine, begun()],
          [finishLine, answer(201)]
        ],
        (sent) =>
          Effect.gen(function* () {
            const { mediaType, size } = yield* Uploads.post(repository, typed, body)
            assert.deepStrictEqual([mediaType, size], ["text/plain", 10])
            assert.strictEqual(decode(sent[1]?.body), content)
            assert.isUndefined(sent[1]?.headers["content-range"])
          })
      )
    )
  }

  it.effect("takes 201 without a Location (ggcr)", () =>
    play([[postLine, answer(201)]], () => Uploads.post(repository, blob, encode(content)))
  )

  it.effect("U19 sends no bytes of another length than their descriptor says", () =>
    play([], () =>
      Effect.gen(function* () {
        const error = yield* failing("SizeMismatch", Uploads.post(repository, blob, encode("short")))
        assert.deepStrictEqual([error.expected, error.actual], [10, 5])
      })
    )
  )

  it.effect("U19 fails when a stream gives fewer or more bytes than its descriptor says", () =>
    play(
      [
        [postLine, answer(201)],
        [postLine, answer(201)]
      ],
      () =>
        Effect.gen(function* () {
          yield* failing("SizeMismatch", Uploads.post(repository, { ...blob, size: 11 }, stream))
          yield* failing("SizeMismatch", Uploads.post(repository, { ...blob, size: 9 }, stream))
        })
    )
  )

  /** Gives what it has only once, as a socket does. */
  const once = (...later: ReadonlyArray<string>) => {
    let ran = false
    return Stream.suspend(() => {
      const pieces = ran ? later : ["01234", "56789"]
      ran = true
      return Stream.fromIterable(pieces.map(encode))
    })
  }

  it.effect("U18 U67 tells that a stream which ran dry was needed once more", () =>
    play(
      [
        [postLine, begun()],
        [finishLine, answer(201)]
      ],
      () =>
        Effect.map(failing("SourceNotReplayable", Uploads.post(repository, blob, once())), (error) => {
          assert.strictEqual(error.digest, digest)
          assert.include(error.message, "Give a Stream that starts anew")
        })
    )
  )

  it.effect("U18 tells that a stream gave more the second time", () =>
    play(
      [
        [postLine, begun()],
        [finishLine, answer(201)]
      ],
      () => failing("SizeMismatch", Uploads.post(repository, blob, once(content, "x")))
    )
  )

  it.effect("fails as its source fails", () =>
    play([[postLine, answer(201)]], () =>
      failing("DiskGone", Uploads.post(repository, blob, Stream.fail({ _tag: "DiskGone" } as const)))
    )
  )

  it.effect("U17 fails when the registry stored something else", () =>
    play([[postLine, answer(201, { "docker-content-digest": sha256("other") })]], () =>
      failing("DigestMismatch", Uploads.post(repository, blob, encode(content)))
    )
  )

  it.effect("U17 takes a sha512 blob that is stored under its sha256 (distribution)", () => {
    const long = { ...blob, digest: sha512(content) }
    return play(
      [
        [
          `POST ${v2}/blobs/uploads/?digest=${encodeURIComponent(long.digest)}`,
          answer(201, { "docker-content-digest": digest })
        ]
      ],
      () => Effect.map(Uploads.post(repository, long, encode(content)), (found) => assert.deepStrictEqual(found, long))
    )
  })

  const refused = [
    ["U4 202 without a Location", "UnexpectedResponse", () => answer(202)],
    ["U7 202 elsewhere", "UnsafeLocation", () => begun({ location: "https://evil.test/u" })],
    ["200", "UnexpectedResponse", () => answer(200)],
    ["U10 404", "NameUnknown", () => answer(404)],
    ["U22 413", "PayloadTooLarge", () => answer(413)],
    ["code-4", "DigestInvalid", () => refusal(400, "DIGEST_INVALID")],
    ["405", "Unsupported", () => answer(405)]
  ] as const
  for (const [name, tag, answered] of refused) {
    it.effect(`${name} is ${tag}`, () =>
      play([[postLine, answered()]], () => failing(tag, Uploads.post(repository, blob, encode(content))))
    )
  }
})

describe("Uploads.mount", () => {
  const from = new Repository.Repository({ registry: repository.registry, name: "org/base" })
  const line = `POST ${v2}/blobs/uploads/?mount=${escaped}&from=org%2Fbase`

  it.effect("U45 mounts", () =>
    play([[line, answer(201, { location: `/v2/org/app/blobs/${digest}`, "docker-content-digest": digest })]], (sent) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* Uploads.mount(repository, digest, from), { _tag: "Mounted", digest })
        assert.strictEqual(sent[0]?.body.length, 0)
      })
    )
  )

  it.effect("U45 fails when the registry mounted something else", () =>
    play([[line, answer(201, { "docker-content-digest": sha256("other") })]], () =>
      failing("DigestMismatch", Uploads.mount(repository, digest, from))
    )
  )

  it.effect("U46 hands out the session that was begun instead", () =>
    play([[line, begun({ "oci-chunk-min-length": "5" })]], () =>
      Effect.gen(function* () {
        const session = yield* Uploads.mount(repository, digest, from)
        assert(session._tag === "UploadSession")
        assert.strictEqual(Redacted.value(session.location), `${v2}/blobs/uploads/1?_state=a`)
        assert.deepStrictEqual([session.offset, session.minChunk], [0, 5])
      })
    )
  )

  it.effect("U49 names no repository where none is given", () =>
    play([[`POST ${v2}/blobs/uploads/?mount=${escaped}`, answer(201)]], () =>
      Effect.map(Uploads.mount(repository, digest), ({ _tag }) => assert.strictEqual(_tag, "Mounted"))
    )
  )

  it.effect("U48 tells a registry nothing of another's repositories", () => {
    const registry = Either.getOrThrow(RegistryName.parse("other.test"))
    const elsewhere = new Repository.Repository({ registry, name: "secret/base" })
    return play([[`POST ${v2}/blobs/uploads/`, begun()]], () =>
      Effect.map(Uploads.mount(repository, digest, elsewhere), ({ _tag }) => assert.strictEqual(_tag, "UploadSession"))
    )
  })

  it.effect("U48 takes all names of Docker Hub for one", () =>
    Effect.gen(function* () {
      const to = yield* Repository.parse("docker.io/org/app")
      const base = yield* Repository.parse("registry-1.docker.io/org/base")
      const hub = `POST https://registry-1.docker.io/v2/org/app/blobs/uploads/?mount=${escaped}&from=org%2Fbase`
      yield* play([[hub, answer(201)]], () => Uploads.mount(to, digest, base))
    })
  )

  const refused = [
    ["401 (Harbor)", "Unauthorized", () => refusal(401, "UNAUTHORIZED", "project not found")],
    ["403", "Denied", () => refusal(403, "DENIED")],
    ["404 (GHCR)", "NameUnknown", () => answer(404)],
    ["405", "Unsupported", () => answer(405)],
    ["500", "RegistryUnavailable", () => answer(500)],
    ["202 without a Location", "UnexpectedResponse", () => answer(202)]
  ] as const
  for (const [name, tag, answered] of refused) {
    it.effect(`U47 ${name} is ${tag}`, () =>
      play([[line, answered()]], () => failing(tag, Uploads.mount(repository, digest, from)))
    )
  }
})
