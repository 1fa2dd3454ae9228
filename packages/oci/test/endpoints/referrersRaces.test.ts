/** Writers of one list of referrers at a time: in one client, and in several that know nothing of each other. */
import * as Headers from "@effect/platform/Headers"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Manifests from "effect-oci/Manifests"
import * as MediaType from "effect-oci/MediaType"
import * as Reference from "effect-oci/Reference"
import * as Referrers from "effect-oci/Referrers"
import { elapsing } from "../client/elapsing.js"
import { type Between, client } from "./between.js"
import { answer, describeBytes, failing, referrerTo, repository } from "./given.js"

const subject = describeBytes("subject", MediaType.ociManifest)
const listPath = `/v2/org/app/manifests/${Referrers.tag(subject.digest)}`
const sbom = (name: string) => referrerTo(subject, { annotations: { name } })

/** Whether a request is for the list. */
const is = ({ method, url }: HttpClientRequest.HttpClientRequest, wanted: string): boolean =>
  url.endsWith(listPath) && method === wanted

const server = RegistryServer.make({ referrers: false, sparse: true })

const attach = (name: string) => Referrers.attach(repository, subject, sbom(name))
const remove = (name: string) => Manifests.delete(repository, sbom(name).descriptor.digest)

/** The names of all that is listed. */
const names = Effect.map(Referrers.list(repository, subject.digest), (list) =>
  list.map(({ annotations }) => annotations?.name ?? "").toSorted()
)

/** As of a registry that knows nothing of entity tags and conditions. */
const plain: Between = (request, send) =>
  Effect.gen(function* () {
    const headers = Headers.remove(request.headers, ["if-match", "if-none-match"])
    const response = yield* send(HttpClientRequest.make(request.method)(request.url, { headers, body: request.body }))
    const body = response.status === 204 || request.method === "HEAD" ? null : yield* response.arrayBuffer
    const answered = new Response(body, { status: response.status, headers: Headers.remove(response.headers, "etag") })
    return HttpClientResponse.fromWeb(request, answered)
  })

/** Lets the first of each that come here go on when all have come. */
const meeting = (many: number) => {
  const latch = Effect.unsafeMakeLatch()
  let arrived = 0
  return Effect.suspend(() => (++arrived === many ? latch.open : latch.await))
}

/** Holds the first answer to a request for the list until other clients have theirs. */
const inStep = (method: string, met: Effect.Effect<unknown>, between: Between): Effect.Effect<Between> =>
  Effect.sync(() => {
    let first = true
    return (request, send) => {
      if (!first || !is(request, method)) return between(request, send)
      first = false
      return Effect.zipLeft(between(request, send), met)
    }
  })

const direct: Between = (request, send) => send(request)

describe("writers in several processes", () => {
  for (const [how, between] of [
    ["a registry with conditions", direct],
    ["a registry without", plain]
  ] as const) {
    for (const [what, before] of [
      ["begin a list", []],
      ["add to a list", ["0"]]
    ] as const) {
      it.effect(`R19 R15 DS70 both are listed that ${what} at a time: ${how}`, () =>
        Effect.gen(function* () {
          const registry = yield* server
          const other = yield* client(registry)
          yield* other(Effect.forEach(before, attach))
          const [read, wrote] = [meeting(2), meeting(2)]
          const writer = Effect.gen(function* () {
            return yield* client(registry, yield* inStep("PUT", wrote, yield* inStep("GET", read, between)))
          })
          const [a, b] = [yield* writer, yield* writer]
          yield* elapsing(Effect.all([a(attach("a")), b(attach("b"))], { concurrency: "unbounded" }))
          assert.deepStrictEqual(yield* other(names), [...before, "a", "b"])
        })
      )
    }
  }

  it.effect("R19 R22 a list is not deleted that somebody has added to since it was read", () =>
    Effect.gen(function* () {
      const registry = yield* server
      const other = yield* client(registry)
      yield* other(attach("a"))
      // it reads the list, and before it deletes it another adds to it
      const between = yield* inStep("GET", Effect.orDie(other(attach("b"))), direct)
      const deleting = yield* client(registry, between)
      yield* deleting(remove("a"))
      assert.deepStrictEqual(yield* other(names), ["b"])
    })
  )

  for (let seed = 1; seed <= 5; seed++) {
    it.effect(`R19 R20 R22 DS59 of many that attach and delete nothing is lost: order ${seed}`, () =>
      Effect.gen(function* () {
        const registry = yield* server
        const slow: Between = (request, send) =>
          Effect.gen(function* () {
            yield* Effect.sleep(yield* Random.nextIntBetween(0, 50))
            const response = yield* send(request)
            yield* Effect.sleep(yield* Random.nextIntBetween(0, 50))
            return response
          })
        const other = yield* client(registry)
        yield* other(Effect.forEach(["old 0", "old 1", "old 2"], attach))
        const writers = yield* Effect.forEach([0, 1, 2], (at) =>
          Effect.map(client(registry, slow), (run) =>
            run(
              Effect.all([remove(`old ${at}`), attach(`${at} a`), attach(`${at} b`), attach(`${at} c`)], {
                concurrency: "unbounded"
              })
            )
          )
        )
        yield* elapsing(Effect.all(writers, { concurrency: "unbounded" }))
        const expected = [0, 1, 2].flatMap((at) => ["a", "b", "c"].map((name) => `${at} ${name}`))
        assert.deepStrictEqual(yield* other(names), expected)
      }).pipe(Effect.withRandom(Random.make(seed)))
    )
  }
})

describe("writers in one client", () => {
  const many = Array.from({ length: 20 }, (_, at) => String(at).padStart(2, "0"))

  /** Counts the requests for the list. */
  const counting = () => {
    const count = { GET: 0, PUT: 0 }
    const between: Between = (request, send) => {
      for (const method of ["GET", "PUT"] as const) if (is(request, method)) count[method]++
      // as over a wire, others get their turn
      return Effect.zipRight(Effect.yieldNow(), send(request))
    }
    return { count, between }
  }

  it.effect("R20 twenty at a time share few writes, and all are listed", () =>
    Effect.gen(function* () {
      const { between, count } = counting()
      const run = yield* client(yield* server, between)
      yield* run(Effect.forEach(many, attach, { concurrency: "unbounded" }))
      assert.isAtMost(count.PUT, 3)
      assert.isAtMost(count.GET, 6)
      assert.deepStrictEqual(yield* run(names), many)
    })
  )

  it.effect("R20 referrers of another subject wait for nobody", () =>
    Effect.gen(function* () {
      const held: Between = (request, send) => (is(request, "PUT") ? Effect.never : send(request))
      const run = yield* client(yield* server, held)
      const waiting = yield* Effect.fork(run(attach("held")))
      const another = describeBytes("another", MediaType.ociManifest)
      yield* run(Referrers.attach(repository, another, referrerTo(another)))
      assert.isNull(waiting.unsafePoll())
      yield* Fiber.interrupt(waiting)
    })
  )

  /**
   * Twenty that write, the first of them for all: they wait for one that is at it already, and then something else happens
   * to their write.
   */
  const waiting = (instead: Between) =>
    Effect.gen(function* () {
      const [going, reached] = [Effect.unsafeMakeLatch(), Effect.unsafeMakeLatch()]
      let writes = 0
      const between: Between = (request, send) => {
        if (!is(request, "PUT")) return send(request)
        writes++
        if (writes === 1) return Effect.zipRight(going.await, send(request))
        return writes === 2 ? Effect.zipRight(reached.open, instead(request, send)) : send(request)
      }
      const run = yield* client(yield* server, between)
      const before = yield* Effect.fork(run(attach("before")))
      const fibers = yield* Effect.forEach(many, (name) => Effect.fork(run(Effect.either(attach(name)))))
      // all have pushed, and wait for the list
      for (let at = 0; at < 1000; at++) yield* Effect.yieldNow()
      yield* going.open
      yield* Fiber.join(before)
      yield* reached.await
      return { run, fibers }
    })

  const left = ["before", ...many.slice(1)].toSorted()

  for (const [when, instead] of [
    ["before its write", () => Effect.never],
    ["after its write", (request, send) => Effect.zipRight(send(request), Effect.never)]
  ] as ReadonlyArray<readonly [string, Between]>) {
    it.effect(`R19 R20 whoever is interrupted ${when} takes nobody's entry along`, () =>
      Effect.gen(function* () {
        const { fibers, run } = yield* waiting(instead)
        const [first, ...rest] = fibers
        assert(first !== undefined)
        assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(first)))
        for (const one of yield* Fiber.join(Fiber.all(rest))) assert.strictEqual(one._tag, "Right")
        assert.includeMembers([...(yield* run(names))], left)
      })
    )
  }

  it.effect("R20 one that may not write fails by itself, and the others are listed", () =>
    Effect.gen(function* () {
      const { fibers, run } = yield* waiting((request) =>
        Effect.succeed(HttpClientResponse.fromWeb(request, answer(403)))
      )
      const [first, ...rest] = yield* Fiber.join(Fiber.all(fibers))
      assert(first?._tag === "Left" && first.left._tag === "ReferrersNotUpdated")
      assert.strictEqual(first.left.status, 403)
      for (const one of rest) assert.strictEqual(one._tag, "Right")
      assert.deepStrictEqual(yield* run(names), left)
    })
  )

  it.effect("R10 R20 what no write can mend fails for all, each for its own", () =>
    Effect.gen(function* () {
      const { between, count } = counting()
      const run = yield* client(yield* server, between)
      const image = referrerTo(subject, { subject: undefined })
      yield* run(Manifests.put(Reference.make(repository, { tag: Referrers.tag(subject.digest) }), image))
      const before = { ...count }
      const errors = yield* run(
        Effect.forEach(many, (name) => failing("ReferrersNotUpdated", attach(name)), { concurrency: "unbounded" })
      )
      assert.deepStrictEqual(
        errors.map(({ referrer }) => referrer),
        many.map((name) => sbom(name).descriptor.digest)
      )
      assert.strictEqual(count.PUT, before.PUT)
      assert.isAtMost(count.GET, 3)
    })
  )
})
