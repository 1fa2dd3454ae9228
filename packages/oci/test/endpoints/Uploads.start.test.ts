import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Credentials from "effect-oci/Credentials"
import * as OriginPolicy from "effect-oci/OriginPolicy"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import * as RegistryName from "effect-oci/RegistryName"
import * as Repository from "effect-oci/Repository"
import * as Uploads from "effect-oci/Uploads"
import { play, refusal } from "../scripted.js"
import { answer, at, blob, encode, failing, repository, session, upload, v2 } from "./given.js"

const { digest } = blob
const escaped = encodeURIComponent(digest)
const startLine = `POST ${v2}/blobs/uploads/`

describe("Uploads.start", () => {
  it.effect("U1 posts nothing to the path with its slash, and begins at 0 whatever the Range says", () =>
    play([[startLine, answer(202, { location: "/v2/org/app/blobs/uploads/1", range: "0-0" })]], (sent) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* Uploads.start(repository), { ...session(), minChunk: undefined })
        assert.strictEqual(sent[0]?.body.length, 0)
      })
    )
  )

  const locations: ReadonlyArray<readonly [name: string, location: string, url: string]> = [
    ["absolute", `${v2}/blobs/uploads/1`, upload],
    ["with a path", "/v2/org/app/blobs/uploads/1", upload],
    ["relative", "1", upload],
    ["with a state", "1?_state=AbC%3D%3D", `${upload}?_state=AbC%3D%3D`],
    ["with a fragment (E18)", "1?_state=a#b", `${upload}?_state=a`],
    ["with a bare question mark (GHCR)", "/v2/org/app/blobs/upload/1?", `${v2}/blobs/upload/1?`],
    [
      "outside /v2/ (GAR)",
      "/artifacts-uploads/namespaces/p/repositories/r/uploads/AbC",
      "https://registry.test/artifacts-uploads/namespaces/p/repositories/r/uploads/AbC"
    ],
    ["U5 with the port that goes without saying", "https://registry.test:443/u", "https://registry.test/u"],
    ["in other letters", "HTTPS://Registry.TEST/u", "https://registry.test/u"]
  ]
  for (const [name, location, url] of locations) {
    it.effect(`U2 takes a Location ${name}`, () =>
      play([[startLine, answer(202, { location })]], () =>
        Effect.map(Uploads.start(repository), (found) => assert.strictEqual(at(found), url))
      )
    )
  }

  it.effect("U5 takes a Location without the port that was written out", () =>
    Effect.gen(function* () {
      const registry = yield* RegistryName.parse("registry.test:443")
      const written = new Repository.Repository({ registry, name: "a" })
      yield* play(
        [["POST https://registry.test:443/v2/a/blobs/uploads/", answer(202, { location: "https://registry.test/u" })]],
        () => Effect.map(Uploads.start(written), (found) => assert.strictEqual(at(found), "https://registry.test/u"))
      )
    })
  )

  it.effect("U4 does not guess where to go on", () =>
    play([[startLine, answer(202, { "docker-upload-uuid": "1" })]], () =>
      Effect.map(failing("UnexpectedResponse", Uploads.start(repository)), ({ message }) =>
        assert.include(message, "does not say where it goes on")
      )
    )
  )

  const unsafe: ReadonlyArray<readonly [name: string, location: string]> = [
    ["U4 that is empty", ""],
    ["U4 that is none", "https://["],
    ["U6 S13 on http", "http://registry.test/u"],
    ["U7 S15 on another host", "https://evil.test/u?_state=secret"],
    ["U7 S15 on another port", "https://registry.test:8443/u"],
    ["U7 S12 in the cloud's own network", "https://169.254.169.254/u"],
    ["S15 with a user name", "https://me@registry.test/u"],
    ["S15 of another kind", "ftp://registry.test/u"]
  ]
  for (const [name, location] of unsafe) {
    it.effect(`does not go on at a Location ${name}`, () =>
      play([[startLine, answer(202, { location })]], () =>
        Effect.gen(function* () {
          const error = yield* failing("UnsafeLocation", Uploads.start(repository))
          assert.strictEqual(error.kind, "location")
          assert.notInclude(error.message, "secret")
        })
      )
    )
  }

  it.effect("U7 S15 goes on at a host that is trusted, without credentials", () =>
    play(
      [
        [startLine, answer(202, { location: "https://storage.test/u?sig=a%20b~c" })],
        ["PATCH https://storage.test/u?sig=a%20b~c", answer(202)],
        [`PUT https://storage.test/u?sig=a%20b~c&digest=${escaped}`, answer(201)]
      ],
      (sent) =>
        Effect.gen(function* () {
          const begun = yield* Uploads.start(repository)
          yield* Uploads.finish(yield* Uploads.patch(begun, encode("01234")), digest, encode("56789"))
          assert.deepStrictEqual(
            sent.map(({ headers }) => headers.authorization !== undefined),
            [true, false, false]
          )
        }).pipe(
          Effect.provide(
            Layer.mergeAll(
              OriginPolicy.layerTrusting(["storage.test"]),
              RegistryAuth.layerBasic,
              Credentials.basic("registry.test", "me", "secret")
            )
          )
        )
    )
  )

  it.effect("U9 follows a redirect with the method that it has", () =>
    play(
      [
        [startLine, answer(308, { location: "/v2/org/app/blobs/uploads" })],
        [startLine.slice(0, -1), answer(202, { location: "uploads/1" })]
      ],
      () => Effect.map(Uploads.start(repository), (found) => assert.strictEqual(at(found), upload))
    )
  )

  const redirected = [
    ["U9 307 to another host", "UnsafeLocation", () => answer(307, { location: "https://evil.test/u" })],
    ["U9 303", "UnexpectedResponse", () => answer(303, { location: "/v2/org/app/blobs/uploads/1" })],
    ["U9 302", "UnexpectedResponse", () => answer(302, { location: "/v2/org/app/blobs/uploads/1" })],
    ["U9 301", "UnexpectedResponse", () => answer(301, { location: "/v2/org/app/blobs/uploads/1" })],
    ["U8 200", "UnexpectedResponse", () => answer(200, { location: "/v2/org/app/blobs/uploads/1" })],
    ["U8 201", "UnexpectedResponse", () => answer(201, { location: "/v2/org/app/blobs/uploads/1" })],
    ["U10 404 without a code", "NameUnknown", () => answer(404)],
    ["U10 403", "Denied", () => refusal(403, "DENIED")],
    ["U10 400", "UnexpectedResponse", () => answer(400)],
    ["U10 a dropped connection (ECR)", "TransportError", () => Effect.fail(new Error("socket hang up"))],
    ["U11 411", "UnexpectedResponse", () => answer(411)],
    ["U11 414", "UnexpectedResponse", () => answer(414)],
    ["U11 431", "UnexpectedResponse", () => answer(431)],
    ["code-4 in 400", "DigestInvalid", () => refusal(400, "DIGEST_INVALID")],
    ["code-8 in 404 (zot)", "NameInvalid", () => refusal(404, "NAME_INVALID")],
    ["code-9 in 400 (zot)", "NameUnknown", () => refusal(400, "NAME_UNKNOWN")],
    ["code-13 in 400", "Unsupported", () => refusal(400, "UNSUPPORTED")],
    ["501", "Unsupported", () => answer(501)]
  ] as const
  for (const [name, tag, answered] of redirected) {
    it.effect(`${name} is ${tag}`, () => play([[startLine, answered()]], () => failing(tag, Uploads.start(repository))))
  }

  it.effect("U12 names every algorithm but sha256", () =>
    play(
      [
        [startLine, answer(202, { location: "1" })],
        [`${startLine}?digest-algorithm=sha512`, answer(202, { location: "1" })]
      ],
      () =>
        Effect.gen(function* () {
          yield* Uploads.start(repository, { algorithm: "sha256" })
          yield* Uploads.start(repository, { algorithm: "sha512" })
        })
    )
  )

  const minima: ReadonlyArray<readonly [header: string, minChunk: number | undefined]> = [
    ["1048576", 1_048_576],
    [" 5 ", 5],
    ["0", undefined],
    ["-5", undefined],
    ["abc", undefined],
    ["1e6", undefined],
    ["1048576, 1048576", undefined],
    ["1073741824", 1_073_741_824],
    ["1073741825", undefined],
    ["99999999999999", undefined]
  ]
  for (const [header, minChunk] of minima) {
    it.effect(`U13 S27 takes ${minChunk ?? "no minimum"} from “${header}”`, () =>
      play([[startLine, answer(202, { location: "1", "oci-chunk-min-length": header })]], () =>
        Effect.map(Uploads.start(repository), (found) => assert.strictEqual(found.minChunk, minChunk))
      )
    )
  }
})
