import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as TestClock from "effect/TestClock"
import * as Blobs from "effect-oci/Blobs"
import * as Credentials from "effect-oci/Credentials"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as RegistryObserver from "effect-oci/RegistryObserver"
import * as RegistryRetry from "effect-oci/RegistryRetry"
import * as Tags from "effect-oci/Tags"
import { play, refusal, type Step } from "../scripted.js"
import { blobUrl, digest, repository, tagsUrl } from "./support.js"

const observing = () => {
  const exchanges: Array<RegistryObserver.Exchange> = []
  const warnings: Array<RegistryObserver.Warning> = []
  const layer = RegistryObserver.layer({
    exchange: (exchange) => Effect.sync(() => exchanges.push(exchange)),
    warning: (warning) => Effect.sync(() => warnings.push(warning))
  })
  return { exchanges, warnings, layer }
}

const noTags = () => Response.json({ tags: [] })

const warned = (warning: string) => () => Response.json({ tags: [] }, { headers: { warning } })

describe("RegistryObserver", () => {
  describe("exchange", () => {
    it.effect("tells of a request and its answer", () => {
      const { exchanges, layer } = observing()
      return play([[`GET ${tagsUrl}`, Effect.delay(Effect.sync(noTags), "25 millis")]], () =>
        Effect.gen(function* () {
          const listing = yield* Effect.fork(Tags.list(repository))
          yield* TestClock.adjust("25 millis")
          yield* listing
          assert.deepStrictEqual(
            exchanges.map(({ attempt, error, hop, method, millis, status, url }) => ({
              attempt,
              error,
              hop,
              method,
              millis,
              status,
              url
            })),
            [{ attempt: 1, error: undefined, hop: 0, method: "GET", millis: 25, status: 200, url: tagsUrl }]
          )
          assert.strictEqual(exchanges[0]?.operation.name, "tags.list")
          assert.deepStrictEqual(exchanges[0]?.operation.repository, repository)
        })
      ).pipe(Effect.provide(layer))
    })

    it.effect("tells of a request without an answer", () => {
      const { exchanges, layer } = observing()
      const broken = Effect.fail(Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }))
      return play([[`GET ${tagsUrl}`, broken]], () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(Tags.list(repository))
          assert(error._tag === "TransportError")
          assert.deepStrictEqual(
            exchanges.map(({ error, response, status }) => ({ error, response, status })),
            [{ error, response: undefined, status: undefined }]
          )
        })
      ).pipe(Effect.provide(layer))
    })

    it.effect("P42 shows what a registry says of its limits, on a success too", () => {
      const { exchanges, layer } = observing()
      const headers = { "ratelimit-limit": "100;w=21600", "ratelimit-remaining": "0;w=21600" }
      return play([[`GET ${tagsUrl}`, Response.json({ tags: [] }, { headers })]], () =>
        Effect.gen(function* () {
          yield* Tags.list(repository)
          assert.include(exchanges[0]?.response, headers)
        })
      ).pipe(Effect.provide(layer))
    })

    it.effect("counts hops, each with its own URL", () => {
      const { exchanges, layer } = observing()
      const to = (location: string) => () => new Response(null, { status: 307, headers: { location } })
      return play(
        [
          [`GET ${blobUrl}`, to("https://a.test/1?sig=x")],
          ["GET https://a.test/1?sig=x", to("https://b.test/2?sig=y")],
          ["GET https://b.test/2?sig=y", () => new Response("{}")]
        ],
        () =>
          Effect.gen(function* () {
            yield* Blobs.get(repository, digest)
            assert.deepStrictEqual(
              exchanges.map(({ attempt, hop, status, url }) => [attempt, hop, status, url]),
              [
                [1, 0, 307, blobUrl],
                [1, 1, 307, "https://a.test/1"],
                [1, 2, 200, "https://b.test/2"]
              ]
            )
          })
      ).pipe(Effect.provide(layer))
    })

    it.effect("counts attempts", () => {
      const { exchanges, layer } = observing()
      const twice = Layer.succeed(RegistryRetry.RegistryRetry, (_, next) => HttpClient.retry(next, { times: 1 }))
      return play(
        [
          [`GET ${tagsUrl}`, Effect.fail("gone")],
          [`GET ${tagsUrl}`, noTags]
        ],
        () =>
          Effect.gen(function* () {
            yield* Tags.list(repository)
            assert.deepStrictEqual(
              exchanges.map(({ attempt, hop }) => [attempt, hop]),
              [
                [1, 0],
                [2, 0]
              ]
            )
          })
      ).pipe(Effect.provide([layer, twice]))
    })

    it.effect("begins to count anew with each call", () => {
      const { exchanges, layer } = observing()
      return play(
        [
          [`GET ${tagsUrl}`, noTags],
          [`GET ${tagsUrl}`, noTags]
        ],
        () =>
          Effect.gen(function* () {
            yield* Tags.list(repository)
            yield* Tags.list(repository)
            assert.deepStrictEqual(
              exchanges.map(({ attempt }) => attempt),
              [1, 1]
            )
          })
      ).pipe(Effect.provide(layer))
    })

    it.effect("S43 S44 E9 shows headers without secrets", () => {
      const { exchanges, layer } = observing()
      const answer = new Response("no", {
        status: 401,
        headers: {
          "www-authenticate": 'Bearer realm="https://s3cret.test"',
          "set-cookie": "sid=s3cret",
          location: "/x?_state=s3cret",
          link: "</x?token=s3cret>; rel=next",
          "x-unheard-of": "s3cret",
          "content-type": "text/plain",
          "x-request-id": "1"
        }
      })
      return play([[`GET ${tagsUrl}`, answer]], () =>
        Effect.gen(function* () {
          yield* Effect.flip(Tags.list(repository))
          assert.notInclude(JSON.stringify(exchanges), "s3cret")
          assert.include(exchanges[0]?.request, { authorization: "<redacted>", accept: "application/json" })
          assert.include(exchanges[0]?.response, {
            "www-authenticate": "<redacted>",
            "x-unheard-of": "<redacted>",
            location: "/x",
            "content-type": "text/plain",
            "x-request-id": "1"
          })
        })
      ).pipe(Effect.provide([layer, RegistryAuth.layerBasic, Credentials.token("registry.test", "s3cret")]))
    })

    it.effect("E20 shows no password of a redirect's Location", () => {
      const { exchanges, layer } = observing()
      const to = new Response(null, { status: 307, headers: { location: "https://me:s3cret@cdn.test/x" } })
      return play([[`GET ${blobUrl}`, to]], () =>
        Effect.gen(function* () {
          yield* Effect.flip(Blobs.get(repository, digest))
          assert.notInclude(JSON.stringify(exchanges), "s3cret")
        })
      ).pipe(Effect.provide(layer))
    })
  })

  describe("layer", () => {
    it.effect("observes what it is given, and leaves the rest", () => {
      const seen: Array<string> = []
      return play([[`GET ${tagsUrl}`, warned('299 - "a"')]], () => Tags.list(repository)).pipe(
        Effect.provide(
          RegistryObserver.layer({
            warning: ({ registry, text }) => Effect.sync(() => seen.push(`${registry} ${text}`))
          })
        ),
        Effect.tap(() => assert.deepStrictEqual(seen, ["registry.test a"]))
      )
    })

    it.effect("both makes one of two, called in their order", () => {
      const seen: Array<string> = []
      const noting = (name: string): RegistryObserver.Service => ({
        exchange: ({ status }) => Effect.sync(() => seen.push(`${name} ${status}`)),
        warning: ({ text }) => Effect.sync(() => seen.push(`${name} ${text}`))
      })
      return play([[`GET ${tagsUrl}`, warned('299 - "a"')]], () => Tags.list(repository)).pipe(
        Effect.provide(RegistryObserver.layer(RegistryObserver.both(noting("1"), noting("2")))),
        Effect.tap(() => assert.deepStrictEqual(seen, ["1 200", "2 200", "1 a", "2 a"]))
      )
    })
  })

  describe("warnings", () => {
    const table: ReadonlyArray<readonly [what: string, header: string, texts: ReadonlyArray<string>]> = [
      ["one", '299 - "a"', ["a"]],
      ["two in one header", '299 - "a", 299 - "b"', ["a", "b"]],
      ["without a space after the comma", '299 - "a",299 - "b"', ["a", "b"]],
      ["commas in a text", '299 - "a, b", 299 - "c"', ["a, b", "c"]],
      ["escaped quotes", '299 - "say \\"a\\", please"', ['say "a", please']],
      ["escaped backslashes", '299 - "C:\\\\"', ["C:\\"]],
      ["more spaces", '  299   -   "a"  ', ["a"]],
      ["letters beyond ASCII", '299 - "caf\u00e9"', ["caf\u00e9"]],
      ["the same twice", '299 - "a", 299 - "a"', ["a"]],
      ["other codes", '199 - "a", 214 - "b", 299 - "c"', ["c"]],
      ["a code that only begins so", '2999 - "a"', []],
      ["an agent with a name", '299 registry.test "a"', []],
      ["a date", '299 - "a" "Sat, 10 May 2025 20:32:30 GMT"', []],
      ["no quotes", "299 - a", []],
      ["no text", '299 - ""', []],
      ["a text without end", '299 - "a', []],
      ["a text after its end", '299 - "a" b', []],
      ["no agent", '299 "a"', []],
      ["nothing", "", []],
      ["a bad one beside a good one", '299 x "a", 299 - "b"', ["b"]],
      ["a tab in a text", '299 - "a\tb"', []],
      ["S45 a control sequence in a text", '299 - "a\u009b2Jb"', []],
      ["4096 bytes", `299 - "${"a".repeat(4088)}"`, ["a".repeat(4088)]],
      ["more than 4096 bytes", `299 - "${"a".repeat(4089)}"`, []],
      ["S25 quotes without end", '"'.repeat(4000), []],
      ["S25 backslashes without end", `299 - "${"\\".repeat(4000)}`, []]
    ]
    for (const [what, header, texts] of table) {
      it.effect(`T17 ${what}`, () =>
        play([[`GET ${tagsUrl}`, warned(header)]], () =>
          Effect.gen(function* () {
            const [page, warnings] = yield* RegistryClient.withWarnings(Tags.list(repository))
            assert.deepStrictEqual(page.tags, [])
            assert.deepStrictEqual(
              warnings,
              texts.map((text) => ({ registry: "registry.test", text }))
            )
          })
        )
      )
    }

    it.effect("T17 withWarnings gives each text once, in their order, of refusals and redirects too", () =>
      play(
        [
          [`GET ${tagsUrl}`, warned('299 - "b", 299 - "a"')],
          [`GET ${tagsUrl}`, warned('299 - "a", 299 - "c"')],
          [`GET ${blobUrl}`, new Response(null, { status: 307, headers: { location: "/x", warning: '299 - "d"' } })],
          ["GET https://registry.test/x", refusal(404, "", "", { warning: '299 - "e"' })]
        ],
        () =>
          Effect.gen(function* () {
            const all = Effect.all([
              Tags.list(repository),
              Tags.list(repository),
              Effect.flip(Blobs.get(repository, digest))
            ])
            const [, warnings] = yield* RegistryClient.withWarnings(all)
            assert.deepStrictEqual(
              warnings.map(({ text }) => text),
              ["b", "a", "c", "d", "e"]
            )
          })
      )
    )

    it.effect("T17 withWarnings leaves the observer in place", () => {
      const { warnings, layer } = observing()
      return play([[`GET ${tagsUrl}`, warned('299 - "a"')]], () =>
        Effect.gen(function* () {
          const [, inner] = yield* RegistryClient.withWarnings(Tags.list(repository))
          assert.deepStrictEqual(warnings, inner)
          assert.strictEqual(warnings.length, 1)
        })
      ).pipe(Effect.provide(layer))
    })

    /** What is logged at Warning or above, with the annotations. */
    const logged = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.suspend(() => {
        const lines: Array<string> = []
        const logger = Logger.make(({ annotations, logLevel, message }) => {
          if (LogLevel.greaterThanEqual(logLevel, LogLevel.Warning)) {
            lines.push(`${logLevel.label} ${String(message)} ${HashMap.size(annotations)}`.replace(/ \d+$/, ""))
          }
        })
        return Effect.as(Effect.provide(effect, Logger.add(logger)), lines)
      })

    const thrice: ReadonlyArray<Step> = [
      [`GET ${tagsUrl}`, warned('299 - "a"')],
      [`GET ${tagsUrl}`, warned('299 - "a", 299 - "b"')],
      [`GET ${tagsUrl}`, warned('299 - "a"')]
    ]

    it.effect("T17 are logged once for a client", () =>
      play(thrice, () =>
        Effect.gen(function* () {
          const lines = yield* logged(Effect.repeatN(Tags.list(repository), 2))
          assert.deepStrictEqual(lines, ["WARN registry.test: a", "WARN registry.test: b"])
        })
      )
    )

    it.effect("T17 are logged by each client", () =>
      play(thrice.slice(0, 2), () =>
        Effect.gen(function* () {
          const lines = yield* logged(
            Effect.zipRight(Tags.list(repository), Effect.provide(Tags.list(repository), RegistryClient.layer))
          )
          assert.deepStrictEqual(lines, ["WARN registry.test: a", "WARN registry.test: a", "WARN registry.test: b"])
        })
      )
    )

    it.effect("T17 are told to the observer each time", () => {
      const { warnings, layer } = observing()
      return play(thrice, () =>
        Effect.gen(function* () {
          yield* Effect.repeatN(Tags.list(repository), 2)
          assert.deepStrictEqual(
            warnings.map(({ text }) => text),
            ["a", "a", "b", "a"]
          )
        })
      ).pipe(Effect.provide(layer))
    })
  })
})
