import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Blobs from "effect-oci/Blobs"
import * as Credentials from "effect-oci/Credentials"
import * as Manifests from "effect-oci/Manifests"
import * as Referrers from "effect-oci/Referrers"
import * as Registry from "effect-oci/Registry"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as RegistryMiddleware from "effect-oci/RegistryMiddleware"
import * as RegistryObserver from "effect-oci/RegistryObserver"
import * as RegistryRetry from "effect-oci/RegistryRetry"
import * as Tags from "effect-oci/Tags"
import {
  answer,
  json,
  manifest,
  manifestAnswer,
  manifestContent,
  manifestDigest,
  pinned,
  tagged
} from "../endpoints/given.js"
import { type Answer, play, refusal, type Step } from "../scripted.js"
import { blobUrl, broken, digest, endless, manifestUrl, origin, registry, repository, tagsUrl } from "./support.js"

const hosts = (mirrors: ReadonlyArray<RegistryHosts.MirrorSettings>, table: RegistryHosts.Table = {}) =>
  Effect.provide(RegistryHosts.fromRecord({ ...table, "registry.test": { mirrors } }))

const first = { location: "first.test" }
const second = { location: "second.test/copies" }
const both = hosts([first, second])

const firstBlob = `GET https://first.test/v2/org/app/blobs/${digest}`
const secondBlob = `GET https://second.test/v2/copies/org/app/blobs/${digest}`
const sourceBlob = `GET ${blobUrl}`

const blob = () => new Response("{}", { headers: { "content-length": "2" } })
const get = Effect.map(Blobs.get(repository, digest), (bytes) => new TextDecoder().decode(bytes))

const reset = () => Effect.fail(Object.assign(new Error("reset"), { code: "ECONNRESET" }))

const failing = <A, E extends { readonly _tag: string }, R>(tag: E["_tag"], self: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(self), (error) => {
    assert.strictEqual(error._tag, tag)
    return error
  })

describe("mirrors", () => {
  it.effect("T18 are asked first, in their order, under the names that repositories have there", () =>
    play(
      [
        [firstBlob, refusal(404, "BLOB_UNKNOWN")],
        [secondBlob, blob]
      ],
      () => Effect.map(both(get), (text) => assert.strictEqual(text, "{}"))
    )
  )

  const reasons: ReadonlyArray<readonly [what: string, answer: () => Answer, leftOut: boolean]> = [
    ["404", () => refusal(404, "BLOB_UNKNOWN"), false],
    ["401", () => refusal(401, "UNAUTHORIZED", "", { "www-authenticate": 'Basic realm="x"' }), false],
    ["403", () => refusal(403, "DENIED"), false],
    ["405", () => refusal(405, "UNSUPPORTED"), false],
    ["429", () => refusal(429, "TOOMANYREQUESTS"), true],
    ["500", () => refusal(500, "UNKNOWN"), true],
    ["503 and a long page", () => new Response(endless(), { status: 503 }), true],
    ["a reset", reset, true],
    [
      "a redirect to nowhere good",
      () => new Response(null, { status: 307, headers: { location: "http://x.test/" } }),
      false
    ],
    ["204", () => new Response(null, { status: 204 }), true],
    ["other bytes", () => new Response("[]"), true],
    ["too few bytes", () => new Response("{"), true],
    ["too many bytes", () => new Response("{}{}"), true],
    ["a body that breaks", () => new Response(broken("{")), true]
  ]
  for (const [what, answer, leftOut] of reasons) {
    it.effect(`T18 give way to the source after ${what}${leftOut ? ", and are left out for a minute" : ""}`, () => {
      const again: ReadonlyArray<Step> = leftOut
        ? [
            [sourceBlob, blob],
            [firstBlob, blob]
          ]
        : [
            [firstBlob, blob],
            [firstBlob, blob]
          ]
      return play([[firstBlob, answer], [sourceBlob, blob], ...again], () =>
        Effect.gen(function* () {
          assert.strictEqual(yield* get, "{}")
          yield* TestClock.adjust("59 seconds")
          assert.strictEqual(yield* get, "{}")
          yield* TestClock.adjust("2 seconds")
          assert.strictEqual(yield* get, "{}")
        }).pipe(hosts([first]))
      )
    })
  }

  it.effect("T18 give way to the source when they do not answer in time", () =>
    play(
      [
        [firstBlob, Effect.never],
        [sourceBlob, blob]
      ],
      () =>
        Effect.gen(function* () {
          const fiber = yield* Effect.fork(get)
          yield* TestClock.adjust("5 seconds")
          assert.strictEqual(yield* Fiber.join(fiber), "{}")
        }).pipe(hosts([first], { "first.test": { limits: { answer: Duration.seconds(5) } } }))
    )
  )

  it.effect("T18 leave the source's failure to the call, and theirs to observers", () => {
    const seen: Array<string> = []
    const observer = RegistryObserver.layer({
      exchange: ({ operation, status }) => Effect.sync(() => void seen.push(`${operation.registry} ${status}`))
    })
    return play(
      [
        [firstBlob, refusal(500, "UNKNOWN")],
        [secondBlob, refusal(403, "DENIED")],
        [sourceBlob, refusal(404, "BLOB_UNKNOWN")]
      ],
      () =>
        Effect.gen(function* () {
          const error = yield* failing("BlobUnknown", get)
          assert.strictEqual("url" in error ? error.url : undefined, blobUrl)
          assert.deepStrictEqual(seen, ["first.test 500", "second.test 403", "registry.test 404"])
        }).pipe(both, Effect.provide(observer))
    )
  })

  it.effect("are asked once: retries are for the source", () => {
    let retried = 0
    const counting = Layer.succeed(RegistryRetry.RegistryRetry, ({ operation }, next) => {
      if (operation.name === "blobs.get") retried++
      return next
    })
    return play(
      [
        [firstBlob, refusal(503, "UNAVAILABLE")],
        [sourceBlob, blob]
      ],
      () =>
        Effect.gen(function* () {
          yield* get
          assert.strictEqual(retried, 1)
        }).pipe(hosts([first]), Effect.provide(counting))
    )
  })

  it.effect("T18 get no pushes, no deletes and no pings", () =>
    play(
      [
        [`PUT ${manifestUrl}`, answer(201)],
        [`DELETE ${blobUrl}`, answer(202)],
        [`GET ${origin}/v2/`, answer(200)]
      ],
      () =>
        Effect.gen(function* () {
          yield* Manifests.put(tagged, manifestContent)
          yield* Blobs.delete(repository, digest)
          yield* Registry.ping(registry)
        }).pipe(both)
    )
  )

  it.effect("a manifest that is none gives way to the source's", () =>
    play(
      [
        [
          "GET https://first.test/v2/org/app/manifests/1.2",
          new Response("<html>", { headers: { "content-type": "text/html" } })
        ],
        [`GET ${manifestUrl}`, manifestAnswer()]
      ],
      () =>
        Effect.map(Manifests.get(tagged), ({ descriptor }) =>
          assert.strictEqual(descriptor.digest, manifestDigest)
        ).pipe(hosts([first]))
    )
  )

  it.effect("S48 another manifest than the digest asked for gives way to the source's", () =>
    play(
      [
        [
          `GET https://first.test/v2/org/app/manifests/${manifestDigest}`,
          new Response("{}", { headers: { "content-type": "application/vnd.oci.image.manifest.v1+json" } })
        ],
        [`GET ${origin}/v2/org/app/manifests/${manifestDigest}`, manifestAnswer()]
      ],
      () =>
        Effect.map(Manifests.get(pinned), ({ bytes }) => assert.deepStrictEqual(bytes, manifest)).pipe(hosts([first]))
    )
  )

  it.effect("S48 a stream with other bytes fails, and the mirror is asked no more", () =>
    play(
      [
        [firstBlob, new Response("[]")],
        [sourceBlob, blob]
      ],
      () =>
        Effect.gen(function* () {
          const stream = Stream.runDrain(Blobs.stream(repository, digest))
          yield* failing("DigestMismatch", stream)
          yield* stream
        }).pipe(hosts([first]))
    )
  )

  it.effect("S48 a stream goes to the source while nothing was handed out", () =>
    play(
      [
        [firstBlob, new Response("{}{}", { headers: { "content-length": "4" } })],
        [sourceBlob, blob]
      ],
      () =>
        Stream.runDrain(Blobs.stream(repository, { digest, size: 2, mediaType: "application/json" })).pipe(
          hosts([first])
        )
    )
  )

  it.effect("a part that is another one gives way to the source's", () =>
    play(
      [
        [firstBlob, new Response("x", { status: 206, headers: { "content-range": "bytes 7-7/9" } })],
        [sourceBlob, new Response("{", { status: 206, headers: { "content-range": "bytes 0-0/2" } })]
      ],
      () => Stream.runDrain(Blobs.range(repository, digest, { start: 0, end: 0 })).pipe(hosts([first]))
    )
  )

  describe("by rule", () => {
    const digestUrl = `v2/org/app/manifests/${manifestDigest}`
    const all = Effect.gen(function* () {
      yield* Manifests.get(tagged)
      yield* Manifests.get(pinned)
      yield* get
      yield* Tags.list(repository)
    })
    const rules: ReadonlyArray<readonly [rule: RegistryHosts.MirrorSettings["pull"], asked: ReadonlyArray<boolean>]> = [
      [undefined, [true, true, true, true]],
      ["all", [true, true, true, true]],
      ["digest-only", [false, true, true, false]],
      ["tag-only", [true, false, true, false]]
    ]
    for (const [pull, asked] of rules) {
      const [tag, byDigest, blobs, tags] = asked.map((mirror) => (mirror ? "https://first.test" : origin))
      it.effect(`S48 ${pull ?? "all, by default,"} is asked what it may be asked`, () =>
        play(
          [
            [`GET ${tag}/v2/org/app/manifests/1.2`, manifestAnswer()],
            [`GET ${byDigest}/${digestUrl}`, manifestAnswer()],
            [`GET ${blobs}/v2/org/app/blobs/${digest}`, blob],
            [`GET ${tags}/v2/org/app/tags/list`, Response.json({ tags: [] })]
          ],
          () => hosts([{ ...first, pull }])(all)
        )
      )
    }
  })

  it.effect("lists go on where they began", () =>
    play(
      [
        [
          "GET https://first.test/v2/org/app/tags/list?ns=registry.test",
          Response.json({ tags: ["1"] }, { headers: { link: '</v2/org/app/tags/list?last=1>; rel="next"' } })
        ],
        ["GET https://first.test/v2/org/app/tags/list?last=1&ns=registry.test", Response.json({ tags: ["2"] })]
      ],
      () =>
        Effect.map(Stream.runCollect(Tags.stream(repository)), (tags) =>
          assert.deepStrictEqual([...tags], ["1", "2"])
        ).pipe(hosts([{ ...first, namespace: true }]))
    )
  )

  it.effect("a list of referrers that is none gives way to the source's", () =>
    play(
      [
        [
          `GET https://first.test/v2/org/app/referrers/${manifestDigest}`,
          new Response("<html>", { headers: { "content-type": "text/html" } })
        ],
        [
          `GET ${origin}/v2/org/app/referrers/${manifestDigest}`,
          answer(
            200,
            { "content-type": "application/vnd.oci.image.index.v1+json" },
            json({ schemaVersion: 2, manifests: [] })
          )
        ]
      ],
      () =>
        Effect.map(Referrers.list(repository, manifestDigest), (found) => assert.deepStrictEqual(found, [])).pipe(
          hosts([first])
        )
    )
  )

  describe("that are proxies", () => {
    it.effect("DS61 DS63 T18 are told whose copies are meant, by the source's host", () =>
      play([[`${firstBlob}?ns=registry.test`, blob]], () => get.pipe(hosts([{ ...first, namespace: true }])))
    )

    it.effect("DS62 T18 only they are: no other mirror, and not the source", () =>
      play(
        [
          [firstBlob, refusal(404, "BLOB_UNKNOWN")],
          [`${secondBlob}?ns=registry.test`, refusal(404, "BLOB_UNKNOWN")],
          [sourceBlob, blob]
        ],
        () => get.pipe(hosts([first, { ...second, namespace: true }]))
      )
    )

    for (const header of [{}, { "oci-namespace": "other.test" }]) {
      it.effect(`T19 may say ${"oci-namespace" in header ? "another name" : "nothing"} of whom they stand for`, () =>
        play([[`${firstBlob}?ns=registry.test`, new Response("{}", { headers: header })]], () =>
          get.pipe(hosts([{ ...first, namespace: true }]))
        )
      )
    }
  })

  describe("and credentials", () => {
    const source = { "registry.test": { username: "me", password: "secret" } }
    const authorizations = Effect.fn(function* (credentials: Parameters<typeof Credentials.fromRecord>[0]) {
      return yield* play(
        [
          [firstBlob, refusal(401, "UNAUTHORIZED")],
          [sourceBlob, blob]
        ],
        (sent) =>
          Effect.map(get, () => sent.map(({ headers }) => headers.authorization?.slice(0, 6))).pipe(
            hosts([first]),
            Effect.provide([Credentials.fromRecord(credentials), RegistryAuth.layerBasic])
          )
      )
    })

    it.effect("A66 DS64 S48 get none of the source's", () =>
      Effect.map(authorizations(source), (all) => assert.deepStrictEqual(all, [undefined, "Basic "]))
    )

    it.effect("A66 get their own, and the source gets none of those", () =>
      Effect.map(authorizations({ "first.test": { token: "t" } }), (all) =>
        assert.deepStrictEqual(all, ["Bearer", undefined])
      )
    )

    it.effect("S48 get nothing that a request has for the source", () =>
      play([[firstBlob, blob]], (sent) =>
        Effect.gen(function* () {
          const client = yield* RegistryClient.RegistryClient
          const request = HttpClientRequest.get(`/v2/org/app/blobs/${digest}`, {
            headers: { authorization: "Bearer t", cookie: "c", range: "bytes=0-" }
          })
          yield* client.execute({ name: "blobs.get", registry, repository, reference: digest }, request)
          assert.deepStrictEqual(Object.keys(sent[0]?.headers ?? {}).toSorted(), [
            "accept-encoding",
            "range",
            "user-agent"
          ])
        }).pipe(Effect.scoped, hosts([first]))
      )
    )

    it.effect("a middleware is told where a request goes", () => {
      const seen: Array<string> = []
      const noting = RegistryMiddleware.layer((operation, next) => {
        seen.push(`${operation.repository}`)
        return next
      })
      return play(
        [
          [secondBlob, refusal(404, "BLOB_UNKNOWN")],
          [sourceBlob, blob]
        ],
        () =>
          Effect.map(get, () =>
            assert.deepStrictEqual(seen, ["second.test/copies/org/app", "registry.test/org/app"])
          ).pipe(hosts([second]), Effect.provide(noting))
      )
    })
  })

  it.effect("S13 T14 are reached by https, and nothing else is tried", () =>
    play(
      [
        [firstBlob, () => Effect.fail(Object.assign(new Error("wrong version number"), { code: "EPROTO" }))],
        [sourceBlob, () => Effect.fail(Object.assign(new Error("wrong version number"), { code: "EPROTO" }))]
      ],
      () => failing("TransportError", get).pipe(hosts([first]))
    )
  )

  it.effect("have a scheme, a prefix and settings of their own", () =>
    play([[`GET http://first.test:5000/hub/v2/org/app/blobs/${digest}`, blob]], () =>
      get.pipe(hosts([{ location: "first.test:5000", prefix: "hub" }], { "first.test:5000": { scheme: "http" } }))
    )
  )

  it.effect("of all hosts are no mirrors of themselves", () =>
    play([[`GET ${tagsUrl}`, Response.json({ tags: [] })]], () =>
      Tags.list(repository).pipe(
        Effect.provide(RegistryHosts.fromRecord({ "*": { mirrors: [{ location: "registry.test" }] } }))
      )
    )
  )

  it.effect("that are blocked are not asked", () =>
    play([[sourceBlob, blob]], () => get.pipe(hosts([first], { "first.test": { blocked: true } })))
  )

  it.effect("leave nothing open when the call is given up", () =>
    play([[firstBlob, Effect.never]], (sent) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.fork(get)
        yield* Effect.repeat(Effect.yieldNow(), { until: () => sent.length === 1 })
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(sent[0]?.answer, "given up")
      }).pipe(hosts([first]))
    )
  )
})
