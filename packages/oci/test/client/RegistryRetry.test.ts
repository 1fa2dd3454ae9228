import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Blobs from "effect-oci/Blobs"
import * as Manifest from "effect-oci/Manifest"
import * as Manifests from "effect-oci/Manifests"
import * as RegistryClient from "effect-oci/RegistryClient"
import type { Facts, RegistryError } from "effect-oci/RegistryError"
import * as RegistryRetry from "effect-oci/RegistryRetry"
import * as Tags from "effect-oci/Tags"
import * as Uploads from "effect-oci/Uploads"
import { type Answer, play, refusal } from "../scripted.js"
import { chance, elapsing, timed } from "./elapsing.js"
import {
  blobUrl,
  broken,
  bytes,
  digest,
  manifestUrl,
  origin,
  pieces,
  reference,
  repository,
  tagsUrl
} from "./support.js"

/** Failures of calls, which tell of their requests. */
type Failure = Extract<RegistryError, Facts>

type Call = Effect.Effect<unknown, Failure, RegistryClient.RegistryClient>

const coded = (code: string) => Object.assign(new Error(code), { code })

const answer =
  (status: number, headers: Record<string, string> = {}) =>
  () =>
    status < 300 ? Response.json({ tags: ["a"] }, { status, headers }) : refusal(status, "", "not now", headers)

const noTags = answer(200)

const list = Tags.list(repository)

/** Plays the answers to a call, and tells what came of it and when each request came. */
const asked = (
  request: string,
  call: Call,
  answers: ReadonlyArray<Answer | (() => Answer)>,
  policy: RegistryRetry.Policy = {}
) => {
  const { steps, times } = timed(request, ...answers)
  return play(steps, (sent) =>
    elapsing(Effect.exit(Effect.provide(call, RegistryRetry.layer(policy)))).pipe(
      Effect.map((exit) => {
        const failure = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined
        return { times, sent, exit, error: failure }
      })
    )
  ).pipe(chance(1))
}

const listed = (answers: ReadonlyArray<Answer | (() => Answer)>, policy?: RegistryRetry.Policy) =>
  asked(`GET ${tagsUrl}`, list, answers, policy)

const session: Uploads.UploadSession = {
  _tag: "UploadSession",
  repository,
  location: Redacted.make(`${origin}/up`),
  offset: 0
}

const index = JSON.stringify({
  schemaVersion: 2,
  mediaType: "application/vnd.oci.image.index.v1+json",
  manifests: []
})

const put = Effect.flatMap(Effect.orDie(Manifest.ManifestContent.fromBytes(bytes(index))), (content) =>
  Manifests.put(reference, content)
).pipe(Effect.catchTag("InvalidReference", Effect.die))

const descriptor = { mediaType: "text/plain", digest, size: 2 }

const uploads = `${origin}/v2/org/app/blobs/uploads/`

const encoded = encodeURIComponent(digest)

/** A source that gives its bytes once. */
const once = () => {
  const left = [bytes("{}")]
  return Stream.suspend(() => Stream.fromIterable(left.splice(0)))
}

/** Calls with their requests, and whether these may be done twice. */
const calls: { readonly [what: string]: readonly [request: string, call: Call, repeated: boolean, sent: boolean] } = {
  "GET of a manifest": [`GET ${manifestUrl}`, Manifests.get(reference), true, true],
  "HEAD of a manifest": [`HEAD ${manifestUrl}`, Manifests.head(reference), true, true],
  "GET of a blob as a stream": [`GET ${blobUrl}`, Stream.runDrain(Blobs.stream(repository, digest)), true, true],
  "DELETE of a blob": [`DELETE ${blobUrl}`, Blobs.delete(repository, digest), true, true],
  "U62 PUT of a manifest": [`PUT ${manifestUrl}`, put, true, true],
  "POST that starts an upload": [`POST ${uploads}`, Uploads.start(repository), true, true],
  "POST that mounts a blob": [`POST ${uploads}?mount=${encoded}`, Uploads.mount(repository, digest), true, true],
  "POST of a whole blob": [
    `POST ${uploads}?digest=${encoded}`,
    Uploads.post(repository, descriptor, bytes("{}")),
    true,
    true
  ],
  "U67 POST of a whole blob that is a stream": [
    `POST ${uploads}?digest=${encoded}`,
    Effect.suspend(() => Uploads.post(repository, descriptor, once())),
    false,
    false
  ],
  "PATCH of an upload": [`PATCH ${origin}/up`, Uploads.patch(session, bytes("{}")), false, true],
  "U67 PATCH of an upload with a stream": [
    `PATCH ${origin}/up`,
    Effect.suspend(() => Uploads.patch(session, { size: 2, stream: once() })),
    false,
    false
  ],
  "U24 PUT that ends an upload": [
    `PUT ${origin}/up?digest=${encoded}`,
    Uploads.finish(session, digest, bytes("{}")),
    false,
    true
  ],
  "GET of an upload's state": [`GET ${origin}/up`, Uploads.status(session), true, true],
  "DELETE of an upload": [`DELETE ${origin}/up`, Uploads.cancel(session), true, true]
}

describe("RegistryRetry", () => {
  describe("when", () => {
    const waits: ReadonlyArray<readonly [what: string, luck: number, times: ReadonlyArray<number>]> = [
      ["the whole of each wait at most", 1, [0, 250, 750, 1750, 3750]],
      ["the half of each wait at least", 0, [0, 125, 375, 875, 1875]]
    ]
    for (const [what, luck, expected] of waits) {
      it.effect(`T4 T30 five times by default, ${what}`, () => {
        const { steps, times } = timed(`GET ${tagsUrl}`, ...Arr.replicate(answer(503), 5))
        return play(steps, () =>
          Effect.gen(function* () {
            const error = yield* elapsing(Effect.flip(list).pipe(Effect.provide(RegistryRetry.layer())))
            assert.strictEqual(error._tag, "RegistryUnavailable")
            assert.deepStrictEqual(times, expected)
          })
        ).pipe(chance(luck))
      })
    }

    it.effect("T4 as often and as long as the policy says", () =>
      Effect.gen(function* () {
        const policy = { tries: 4, base: "2 seconds", cap: "3 seconds" } as const
        const { times } = yield* listed(Arr.replicate(answer(500), 4), policy)
        assert.deepStrictEqual(times, [0, 2000, 5000, 8000])
      })
    )

    it.effect("T4 is what a client does without being told", () => {
      const { steps, times } = timed(`GET ${tagsUrl}`, answer(503), noTags)
      return play(steps, () =>
        // what a Reference has when nobody gives it
        Effect.flatMap(
          Effect.sync(() => RegistryRetry.RegistryRetry.defaultValue()),
          (own) => elapsing(list).pipe(Effect.provideService(RegistryRetry.RegistryRetry, own))
        )
      ).pipe(
        chance(1),
        Effect.tap(() => assert.deepStrictEqual(times, [0, 250]))
      )
    })

    it.effect("one call goes without, others do not", () => {
      const { steps, times } = timed(`GET ${tagsUrl}`, answer(503), answer(503), noTags)
      return play(steps, () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(Effect.provide(list, RegistryRetry.layerNone))
          assert.deepStrictEqual([error._tag, times.length], ["RegistryUnavailable", 1])
          yield* elapsing(list)
        }).pipe(Effect.provide(RegistryRetry.layer()))
      )
    })

    const now = Date.UTC(2025, 4, 10, 20, 32, 0)
    const headers: ReadonlyArray<readonly [what: string, header: string, wait: number]> = [
      ["seconds", "5", 5000],
      ["nothing", "0", 250],
      ["a date", "Sat, 10 May 2025 20:32:30 GMT", 30_000],
      ["a past date", "Fri, 09 May 2025 20:32:30 GMT", 250],
      ["a second of the epoch", String(now / 1000 + 45), 45_000],
      ["several values", "5, 10", 5000],
      ["less than nothing", "-1", 250],
      ["a word", "abc", 250],
      ["as long as is waited", "60", 60_000]
    ]
    for (const [what, header, wait] of headers) {
      for (const status of [429, 503, 500, 408]) {
        it.effect(`T3 a Retry-After of ${what} with ${status}`, () =>
          Effect.gen(function* () {
            yield* TestClock.setTime(now)
            const { exit, times } = yield* listed([answer(status, { "retry-after": header }), noTags])
            assert.isTrue(Exit.isSuccess(exit))
            assert.deepStrictEqual(times, [now, now + wait])
          })
        )
      }
    }

    for (const [header, seconds] of [
      ["61", 61],
      ["1000000000", 1e9],
      ["99999999", 99_999_999],
      [String(now / 1000 + 3600), 3600]
    ] as const) {
      it.effect(`T3 S17 a Retry-After of ${header} fails at once, and says so`, () =>
        Effect.gen(function* () {
          yield* TestClock.setTime(now)
          const { error, times } = yield* listed([answer(429, { "retry-after": header })])
          assert(error?._tag === "TooManyRequests")
          assert.strictEqual(error.retryAfter, seconds)
          assert.deepStrictEqual(times, [now])
        })
      )
    }

    it.effect("T11 S17 waits two minutes in all, whoever asks it to", () =>
      Effect.gen(function* () {
        const { error, times } = yield* listed(Arr.replicate(answer(429, { "retry-after": "50" }), 3))
        assert.deepStrictEqual(times, [0, 50_000, 100_000])
        assert(error?._tag === "TooManyRequests")
        assert.deepStrictEqual([error.attempts, error.retryAfter], [3, 50])
      })
    )

    it.effect("T11 waits as long in all as the policy says", () =>
      Effect.gen(function* () {
        const { times } = yield* listed(Arr.replicate(answer(500), 3), { total: "1 second" })
        assert.deepStrictEqual(times, [0, 250, 750])
      })
    )
  })

  describe("what", () => {
    for (const status of [408, 429, 499, 500, 502, 503, 504, 522, 529]) {
      it.effect(`T5 ${status} is asked again`, () =>
        Effect.map(listed([answer(status), noTags]), ({ exit }) => assert.isTrue(Exit.isSuccess(exit)))
      )
    }
    for (const status of [400, 401, 403, 404, 405, 409, 412, 413, 416, 420, 451, 501, 505]) {
      it.effect(`T5 T28 ${status} is not asked again`, () =>
        Effect.map(listed([answer(status)]), ({ error, times }) => {
          assert.strictEqual(error?.status, status)
          assert.strictEqual(times.length, 1)
        })
      )
    }

    it.effect("T7 throttling that is told with status 400 is known as such, and not asked again", () =>
      Effect.gen(function* () {
        const { error, times } = yield* listed([() => new Response("toomanyrequests: Rate exceeded", { status: 400 })])
        assert.deepStrictEqual([error?._tag, times.length], ["TooManyRequests", 1])
      })
    )

    for (const code of ["ECONNRESET", "EPIPE", "ETIMEDOUT", "EAI_AGAIN", "UND_ERR_SOCKET", "EPROTO", "ECONNREFUSED"]) {
      it.effect(`T8 T23 ${code} is asked again`, () =>
        Effect.map(listed([Effect.fail(coded(code)), noTags]), ({ exit }) => assert.isTrue(Exit.isSuccess(exit)))
      )
    }
    for (const code of [
      "ENOTFOUND",
      "CERT_HAS_EXPIRED",
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      "ERR_TLS_CERT_ALTNAME_INVALID"
    ]) {
      it.effect(`T8 ${code} is not asked again`, () =>
        Effect.map(listed([Effect.fail(coded(code))]), ({ error, times }) => {
          assert(error?._tag === "TransportError")
          assert.deepStrictEqual([error.code, times.length], [code, 1])
        })
      )
    }

    for (const [what, [request, call, repeated, sent]] of Object.entries(calls)) {
      const failures: ReadonlyArray<readonly [what: string, answer: Answer | (() => Answer), again: boolean]> = [
        ["an outage", answer(500), repeated],
        ["a broken connection", Effect.fail(coded("ECONNRESET")), repeated],
        ["throttling", answer(429), sent],
        ["an outage that tells when it ends", answer(503, { "retry-after": "1" }), sent]
      ]
      for (const [failure, first, again] of failures) {
        it.effect(`T9 ${what} is ${again ? "" : "not "}made again after ${failure}`, () =>
          Effect.gen(function* () {
            const result = yield* asked(request, call, again ? [first, answer(418)] : [first])
            assert.strictEqual(result.times.length, again ? 2 : 1)
            assert.notStrictEqual(result.error?._tag, "SizeMismatch")
            if (again) assert.deepStrictEqual(result.sent[1]?.body, result.sent[0]?.body)
            else assert.isUndefined(result.error?.attempts)
          })
        )
      }
    }

    for (const header of ["if-match", "if-none-match"]) {
      it.effect(`U62 a PUT that depends on what there is (${header}) is made again only after throttling`, () => {
        const request = HttpClientRequest.put("/v2/org/app/manifests/1.2", { headers: { [header]: "*" } })
        const call = Effect.flatMap(RegistryClient.RegistryClient, (client) =>
          Effect.scoped(
            client
              .execute({ name: "manifests.put", registry: repository.registry, repository }, request)
              .pipe(Effect.flatMap(({ text }) => Effect.orDie(text)))
          )
        )
        return Effect.gen(function* () {
          assert.strictEqual((yield* asked(`PUT ${manifestUrl}`, call, [answer(500)])).times.length, 1)
          const throttled = yield* asked(`PUT ${manifestUrl}`, call, [answer(429), answer(200)])
          assert.strictEqual(throttled.times.length, 2)
        })
      })
    }

    it.effect("L22 goes on with the page at which it was throttled", () => {
      const page = `${tagsUrl}?last=a`
      const next = () => Response.json({ tags: ["a"] }, { headers: { link: `<${page}>; rel="next"` } })
      return play(
        [
          [`GET ${tagsUrl}`, next],
          [`GET ${page}`, answer(429, { "retry-after": "7" })],
          [`GET ${page}`, () => Response.json({ tags: ["b"] })]
        ],
        () =>
          Effect.gen(function* () {
            const all = yield* elapsing(Stream.runCollect(Tags.stream(repository)))
            assert.deepStrictEqual([...all], ["a", "b"])
          }).pipe(Effect.provide(RegistryRetry.layer()))
      )
    })

    it.effect("U63 a manifest whose PUT was throttled is put again", () =>
      Effect.gen(function* () {
        const { exit, sent, times } = yield* asked(`PUT ${manifestUrl}`, put, [
          answer(429, { "retry-after": "3" }),
          answer(201)
        ])
        assert.isTrue(Exit.isSuccess(exit))
        assert.deepStrictEqual(times, [0, 3000])
        assert.deepStrictEqual(sent[1]?.body, bytes(index))
      })
    )

    it.effect("U25 T13 a request that is not answered in time is given up before the next is made", () => {
      const { steps } = timed(`GET ${tagsUrl}`, Effect.never, noTags)
      return play(steps, (sent) =>
        Effect.gen(function* () {
          yield* elapsing(list)
          assert.deepStrictEqual(
            sent.map(({ answer }) => answer),
            ["given up", "read"]
          )
        }).pipe(Effect.provide(RegistryRetry.layer()))
      )
    })
  })

  describe("of a body that breaks off", () => {
    const reads: { readonly [what: string]: readonly [request: string, call: Call, body: string] } = {
      manifest: [`GET ${manifestUrl}`, Manifests.get(reference), index],
      list: [`GET ${tagsUrl}`, list, '{"tags":[]}'],
      blob: [`GET ${blobUrl}`, Blobs.get(repository, digest), "{}"],
      "blob of known size": [`GET ${blobUrl}`, Blobs.get(repository, descriptor), "{}"]
    }
    for (const [what, [request, call, body]] of Object.entries(reads)) {
      for (const length of [undefined, String(body.length)]) {
        const init = length === undefined ? {} : { headers: { "content-length": length } }
        it.effect(`T8 E16 a ${what} is asked for again, ${length === undefined ? "un" : ""}announced`, () =>
          Effect.gen(function* () {
            const { exit, times } = yield* asked(request, call, [
              () => new Response(broken("{", coded("ECONNRESET")), init),
              () => new Response(pieces(body), init)
            ])
            assert.isTrue(Exit.isSuccess(exit))
            assert.deepStrictEqual(times, [0, 250])
          })
        )
      }
    }

    it.effect("T8 T10 P17 five times in all, and the error says so", () =>
      Effect.gen(function* () {
        const [request, call] = reads.blob ?? assert.fail()
        const { error, times } = yield* asked(
          request,
          call,
          Arr.replicate(() => new Response(broken("{")), 5)
        )
        assert.strictEqual(times.length, 5)
        assert(error?._tag === "TransportError")
        assert.deepStrictEqual([error.attempts, error.status], [5, 200])
      })
    )

    it.effect("P17 the stream of a blob goes on by itself, without a retry", () =>
      Effect.gen(function* () {
        const { error, times } = yield* asked(
          `GET ${blobUrl}`,
          Effect.provide(Stream.runDrain(Blobs.stream(repository, digest)), RegistryRetry.layerNone),
          [
            () => new Response(broken("{")),
            () => new Response("}", { status: 206, headers: { "content-range": "bytes 1-1/2" } })
          ]
        )
        assert.deepStrictEqual([error, times.length], [undefined, 2])
      })
    )

    it.effect("content of another digest is not asked for again", () =>
      Effect.gen(function* () {
        const { error, times } = yield* asked(`GET ${blobUrl}`, Blobs.get(repository, digest), [
          () => new Response("no")
        ])
        assert.deepStrictEqual([error?._tag, times.length], ["DigestMismatch", 1])
      })
    )
  })

  describe("in the end", () => {
    it.effect("T10 the last answer counts, with its status, its body and the number of requests", () =>
      Effect.gen(function* () {
        const { error, sent } = yield* listed([
          Effect.fail(coded("ECONNRESET")),
          answer(500),
          answer(502),
          answer(504),
          () => refusal(503, "UNAVAILABLE", "the last word")
        ])
        assert(error?._tag === "RegistryUnavailable")
        assert.deepStrictEqual([error.status, error.attempts, error.errors[0]?.message], [503, 5, "the last word"])
        assert.include(error.message, `GET ${tagsUrl} answered 503, after 5 attempts, “UNAVAILABLE: the last word”`)
        assert.deepStrictEqual(
          sent.slice(1).map(({ answer }) => answer),
          ["read", "read", "read", "read"]
        )
      })
    )

    it.effect("T10 a failure of the connection counts the requests too", () =>
      Effect.gen(function* () {
        const { error } = yield* listed(Arr.replicate(Effect.fail(coded("ECONNRESET")), 5))
        assert(error?._tag === "TransportError")
        assert.strictEqual(error.attempts, 5)
        assert.include(error.message, "after 5 attempts")
      })
    )

    it.effect("T10 a refusal of the second request says that it is one", () =>
      Effect.gen(function* () {
        const { error } = yield* listed([answer(503), answer(404)])
        assert.deepStrictEqual([error?._tag, error?.attempts], ["NameUnknown", 2])
      })
    )

    it.effect("T10 what was not tried again counts nothing", () =>
      Effect.map(listed([answer(404)]), ({ error }) => {
        assert.isUndefined(error?.attempts)
        assert.notInclude(error?.message, "attempts")
      })
    )

    const deletes: ReadonlyArray<readonly [first: string, answer: Answer | (() => Answer), done: boolean]> = [
      ["whose answer was lost", Effect.fail(coded("ECONNRESET")), true],
      ["that failed on the way back", answer(502), true],
      ["that was throttled", answer(429), false]
    ]
    for (const [first, lost, done] of deletes) {
      it.effect(`a delete that finds nothing, after one ${first}, is ${done ? "done" : "refused"}`, () =>
        Effect.gen(function* () {
          const gone = () => refusal(404, "BLOB_UNKNOWN")
          const { error } = yield* asked(`DELETE ${blobUrl}`, Blobs.delete(repository, digest), [lost, gone])
          assert.strictEqual(error?._tag, done ? undefined : "BlobUnknown")
        })
      )
    }
  })

  describe("interruption", () => {
    it.effect("T12 ends a wait at once, and leaves no timer", () => {
      const { steps, times } = timed(`GET ${tagsUrl}`, answer(429, { "retry-after": "30" }))
      return play(steps, () =>
        Effect.gen(function* () {
          const listing = yield* Effect.fork(list)
          yield* TestClock.adjust("1 second")
          const exit = yield* Fiber.interrupt(listing)
          assert.isTrue(Exit.isInterrupted(exit))
          yield* TestClock.adjust("10 minutes")
          assert.strictEqual(times.length, 1)
        })
      ).pipe(Effect.provide(RegistryRetry.layer()))
    })
  })
})
