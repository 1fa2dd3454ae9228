import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as OriginPolicy from "effect-oci/OriginPolicy"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as Tags from "effect-oci/Tags"
import { play, refusal, type Step } from "../scripted.js"
import { answer, collect, failing, json, notFound, repository, v2 } from "./given.js"

const line = `GET ${v2}/tags/list`
const tags = (values: unknown, link?: string, contentType = "application/json") =>
  answer(
    200,
    { "content-type": contentType, ...(link !== undefined && { link }) },
    json({ name: "org/app", tags: values })
  )
const next = (target: string) => `<${target}>; rel="next"`
const all = collect(Tags.stream(repository))

describe("Tags.list", () => {
  it.effect("L1 M4 asks for JSON and hands out the tags", () =>
    play([[line, tags(["a", "b"])]], (sent) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* Tags.list(repository), { tags: ["a", "b"], hasNext: false })
        assert.strictEqual(sent[0]?.headers.accept, "application/json")
      })
    )
  )

  it.effect("L15 L16 asks for as many as are wanted, after the last one", () =>
    play(
      [
        [`${line}?n=2&last=a%26b%2Bc`, tags(["b"], next("?last=b&n=2"))],
        [`${line}?n=0`, tags([])]
      ],
      () =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* Tags.list(repository, { n: 2, last: "a&b+c" }), { tags: ["b"], hasNext: true })
          assert.deepStrictEqual(yield* Tags.list(repository, { n: 0 }), { tags: [], hasNext: false })
        })
    )
  )

  const shapes: ReadonlyArray<readonly [name: string, answer: () => Response, tags: ReadonlyArray<string>]> = [
    ["L2 null for none", () => tags(null), []],
    ["L4 digests and other names that are no tags", () => tags(["sha256:ab", "..", ""]), ["sha256:ab", "..", ""]],
    ["L4 nulls in between (Nexus)", () => tags(["a", null, 1, "b"]), ["a", "b"]],
    ["L18 as text/plain (ECR)", () => tags(["a"], undefined, "text/plain"), ["a"]],
    ["L18 without a type", () => answer(200, {}, json({ tags: ["a"] })), ["a"]],
    ["L19 among other fields", () => answer(200, {}, json({ child: [], manifest: {}, next: "x", tags: ["a"] })), ["a"]],
    ["L20 unsorted and twice", () => tags(["b", "a", "b"]), ["b", "a", "b"]]
  ]
  for (const [name, answered, expected] of shapes) {
    it.effect(`reads tags ${name}`, () =>
      play([[line, answered()]], () => Effect.map(all, (found) => assert.deepStrictEqual(found, expected)))
    )
  }

  const nonsense: ReadonlyArray<readonly [name: string, body: string]> = [
    ["a web page", "<html>"],
    ["nothing", ""],
    ["no tags", "{}"],
    ["tags that are no list", '{"tags":{"a":1}}'],
    ["a list", '["a"]'],
    ["null", "null"],
    ["S20 a list that is not its own", '{"__proto__":{"tags":["a"]}}']
  ]
  for (const [name, body] of nonsense) {
    it.effect(`P45 refuses ${name} in place of tags`, () =>
      play([[line, answer(200, { "content-type": "application/json" }, body)]], () =>
        Effect.map(failing("UnexpectedResponse", Tags.list(repository)), ({ message }) =>
          assert.include(message, "no list of tags")
        )
      )
    )
  }

  for (const [shape, type, body] of notFound) {
    it.effect(`L17 takes 404 for no such repository, whatever it says: ${shape}`, () =>
      play([[line, answer(404, { "content-type": type }, body)]], () => failing("NameUnknown", Tags.list(repository)))
    )
  }

  const refused = [
    ["L17 code-9", "NameUnknown", () => refusal(404, "NAME_UNKNOWN")],
    ["code-9 in 400 (zot)", "NameUnknown", () => refusal(400, "NAME_UNKNOWN")],
    ["L15 405 UNSUPPORTED (ECR)", "Unsupported", () => refusal(405, "UNSUPPORTED", "'maxResults'")],
    ["L15 400 UNSUPPORTED", "Unsupported", () => refusal(400, "UNSUPPORTED")],
    ["L15 13b PAGINATION_NUMBER_INVALID", "UnexpectedResponse", () => refusal(400, "PAGINATION_NUMBER_INVALID")],
    ["M4 406", "UnexpectedResponse", () => answer(406)],
    ["L22 429", "TooManyRequests", () => answer(429)]
  ] as const
  for (const [name, tag, answered] of refused) {
    it.effect(`${name} is ${tag}`, () => play([[line, answered()]], () => failing(tag, Tags.list(repository))))
  }

  it.effect("L24 S2 does not hold a page that is too large", () =>
    play([[line, answer(200, {}, ["01234", "56789", "never read"])]], (sent) =>
      Effect.gen(function* () {
        const limited = Effect.provide(Tags.list(repository), RegistryHosts.layer({ limits: { page: 9 } }))
        assert.strictEqual((yield* failing("ResponseTooLarge", limited)).limit, 9)
        assert.strictEqual(sent[0]?.taken, 10)
      })
    )
  )
})

describe("Tags.stream", () => {
  const links: ReadonlyArray<readonly [name: string, link: string, target: string]> = [
    ["L6 with a path", next("/v2/org/app/tags/list?last=b&n=2"), `${v2}/tags/list?last=b&n=2`],
    ["L6 with a query alone", next("?last=b"), `${v2}/tags/list?last=b`],
    ["L6 relative", next("list?last=b"), `${v2}/tags/list?last=b`],
    ["L6 absolute", next(`${v2}/tags/list?last=b`), `${v2}/tags/list?last=b`],
    ["L6 with the port that goes without saying", next("https://registry.test:443/x"), "https://registry.test/x"],
    [
      "L8 with a cursor of its own (Quay)",
      next("?next_page=gAAA_-~%3D%2f+x&n=50"),
      `${v2}/tags/list?next_page=gAAA_-~%3D%2f+x&n=50`
    ],
    ["E18 with a fragment", next("?last=b#x"), `${v2}/tags/list?last=b`],
    ["L5 with rel without quotes", "<?last=b>; rel=next", `${v2}/tags/list?last=b`],
    ["L5 with several relations", '<?last=b>; rel="prev next"', `${v2}/tags/list?last=b`],
    ["L5 in capitals", '<?last=b>; Rel="NEXT"', `${v2}/tags/list?last=b`],
    ["L5 among others", '<?p>; rel="prev", <?last=b>; title="a, b"; rel="next"', `${v2}/tags/list?last=b`],
    ["L5 with commas and semicolons inside", "<?last=a,b;c>; rel=next", `${v2}/tags/list?last=a,b;c`],
    ["L5 without brackets (early Quay)", '/v2/org/app/tags/list?last=b; rel="next"', `${v2}/tags/list?last=b`],
    ["L5 with spaces", ' < ?last=b > ; rel = "next" ', `${v2}/tags/list?last=b`]
  ]
  for (const [name, link, target] of links) {
    it.effect(`follows a link ${name}`, () =>
      play(
        [
          [line, tags(["a"], link)],
          [`GET ${target}`, tags(["b"])]
        ],
        () => Effect.map(all, (found) => assert.deepStrictEqual(found, ["a", "b"]))
      )
    )
  }

  for (const link of ["", '<?p>; rel="prev"', "<?p>", '<?p>; title="rel=next"', "nonsense"]) {
    it.effect(`L5 ends where no link is the next: “${link}”`, () =>
      play([[line, tags(["a"], link)]], () => Effect.map(all, (found) => assert.deepStrictEqual(found, ["a"])))
    )
  }

  const unsafe: ReadonlyArray<readonly [name: string, target: string]> = [
    ["to nowhere", ""],
    ["S14 to another host", "https://evil.test/v2/org/app/tags/list"],
    ["S14 to another port", "https://registry.test:8443/v2/org/app/tags/list"],
    ["S13 to http", "http://registry.test/v2/org/app/tags/list"],
    ["S14 to a file", "file:///etc/passwd"],
    ["E20 with a user name", "https://user@registry.test/"]
  ]
  for (const [name, target] of unsafe) {
    it.effect(`L6 does not follow a link ${name}`, () =>
      play(
        [
          [line, tags(["a"], next(target))],
          [line, tags(["a"], next(target))]
        ],
        () =>
          Effect.gen(function* () {
            const error = yield* failing("UnsafeLocation", all)
            assert.strictEqual(error.kind, "link")
            yield* failing("UnsafeLocation", Tags.list(repository))
          })
      )
    )
  }

  it.effect("S14 follows a link to a host that is trusted", () =>
    play(
      [
        [line, tags(["a"], next("https://pages.test/2"))],
        ["GET https://pages.test/2", tags(["b"])]
      ],
      () =>
        Effect.gen(function* () {
          const found = yield* Effect.provide(all, OriginPolicy.layerTrusting(["pages.test"]))
          assert.deepStrictEqual(found, ["a", "b"])
        })
    )
  )

  it.effect("L9 L12 goes on after short and empty pages, as long as there is a link", () =>
    play(
      [
        [`${line}?n=5`, tags(["a"], next("?2"))],
        [`${line}?2`, tags([], next("?3"))],
        [`${line}?3`, tags(null, next("?4"))],
        [`${line}?4`, tags(["b"])]
      ],
      () => Effect.map(collect(Tags.stream(repository, { n: 5 })), (found) => assert.deepStrictEqual(found, ["a", "b"]))
    )
  )

  it.effect("L10 asks what comes after a full page without a link", () =>
    play(
      [
        [`${line}?n=2`, tags(["a", "b"])],
        [`${line}?n=2&last=b`, tags(["c", "d"])],
        [`${line}?n=2&last=d`, tags([])]
      ],
      () =>
        Effect.map(collect(Tags.stream(repository, { n: 2 })), (found) =>
          assert.deepStrictEqual(found, ["a", "b", "c", "d"])
        )
    )
  )

  it.effect("L10 ends where a registry does not know how to go on, and lists nothing twice", () =>
    play(
      [
        [`${line}?n=2`, tags(["a", "b"])],
        [`${line}?n=2&last=b`, tags(["a", "b"])]
      ],
      () => Effect.map(collect(Tags.stream(repository, { n: 2 })), (found) => assert.deepStrictEqual(found, ["a", "b"]))
    )
  )

  it.effect("L10 ends where a registry begins anew after the last of its tags, as ggcr's does", () =>
    play(
      [
        [`${line}?n=1`, tags(["a"])],
        [`${line}?n=1&last=a`, tags(["b"])],
        [`${line}?n=1&last=b`, tags(["a"])]
      ],
      () => Effect.map(collect(Tags.stream(repository, { n: 1 })), (found) => assert.deepStrictEqual(found, ["a", "b"]))
    )
  )

  for (const [what, options, found] of [
    ["a page that is not full", { n: 3 }, ["a", "b"]],
    ["more than was asked for", { n: 1 }, ["a", "b"]],
    ["a page of no asked size", {}, ["a", "b"]],
    ["none, as was asked for", { n: 0 }, []]
  ] as const) {
    it.effect(`L10 ends after ${what}`, () =>
      play([[`${line}${"n" in options ? `?n=${options.n}` : ""}`, tags(found)]], () =>
        Effect.map(collect(Tags.stream(repository, options)), (all) => assert.deepStrictEqual(all, found))
      )
    )
  }

  for (const [where, refused] of [
    ["405 UNSUPPORTED (ECR)", () => refusal(405, "UNSUPPORTED", "Invalid parameter at 'maxResults'")],
    ["400 UNSUPPORTED", () => refusal(400, "UNSUPPORTED", "maxResults")],
    ["13b 400 PAGINATION_NUMBER_INVALID", () => refusal(400, "PAGINATION_NUMBER_INVALID")]
  ] as const) {
    it.effect(`L15 asks without a number where the registry refuses it with ${where}`, () =>
      play(
        [
          [`${line}?n=5000&last=0`, refused],
          [`${line}?last=0`, tags(["a"], next("?last=a"))],
          [`${line}?last=a`, tags(["b"])],
          [`${line}?n=5000`, refused],
          [line, tags(["a"])]
        ],
        () =>
          Effect.gen(function* () {
            assert.deepStrictEqual(yield* collect(Tags.stream(repository, { n: 5000, last: "0" })), ["a", "b"])
            assert.deepStrictEqual(yield* Tags.list(repository, { n: 5000 }), { tags: ["a"], hasNext: false })
          })
      )
    )
  }

  it.effect("L15 takes another refusal for what it is", () =>
    play([[`${line}?n=5000`, refusal(405, "UNSUPPORTED")]], () =>
      failing("Unsupported", Tags.list(repository, { n: 5000 }))
    )
  )

  it.effect("L14 asks for no more pages than are wanted", () =>
    play(
      [
        [line, tags(["a", "b"], next("?2"))],
        [`${line}?2`, tags(["c", "d"], next("?3"))]
      ],
      () =>
        Effect.map(collect(Stream.take(Tags.stream(repository), 3)), (found) =>
          assert.deepStrictEqual(found, ["a", "b", "c"])
        )
    )
  )

  it.effect("L13 notices a link to itself", () =>
    play([[line, tags(["a"], next("list"))]], () =>
      Effect.map(failing("PaginationLoop", all), ({ pages }) => assert.strictEqual(pages, 1))
    )
  )

  it.effect("L13 notices links that lead back", () =>
    play(
      [
        [line, tags(["a"], next("?2"))],
        [`${line}?2`, tags(["b"], next(`${v2}/tags/list`))]
      ],
      () => Effect.map(failing("PaginationLoop", all), ({ pages }) => assert.strictEqual(pages, 2))
    )
  )

  it.effect("L14 S16 ends a list that does not", () =>
    play(
      [[line, tags(["a"], next("?1"))], ...[1, 2].map((n): Step => [`${line}?${n}`, tags(["a"], next(`?${n + 1}`))])],
      () =>
        Effect.gen(function* () {
          const limited = Effect.provide(all, RegistryHosts.layer({ limits: { pages: 3 } }))
          assert.strictEqual((yield* failing("PaginationLoop", limited)).pages, 3)
        })
    )
  )

  it.effect("L14 takes a list of as many pages as are allowed", () =>
    play(
      [
        [line, tags(["a"], next("?2"))],
        [`${line}?2`, tags(["b"])]
      ],
      () =>
        Effect.map(Effect.provide(all, RegistryHosts.layer({ limits: { pages: 2 } })), (found) =>
          assert.deepStrictEqual(found, ["a", "b"])
        )
    )
  )

  it.effect("L22 fails in the middle of a list, after the tags before", () =>
    play(
      [
        [line, tags(["a"], next("?2"))],
        [`${line}?2`, answer(429)]
      ],
      () =>
        Effect.gen(function* () {
          const seen: Array<string> = []
          yield* failing(
            "TooManyRequests",
            Stream.runForEach(Tags.stream(repository), (tag) => Effect.sync(() => seen.push(tag)))
          )
          assert.deepStrictEqual(seen, ["a"])
        })
    )
  )
})

describe("Tags.delete", () => {
  const deleteLine = `DELETE ${v2}/manifests/1.2`

  for (const status of [200, 202, 204]) {
    it.effect(`D2 takes ${status} for done`, () =>
      play([[deleteLine, answer(status)]], () => Tags.delete(repository, "1.2"))
    )
  }

  const refused = [
    ["D2 400 UNSUPPORTED", "Unsupported", () => refusal(400, "UNSUPPORTED")],
    ["D2 405 UNSUPPORTED", "Unsupported", () => refusal(405, "UNSUPPORTED")],
    ["D2 405", "Unsupported", () => answer(405)],
    ["D2 400 DIGEST_INVALID (distribution)", "Unsupported", () => refusal(400, "DIGEST_INVALID")],
    ["D4 403", "Denied", () => refusal(403, "DENIED")],
    ["D7 404 MANIFEST_UNKNOWN", "ManifestUnknown", () => refusal(404, "MANIFEST_UNKNOWN")],
    ["D7 404 NAME_UNKNOWN", "NameUnknown", () => refusal(404, "NAME_UNKNOWN")],
    ["D11 405 REGISTRY_DISALLOWED_OPERATION", "PolicyViolation", () => refusal(405, "REGISTRY_DISALLOWED_OPERATION")]
  ] as const
  for (const [name, tag, answered] of refused) {
    it.effect(`${name} is ${tag}`, () =>
      play([[deleteLine, answered()]], () => failing(tag, Tags.delete(repository, "1.2")))
    )
  }

  it.effect("D2 S23 sends nothing but a tag: no digest, no path", () =>
    play([], () =>
      Effect.gen(function* () {
        for (const tag of [`sha256:${"0".repeat(64)}`, "..", "a/b", "a?b", "", "latest\n"]) {
          yield* failing("InvalidReference", Tags.delete(repository, tag))
        }
      })
    )
  )
})
