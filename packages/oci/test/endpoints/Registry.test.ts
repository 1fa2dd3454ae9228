import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Registry from "effect-oci/Registry"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as RegistryName from "effect-oci/RegistryName"
import { play, refusal } from "../scripted.js"
import { answer, failing, registry } from "./given.js"

const line = "GET https://registry.test/v2/"

describe("Registry.ping", () => {
  it.effect("tells what the registry says of itself", () =>
    play([[line, answer(200, { "docker-distribution-api-version": "registry/2.0", server: "acme/1" }, "{}")]], () =>
      Effect.gen(function* () {
        const info = yield* Registry.ping(registry)
        assert.deepStrictEqual(info, { registry, apiVersion: "registry/2.0", server: "acme/1" })
      })
    )
  )

  it.effect("T16 needs no word of it", () =>
    play([[line, answer(200)]], () =>
      Effect.map(Registry.ping(registry), (info) =>
        assert.deepStrictEqual(info, { registry, apiVersion: undefined, server: undefined })
      )
    )
  )

  const addresses: ReadonlyArray<readonly [name: string, url: string]> = [
    ["docker.io", "https://registry-1.docker.io/v2/"],
    ["localhost:5000", "http://localhost:5000/v2/"],
    ["[::1]:5000", "http://[::1]:5000/v2/"],
    ["https://localhost:5000", "https://localhost:5000/v2/"],
    ["http://registry.test:80", "http://registry.test:80/v2/"]
  ]
  for (const [name, url] of addresses) {
    it.effect(`asks ${name} at ${url}`, () =>
      play([[`GET ${url}`, answer(200)]], () => Effect.flatMap(RegistryName.parse(name), Registry.ping))
    )
  }

  it.effect("asks below the prefix of a host", () =>
    play([["GET https://registry.test/docker/local/v2/", answer(200)]], () =>
      Effect.provide(Registry.ping(registry), RegistryHosts.layer({ prefix: "docker/local/" }))
    )
  )

  it.effect("tells what a registry says that wants to know who asks", () =>
    play([[line, answer(401, { "www-authenticate": 'Bearer realm="https://auth.test/token", Basic realm="x"' })]], () =>
      Effect.gen(function* () {
        const error = yield* failing("Unauthorized", Registry.ping(registry))
        assert.deepStrictEqual(error.schemes, ["Bearer", "Basic"])
        assert.isFalse(error.authenticated)
      })
    )
  )
})

describe("Registry.supports", () => {
  const told: ReadonlyArray<readonly [name: string, answer: () => Response, supports: boolean]> = [
    ["200", () => answer(200), true],
    ["401 with a challenge", () => answer(401, { "www-authenticate": "Basic" }), true],
    ["401 without one", () => answer(401), false],
    ["404", () => refusal(404, "NOT_FOUND"), false]
  ]
  for (const [name, answered, supports] of told) {
    it.effect(`T16 says ${supports} after ${name}`, () =>
      play([[line, answered()]], () =>
        Effect.map(Registry.supports(registry), (found) => assert.strictEqual(found, supports))
      )
    )
  }
})
