import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as RegistryName from "effect-oci/RegistryName"

const parse = (text: string): RegistryName.RegistryName => Either.getOrThrow(RegistryName.parse(text))
const reasonOf = (text: string): string => Either.getOrThrow(Either.flip(RegistryName.parse(text))).reason

interface Parts {
  readonly host: string
  readonly port?: number
  readonly scheme?: "http" | "https"
}

const accepted: ReadonlyArray<readonly [title: string, text: string, parts: Parts]> = [
  ["a host", "ghcr.io", { host: "ghcr.io" }],
  ["a subdomain with hyphens", "us-docker.pkg.dev", { host: "us-docker.pkg.dev" }],
  ["one-letter labels", "a.b", { host: "a.b" }],
  ["labels that start with digits", "0101.com", { host: "0101.com" }],
  ["a port", "gcr.io:9001", { host: "gcr.io", port: 9001 }],
  ["N6 port 0", "registry.test:0", { host: "registry.test", port: 0 }],
  ["N6 port 65535", "registry.test:65535", { host: "registry.test", port: 65535 }],
  ["localhost", "localhost", { host: "localhost" }],
  ["localhost with a port", "localhost:5000", { host: "localhost", port: 5000 }],
  ["a host of one label with a port", "registry:5000", { host: "registry", port: 5000 }],
  ["an IPv4 address", "192.168.0.1:80", { host: "192.168.0.1", port: 80 }],
  ["N6 an IPv6 address", "[::1]", { host: "::1" }],
  ["N6 an IPv6 address with a port", "[2001:db8::1]:5000", { host: "2001:db8::1", port: 5000 }],
  ["N6 a long IPv6 address, shortened", "[2001:0DB8:0:0:0:0:0:1]", { host: "2001:db8::1" }],
  ["N7 capitals, lowered", "Registry.Example.COM:443", { host: "registry.example.com", port: 443 }],
  ["N1 a host of one label in capitals", "EXAMPLE", { host: "example" }],
  ["N7 punycode", "xn--n3h.com", { host: "xn--n3h.com" }],
  ["N8 http", "http://quay.io", { host: "quay.io", scheme: "http" }],
  ["N8 https", "https://quay.io:8443", { host: "quay.io", port: 8443, scheme: "https" }],
  ["N8 oci, dropped", "oci://ghcr.io", { host: "ghcr.io" }],
  ["N8 docker, dropped", "docker://ghcr.io", { host: "ghcr.io" }],
  ["A59 a final slash", "ghcr.io/", { host: "ghcr.io" }],
  ["A59 the root of the API", "https://registry.test:5000/v2/", { host: "registry.test", port: 5000, scheme: "https" }],
  ["63 characters in a label", `${"a".repeat(63)}.io`, { host: `${"a".repeat(63)}.io` }],
  ["N2 docker.io", "docker.io", { host: "docker.io" }],
  ["N2 docker.io in capitals", "DOCKER.io/", { host: "docker.io" }],
  ["N2 docker.io at its own port", "docker.io:443", { host: "docker.io" }],
  ["N2 index.docker.io", "index.docker.io", { host: "docker.io" }],
  ["N2 registry-1.docker.io", "registry-1.docker.io", { host: "docker.io" }],
  ["N2 registry.hub.docker.com", "registry.hub.docker.com", { host: "docker.io" }],
  ["https on Docker Hub", "https://docker.io", { host: "docker.io", scheme: "https" }],
  ["N2 A59 https://index.docker.io/v1/", "https://index.docker.io/v1/", { host: "docker.io", scheme: "https" }]
]

const refused: ReadonlyArray<readonly [title: string, text: string, reason: RegExp]> = [
  ["an empty text", "", /empty/],
  ["a scheme alone", "https://", /empty/],
  ["a host of one label", "foo", /neither a dot nor a port/],
  ["a host of one label after a scheme", "https://foo", /neither a dot nor a port/],
  ["a path", "docker.io/foo", /path/],
  ["a second slash at the end", "ghcr.io//", /path/],
  ["another scheme", "ftp://ghcr.io", /path, or a scheme/],
  ["a scheme in capitals", "HTTPS://ghcr.io", /scheme/],
  ["http on Docker Hub", "http://docker.io", /https only/],
  ["http on another name of Docker Hub", "http://registry-1.docker.io/v2/", /https only/],
  ["http on another port of Docker Hub", "http://index.docker.io:80", /https only/],
  ["N6 port 65536", "registry.test:65536", /port/],
  ["N6 a port of six digits", "registry.test:000080", /port/],
  ["N6 an empty port", "registry.test:", /port/],
  ["N6 a port of letters", "test.com:http", /port/],
  ["N6 a negative port", "test.com:-1", /port/],
  ["N16 a port of full-width digits", "test.com:１２３", /port/],
  ["N6 an IPv6 address without brackets", "fd00:1:2::3:5000", /port/],
  ["N6 a zone", "[fe80::1%eth0]:5000", /host/],
  ["N6 an embedded IPv4 address", "[2001:db8:3:4::192.0.2.33]", /host/],
  ["N6 an open bracket", "[::1", /host|port/],
  ["N6 a port without its colon", "[fd00:1:2::3]5000", /host/],
  ["N6 two colons before a port", "[fd00:1:2::3]::5000", /port/],
  ["N6 an impossible IPv6 address", "[fd00123123123]:5000", /host/],
  ["N6 three colons", "[2001:::1]", /host/],
  ["N6 nine groups", "[1:2:3:4:5:6:7:8:9]", /host/],
  ["an IPv4 address out of range", "10.256.0.0:5000", /host/],
  ["an IPv4 address of two numbers", "127.1", /host/],
  ["a hexadecimal IPv4 address", "0x7f.0.0.1", /host/],
  ["an octal IPv4 address", "0177.0.0.1", /host/],
  ["a number for an address", "2130706433:80", /host/],
  ["punycode of nothing", "xn--a.com", /host/],
  ["N7 an underscore", "foo_bar.com", /host/],
  ["N7 a final dot", "example.com.", /host/],
  ["N7 a final dot before a port", "docker.io.:443", /host/],
  ["N7 letters outside ASCII", "bücher.example", /host/],
  ["N16 a capital that lowers into ASCII", "doc\u212Aer.io", /host/],
  ["N16 a full-width letter", "ａ.com", /host/],
  ["an empty label", "a..b", /host/],
  ["a leading dot", ".docker.io", /host/],
  ["dots alone", "..", /host/],
  ["a leading hyphen", "-docker.io", /host/],
  ["a hyphen before a dot", "docker-.io", /host/],
  ["a trailing hyphen", "ab.com-", /host/],
  ["a label of 64 characters", `${"a".repeat(64)}.io`, /host/],
  ["a host of 254 characters", `${"a.".repeat(126)}aa`, /host/],
  ["a blank", "white space.io", /host/],
  ["a question mark", "gcr.io?com", /host/],
  ["S23 a fragment", "gcr.io#x", /host/],
  ["S23 a backslash", "gcr.io\\x", /host/],
  ["S23 percent encoding", "gcr%2eio.com", /host/],
  ["S21 a newline at the end", "ghcr.io\n", /host/],
  ["S21 NUL", "ghcr.io\u0000", /host/],
  ["a user", "user@ghcr.io", /host/],
  ["a text over 512 characters", "a".repeat(513), /512/]
]

describe("RegistryName", () => {
  for (const [title, text, parts] of accepted) {
    it(`takes ${title}`, () => {
      const registry = parse(text)
      assert.deepStrictEqual(registry, new RegistryName.RegistryName(parts))
      assert.isTrue(Equal.equals(registry, new RegistryName.RegistryName(parts)))
    })

    it(`N18 reads back ${title}`, () => {
      const registry = parse(text)
      const prefix = registry.scheme === undefined ? "" : `${registry.scheme}://`
      assert.deepStrictEqual(parse(`${prefix}${registry}`), registry)
    })
  }

  for (const [title, text, reason] of refused) {
    it(`refuses ${title}`, () => {
      assert.match(reasonOf(text), reason)
    })
  }

  it("N2 Docker Hub is docker.io with its API at registry-1.docker.io", () => {
    assert.isTrue(RegistryName.dockerHub.official)
    assert.strictEqual(RegistryName.dockerHub.authority, "docker.io")
    assert.strictEqual(RegistryName.dockerHub.apiAuthority, "registry-1.docker.io")
    assert.isTrue(Equal.equals(parse("index.docker.io"), RegistryName.dockerHub))
  })

  it("docker.io at another port is not Docker Hub", () => {
    const registry = parse("docker.io:5000")
    assert.isFalse(registry.official)
    assert.strictEqual(registry.apiAuthority, "docker.io:5000")
  })

  it("the authority is what stands in a URL", () => {
    assert.strictEqual(parse("http://localhost:5000").authority, "localhost:5000")
    assert.strictEqual(parse("[0:0:0:0:0:0:0:1]:5000").authority, "[::1]:5000")
    assert.strictEqual(parse("[::1]").apiAuthority, "[::1]")
    assert.strictEqual(parse("EXAMPLE").authority, "example")
  })

  it("toString is the authority, in capitals where nothing else tells it from a path", () => {
    assert.strictEqual(`${parse("https://Quay.io:443")}`, "quay.io:443")
    assert.strictEqual(`${parse("Localhost")}`, "localhost")
    assert.strictEqual(`${parse("Registry")}`, "REGISTRY")
    assert.strictEqual(`${parse("Registry:80")}`, "registry:80")
  })

  it("equality sees host, port and scheme, and no difference between absent and undefined", () => {
    assert.isTrue(Equal.equals(parse("GHCR.io"), parse("ghcr.io")))
    assert.isFalse(Equal.equals(parse("ghcr.io"), parse("ghcr.io:443")))
    assert.isFalse(Equal.equals(parse("ghcr.io"), parse("https://ghcr.io")))
    assert.isTrue(
      Equal.equals(
        new RegistryName.RegistryName({ host: "ghcr.io" }),
        new RegistryName.RegistryName({ host: "ghcr.io", port: undefined, scheme: undefined })
      )
    )
  })

  const loopback = ["localhost", "localhost:8080", "foo.svc.localhost:1234", "127.0.0.1", "127.8.9.10:80", "[::1]:5000"]
  for (const text of loopback) {
    it(`T14 ${text} is this machine`, () => {
      assert.isTrue(parse(text).isLoopback)
    })
  }

  const remote = [
    "registry.local",
    "foo.svc.local:1234",
    "127.0.0.1.evil.com",
    "my127.0.0.1registry.io",
    "localhost.evil.com",
    "notlocalhost:5000",
    "128.0.0.1",
    "10.2.3.4:5000",
    "[2001:db8::1]:5000",
    "gcr.io",
    "index.docker.io"
  ]
  for (const text of remote) {
    it(`T14 ${text} is not this machine`, () => {
      assert.isFalse(parse(text).isLoopback)
    })
  }

  it.effect("parse is an Effect whose error says what is wrong and what is right", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* RegistryName.parse("ghcr.io")).host, "ghcr.io")
      const error = yield* Effect.flip(RegistryName.parse("http://docker.io"))
      assert.instanceOf(error, RegistryName.InvalidReference)
      assert.strictEqual(
        error.message,
        "invalid reference “http://docker.io”: Docker Hub speaks https only. " +
          "One looks like ghcr.io/org/app:1.2 or localhost:5000/app@sha256:…"
      )
    })
  )

  it("an error never shows the password of a URL", () => {
    const error = Either.getOrThrow(Either.flip(RegistryName.parse("https://user:p@ss@ghcr.io")))
    assert.strictEqual(error.text, "https://***@ghcr.io")
    assert.notInclude(error.message, "ss")
  })

  it("S25 answers on 64 KiB of hostile text at once", () => {
    const start = performance.now()
    for (const part of ["a", "a.", "a-", "-", ".", "[", "[:", ":", "/", "//", "@", "https://", "/v2", "İ", "\u0000"]) {
      const text = part.repeat(65536 / part.length)
      for (const hostile of [text, `${text}!`, `https://${text}`, `[${text}]`]) {
        assert.isTrue(Either.isLeft(RegistryName.parse(hostile)))
      }
    }
    assert.isBelow(performance.now() - start, 200)
  })
})
