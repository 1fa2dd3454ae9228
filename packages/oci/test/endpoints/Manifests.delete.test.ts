import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Manifests from "effect-oci/Manifests"
import { play, refusal } from "../scripted.js"
import { answer, failing, manifestDigest, repository, sha512, v2 } from "./given.js"

describe("Manifests.delete", () => {
  const deleteLine = `DELETE ${v2}/manifests/${manifestDigest}`

  for (const status of [200, 202, 204]) {
    it.effect(`D1 takes ${status} for done`, () =>
      play([[deleteLine, answer(status)]], () => Manifests.delete(repository, manifestDigest))
    )
  }

  const refused = [
    ["D4 405 UNSUPPORTED", "Unsupported", () => refusal(405, "UNSUPPORTED")],
    ["D4 403", "Denied", () => refusal(403, "DENIED")],
    ["D6 400 UNSUPPORTED", "Unsupported", () => refusal(400, "UNSUPPORTED")],
    ["D6 400 NAME_UNKNOWN", "NameUnknown", () => refusal(400, "NAME_UNKNOWN")],
    ["D6 405 DENIED", "Denied", () => refusal(405, "DENIED")],
    ["D6 409", "PolicyViolation", () => answer(409)],
    ["D7 404 MANIFEST_UNKNOWN", "ManifestUnknown", () => refusal(404, "MANIFEST_UNKNOWN")],
    ["D7 404 NAME_UNKNOWN", "NameUnknown", () => refusal(404, "NAME_UNKNOWN")],
    ["D11 405 REGISTRY_DISALLOWED_OPERATION", "PolicyViolation", () => refusal(405, "REGISTRY_DISALLOWED_OPERATION")],
    ["D11 412", "PolicyViolation", () => refusal(412, "PRECONDITION")]
  ] as const
  for (const [name, tag, answered] of refused) {
    it.effect(`${name} is ${tag}`, () =>
      play([[deleteLine, answered()]], () => failing(tag, Manifests.delete(repository, manifestDigest)))
    )
  }

  const elsewhere = [
    ["404", "ManifestUnknown", () => answer(404)],
    ["400 DIGEST_INVALID", "UnexpectedResponse", () => refusal(400, "DIGEST_INVALID")]
  ] as const
  for (const [name, tag, answered] of elsewhere) {
    it.effect(`D14 ${name} to a digest of another algorithm is ${tag}`, () => {
      const digest = sha512("manifest")
      return play([[`DELETE ${v2}/manifests/${digest}`, answered()]], () =>
        Effect.map(failing(tag, Manifests.delete(repository, digest)), (error) =>
          assert.strictEqual(error.digest, digest)
        )
      )
    })
  }

  for (const code of ["GOOGLE_MANIFEST_DANGLING_TAG", "GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE"]) {
    it.effect(`D5 13b passes ${code} on`, () =>
      play([[deleteLine, refusal(400, code, "tags still point here")]], () =>
        Effect.gen(function* () {
          const error = yield* failing("UnexpectedResponse", Manifests.delete(repository, manifestDigest))
          assert.deepStrictEqual(error.errors, [{ code, message: "tags still point here" }])
        })
      )
    )
  }
})
