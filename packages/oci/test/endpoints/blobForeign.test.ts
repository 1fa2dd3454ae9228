import { mapRequest } from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Blobs from "effect-oci/Blobs"
import * as Credentials from "effect-oci/Credentials"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as RegistryMiddleware from "effect-oci/RegistryMiddleware"
import { play, type Sent } from "../scripted.js"
import { answer, blob, broken, content, failing, repository, text, v2 } from "./given.js"

const line = `GET ${v2}/blobs/${blob.digest}`
const cdn = "https://mcr.test/layers/1?sig=a%2Fb"
const foreign = (...urls: ReadonlyArray<string>) => ({ ...blob, urls })
const read = (target: Blobs.Target, options: Blobs.StreamOptions = { foreign: true }) =>
  text(Blobs.stream(repository, target, options))
const gone = [line, () => answer(404)] as const

/** Says who asks wherever it may. */
const signedIn = Layer.mergeAll(
  Credentials.basic("registry.test", "me", "secret"),
  RegistryAuth.layerBasic,
  RegistryMiddleware.layer((_, next) => mapRequest(next, HttpClientRequest.setHeader("x-token", "secret")))
)
const told = (sent: ReadonlyArray<Sent>) =>
  sent.map(({ headers }) => headers.authorization !== undefined || headers["x-token"] !== undefined)

describe("a layer that is elsewhere", () => {
  it.effect("S7 is not looked for there unless that is asked for", () =>
    play([gone], () => failing("BlobUnknown", read(foreign(cdn), {})))
  )

  it.effect("S7 is not looked for there when the registry has it", () =>
    play([[line, answer(200, {}, content)]], () =>
      Effect.map(read(foreign(cdn)), (found) => assert.strictEqual(found, content))
    )
  )

  it.effect("S7 comes from the first place that has it, which is not told who asks, and goes on there", () =>
    play(
      [
        gone,
        ["GET https://gone.test/1", answer(404)],
        [`GET ${cdn}`, broken(200, { "content-length": "10" }, "01234")],
        [`GET ${cdn}`, answer(206, { "content-range": "bytes 5-9/10" }, "56789")]
      ],
      (sent) =>
        Effect.gen(function* () {
          assert.strictEqual(yield* read(foreign("https://gone.test/1", cdn, "https://never.test/1")), content)
          assert.deepStrictEqual(told(sent), [true, false, false, false])
          assert.strictEqual(sent[3]?.headers.range, "bytes=5-")
        }).pipe(Effect.provide(signedIn))
    )
  )

  it.effect("S7 does not tell who asks where it leads back to the registry", () => {
    const inside = "https://registry.test/v2/private/blobs/1"
    return play([gone, [`GET ${inside}`, answer(200, {}, content)]], (sent) =>
      Effect.gen(function* () {
        assert.strictEqual(yield* read(foreign(inside)), content)
        assert.deepStrictEqual(told(sent), [true, false])
      }).pipe(Effect.provide(signedIn))
    )
  })

  it.effect("S7 does not answer who there wants to know who asks", () =>
    play([gone, [`GET ${cdn}`, answer(401, { "www-authenticate": 'Bearer realm="https://mcr.test/token"' })]], (sent) =>
      Effect.gen(function* () {
        yield* failing("Unauthorized", read(foreign(cdn)))
        assert.deepStrictEqual(told(sent), [true, false])
      }).pipe(Effect.provide(signedIn), Effect.provide(RegistryAuth.layer))
    )
  )

  it.effect("S7 is verified like any other", () =>
    play([gone, [`GET ${cdn}`, answer(200, {}, "abcdefghij")]], () => failing("DigestMismatch", read(foreign(cdn))))
  )

  const unsafe = [
    "http://mcr.test/1",
    "ftp://mcr.test/1",
    "file:///etc/passwd",
    "data:,0123456789",
    "https://me:secret@mcr.test/1",
    "https://169.254.169.254/latest",
    "https://[::1]/1",
    "https://10.0.0.1/1",
    "https://localhost/1",
    ""
  ]
  for (const url of unsafe) {
    it.effect(`S7 S12 S13 is not fetched from “${url}”`, () =>
      play([gone], () =>
        Effect.gen(function* () {
          assert.strictEqual((yield* failing("UnsafeLocation", read(foreign(url)))).kind, "urls")
        })
      )
    )
  }

  it.effect("S7 goes on to no address that the place had no right to", () =>
    play([gone, [`GET ${cdn}`, answer(307, { location: "https://127.0.0.1/1" })]], () =>
      failing("UnsafeLocation", read(foreign(cdn)))
    )
  )

  it.effect("S7 asks no mirror for what is not the registry's", () =>
    play(
      [
        [`GET https://one.test/v2/org/app/blobs/${blob.digest}`, answer(404)],
        gone,
        [`GET ${cdn}`, answer(200, {}, content)]
      ],
      () =>
        Effect.map(read(foreign(cdn)), (found) => assert.strictEqual(found, content)).pipe(
          Effect.provide(RegistryHosts.fromRecord({ "registry.test": { mirrors: [{ location: "one.test" }] } }))
        )
    )
  )

  it.effect("S7 tries no more than eight places", () =>
    play([gone, ...Array.from({ length: 8 }, (_, n) => [`GET https://a.test/${n}`, answer(404)] as const)], () =>
      failing("BlobUnknown", read(foreign(...Array.from({ length: 100 }, (_, n) => `https://a.test/${n}`))))
    )
  )
})
