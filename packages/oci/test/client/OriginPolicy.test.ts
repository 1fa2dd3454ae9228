import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Operation } from "effect-oci/Operation"
import * as OriginPolicy from "effect-oci/OriginPolicy"
import { blobUrl, digest, registry, repository } from "./support.js"

const content: Operation = { name: "blobs.get", registry, repository, reference: digest }
const listing: Operation = { name: "tags.list", registry, repository }
const upload: Operation = { name: "uploads.patch", registry, repository }

const redirect = { kind: "redirect", operation: content, method: "GET", from: blobUrl } as const
const link = {
  kind: "link",
  operation: listing,
  method: "GET",
  from: "https://registry.test/v2/a/tags/list?n=1"
} as const
const location = {
  kind: "location",
  operation: upload,
  method: "PUT",
  from: "https://registry.test/v2/a/blobs/uploads/"
} as const

type Given = Omit<OriginPolicy.Handed, "to">

const judge = (given: Given, to: string) =>
  Effect.map(OriginPolicy.OriginPolicy, (policy) => policy.judge({ ...given, to }))

const follows = (title: string, given: Given, to: string, url: string, sameOrigin: boolean) =>
  it.effect(`follows ${title}`, () =>
    Effect.map(judge(given, to), (verdict) =>
      assert.deepStrictEqual(verdict, Either.right({ url, sameOrigin, credentials: sameOrigin }))
    )
  )

const refuses = (title: string, given: Given, to: string, reason: string) =>
  it.effect(`refuses ${title}`, () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.flatten(judge(given, to)))
      assert.strictEqual(error._tag, "UnsafeLocation")
      assert.strictEqual(error.reason, reason)
      assert.strictEqual(error.kind, given.kind)
      assert.include(error.message, reason)
    })
  )

describe("OriginPolicy", () => {
  describe("by default", () => {
    for (const [given, of] of [
      [redirect, "a redirect"],
      [link, "a link"],
      [location, "an upload's location"]
    ] as const) {
      const at = (path: string) => new URL(path, given.from).href
      follows(`P4 ${of} to a path`, given, "/v2/x", "https://registry.test/v2/x", true)
      follows(`P4 ${of} to a relative path`, given, "../y", at("../y"), true)
      follows(`P4 L6 ${of} to a query`, given, "?a=b", at("?a=b"), true)
      follows(
        `P6 ${of} to a whole URL of the same origin`,
        given,
        "https://registry.test/x",
        "https://registry.test/x",
        true
      )
      follows(
        `A12 ${of} to the same origin with its port`,
        given,
        "https://registry.test:443/x",
        "https://registry.test/x",
        true
      )
      follows(
        `S8 ${of} to the same origin in capitals`,
        given,
        "HTTPS://Registry.TEST/x",
        "https://registry.test/x",
        true
      )
      follows(`P4 E18 ${of} without its fragment`, given, "/x#frag", "https://registry.test/x", true)
      follows(`P4 ${of} with spaces around`, given, "  /x  ", "https://registry.test/x", true)
      follows(
        `E6 ${of} with its query byte for byte`,
        given,
        "/x?_state=a%20b~c%2B%3D&e=&e",
        "https://registry.test/x?_state=a%20b~c%2B%3D&e=&e",
        true
      )

      refuses(`P4 ${of} to nothing`, given, "", "it is empty")
      refuses(`P4 ${of} to spaces`, given, "  ", "it is empty")
      refuses(`P4 ${of} to what is no URL`, given, "https://[bad/", "it is not a URL")
      refuses(
        `S18 ${of} to a URL of 20,000 characters`,
        given,
        `/${"a".repeat(20_000)}`,
        "it is longer than 16384 characters"
      )
      refuses(`S13 ${of} from https to http`, given, "http://cdn.test/x", "it leaves https for http")
      refuses(
        `S13 ${of} from https to http on the same host`,
        given,
        "http://registry.test/x",
        "it leaves https for http"
      )
      refuses(`E20 ${of} with a user name`, given, "https://me@registry.test/x", "it holds a user name")
      refuses(`E20 ${of} with a password`, given, "https://:secret@registry.test/x", "it holds a user name")
      for (const scheme of ["file", "data", "ftp", "unix", "javascript", "blob", "ws"]) {
        refuses(`S50 ${of} to ${scheme}:`, given, `${scheme}:///etc/passwd`, `${scheme}: is not http`)
      }
    }

    follows(
      "P2 a redirect of content to another host",
      redirect,
      "https://cdn.test/x?sig=%2F",
      "https://cdn.test/x?sig=%2F",
      false
    )
    follows("P4 a redirect of content to a host without scheme", redirect, "//cdn.test/z", "https://cdn.test/z", false)
    follows(
      "S8 a redirect to another port as one to another host",
      redirect,
      "https://registry.test:8443/x",
      "https://registry.test:8443/x",
      false
    )
    follows(
      "S8 a redirect to a subdomain as one to another host",
      redirect,
      "https://a.registry.test/x",
      "https://a.registry.test/x",
      false
    )
    follows(
      "S13 a redirect from http to https as one to another host",
      { ...redirect, from: "http://registry.test/x" },
      "https://registry.test/x",
      "https://registry.test/x",
      false
    )
    follows(
      "E13 a redirect whose backslashes are slashes to URLs",
      redirect,
      "https:\\\\cdn.test\\x",
      "https://cdn.test/x",
      false
    )
    for (const name of ["blobs.head", "blobs.range", "manifests.get", "manifests.head"] as const) {
      follows(
        `P2 a redirect of ${name} to another host`,
        { ...redirect, operation: { ...content, name } },
        "https://cdn.test/x",
        "https://cdn.test/x",
        false
      )
    }

    for (const name of [
      "registry.ping",
      "blobs.delete",
      "manifests.put",
      "manifests.delete",
      "uploads.start",
      "uploads.status",
      "tags.list",
      "referrers.list",
      "catalog.list"
    ] as const) {
      refuses(
        `P13 a redirect of ${name} to another host`,
        { ...redirect, operation: { ...content, name } },
        "https://github.test/",
        "only content is fetched from another host"
      )
    }
    for (const method of ["POST", "PATCH", "PUT", "DELETE"]) {
      refuses(
        `S11 a redirect of a ${method} to another host`,
        { ...redirect, operation: upload, method },
        "https://evil.test/",
        `a ${method} is not taken to another host`
      )
    }
    refuses("S14 a link to another host", link, "https://evil.test/v2/a/tags/list", "it leads to another host")
    refuses("S14 a link to another port", link, "https://registry.test:8443/v2/a/tags/list", "it leads to another host")
    refuses(
      "S15 an upload's location on another host",
      location,
      "https://evil.test/upload",
      "it leads to another host"
    )
    refuses(
      "S15 an upload's location without scheme on another host",
      location,
      "//evil.test/upload",
      "it leads to another host"
    )
  })

  describe("S12 addresses", () => {
    const reaches = {
      loopback: [
        "127.0.0.1",
        "127.1.2.3",
        "0.0.0.0",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "registry.localhost"
      ],
      "link-local": [
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[fe80::1]",
        "[febf::1]",
        "metadata.google.internal",
        "metadata.google.internal."
      ],
      private: [
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "012.0.0.1",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[::ffff:10.0.0.1]",
        "[64:ff9b::192.168.1.1]"
      ],
      public: [
        "cdn.test",
        "8.8.8.8",
        "172.15.0.1",
        "172.32.0.1",
        "100.63.0.1",
        "100.128.0.1",
        "192.169.0.1",
        "169.253.0.1",
        "[2001:db8::1]",
        "[::ffff:8.8.8.8]",
        "[64:ff9b::8.8.8.8]",
        "localhost.evil.test",
        "127.0.0.1.evil.test",
        "10.0.0.1.evil.test",
        "xlocalhost"
      ]
    } as const

    for (const [reach, hosts] of Object.entries(reaches)) {
      for (const host of hosts) {
        if (reach === "public") {
          it.effect(`follows a redirect to ${host}`, () =>
            Effect.map(judge(redirect, `https://${host}/x`), (verdict) => assert.isTrue(Either.isRight(verdict)))
          )
        } else {
          refuses(
            `a redirect to ${host}`,
            redirect,
            `https://${host}/x`,
            `a ${reach} address is not where this registry is`
          )
        }
      }
    }

    const neighbours: ReadonlyArray<readonly [from: string, to: string, follows: boolean]> = [
      ["127.0.0.1:5000", "127.0.0.1:9000", true],
      ["localhost:5000", "127.0.0.1:9000", true],
      ["[::1]:5000", "localhost:9000", true],
      ["10.0.0.1", "192.168.1.1", true],
      ["10.0.0.1", "cdn.test", true],
      ["localhost:5000", "cdn.test", true],
      ["10.0.0.1", "127.0.0.1", false],
      ["10.0.0.1", "169.254.169.254", false],
      ["127.0.0.1:5000", "10.0.0.1", false],
      ["127.0.0.1:5000", "169.254.169.254", false]
    ]
    for (const [from, to, expected] of neighbours) {
      it.effect(`${expected ? "follows" : "refuses"} a redirect from ${from} to ${to}`, () =>
        Effect.map(judge({ ...redirect, from: `http://${from}/v2/` }, `http://${to}/x`), (verdict) =>
          assert.strictEqual(Either.isRight(verdict), expected)
        )
      )
    }
  })

  describe("layerTrusting", () => {
    const trusting = OriginPolicy.layerTrusting(["storage.internal:9000", "10.0.0.9", "Docker.io"])
    const trusted = (given: Given, to: string) => Effect.provide(judge(given, to), trusting)

    for (const [given, of] of [
      [redirect, "a redirect"],
      [{ ...redirect, operation: listing }, "a redirect of a page"],
      [{ ...redirect, operation: upload, method: "PUT" }, "a redirect of an upload"],
      [link, "a link"],
      [location, "an upload's location"]
    ] as const) {
      for (const url of ["https://storage.internal:9000/x", "https://10.0.0.9/x", "https://registry-1.docker.io/x"]) {
        it.effect(`follows ${of} to ${url}, as one to another host`, () =>
          Effect.map(trusted(given, url), (verdict) =>
            assert.deepStrictEqual(verdict, Either.right({ url, sameOrigin: false, credentials: false, trusted: true }))
          )
        )
      }
      it.effect(`refuses ${of} to a trusted host by http`, () =>
        Effect.map(Effect.flip(Effect.flatten(trusted(given, "http://10.0.0.9/x"))), ({ reason }) =>
          assert.strictEqual(reason, "it leaves https for http")
        )
      )
    }

    it.effect("trusts a host at that port only", () =>
      Effect.map(trusted(link, "https://storage.internal/x"), (verdict) => assert.isTrue(Either.isLeft(verdict)))
    )

    it.effect("trusts a host with its scheme's own port, written or not", () =>
      Effect.gen(function* () {
        const written = OriginPolicy.layerTrusting(["cdn.test:443"])
        assert.isTrue(Either.isRight(yield* Effect.provide(judge(link, "https://cdn.test/x"), written)))
        assert.isTrue(Either.isRight(yield* trusted(link, "https://10.0.0.9:443/x")))
      })
    )

    it.effect("refuses a host that is none", () =>
      Effect.map(Effect.flip(Effect.provide(judge(link, "/"), OriginPolicy.layerTrusting(["no host"]))), (error) =>
        assert.strictEqual(error._tag, "InvalidReference")
      )
    )

    it.effect("layerStrict takes the trust back", () =>
      Effect.map(
        judge(link, "https://10.0.0.9/x").pipe(Effect.provide(OriginPolicy.layerStrict), Effect.provide(trusting)),
        (verdict) => assert.isTrue(Either.isLeft(verdict))
      )
    )
  })

  describe("UnsafeLocation", () => {
    const refused = (to: string) => Effect.flip(Effect.flatten(judge(redirect, to)))

    it.effect("says what was asked for, of whom and where it would have gone", () =>
      Effect.gen(function* () {
        const { digest, method, registry, repository, target, url } = yield* refused("http://evil.test/a/b")
        assert.deepStrictEqual(
          { digest, method, registry, repository, target, url },
          {
            digest: content.reference,
            method: "GET",
            registry: "registry.test",
            repository: "org/app",
            target: "http://evil.test/a/b",
            url: blobUrl
          }
        )
      })
    )

    const secrets: ReadonlyArray<readonly [what: string, to: string]> = [
      ["a query", "http://evil.test/x?X-Amz-Signature=secret"],
      ["a fragment", "http://evil.test/x#secret"],
      ["a password", "https://me:secret@evil.test/x"],
      ["the password of another scheme", "ftp://me:secret@evil.test/x"],
      ["a password after backslashes", "https:\\\\me:secret@evil.test\\x"],
      ["the password of what is no URL", "https://me:secret@[bad/x"],
      ["the password of a relative URL", "//me:secret@[bad/x"],
      ["the content of a data URL", "data:text/plain,secret"]
    ]
    for (const [what, to] of secrets) {
      it.effect(`S44 does not show ${what}`, () =>
        Effect.map(refused(to), (error) => assert.notInclude(`${error.message} ${JSON.stringify(error)}`, "secret"))
      )
    }

    it.effect("S45 shows no control characters, and the start of a long target only", () =>
      Effect.gen(function* () {
        assert.notMatch((yield* refused("https://[\u001b[2J\u202E/")).target, /[\p{Cc}\p{Cf}]/u)
        assert.isBelow((yield* refused(`https://[${"a".repeat(10_000)}`)).target.length, 400)
      })
    )
  })
})
