/** Texts of a stranger: what parses is written and read back as the same, what does not is refused with a typed error. */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Digest from "effect-oci/Digest"
import * as MediaType from "effect-oci/MediaType"
import * as Platform from "effect-oci/Platform"
import * as Reference from "effect-oci/Reference"
import * as Referrers from "effect-oci/Referrers"
import * as RegistryName from "effect-oci/RegistryName"
import * as Repository from "effect-oci/Repository"
import { anyText, assertPrintable, near } from "./arbitraries.js"
import { fuzz } from "./settings.js"

const sha256 = `sha256:${"0123456789abcdef".repeat(4)}`

const nearOrAny = (...samples: ReadonlyArray<string>) =>
  FastCheck.oneof({ weight: 4, arbitrary: near(...samples) }, { weight: 1, arbitrary: anyText(300) })

const names = ["docker.io", "localhost:5000", "[::1]:5000", "http://10.0.0.1", "https://index.docker.io/v1/", "A"]

/** What parses must pass the checks, what does not must be an error of this tag that can be printed. */
const read = <A, E extends { readonly _tag: string; readonly message: string }>(
  parsed: Either.Either<A, E>,
  tag: NoInfer<E["_tag"]>,
  check: (value: A) => void
): void => {
  if (Either.isRight(parsed)) check(parsed.right)
  else {
    assert.strictEqual(parsed.left._tag, tag)
    assertPrintable(parsed.left.message)
  }
}

const assertSame = <A>(read: Either.Either<A, unknown>, value: A): void => {
  assert(Either.isRight(read), "is not read back")
  assert.isTrue(Equal.equals(read.right, value), `${String(value)} is read back as ${String(read.right)}`)
}

describe("fuzzed texts", () => {
  it.prop(
    "registries",
    [nearOrAny(...names)],
    ([text]) =>
      read(RegistryName.parse(text), "InvalidReference", (name) => {
        assertSame(RegistryName.parse(`${name.scheme === undefined ? "" : `${name.scheme}://`}${name}`), name)
        // the host of a request is the host of the name
        const url = new URL(`https://${name.apiAuthority}/v2/`)
        assert.strictEqual(url.host, name.apiAuthority.replace(/:443$/, "").replace(/:0+(?=\d)/, ":"))
        assert.deepStrictEqual([url.pathname, url.username, url.search], ["/v2/", "", ""])
      }),
    fuzz
  )

  it.prop(
    "repositories",
    [nearOrAny("alpine", "org/app", "ghcr.io/org/app", "localhost:5000/a__b/c-d.e", "oci://registry.test/app")],
    ([text]) =>
      read(Repository.parse(text), "InvalidReference", (repository) => {
        const written = repository.registry.scheme === undefined ? "" : `${repository.registry.scheme}://`
        assertSame(Repository.parse(`${written}${repository}`), repository)
        const path = `/v2/${repository.name}/tags/list`
        assert.strictEqual(new URL(path, "https://registry.test").pathname, path)
      }),
    fuzz
  )

  it.prop(
    "references",
    [
      nearOrAny(
        "alpine",
        "alpine:3.20",
        `ghcr.io/org/app:1.2@${sha256}`,
        "localhost:5000/app:latest",
        "http://[::1]:5000/org/app",
        `docker.io/library/alpine@${sha256}`
      ),
      FastCheck.boolean()
    ],
    ([text, strict]) =>
      read(Reference.parse(text, { strict }), "InvalidReference", (reference) => {
        assertSame(Reference.parse(Reference.format(reference)), reference)
        // the short form is without a scheme
        if (reference.registry.scheme === undefined) {
          assertSame(Reference.parse(Reference.familiar(reference)), reference)
        }
        const path = `/v2/${reference.repository.name}/manifests/${reference.target}`
        assert.strictEqual(new URL(path, "https://registry.test").pathname, path)
      }),
    fuzz
  )

  it.prop(
    "tags",
    [nearOrAny("latest", "1.2", "sha256-0123", "_a")],
    ([text]) => {
      const written = Either.getRight(Reference.parse(`registry.test/app:${text}`))
      const read = Option.map(written, ({ tag, digest }) => digest === undefined && tag === text)
      assert.strictEqual(
        Reference.isTag(text),
        Option.getOrElse(read, () => false)
      )
      if (Reference.isTag(text)) assert.strictEqual(new URL(text, "https://registry.test/").pathname, `/${text}`)
    },
    fuzz
  )

  it.prop(
    "digests",
    [nearOrAny(sha256, `sha512:${"0123456789abcdef".repeat(8)}`, "multihash+base58:QmRZ", "blake3:00", "a.b-c:d=")],
    ([text]) =>
      read(Digest.parse(text), "InvalidDigest", (digest) => {
        assert.strictEqual(`${Digest.algorithm(digest)}:${Digest.encoded(digest)}`, text)
        assert.isTrue(Reference.isTag(Referrers.tag(digest)))
        assert.isTrue(Option.isNone(Digest.verifiable(digest)) || /^sha(256|384|512):[0-9a-f]+$/.test(text))
      }),
    fuzz
  )

  it.prop(
    "platforms",
    [nearOrAny("linux/amd64", "linux/arm/v7", "windows(10.0.17763+win32k)/amd64", "macos/x86_64", "linux/armhf")],
    ([text]) =>
      read(Platform.parse(text), "InvalidPlatform", (platform) => {
        const written = Platform.format(platform)
        const again = Either.getOrThrow(Platform.parse(written))
        assert.deepStrictEqual(again, platform)
        assert.isTrue(Platform.matches(again, platform))
      }),
    fuzz
  )

  it.prop(
    "content types",
    [nearOrAny(MediaType.ociManifest, `${MediaType.ociIndex}; charset=utf-8`, "a/b, c/d", "text/plain;q=1")],
    ([text]) => {
      const essence = MediaType.essence(text)
      assert.strictEqual(MediaType.essence(essence), essence)
      assert.strictEqual(MediaType.isManifest(text), MediaType.isManifest(essence))
    },
    fuzz
  )
})
