import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Stream from "effect/Stream"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as Tags from "effect-oci/Tags"
import { play, type Step } from "../scripted.js"
import { origin, repository, tagsUrl } from "./support.js"

const page = (tags: ReadonlyArray<string>, link?: string) => () =>
  Response.json({ name: "org/app", tags }, link === undefined ? {} : { headers: { link } })

const next = (target: string) => `<${target}>; rel="next"`

const all = Effect.map(Stream.runCollect(Tags.stream(repository)), Chunk.toReadonlyArray)

describe("Link", () => {
  const at = "/v2/org/app/tags/list?last=b&n=2"

  const understood: ReadonlyArray<readonly [what: string, header: string, url?: string]> = [
    ["as the specification has it", `<${at}>; rel="next"`],
    ["no quotes", `<${at}>; rel=next`],
    ["no space", `<${at}>;rel="next"`],
    ["more space", `  <${at}>  ;  rel  =  "next"  `],
    ["capitals", `<${at}>; REL="Next"`],
    ["several relations", `<${at}>; rel="prev next"`],
    ["further parameters", `<${at}>; title="a"; rel="next"; type="b"`],
    ["a parameter without a value", `<${at}>; crossorigin; rel="next"`],
    ["a semicolon in a parameter", `<${at}>; title="a;b"; rel="next"`],
    ["a comma in a parameter", `<${at}>; title="a, b"; rel="next"`],
    ["an escaped quote in a parameter", `<${at}>; title="a\\"b"; rel="next"`],
    ["another link before", `</first>; rel="first", <${at}>; rel="next"`],
    ["another link after", `<${at}>; rel="next", </last>; rel="last"`],
    ["two next links, of which the first counts", `<${at}>; rel="next", </x>; rel="next"`],
    ["no angle brackets", `${at}; rel="next"`],
    ["a comma in the target", `<${at}&a=1,2>; rel="next"`, `${origin}${at}&a=1,2`],
    ["a semicolon in the target", `<${at};x=1>; rel="next"`, `${origin}${at};x=1`],
    ["spaces in the brackets", `< ${at} >; rel="next"`],
    ["L6 a whole URL", `<${origin}${at}>; rel="next"`],
    ["L6 a query", '<?last=b&n=2>; rel="next"'],
    ["L6 a relative path", '<list?last=b&n=2>; rel="next"'],
    ["a fragment, left out", `<${at}#x>; rel="next"`]
  ]
  for (const [what, header, url = `${origin}${at}`] of understood) {
    it.effect(`L5 understands ${what}`, () =>
      play(
        [
          [`GET ${tagsUrl}`, page(["a"], header)],
          [`GET ${url}`, page(["b"])]
        ],
        () => Effect.map(all, (tags) => assert.deepStrictEqual(tags, ["a", "b"]))
      )
    )
  }

  const none: ReadonlyArray<readonly [what: string, header: string]> = [
    ["another relation", `<${at}>; rel="prev"`],
    ["a relation that begins so", `<${at}>; rel="nextish"`],
    ["no relation", `<${at}>`],
    ["an empty relation", `<${at}>; rel=""`],
    ["a relation of another name", `<${at}>; rev="next"`],
    ["a relation within a parameter", `<${at}>; title="; rel=next; "; rel="prev"`],
    ["a bracket that does not close", `<${at}; rel="next"`],
    ["nothing", ""],
    ["commas alone", ",,,"],
    ["a parameter alone", 'rel="next"'],
    ["S25 quotes without end", `<${at}>; title="${"a,".repeat(10_000)}`],
    ["S25 brackets without end", "<".repeat(30_000)]
  ]
  for (const [what, header] of none) {
    it.effect(`L5 finds no next page in ${what}`, () =>
      play([[`GET ${tagsUrl}`, page(["a"], header)]], () =>
        Effect.map(Tags.list(repository), ({ hasNext }) => assert.isFalse(hasNext))
      )
    )
  }

  it.effect.prop(
    "L5 S25 any header is a link, none, or refused",
    {
      header: FastCheck.string({
        unit: FastCheck.constantFrom(...'<>;,="\\/:? relnxt', 'rel="next"', "</x>"),
        maxLength: 60
      })
    },
    ({ header }) =>
      play([[`GET ${tagsUrl}`, page(["a"], header)]], () =>
        Effect.asVoid(Effect.catchTag(Tags.list(repository), "UnsafeLocation", () => Effect.void))
      ),
    { fastCheck: { numRuns: 30 } }
  )

  const refused: ReadonlyArray<readonly [what: string, target: string, reason: string]> = [
    ["another host", "https://evil.test/v2/org/app/tags/list", "it leads to another host"],
    ["another port", "https://registry.test:8443/", "it leads to another host"],
    ["another scheme", "http://registry.test/", "it leaves https for http"],
    ["no address at all", "", "it is empty"],
    ["a file", "file:///etc/passwd", "file: is not http"]
  ]
  for (const [what, target, reason] of refused) {
    it.effect(`S14 refuses a next page at ${what}`, () =>
      play([[`GET ${tagsUrl}`, page(["a"], next(target))]], () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(all)
          assert(error._tag === "UnsafeLocation")
          assert.deepStrictEqual([error.kind, error.reason], ["link", reason])
        })
      )
    )
  }
})

describe("pages", () => {
  it.effect("L8 follow an opaque cursor byte for byte", () => {
    const cursor = "/v2/org/app/tags/list?next_page=gAAAA%3D%3D_-~+a%2Fb&n=50&last=&x"
    return play(
      [
        [`GET ${tagsUrl}`, page(["a"], next(cursor))],
        [`GET ${origin}${cursor}`, page(["b"])]
      ],
      () => Effect.map(all, (tags) => assert.deepStrictEqual(tags, ["a", "b"]))
    )
  })

  it.effect("L9 end without a link, and not with a short page", () =>
    play(
      [
        [`GET ${tagsUrl}?n=3`, page(["a"], next("?n=3&last=a"))],
        [`GET ${tagsUrl}?n=3&last=a`, page(["b", "c", "d"])]
      ],
      () =>
        Effect.map(Stream.runCollect(Tags.stream(repository, { n: 3 })), (tags) =>
          assert.deepStrictEqual([...tags], ["a", "b", "c", "d"])
        )
    )
  )

  it.effect("L12 go on after an empty one, and one of null", () =>
    play(
      [
        [`GET ${tagsUrl}`, page([], next("?last=1"))],
        [`GET ${tagsUrl}?last=1`, () => Response.json({ tags: null }, { headers: { link: next("?last=2") } })],
        [`GET ${tagsUrl}?last=2`, page(["a"])]
      ],
      () => Effect.map(all, (tags) => assert.deepStrictEqual(tags, ["a"]))
    )
  )

  const loops: ReadonlyArray<readonly [what: string, pages: number, steps: ReadonlyArray<Step>]> = [
    ["one to itself", 1, [[`GET ${tagsUrl}`, page(["a"], next(tagsUrl))]]],
    [
      "two to each other",
      2,
      [
        [`GET ${tagsUrl}`, page(["a"], next("?last=a"))],
        [`GET ${tagsUrl}?last=a`, page(["b"], next("/v2/org/app/tags/list"))]
      ]
    ],
    [
      "a later one to itself",
      2,
      [
        [`GET ${tagsUrl}`, page(["a"], next("?last=a"))],
        [`GET ${tagsUrl}?last=a`, page(["b"], next("?last=a#again"))]
      ]
    ]
  ]
  for (const [what, pages, steps] of loops) {
    it.effect(`L13 find ${what}`, () =>
      play(steps, () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(all)
          assert(error._tag === "PaginationLoop")
          assert.strictEqual(error.pages, pages)
          assert.strictEqual(error.repository, "org/app")
        })
      )
    )
  }

  it.effect("L13 a list that is asked for twice is no loop", () =>
    play(
      [
        [`GET ${tagsUrl}`, page(["a"])],
        [`GET ${tagsUrl}`, page(["a"])]
      ],
      () => {
        const tags = Tags.stream(repository)
        return Effect.zipRight(Stream.runDrain(tags), Stream.runDrain(tags))
      }
    )
  )

  it.effect("L14 S16 without end come to an end", () =>
    play(
      [
        [`GET ${tagsUrl}`, page(["0"], next("?last=0"))],
        ...[0, 1, 2].map((n): Step => [`GET ${tagsUrl}?last=${n}`, page([String(n + 1)], next(`?last=${n + 1}`))])
      ],
      () =>
        Effect.gen(function* () {
          const seen: Array<string> = []
          const error = yield* Tags.stream(repository).pipe(
            Stream.runForEach((tag) => Effect.sync(() => seen.push(tag))),
            Effect.flip
          )
          assert(error._tag === "PaginationLoop")
          assert.strictEqual(error.pages, 4)
          assert.deepStrictEqual(seen, ["0", "1", "2"])
        })
    ).pipe(Effect.provide(RegistryHosts.layer({ limits: { pages: 4 } })))
  )

  it.effect("L14 a last page at the limit is no loop", () =>
    play(
      [
        [`GET ${tagsUrl}`, page(["a"], next("?last=a"))],
        [`GET ${tagsUrl}?last=a`, page(["b"])]
      ],
      () => all
    ).pipe(Effect.provide(RegistryHosts.layer({ limits: { pages: 2 } })))
  )

  for (const [what, wanted] of [
    ["a part of it", 1],
    ["all of it", 2]
  ] as const) {
    it.effect(`L14 stop after a page of which ${what} is wanted`, () =>
      play([[`GET ${tagsUrl}`, page(["a", "b"], next("?last=b"))]], () =>
        Effect.map(Stream.runCollect(Stream.take(Tags.stream(repository), wanted)), (tags) =>
          assert.deepStrictEqual([...tags], ["a", "b"].slice(0, wanted))
        )
      )
    )
  }

  it.effect("L14 are asked for one by one, as they are wanted", () =>
    play(
      [
        [`GET ${tagsUrl}`, page(["a"], next("?last=a"))],
        [`GET ${tagsUrl}?last=a`, page(["b"], next("?last=b"))],
        [`GET ${tagsUrl}?last=b`, page(["c"])]
      ],
      (sent) =>
        Effect.gen(function* () {
          const requests: Array<number> = []
          yield* Stream.runForEach(Tags.stream(repository), () => Effect.sync(() => requests.push(sent.length)))
          assert.deepStrictEqual(requests, [1, 2, 3])
        })
    )
  )

  it.effect("a page that is refused ends the list, after those before it", () =>
    play(
      [
        [`GET ${tagsUrl}`, page(["a"], next("?last=a"))],
        [`GET ${tagsUrl}?last=a`, () => new Response(null, { status: 503 })]
      ],
      () =>
        Effect.gen(function* () {
          const seen: Array<string> = []
          const error = yield* Tags.stream(repository).pipe(
            Stream.runForEach((tag) => Effect.sync(() => seen.push(tag))),
            Effect.flip
          )
          assert.strictEqual(error._tag, "RegistryUnavailable")
          assert.deepStrictEqual(seen, ["a"])
        })
    )
  )
})
