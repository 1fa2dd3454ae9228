import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as FastCheck from "effect/FastCheck"
import { pipe } from "effect/Function"
import * as Schema from "effect/Schema"
import * as Digest from "effect-oci/Digest"
import * as Reference from "effect-oci/Reference"
import type * as Repository from "effect-oci/Repository"

const parse = (text: string, options?: Repository.ParseOptions): Reference.Reference =>
  Either.getOrThrow(Reference.parse(text, options))
const reasonOf = (text: string, options?: Repository.ParseOptions): string =>
  Either.getOrThrow(Either.flip(Reference.parse(text, options))).reason

const sha256 = Digest.make("sha256", new Uint8Array(32).fill(0xb9))
const sha512 = Digest.make("sha512", new Uint8Array(64).fill(0xb9))
const imageId = Digest.encoded(sha256)

interface Parts {
  readonly registry: string
  readonly name: string
  readonly tag?: string
  readonly digest?: string
}

const accepted: ReadonlyArray<readonly [text: string, parts: Parts]> = [
  ["alpine", { registry: "docker.io", name: "library/alpine" }],
  ["redis:latest", { registry: "docker.io", name: "library/redis", tag: "latest" }],
  ["a/b:c", { registry: "docker.io", name: "a/b", tag: "c" }],
  ["test.com:tag", { registry: "docker.io", name: "library/test.com", tag: "tag" }],
  ["test.com:5000", { registry: "docker.io", name: "library/test.com", tag: "5000" }],
  ["localhost:5000", { registry: "docker.io", name: "library/localhost", tag: "5000" }],
  ["192.168.1.1:5000", { registry: "docker.io", name: "library/192.168.1.1", tag: "5000" }],
  ["foo_bar.com:8080", { registry: "docker.io", name: "library/foo_bar.com", tag: "8080" }],
  ["foo/foo_bar.com:8080", { registry: "docker.io", name: "foo/foo_bar.com", tag: "8080" }],
  [`localhost@${sha256}`, { registry: "docker.io", name: "library/localhost", digest: sha256 }],
  [`localhost:8080@${sha256}`, { registry: "docker.io", name: "library/localhost", tag: "8080", digest: sha256 }],
  ["test.com/repo:tag", { registry: "test.com", name: "repo", tag: "tag" }],
  ["test:5000/repo", { registry: "test:5000", name: "repo" }],
  ["192.168.1.1:5000/repo:5050", { registry: "192.168.1.1:5000", name: "repo", tag: "5050" }],
  ["lowercase:Uppercase", { registry: "docker.io", name: "library/lowercase", tag: "Uppercase" }],
  ["EXAMPLE/group-image:V42", { registry: "EXAMPLE", name: "group-image", tag: "V42" }],
  [
    "b.gcr.io/test.example.com/my-app:test.example.com",
    { registry: "b.gcr.io", name: "test.example.com/my-app", tag: "test.example.com" }
  ],
  [
    `xn--7o8h.com/myimage:xn--7o8h.com@${sha512}`,
    { registry: "xn--7o8h.com", name: "myimage", tag: "xn--7o8h.com", digest: sha512 }
  ],
  ["[2001:db8::1]/repo", { registry: "[2001:db8::1]", name: "repo" }],
  [
    `[2001:db8::1]:5000/repo:tag@${sha256}`,
    { registry: "[2001:db8::1]:5000", name: "repo", tag: "tag", digest: sha256 }
  ],
  ["[2001:db8::]:5000/repo", { registry: "[2001:db8::]:5000", name: "repo" }],
  [`${"a/".repeat(127)}a:tag`, { registry: "docker.io", name: `${"a/".repeat(127)}a`, tag: "tag" }],
  ["a/b@unknown:ABC=", { registry: "docker.io", name: "a/b", digest: "unknown:ABC=" }]
]

const refused: ReadonlyArray<readonly [title: string, text: string]> = [
  ["an empty text", ""],
  ["a blank", " "],
  ["a blank in front", " alpine"],
  ["N19 a tag alone", ":justtag"],
  ["N19 a digest alone", `@${sha256}`],
  ["N19 an empty tag", "a:"],
  ["N19 an empty tag with a digest", `a:@${sha256}`],
  ["N19 an empty digest", "a@"],
  ["N19 an empty digest after a tag", "a:b@"],
  ["N19 two tags", "a:b:c"],
  ["N19 a tag after the digest", `a@${sha256}:tag`],
  ["N19 a digest after a colon", `ghcr.io/a:b:${sha256}`],
  ["N17 a doubled at sign", `a@@${sha256}`],
  ["N17 two digests", `a@${sha256}@${sha256}`],
  ["a blank before the digest", `ghcr.io/a @${sha256}`],
  ["a digest of one word", "registry.com:8080/myapp@bad"],
  ["N15 a short digest", "project/image@sha256:12345"],
  ["S28 a digest of 63 digits", `a@${sha256.slice(0, -1)}`],
  ["S28 a digest of 65 digits", `a@${sha256}0`],
  ["N11 a digest in capitals", `a@sha256:${"B9".repeat(32)}`],
  ["N11 letters that are not hexadecimal", `a@sha256:${"gg".repeat(32)}`],
  ["N4 64 hexadecimal digits", imageId],
  ["N4 64 hexadecimal digits with a tag", `${imageId}:latest`],
  ["N7 a capital in a name", "Uppercase:tag"],
  ["N7 a capital in a path", "test:5000/Uppercase/lowercase:tag"],
  ["a path of 257 characters", `${"a/".repeat(128)}a:tag`],
  ["odd characters", "aa/asdf$$^/aa"],
  ["a tilde in a tag", "registry.com:8080/myapp:invalid~tag"],
  ["N7 an underscore in the registry", "bad_hostname.com:8080/myapp:tag"],
  ["N6 a port of letters", "localhost:v1/hello-world"],
  ["N6 an IPv6 address alone", "[2001:db8::1]"],
  ["N6 an IPv6 address with a tag", "[2001:db8::1]:tag"],
  ["N6 a zone", "[fe80::1%eth0]:5000/repo"],
  ["N6 an at sign in a zone", "[fe80::1%@invalidzone]:5000/repo"],
  ["N8 another scheme", "unknown://repo:tag"],
  ["N8 a directory", "ocidir://path/to/dir:v1.2.3"],
  ["N8 a registry alone after a scheme", "http://localhost:5000"],
  ["http on Docker Hub", "http://index.docker.io/library/mongo:4"],
  ["S23 a traversal", "../../v2/other"],
  ["S23 a traversal in the path", "ghcr.io/a/../../b:c"],
  ["S23 dots for a tag", "ghcr.io/a:.."],
  ["S23 a slash in a tag", "ghcr.io/a:b/c"],
  ["S23 a percent-encoded slash in a tag", "ghcr.io/a:b%2fc"],
  ["S23 a question mark", "ghcr.io/a:b?c=d"],
  ["S23 a fragment", "ghcr.io/a#b"],
  ["S23 a backslash", "ghcr.io\\a:b"],
  ["S23 NUL", "ghcr.io/a:b\u0000"],
  ["N9 S21 a newline after a tag", "alpine:latest\n"],
  ["N9 a newline before a valid line", "\nalpine:latest"],
  ["S21 a header in a tag", "alpine:abc\r\nX: y"],
  ["N16 full-width digits in a tag", "alpine:１２３"],
  ["N16 a Turkish dotless i in a tag", "alpine:lınux"]
]

describe("Reference", () => {
  describe("parse", () => {
    for (const [text, parts] of accepted) {
      it(`N1 N6 takes ${text}`, () => {
        const reference = parse(text)
        assert.strictEqual(`${reference.registry}`, parts.registry)
        assert.strictEqual(reference.repository.name, parts.name)
        assert.strictEqual(reference.tag, parts.tag)
        assert.strictEqual(reference.digest, parts.digest)
      })

      it(`N18 reads back ${text}`, () => {
        const reference = parse(text)
        assert.isTrue(Equal.equals(parse(Reference.format(reference)), reference))
        assert.isTrue(Equal.equals(parse(Reference.format(reference), { strict: true }), reference))
        assert.isTrue(Equal.equals(parse(Reference.familiar(reference)), reference))
      })
    }

    for (const [title, text] of refused) {
      it(`refuses ${title}`, () => {
        const error = Either.getOrThrow(Either.flip(Reference.parse(text)))
        assert.strictEqual(error._tag, "InvalidReference")
        assert.isNotEmpty(error.reason)
      })
    }

    const registries = ["localhost", "registry.example.com", "localhost:5000", "127.0.0.1:5000", "[::1]:5000"]
    for (const registry of registries) {
      for (const prefix of ["", "oci://", "docker://", "http://", "https://"]) {
        it(`N8 takes all four forms at ${prefix}${registry}`, () => {
          const name = `${prefix}${registry}/org/hello-world`
          const forms = [name, `${name}:v2`, `${name}@${sha256}`, `${name}:v2@${sha256}`].map((text) => parse(text))
          assert.deepStrictEqual(
            forms.map(({ digest, tag, target }) => [tag, digest, target]),
            [
              [undefined, undefined, "latest"],
              ["v2", undefined, "v2"],
              [undefined, sha256, sha256],
              ["v2", sha256, sha256]
            ]
          )
          for (const form of forms) {
            assert.strictEqual(`${form.repository}`, `${registry}/org/hello-world`)
            assert.strictEqual(form.registry.scheme, prefix.startsWith("http") ? prefix.slice(0, -3) : undefined)
            assert.isTrue(Equal.equals(parse(Reference.format(form)), form))
          }
          const strict = Reference.parse(`${name}:v2`, { strict: true })
          assert.strictEqual(Either.isRight(strict), prefix === "")
        })
      }
    }

    it("strict leaves nothing to a default but the tag", () => {
      assert.match(reasonOf("alpine:3", { strict: true }), /registry/)
      assert.match(reasonOf("docker.io/alpine:3", { strict: true }), /namespace/)
      assert.strictEqual(parse("docker.io/library/alpine", { strict: true }).tag, undefined)
    })

    it("takes a default registry", () => {
      const reference = parse("org/app:1.2", { defaultRegistry: "http://registry.test:5000" })
      assert.strictEqual(Reference.format(reference), "http://registry.test:5000/org/app:1.2")
      assert.match(reasonOf("app", { defaultRegistry: "nowhere" }), /default registry/)
    })

    it.effect("is an Effect whose error says what is wrong and what is right", () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* Reference.parse("ghcr.io/org/app:1.2")).tag, "1.2")
        const error = yield* Effect.flip(Reference.parse("a@sha256:abcd"))
        assert.strictEqual(error.text, "a@sha256:abcd")
        assert.strictEqual(
          error.message,
          "invalid reference “a@sha256:abcd”: as for its digest, a sha256 hash is 64 lower-case hexadecimal digits. " +
            "One looks like ghcr.io/org/app:1.2 or localhost:5000/app@sha256:…"
        )
      })
    )

    it("an error shows one short line without control characters or passwords", () => {
      const error = Either.getOrThrow(Either.flip(Reference.parse(`a\u001b[2J\n\u202e${"x".repeat(65536)}`)))
      assert.isFalse(/[\p{Cc}\p{Cf}]/u.test(error.message))
      assert.isBelow(error.message.length, 500)
      const withPassword = Either.getOrThrow(Either.flip(Reference.parse("https://user:hunter2@ghcr.io/a:b")))
      assert.notInclude(JSON.stringify(withPassword) + withPassword.message, "hunter2")
    })
  })

  describe("isTag", () => {
    for (const tag of ["a", "0", "_", "TAG5", "1.2-rc_3", "sha256-abc.sig", "a..b", `_${"a".repeat(127)}`]) {
      it(`N9 takes ${tag}`, () => {
        assert.isTrue(Reference.isTag(tag))
      })
    }
    for (const tag of [
      "",
      ".",
      "..",
      "-a",
      ".a",
      "a b",
      "a/b",
      "a:b",
      "a@b",
      "a+b",
      "a\n",
      "\na",
      "é",
      "１",
      `a${"a".repeat(128)}`
    ]) {
      it(`N9 refuses ${JSON.stringify(tag)}`, () => {
        assert.isFalse(Reference.isTag(tag))
      })
    }
  })

  describe("target", () => {
    it("N3 N20 is the digest, else the tag, else latest", () => {
      assert.strictEqual(parse(`a:b@${sha256}`).target, sha256)
      assert.strictEqual(parse("a:b").target, "b")
      assert.strictEqual(parse("a").target, "latest")
      assert.isUndefined(parse("a").tag)
    })
  })

  describe("format and familiar", () => {
    const table: ReadonlyArray<readonly [text: string, formatted: string, familiar: string]> = [
      ["alpine", "docker.io/library/alpine", "alpine"],
      ["docker.io/library/alpine:3", "docker.io/library/alpine:3", "alpine:3"],
      [`busybox:latest@${sha256}`, `docker.io/library/busybox:latest@${sha256}`, `busybox:latest@${sha256}`],
      ["index.docker.io/fooo/bar", "docker.io/fooo/bar", "fooo/bar"],
      ["library/foo/bar", "docker.io/library/foo/bar", "library/foo/bar"],
      ["127.0.0.1:8000/private/moonbase", "127.0.0.1:8000/private/moonbase", "127.0.0.1:8000/private/moonbase"],
      ["Example.com/privatebase", "example.com/privatebase", "example.com/privatebase"],
      ["Foo/bar", "FOO/bar", "FOO/bar"],
      ["[0:0::1]:5000/a", "[::1]:5000/a", "[::1]:5000/a"],
      ["http://localhost:5000/a:b", "http://localhost:5000/a:b", "localhost:5000/a:b"],
      ["https://docker.io/mongo", "https://docker.io/library/mongo", "mongo"],
      ["docker.io/foo.bar/baz", "docker.io/foo.bar/baz", "docker.io/foo.bar/baz"],
      ["docker.io/localhost/baz:1", "docker.io/localhost/baz:1", "docker.io/localhost/baz:1"],
      [`docker.io/${imageId}`, `docker.io/library/${imageId}`, `docker.io/${imageId}`]
    ]
    for (const [text, formatted, familiar] of table) {
      it(`of ${text}`, () => {
        const reference = parse(text)
        assert.strictEqual(Reference.format(reference), formatted)
        assert.strictEqual(`${reference}`, formatted)
        assert.strictEqual(Reference.familiar(reference), familiar)
        assert.strictEqual(`${parse(familiar).repository}`, `${reference.repository}`)
      })
    }
  })

  describe("make, withTag and withDigest", () => {
    it("make is parse of the parts", () => {
      const { repository } = parse("ghcr.io/org/app")
      assert.isTrue(Equal.equals(Reference.make(repository), parse("ghcr.io/org/app")))
      assert.isTrue(Equal.equals(Reference.make(repository, { tag: undefined }), parse("ghcr.io/org/app")))
      assert.isTrue(
        Equal.equals(Reference.make(repository, { tag: "a", digest: sha256 }), parse(`ghcr.io/org/app:a@${sha256}`))
      )
      assert.isFalse(Equal.equals(Reference.make(repository, { tag: "a" }), parse("ghcr.io/org/app")))
    })

    it("N3 withTag replaces the tag and keeps the digest", () => {
      assert.deepStrictEqual(Reference.withTag(parse("a:b"), "TAG5"), Reference.parse("a:TAG5"))
      assert.deepStrictEqual(pipe(parse(`a@${sha256}`), Reference.withTag("c")), Reference.parse(`a:c@${sha256}`))
    })

    it("withTag refuses what is no tag", () => {
      const error = Either.getOrThrow(Either.flip(Reference.withTag(parse("a"), "-foo\n")))
      assert.strictEqual(error.text, "-foo")
      assert.match(error.reason, /tag/)
    })

    it("N3 withDigest replaces the digest and keeps the tag", () => {
      assert.deepStrictEqual(Reference.withDigest(parse(`a:b@${sha512}`), sha256), parse(`a:b@${sha256}`))
      assert.deepStrictEqual(pipe(parse("a"), Reference.withDigest(sha256)), parse(`a@${sha256}`))
    })
  })

  describe("FromString", () => {
    const Document = Schema.Struct({ image: Reference.FromString })

    it("decodes with parse and encodes with format", () => {
      const document = Schema.decodeUnknownSync(Document)({ image: "alpine:3" })
      assert.isTrue(Equal.equals(document.image, parse("alpine:3")))
      assert.deepStrictEqual(Schema.encodeSync(Document)(document), { image: "docker.io/library/alpine:3" })
    })

    it("fails with the message of InvalidReference", () => {
      const error = Either.getOrThrow(Either.flip(Schema.decodeUnknownEither(Document)({ image: "a:" })))
      assert.include(String(error), "invalid reference “a:”: its tag")
    })
  })
})

const letters = "abcdefghijklmnopqrstuvwxyz"
const digits = "0123456789"

const stringOf = (characters: string, maxLength: number) =>
  FastCheck.string({ unit: FastCheck.constantFrom(...characters), minLength: 1, maxLength })

const component = FastCheck.tuple(
  stringOf(letters + digits, 6),
  FastCheck.array(
    FastCheck.tuple(FastCheck.constantFrom(".", "_", "__", "-", "--", "-----"), stringOf(letters + digits, 6)),
    { maxLength: 3 }
  )
).map(([first, rest]) => [first, ...rest.flat()].join(""))

const path = FastCheck.array(component, { minLength: 1, maxLength: 5 }).map((components) => components.join("/"))

const label = FastCheck.tuple(
  stringOf(letters, 3),
  FastCheck.constantFrom("", "-", "--", "0"),
  stringOf(letters + digits, 5)
)
  .map((parts) => parts.join(""))
  // Punycode has rules of its own.
  .filter((text) => !text.startsWith("xn--"))

const port = FastCheck.nat(65535)

const registry = FastCheck.oneof(
  FastCheck.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join(".")),
  FastCheck.tuple(label, port).map(([host, number]) => `${host}:${number}`),
  label.map((host) => host.toUpperCase()),
  FastCheck.constantFrom("localhost", "docker.io", "[::1]", "[2001:db8::8:1]"),
  FastCheck.tuple(FastCheck.constantFrom("localhost", "[::1]", "Quay.IO"), port).map(
    ([host, number]) => `${host}:${number}`
  ),
  FastCheck.ipV4()
)

const tag = FastCheck.tuple(
  stringOf(`${letters}${letters.toUpperCase()}${digits}_`, 1),
  FastCheck.option(stringOf(`${letters}${letters.toUpperCase()}${digits}_.-`, 127), { nil: "" })
).map(([first, rest]) => first + rest)

const anyDigest = FastCheck.oneof(
  FastCheck.uint8Array({ minLength: 32, maxLength: 32 }).map((hash) => Digest.make("sha256", hash)),
  FastCheck.uint8Array({ minLength: 64, maxLength: 64 }).map((hash) => Digest.make("sha512", hash))
)

const optional = <A>(arbitrary: FastCheck.Arbitrary<A>) => FastCheck.option(arbitrary, { nil: undefined })

describe("Reference by its grammar", () => {
  const write = (name: string, tag: string | undefined, digest: string | undefined): string =>
    `${name}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`

  it.prop(
    "N18 takes what the grammar makes and reads back what it prints",
    [FastCheck.constantFrom("", "https://"), registry, path, optional(tag), optional(anyDigest)],
    ([prefix, host, name, tag, digest]) => {
      FastCheck.pre(name.length <= 255 - "library/".length)
      const reference = parse(write(`${prefix}${host}/${name}`, tag, digest))
      assert.strictEqual(reference.registry.authority, host.toLowerCase())
      assert.strictEqual(
        reference.repository.name,
        host === "docker.io" && !name.includes("/") ? `library/${name}` : name
      )
      assert.strictEqual(reference.tag, tag)
      assert.strictEqual(reference.digest, digest)
      assert.isTrue(Equal.equals(parse(Reference.format(reference)), reference))
      assert.strictEqual(Reference.format(parse(Reference.format(reference))), Reference.format(reference))
      assert.strictEqual(`${parse(Reference.familiar(reference)).repository}`, `${reference.repository}`)
    },
    { fastCheck: { numRuns: 500 } }
  )

  it.prop(
    "N1 takes short names as Docker Hub's",
    [path, optional(tag), optional(anyDigest)],
    ([name, tag, digest]) => {
      const first = name.split("/")[0] ?? ""
      FastCheck.pre(name.length <= 200 && !(name.includes("/") && (first.includes(".") || first === "localhost")))
      FastCheck.pre(!/^[0-9a-f]{64}$/.test(name))
      const reference = parse(write(name, tag, digest))
      assert.isTrue(reference.registry.official)
      assert.strictEqual(reference.repository.localName, name.replace(/^library\/([^/]+)$/, "$1"))
      assert.isTrue(Equal.equals(parse(Reference.familiar(reference)), reference))
      assert.isTrue(Equal.equals(parse(Reference.format(reference), { strict: true }), reference))
    },
    { fastCheck: { numRuns: 300 } }
  )

  it.prop(
    "N17 whatever it takes has nothing in it that a URL would read otherwise",
    [stringOf("aA0.:/@-_[]%#?\\ é\u0000", 24)],
    ([text]) => {
      for (const strict of [false, true]) {
        const result = Reference.parse(text, { strict })
        if (Either.isLeft(result)) continue
        const { registry, repository, target } = result.right
        const url = `https://${registry.authority}/v2/${repository.name}/manifests/${target}`
        assert.strictEqual(new URL(url).pathname, `/v2/${repository.name}/manifests/${target}`)
        assert.strictEqual(new URL(url).hostname.replace(/^\[|\]$/g, ""), registry.host)
        assert.isTrue(Equal.equals(parse(Reference.format(result.right)), result.right))
      }
    },
    { fastCheck: { numRuns: 3000 } }
  )

  it.prop("never throws", [FastCheck.string({ unit: "binary", maxLength: 300 })], ([text]) => {
    assert.isTrue(Either.isEither(Reference.parse(text)))
    assert.isTrue(Either.isEither(Reference.parse(text, { defaultRegistry: text })))
  })

  it("N10 S25 answers on 64 KiB of hostile text at once", () => {
    const start = performance.now()
    const parts = [
      "a",
      "a/",
      "a:",
      "a-",
      "-",
      "_",
      "__",
      ".",
      "/",
      "[",
      ":",
      "@",
      "sha256:",
      "https://",
      "a".repeat(50),
      "İ",
      "\u0000"
    ]
    for (const part of parts) {
      const text = part.repeat(65536 / part.length)
      for (const hostile of [text, `${text}!`, `ghcr.io/${text}`, `a:${text}`, `a@${text}`, `a@sha256:${text}!`]) {
        assert.isTrue(Either.isLeft(Reference.parse(hostile)))
      }
      assert.isTrue(Either.isLeft(Reference.withTag(parse("a"), `${text}!`)))
    }
    assert.isBelow(performance.now() - start, 200)
  })

  it("N10 answers on names of 250 characters that almost match at once", () => {
    const start = performance.now()
    for (const part of ["a", "a-", "a--", "a__", "a.", "-", "a/"]) {
      assert.isTrue(Either.isLeft(Reference.parse(`ghcr.io/${part.repeat(Math.floor(249 / part.length))}!`)))
    }
    assert.isBelow(performance.now() - start, 200)
  })
})
