import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as RegistryName from "effect-oci/RegistryName"
import * as Tags from "effect-oci/Tags"
import { play } from "../scripted.js"
import { repository } from "./support.js"

const of = (registry: string) => RegistryHosts.of(Either.getOrThrow(RegistryName.parse(registry)))

describe("RegistryHosts", () => {
  describe("by default", () => {
    const table: ReadonlyArray<readonly [registry: string, baseUrl: string, secure: boolean]> = [
      ["ghcr.io", "https://ghcr.io", true],
      ["registry.test:5000", "https://registry.test:5000", true],
      ["docker.io", "https://registry-1.docker.io", true],
      ["https://index.docker.io/v1/", "https://registry-1.docker.io", true],
      ["localhost:5000", "http://localhost:5000", true],
      ["registry.localhost:5000", "http://registry.localhost:5000", true],
      ["127.0.0.1:5000", "http://127.0.0.1:5000", true],
      ["127.8.9.10:5000", "http://127.8.9.10:5000", true],
      ["[::1]:5000", "http://[::1]:5000", true],
      ["[2001:db8::1]:5000", "https://[2001:db8::1]:5000", true],
      ["10.0.0.1:5000", "https://10.0.0.1:5000", true],
      ["registry.local", "https://registry.local", true],
      ["localhost.evil.test", "https://localhost.evil.test", true],
      ["127.0.0.1.evil.test", "https://127.0.0.1.evil.test", true],
      ["http://registry.test", "http://registry.test", false],
      ["https://registry.test", "https://registry.test", true],
      ["https://localhost:5000", "https://localhost:5000", true]
    ]
    for (const [registry, baseUrl, secure] of table) {
      it.effect(`T14 ${registry} is at ${baseUrl}`, () =>
        Effect.map(of(registry), (host) => {
          assert.strictEqual(host.baseUrl, baseUrl)
          assert.strictEqual(host.secure, secure)
          assert.deepStrictEqual(host.limits, RegistryHosts.defaultLimits)
        })
      )
    }

    it("limits are those that the documentation names", () => {
      const { answer, idle, total, ...numbers } = RegistryHosts.defaultLimits
      assert.deepStrictEqual(numbers, {
        manifest: 8_388_608,
        page: 8_388_608,
        blob: 33_554_432,
        error: 65_536,
        redirects: 10,
        pages: 10_000
      })
      assert.deepStrictEqual([answer, idle, total].map(Duration.toSeconds), [60, 60, 300])
    })
  })

  describe("fromRecord", () => {
    const hosts = RegistryHosts.fromRecord({
      "registry.test:5000": { scheme: "http" },
      "jfrog.test": { prefix: "artifactory/api/docker/local/", limits: { manifest: 100 } },
      "https://tls.test": { scheme: "http" },
      "localhost:5000": { scheme: "https" },
      "index.docker.io": { prefix: "/hub" },
      "*": { limits: { manifest: 7 } }
    })

    const table: ReadonlyArray<readonly [registry: string, baseUrl: string, secure: boolean, manifest: number]> = [
      ["registry.test:5000", "http://registry.test:5000", true, 8_388_608],
      ["http://registry.test:5000", "http://registry.test:5000", true, 8_388_608],
      ["https://registry.test:5000", "https://registry.test:5000", true, 8_388_608],
      ["Registry.Test:5000", "http://registry.test:5000", true, 8_388_608],
      ["registry.test", "https://registry.test", true, 7],
      ["registry.test:5001", "https://registry.test:5001", true, 7],
      ["http://other.test", "http://other.test", false, 7],
      ["jfrog.test", "https://jfrog.test/artifactory/api/docker/local", true, 100],
      ["http://jfrog.test", "http://jfrog.test/artifactory/api/docker/local", false, 100],
      ["tls.test", "http://tls.test", true, 8_388_608],
      ["localhost:5000", "https://localhost:5000", true, 8_388_608],
      ["docker.io", "https://registry-1.docker.io/hub", true, 8_388_608]
    ]
    for (const [registry, baseUrl, secure, manifest] of table) {
      it.effect(`S57 puts ${registry} at ${baseUrl}${secure ? "" : ", without credentials"}`, () =>
        Effect.gen(function* () {
          const host = yield* of(registry)
          assert.strictEqual(host.baseUrl, baseUrl)
          assert.strictEqual(host.secure, secure)
          assert.deepStrictEqual(host.limits, { ...RegistryHosts.defaultLimits, manifest })
        }).pipe(Effect.provide(hosts))
      )
    }

    it.effect("refuses a host that is none", () =>
      Effect.map(
        Effect.flip(Effect.provide(of("registry.test"), RegistryHosts.fromRecord({ "no host": {} }))),
        (error) => {
          assert.strictEqual(error._tag, "InvalidReference")
          assert.include(error.message, "no host")
        }
      )
    )
  })

  it.effect("layer gives all hosts the same settings", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* of("a.test")).baseUrl, "http://a.test/x")
      assert.strictEqual((yield* of("b.test:1")).baseUrl, "http://b.test:1/x")
    }).pipe(Effect.provide(RegistryHosts.layer({ scheme: "http", prefix: "/x" })))
  )

  it.effect("requests stay under the prefix, and so do the pages after them", () =>
    play(
      [
        [
          "GET https://registry.test/a/b/v2/org/app/tags/list",
          Response.json({ tags: ["1"] }, { headers: { link: '<?last=1>; rel="next"' } })
        ],
        ["GET https://registry.test/a/b/v2/org/app/tags/list?last=1", Response.json({ tags: ["2"] })]
      ],
      () => Stream.runDrain(Tags.stream(repository))
    ).pipe(Effect.provide(RegistryHosts.layer({ prefix: "/a/b" })))
  )
})
