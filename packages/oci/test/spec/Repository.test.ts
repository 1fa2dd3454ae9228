import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as RegistryName from "effect-oci/RegistryName"
import * as Repository from "effect-oci/Repository"

const parse = (text: string, options?: Repository.ParseOptions): Repository.Repository =>
  Either.getOrThrow(Repository.parse(text, options))
const reasonOf = (text: string, options?: Repository.ParseOptions): string =>
  Either.getOrThrow(Either.flip(Repository.parse(text, options))).reason

const imageId = "1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a"

const normalised: ReadonlyArray<readonly [text: string, registry: string, name: string]> = [
  ["alpine", "docker.io", "library/alpine"],
  ["a/b", "docker.io", "a/b"],
  ["docker.io/alpine", "docker.io", "library/alpine"],
  ["docker.io/library/alpine", "docker.io", "library/alpine"],
  ["index.docker.io/alpine", "docker.io", "library/alpine"],
  ["index.docker.io/org/app", "docker.io", "org/app"],
  ["registry-1.docker.io/library/alpine", "docker.io", "library/alpine"],
  ["docker.io:443/alpine", "docker.io", "library/alpine"],
  ["docker.io/library/foo/bar", "docker.io", "library/foo/bar"],
  ["store/foo/bar", "docker.io", "store/foo/bar"],
  ["other/library", "docker.io", "other/library"],
  ["ubuntu-12.04-base", "docker.io", "library/ubuntu-12.04-base"],
  ["test.com", "docker.io", "library/test.com"],
  ["test_com/foo", "docker.io", "test_com/foo"],
  ["192.168.0.1", "docker.io", "library/192.168.0.1"],
  ["localhost", "docker.io", "library/localhost"],
  [`docker.io/${imageId}`, "docker.io", `library/${imageId}`],
  ["localhost/testimage", "localhost", "testimage"],
  ["localhost:5000/blarg", "localhost:5000", "blarg"],
  ["test:5000/repo", "test:5000", "repo"],
  ["test-com:8080/foo", "test-com:8080", "foo"],
  ["mirror.gcr.io/ubuntu", "mirror.gcr.io", "ubuntu"],
  ["127.0.0.1:5000/library/debian", "127.0.0.1:5000", "library/debian"],
  ["[fc00::1]:5000/docker", "[fc00::1]:5000", "docker"],
  ["[fc00:1:2:3:4:5:6:7]:5000/library/debian", "[fc00:1:2:3:4:5:6:7]:5000", "library/debian"],
  ["xn--n3h.com:18080/foo", "xn--n3h.com:18080", "foo"],
  ["example.com/xn--7o8h.com/myimage", "example.com", "xn--7o8h.com/myimage"],
  ["b.gcr.io/test.example.com/my-app", "b.gcr.io", "test.example.com/my-app"],
  ["GHCR.io/org/app", "ghcr.io", "org/app"],
  ["Docker/docker", "DOCKER", "docker"],
  ["example-A/group/image", "EXAMPLE-A", "group/image"]
]

describe("Repository", () => {
  for (const [text, registry, name] of normalised) {
    it(`N1 N2 reads ${text} as ${registry} and ${name}`, () => {
      const repository = parse(text)
      assert.strictEqual(`${repository.registry}`, registry)
      assert.strictEqual(repository.name, name)
    })

    it(`N18 reads back ${text}`, () => {
      const repository = parse(text)
      assert.isTrue(Equal.equals(parse(repository.toString()), repository))
      assert.isTrue(Equal.equals(parse(repository.canonicalName), repository))
      assert.isTrue(Equal.equals(parse(repository.toString(), { strict: true }), repository))
    })
  }

  const names: ReadonlyArray<readonly [title: string, name: string]> = [
    ["N5 one character", "a"],
    ["N5 one digit", "0"],
    ["N5 components of one character", "a/b/c/0"],
    ["many components", "aa/aa/aa/aa/aa/aa/aa/aa/bb/bb/bb/bb/bb"],
    ["a dot", "foo.bar/baz.qux"],
    ["one underscore", "foo_bar"],
    ["two underscores", "some_separator__underscore/image"],
    ["hyphens in a row", "project--id.module--name.ver---sion--name"],
    ["all separators", "g-r.o__u_p/im----age"],
    ["64 characters that are not hexadecimal", "thisisthesongthatneverendsitgoesonandonandonthisisthesongthatnev"],
    ["N5 255 characters", `${"a/".repeat(127)}a`]
  ]
  for (const [title, name] of names) {
    it(`takes a name with ${title}`, () => {
      assert.strictEqual(parse(`ghcr.io/${name}`).name, name)
    })
  }

  const badNames: ReadonlyArray<readonly [title: string, name: string]> = [
    ["N17 no character", ""],
    ["N5 256 characters", `${"a/".repeat(127)}aa`],
    ["N7 capitals", "docker/Docker"],
    ["N7 capitals in the middle", "foo/Uppercase/lowercase"],
    ["N17 a slash in front", "/foo"],
    ["N17 a slash at the end", "foo/"],
    ["N17 a doubled slash", "foo//bar"],
    ["N17 a component of one dot", "foo/./bar"],
    ["S23 a component of two dots", "foo/../bar"],
    ["S23 two dots alone", ".."],
    ["S23 percent encoding", "a/%2e%2e/b"],
    ["S23 a backslash", "foo\\bar"],
    ["S23 a question mark", "foo?n=1"],
    ["S23 a fragment", "foo#bar"],
    ["S23 NUL", "foo\u0000bar"],
    ["S21 a newline at the end", "foo\n"],
    ["S21 CR and LF", "foo\r\nHost: x"],
    ["a blank", "white space"],
    ["a tilde", "~foo"],
    ["an at sign", "b@char/image"],
    ["a tag", "foo:latest"],
    ["odd characters", "aa/asdf$$^/aa"],
    ["a star", "project/star*"],
    ["a hyphen in front", "-docker"],
    ["a hyphen at the end", "docker-"],
    ["a hyphen before a slash", "foo-/bar"],
    ["a hyphen after a slash", "foo/-bar"],
    ["an underscore in front", "_foo/bar"],
    ["an underscore at the end", "foo_"],
    ["a dot in front of a component", "foo/.dots"],
    ["a dot at the end", "foo."],
    ["underscores alone", "____/____"],
    ["three underscores", "image___x"],
    ["two dots in a row", "nodouble..dots"],
    ["an underscore and a dot", "dock_.er/docker"],
    ["a dot and an underscore", "dock._er/docker"],
    ["a hyphen and a dot", "dock-.er/docker"],
    ["a dot and a hyphen", "dock.-er/docker"],
    ["an underscore and a hyphen", "dock_-er/docker"],
    ["a hyphen and an underscore", "dock-_er/docker"],
    ["N16 a full-width letter", "ａpp"],
    ["N16 full-width digits", "app１２３"],
    ["N16 a Turkish dotless i", "admın"],
    ["N16 a letter that lowers into ASCII", "\u212Aube"]
  ]
  for (const [title, name] of badNames) {
    it(`refuses a name with ${title}`, () => {
      assert.match(reasonOf(`ghcr.io/${name}`), /^its repository/)
    })

    it(`refuses a short name with ${title}`, () => {
      assert.isTrue(Either.isLeft(Repository.parse(name)))
    })
  }

  it("N5 the limit of 255 characters counts library/ and not the registry", () => {
    const registry = `${"a.".repeat(100)}io:65535`
    assert.isTrue(Either.isRight(Repository.parse(`${registry}/${"a".repeat(255)}`)))
    assert.isTrue(Either.isRight(Repository.parse("a".repeat(247))))
    assert.isTrue(Either.isLeft(Repository.parse("a".repeat(248))))
  })

  it("N4 refuses 64 hexadecimal digits without a registry", () => {
    assert.match(reasonOf(imageId), /identifier/)
    assert.match(reasonOf(imageId, { defaultRegistry: "ghcr.io" }), /identifier/)
    assert.strictEqual(parse(imageId.slice(1)).name, `library/${imageId.slice(1)}`)
    assert.strictEqual(parse(`org/${imageId}`).name, `org/${imageId}`)
  })

  const badRegistries: ReadonlyArray<readonly [title: string, text: string]> = [
    ["N17 an empty registry", "/foo"],
    ["a registry alone in brackets", "[fc00::1]"],
    ["a registry alone with a port", "[fc00::1]:5000"],
    ["N6 a zone", "[fe80::1%eth0]:5000/debian"],
    ["N6 an address without brackets", "fc00::1:5000/debian"],
    ["N6 a port out of range", "localhost:65536/foo"],
    ["N6 a port of letters", "foo.com:http/bar"],
    ["N7 an underscore in the registry", "foo_bar.com:8080/app"],
    ["N7 a dot at the end of the registry", "docker./docker"],
    ["a dot in front of the registry", ".docker/docker"],
    ["S23 dots for a registry", "../../v2/other"],
    ["a hyphen in front of the registry", "-docker.io/docker/docker"],
    ["N8 another scheme", "ftp://ghcr.io/app"],
    ["N8 a scheme in capitals", "HTTPS://ghcr.io/app"],
    ["N8 a scheme twice", "https://https://ghcr.io/app"],
    ["N8 one slash after a scheme", "https:/ghcr.io/app"],
    ["a user and a password", "https://user:secret@ghcr.io/app"]
  ]
  for (const [title, text] of badRegistries) {
    it(`refuses ${title}`, () => {
      const error = Either.getOrThrow(Either.flip(Repository.parse(text)))
      assert.notInclude(error.message, "secret")
    })
  }

  it("N8 keeps http and https as the registry's scheme", () => {
    assert.deepStrictEqual(
      parse("http://localhost:5000/app").registry,
      new RegistryName.RegistryName({ host: "localhost", port: 5000, scheme: "http" })
    )
    assert.strictEqual(parse("https://quay.io/org/app").registry.scheme, "https")
    assert.strictEqual(parse("https://docker.io/mongo").name, "library/mongo")
    assert.strictEqual(parse("https://quay.io/org/app").toString(), "quay.io/org/app")
  })

  it("N8 drops oci and docker", () => {
    assert.isTrue(Equal.equals(parse("oci://ghcr.io/org/chart"), parse("ghcr.io/org/chart")))
    assert.isTrue(Equal.equals(parse("docker://alpine"), parse("alpine")))
    assert.isTrue(Equal.equals(parse("docker://org/app"), parse("org/app")))
  })

  it("N8 wants a registry and a repository after http and https", () => {
    assert.match(reasonOf("https://ghcr.io"), /no repository/)
    assert.match(reasonOf("http://localhost:5000/"), /repository is empty/)
    assert.match(reasonOf("https://org/app"), /neither a dot nor a port/)
    assert.match(reasonOf("http://docker.io/mongo"), /https only/)
    assert.match(reasonOf("https:///app"), /registry is empty/)
  })

  describe("defaultRegistry", () => {
    const text = "https://myreg.example.com:1234"
    for (const defaultRegistry of [text, Either.getOrThrow(RegistryName.parse(text))]) {
      it(`takes ${typeof defaultRegistry === "string" ? "a text" : "a registry"}`, () => {
        const repository = parse("foo/bar", { defaultRegistry })
        assert.strictEqual(repository.registry.scheme, "https")
        assert.isFalse(repository.official)
        assert.strictEqual(repository.remoteName, "foo/bar")
        assert.strictEqual(repository.localName, "myreg.example.com:1234/foo/bar")
        assert.strictEqual(repository.canonicalName, "myreg.example.com:1234/foo/bar")
      })
    }

    it("puts nothing in library/ unless it is Docker Hub", () => {
      assert.strictEqual(parse("mongo", { defaultRegistry: "registry.test" }).name, "mongo")
      assert.strictEqual(parse("mongo", { defaultRegistry: "https://index.docker.io/v1/" }).name, "library/mongo")
      assert.strictEqual(parse("mongo", { defaultRegistry: undefined }).name, "library/mongo")
    })

    it("is for names that have no registry", () => {
      assert.strictEqual(`${parse("ghcr.io/org/app", { defaultRegistry: "registry.test" })}`, "ghcr.io/org/app")
    })

    it("is named by the error when it is wrong", () => {
      assert.match(reasonOf("mongo", { defaultRegistry: "http://docker.io" }), /default registry.*https only/)
    })
  })

  describe("strict", () => {
    const written = [
      "ghcr.io/org/app",
      "gcr.io/google.com/project-id/hello-world",
      "mirror.gcr.io/ubuntu",
      "localhost/a"
    ]
    for (const text of [...written, "index.docker.io/library/ubuntu", "docker.io/org/app", "[::1]:5000/a"]) {
      it(`takes ${text}`, () => {
        assert.isTrue(Equal.equals(parse(text, { strict: true }), parse(text)))
      })
    }

    const unwritten: ReadonlyArray<readonly [text: string, reason: RegExp]> = [
      ["ubuntu", /registry is not written/],
      ["library/ubuntu", /registry is not written/],
      ["namespace/component/image", /registry is not written/],
      ["localhost", /registry is not written/],
      ["docker.io/ubuntu", /namespace is not written/],
      ["index.docker.io/foo", /namespace is not written/],
      ["http://registry.test/a", /scheme/],
      ["https://ghcr.io/org/app", /scheme/],
      ["oci://ghcr.io/org/app", /scheme/],
      ["docker://ghcr.io/org/app", /scheme/]
    ]
    for (const [text, reason] of unwritten) {
      it(`refuses ${text}`, () => {
        assert.isTrue(Either.isRight(Repository.parse(text)))
        assert.match(reasonOf(text, { strict: true, defaultRegistry: "registry.test" }), reason)
      })
    }
  })

  describe("names", () => {
    const table: ReadonlyArray<
      readonly [text: string, official: boolean, remote: string, local: string, canonical: string]
    > = [
      ["mongo", true, "library/mongo", "mongo", "docker.io/mongo"],
      ["docker.io/ubuntu", true, "library/ubuntu", "ubuntu", "docker.io/ubuntu"],
      ["google/python", false, "google/python", "google/python", "docker.io/google/python"],
      ["library/foo/bar", false, "library/foo/bar", "library/foo/bar", "docker.io/library/foo/bar"],
      ["localhost:5000/blarg", false, "blarg", "localhost:5000/blarg", "localhost:5000/blarg"],
      ["quay.io/library/mongo", false, "library/mongo", "quay.io/library/mongo", "quay.io/library/mongo"],
      ["https://docker.io/mongo", true, "library/mongo", "mongo", "docker.io/mongo"]
    ]
    for (const [text, official, remoteName, localName, canonicalName] of table) {
      it(`of ${text}`, () => {
        const repository = parse(text)
        assert.strictEqual(repository.official, official)
        assert.strictEqual(repository.remoteName, remoteName)
        assert.strictEqual(repository.localName, localName)
        assert.strictEqual(repository.canonicalName, canonicalName)
      })
    }
  })

  it.effect("parse is an Effect", () =>
    Effect.gen(function* () {
      assert.strictEqual(`${yield* Repository.parse("node")}`, "docker.io/library/node")
      const error = yield* Effect.flip(Repository.parse("ghcr.io/Org/app"))
      assert.strictEqual(error.text, "ghcr.io/Org/app")
      assert.strictEqual(error.reason, "its repository has capital letters")
    })
  )

  it("S25 answers on 64 KiB of hostile text at once", () => {
    const start = performance.now()
    for (const part of ["a", "a/", "a-", "-", "_", "a__", ".", "/", "[", ":", "@", "https://", "a".repeat(50), "İ"]) {
      const text = part.repeat(65536 / part.length)
      for (const hostile of [text, `${text}!`, `ghcr.io/${text}`, `https://${text}`]) {
        assert.isTrue(Either.isLeft(Repository.parse(hostile)))
        assert.isTrue(Either.isLeft(Repository.parse(hostile, { strict: true })))
        assert.isTrue(Either.isLeft(Repository.parse("a", { defaultRegistry: hostile })))
      }
    }
    assert.isBelow(performance.now() - start, 200)
  })
})
