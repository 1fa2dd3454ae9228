import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Blobs from "effect-oci/Blobs"
import * as Manifests from "effect-oci/Manifests"
import * as Tags from "effect-oci/Tags"
import { play, refusal } from "../scripted.js"
import { blobUrl, digest, manifestUrl, reference, repository, tagsUrl } from "./support.js"

/** What a manifest asked for and answered with this fails with. */
const refused = (response: Response) =>
  play([[`GET ${manifestUrl}`, response]], () => Effect.flip(Manifests.get(reference)))

describe("classes of refusals", () => {
  const tagOf = <A, E extends { readonly _tag: string }, R>(self: Effect.Effect<A, E, R>) =>
    Effect.match(self, { onFailure: ({ _tag }): string => _tag, onSuccess: () => "none" })

  const endpoints = {
    manifest: [`GET ${manifestUrl}`, tagOf(Manifests.get(reference))],
    blob: [`GET ${blobUrl}`, tagOf(Blobs.get(repository, digest))],
    tags: [`GET ${tagsUrl}`, tagOf(Tags.list(repository))],
    delete: [`DELETE ${blobUrl}`, tagOf(Blobs.delete(repository, digest))]
  } as const

  const table: ReadonlyArray<readonly [endpoint: keyof typeof endpoints, status: number, code: string, tag: string]> = [
    ["manifest", 401, "", "Unauthorized"],
    ["manifest", 401, "UNAUTHORIZED", "Unauthorized"],
    ["manifest", 401, "DENIED", "Unauthorized"],
    ["manifest", 401, "NAME_UNKNOWN", "Unauthorized"],
    ["delete", 401, "UNSUPPORTED", "Unauthorized"],
    ["manifest", 400, "UNAUTHORIZED", "Unauthorized"],
    ["manifest", 403, "", "Denied"],
    ["manifest", 403, "DENIED", "Denied"],
    ["manifest", 403, "UNAUTHORIZED", "Denied"],
    ["manifest", 403, "NAME_UNKNOWN", "Denied"],
    ["manifest", 400, "DENIED", "Denied"],
    ["delete", 405, "DENIED", "Denied"],
    ["manifest", 404, "", "ManifestUnknown"],
    ["manifest", 404, "MANIFEST_UNKNOWN", "ManifestUnknown"],
    ["manifest", 404, "NOT_FOUND", "ManifestUnknown"],
    ["manifest", 404, "404", "ManifestUnknown"],
    ["manifest", 404, "DENIED", "ManifestUnknown"],
    ["manifest", 400, "MANIFEST_UNKNOWN", "ManifestUnknown"],
    ["manifest", 404, "NAME_UNKNOWN", "NameUnknown"],
    ["manifest", 404, "name_unknown", "NameUnknown"],
    ["blob", 404, "", "BlobUnknown"],
    ["blob", 404, "BLOB_UNKNOWN", "BlobUnknown"],
    ["blob", 404, "MANIFEST_UNKNOWN", "BlobUnknown"],
    ["blob", 404, "NAME_UNKNOWN", "NameUnknown"],
    ["tags", 404, "", "NameUnknown"],
    ["tags", 404, "NOT_FOUND", "NameUnknown"],
    ["delete", 400, "NAME_UNKNOWN", "NameUnknown"],
    ["delete", 405, "", "Unsupported"],
    ["delete", 405, "UNSUPPORTED", "Unsupported"],
    ["delete", 400, "UNSUPPORTED", "Unsupported"],
    ["delete", 501, "", "Unsupported"],
    ["tags", 405, "UNSUPPORTED", "Unsupported"],
    ["delete", 405, "REGISTRY_DISALLOWED_OPERATION", "PolicyViolation"],
    ["manifest", 402, "", "PolicyViolation"],
    ["manifest", 409, "CONFLICT", "PolicyViolation"],
    ["manifest", 412, "PROJECTPOLICYVIOLATION", "PolicyViolation"],
    ["manifest", 423, "", "PolicyViolation"],
    ["manifest", 451, "", "PolicyViolation"],
    ["manifest", 429, "", "TooManyRequests"],
    ["manifest", 429, "TOOMANYREQUESTS", "TooManyRequests"],
    ["manifest", 429, "DENIED", "TooManyRequests"],
    ["tags", 429, "NAME_UNKNOWN", "TooManyRequests"],
    ["manifest", 400, "TOOMANYREQUESTS", "TooManyRequests"],
    ["manifest", 400, "toomanyrequests", "TooManyRequests"],
    ["manifest", 408, "", "RegistryUnavailable"],
    ["manifest", 500, "", "RegistryUnavailable"],
    ["manifest", 500, "UNKNOWN", "RegistryUnavailable"],
    ["manifest", 500, "DENIED", "RegistryUnavailable"],
    ["manifest", 500, "NAME_UNKNOWN", "RegistryUnavailable"],
    ["manifest", 500, "MANIFEST_UNKNOWN", "RegistryUnavailable"],
    ["manifest", 500, "UNAUTHORIZED", "RegistryUnavailable"],
    ["delete", 500, "UNSUPPORTED", "RegistryUnavailable"],
    ["manifest", 502, "", "RegistryUnavailable"],
    ["manifest", 503, "UNAVAILABLE", "RegistryUnavailable"],
    ["manifest", 504, "", "RegistryUnavailable"],
    ["manifest", 529, "", "RegistryUnavailable"],
    ["manifest", 503, "TOOMANYREQUESTS", "TooManyRequests"],
    ["manifest", 400, "", "UnexpectedResponse"],
    ["manifest", 400, "SOMETHING_NEW", "UnexpectedResponse"],
    ["manifest", 406, "", "UnexpectedResponse"],
    ["manifest", 407, "", "UnexpectedResponse"],
    ["manifest", 420, "", "UnexpectedResponse"],
    ["manifest", 499, "", "RegistryUnavailable"],
    ["manifest", 202, "", "UnexpectedResponse"],
    ["blob", 206, "", "UnexpectedResponse"]
  ]

  const rare = [402, 420, 451, 529]
  for (const [name, status, code, tag] of table) {
    const scenario = rare.includes(status) ? "13d T28" : "13d"
    it.effect(`${scenario} ${status}${code === "" ? "" : ` ${code}`} to a ${name} is ${tag}`, () => {
      const [request, refused] = endpoints[name]
      const answer = code === "" ? new Response("x", { status }) : refusal(status, code)
      return play([[request, answer]], () => Effect.map(refused, (found) => assert.strictEqual(found, tag)))
    })
  }

  it.effect("T1 tells what the registry says of its limit", () => {
    const message = "You have reached your pull rate limit."
    return Effect.map(refused(refusal(429, "TOOMANYREQUESTS", message)), (error) => {
      assert(error._tag === "TooManyRequests")
      assert.deepStrictEqual(error.errors, [{ code: "TOOMANYREQUESTS", message }])
    })
  })

  for (const [scenario, type, body] of [
    ["T2", "text/plain", "Too Many Requests (HAP429)"],
    ["T2", "text/html", "<html>Too Many Requests</html>"],
    ["T2", "text/plain", ""],
    ["T7", "text/plain", "toomanyrequests: Rate exceeded"]
  ] as const) {
    it.effect(`${scenario} takes 429 for throttling when it says “${body}”`, () =>
      Effect.map(refused(new Response(body, { status: 429, headers: { "content-type": type } })), (error) => {
        assert(error._tag === "TooManyRequests")
        assert.strictEqual(error.body, body === "" ? undefined : body)
      })
    )
  }

  it.effect("P49 has no idea of a 304 that was not asked for", () =>
    Effect.map(refused(new Response(null, { status: 304 })), (error) =>
      assert.strictEqual(error._tag, "UnexpectedResponse")
    )
  )

  it.effect("keeps codes as they are written, known or not", () =>
    Effect.gen(function* () {
      const error = yield* refused(refusal(404, "name_Unknown", "no"))
      assert(error._tag === "NameUnknown")
      assert.deepStrictEqual(error.errors, [{ code: "name_Unknown", message: "no" }])
    })
  )

  it.effect("tells what was asked for, of whom and with what request", () =>
    Effect.gen(function* () {
      const error = yield* refused(refusal(404, "MANIFEST_UNKNOWN"))
      assert(error._tag === "ManifestUnknown")
      const { digest, method, reference, registry, repository, status, url } = error
      assert.deepStrictEqual(
        { registry, repository, reference, digest, method, url, status },
        {
          registry: "registry.test",
          repository: "org/app",
          reference: "1.2",
          digest: undefined,
          method: "GET",
          url: manifestUrl,
          status: 404
        }
      )
    })
  )

  it.effect("A6 lists the schemes that a 401 offers", () =>
    Effect.gen(function* () {
      const challenge = 'Negotiate, Bearer realm="https://auth.test/token",service="a, Basic b", BASIC realm="x"'
      const error = yield* refused(refusal(401, "UNAUTHORIZED", "", { "www-authenticate": challenge }))
      assert(error._tag === "Unauthorized")
      assert.deepStrictEqual(error.schemes, ["Negotiate", "Bearer", "BASIC"])
      assert.isFalse(error.authenticated)
    })
  )

  it.effect("A20 tells a proxy's 407 from a registry's 401", () =>
    Effect.map(refused(new Response(null, { status: 407 })), (error) =>
      assert.include(error.message, "a proxy on the way wants to know who asks")
    )
  )
})
