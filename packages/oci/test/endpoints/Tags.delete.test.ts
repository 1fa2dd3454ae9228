/** A tag that is deleted by way of a manifest made for that, where a registry deletes no tags. */
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Descriptor from "effect-oci/Descriptor"
import * as Manifest from "effect-oci/Manifest"
import * as Manifests from "effect-oci/Manifests"
import * as Reference from "effect-oci/Reference"
import * as RegistryRetry from "effect-oci/RegistryRetry"
import * as Tags from "effect-oci/Tags"
import { refusal } from "../scripted.js"
import { type Between, client } from "./between.js"
import { answer, failing, repository, tagged } from "./given.js"

const other = Reference.make(repository, { tag: "1.2-too" })
const remove = Tags.delete(repository, "1.2", { fallback: "dummy" })

/** What a registry does to the requests that matter here; what is not given, the embedded registry does. */
interface Ways {
  readonly put?: Between
  readonly del?: Between
  /** A delete of what is not there. */
  readonly probe?: Between
}

const says =
  (response: () => Response): Between =>
  (request) =>
    Effect.sync(() => HttpClientResponse.fromWeb(request, response()))

/** A registry without deletes of tags, a client of it, and the requests since it has an image under two tags. */
const given = (ways: Ways = {}) =>
  Effect.gen(function* () {
    const registry = yield* RegistryServer.make({ seed: { "org/app:1.2": {} } })
    const lines: Array<string> = []
    let moved = false
    const between: Between = (request, send) => {
      const [, path = ""] = request.url.split("/v2/org/app/")
      lines.push(`${request.method} ${path.replace(/[?].*/, "").replace(/sha256:[0-9a-f]+/, "DIGEST")}`)
      if (request.method === "DELETE" && !path.includes("sha256:"))
        return says(() => refusal(405, "UNSUPPORTED"))(request, send)
      if (request.method === "DELETE")
        return ((moved ? ways.del : ways.probe) ?? ((one, send) => send(one)))(request, send)
      if (request.method !== "PUT" || path !== "manifests/1.2") return send(request)
      const put = moved ? undefined : ways.put
      moved = true
      return put === undefined ? send(request) : put(request, send)
    }
    const plain = yield* client(registry)
    const image = yield* plain(Manifests.get(tagged))
    yield* plain(Manifests.put(other, image))
    const run = yield* client(registry, between)
    const now = (reference: Reference.Reference) =>
      plain(
        Manifests.head(reference).pipe(
          Effect.map(({ digest }) => (digest === image.descriptor.digest ? "the image" : "something else")),
          Effect.catchTag("ManifestUnknown", () => Effect.succeed("nothing"))
        )
      )
    return {
      lines,
      plain,
      run: <A, E, R>(self: Effect.Effect<A, E, R>) => run(Effect.provide(self, RegistryRetry.layerNone)),
      state: Effect.all([now(tagged), now(other), now(Reference.make(repository, image.descriptor))])
    }
  })

const untouched = ["the image", "the image", "the image"]

describe("Tags.delete by a dummy", () => {
  it.effect("D3 takes away the tag alone", () =>
    Effect.gen(function* () {
      const { lines, run, state } = yield* given()
      yield* run(remove)
      assert.deepStrictEqual(yield* state, ["nothing", "the image", "the image"])
      assert.deepStrictEqual(lines, [
        "DELETE manifests/1.2",
        "GET manifests/1.2",
        "HEAD manifests/DIGEST",
        "DELETE manifests/DIGEST",
        "HEAD blobs/DIGEST",
        "POST blobs/uploads/",
        "PUT manifests/1.2",
        "DELETE manifests/DIGEST"
      ])
    })
  )

  it.effect("D3 is not done unless it is asked for", () =>
    Effect.gen(function* () {
      const { lines, run, state } = yield* given()
      yield* run(failing("Unsupported", Tags.delete(repository, "1.2")))
      assert.deepStrictEqual(yield* state, untouched)
      assert.deepStrictEqual(lines, ["DELETE manifests/1.2"])
    })
  )

  it.effect("D3 its manifest is like no other, and says what it replaced", () =>
    Effect.gen(function* () {
      const made: Array<Manifest.Manifest> = []
      const seen: Between = (request, send) =>
        Effect.suspend(() => {
          if (request.body._tag === "Uint8Array") {
            const decoded = Manifest.decode(request.body.body)
            if (decoded._tag === "Right") made.push(decoded.right)
          }
          return send(request)
        })
      for (let times = 0; times < 2; times++) {
        const { run } = yield* given({ put: seen })
        yield* run(remove)
      }
      const [one, two] = made
      assert(one !== undefined && two !== undefined && Manifest.isImage(one) && "annotations" in one)
      assert.notDeepEqual(one, two)
      assert.strictEqual(one.config.digest, Descriptor.empty.digest)
      assert.strictEqual(one.annotations?.["effect-oci.tag"], "1.2")
      assert.match(one.annotations?.["effect-oci.replaces"] ?? "", /^sha256:/)
    })
  )

  it.effect("D3 is not done with a manifest that is there already", () =>
    Effect.gen(function* () {
      const pushed: Between = (request) => Effect.succeed(HttpClientResponse.fromWeb(request, answer(503)))
      const again = yield* given({ del: pushed })
      const chance = Effect.withRandom(Random.fixed([7]))
      // the first attempt leaves its manifest behind, and by the same chance the second makes the same
      yield* again.run(failing("RegistryUnavailable", chance(remove)))
      yield* again.run(failing("Unsupported", chance(remove)))
      assert.deepStrictEqual(yield* again.state, untouched)
      assert.strictEqual(again.lines.filter((line) => line === "PUT manifests/1.2").length, 2)
    })
  )

  for (const [what, probe] of [
    ["405", says(() => refusal(405, "UNSUPPORTED"))],
    ["400", says(() => refusal(400, "UNSUPPORTED"))]
  ] as const) {
    it.effect(`D3 D4 does not touch the tag where no manifests are deleted: ${what}`, () =>
      Effect.gen(function* () {
        const { lines, run, state } = yield* given({ probe })
        yield* run(failing("Unsupported", remove))
        assert.deepStrictEqual(yield* state, untouched)
        assert.notInclude(lines, "PUT manifests/1.2")
      })
    )
  }

  const failures: ReadonlyArray<
    readonly [name: string, tag: "Unsupported" | "Denied" | "RegistryUnavailable", ways: Ways]
  > = [
    ["is refused", "Unsupported", { put: says(() => refusal(400, "MANIFEST_INVALID")) }],
    ["may not replace the tag", "Unsupported", { put: says(() => refusal(409, "TAG_IMMUTABLE")) }],
    ["got no answer, and was not taken", "RegistryUnavailable", { put: says(() => answer(503)) }],
    [
      "got no answer, and was taken",
      "RegistryUnavailable",
      { put: (request, send) => Effect.zipRight(send(request), says(() => answer(503))(request, send)) }
    ],
    [
      "was taken for something else",
      "Unsupported",
      {
        put: (request, send) =>
          Effect.zipRight(
            send(request),
            says(() => answer(201, { "docker-content-digest": Descriptor.empty.digest }))(request, send)
          )
      }
    ],
    ["cannot be deleted after all", "Denied", { del: says(() => refusal(403, "DENIED")) }],
    ["is not found", "Unsupported", { del: says(() => refusal(404, "MANIFEST_UNKNOWN")) }]
  ]
  for (const [name, tag, ways] of failures) {
    it.effect(`D3 the tag names what it did before when the manifest ${name}`, () =>
      Effect.gen(function* () {
        const { run, state } = yield* given(ways)
        yield* run(failing(tag, remove))
        assert.deepStrictEqual(yield* state, untouched)
      })
    )
  }

  it.effect("D3 says what the tag names when it could not be put back", () =>
    Effect.gen(function* () {
      const registry = yield* RegistryServer.make({ seed: { "org/app:1.2": {} } })
      let puts = 0
      const run = yield* client(registry, (request, send) => {
        if (request.method === "DELETE") {
          return request.url.includes("sha256:") && puts === 0
            ? send(request)
            : says(() => refusal(405, "UNSUPPORTED"))(request, send)
        }
        if (request.method !== "PUT" || !request.url.endsWith("/manifests/1.2")) return send(request)
        return puts++ === 0 ? send(request) : says(() => refusal(403, "DENIED"))(request, send)
      })
      const { descriptor } = yield* run(Manifests.get(tagged))
      const error = yield* run(failing("UnexpectedResponse", remove))
      const { digest } = yield* run(Manifests.head(tagged))
      assert.include(error.message, `the tag now names ${digest}`)
      assert.include(error.message, `${descriptor.digest} could not be put back`)
    })
  )

  it.effect("D3 is not interrupted while the tag names the manifest", () =>
    Effect.gen(function* () {
      const [reached, going] = [Effect.unsafeMakeLatch(), Effect.unsafeMakeLatch()]
      const { run, state } = yield* given({
        del: (request, send) => reached.open.pipe(Effect.zipRight(going.await), Effect.zipRight(send(request)))
      })
      const removing = yield* Effect.fork(run(remove))
      yield* reached.await
      const interrupting = yield* Effect.fork(Fiber.interrupt(removing))
      for (let at = 0; at < 100; at++) yield* Effect.yieldNow()
      assert.isNull(removing.unsafePoll())
      yield* going.open
      yield* Fiber.join(interrupting)
      assert.deepStrictEqual(yield* state, ["nothing", "the image", "the image"])
    })
  )

  it.effect("D3 D7 there is nothing to delete", () =>
    Effect.gen(function* () {
      const { run } = yield* given()
      yield* run(failing("ManifestUnknown", Tags.delete(repository, "none", { fallback: "dummy" })))
    })
  )
})
