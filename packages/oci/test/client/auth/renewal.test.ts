import { assert, describe, it } from "@effect/vitest"
import * as Script from "@effect-oci/registry/Script"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Manifests from "effect-oci/Manifests"
import * as Tags from "effect-oci/Tags"
import * as Uploads from "effect-oci/Uploads"
import { bytes, digest, reference, repository } from "../support.js"
import {
  asks,
  bearer,
  carries,
  grants,
  list,
  listed,
  me,
  mine,
  playing,
  pull,
  service,
  signsIn,
  tagsPath,
  tokenFor
} from "./support.js"

const same = Script.on("https://registry.test")

const push = "repository:org/app:pull,push"

const uploads = "/v2/org/app/blobs/uploads/"

const asked = (token: string, scope = push) => service.expect("GET", tokenFor(scope)).answer(200, grants(token))

const begins = [
  same.expect("POST", uploads, carries(undefined)).answer(401, asks(bearer(push))),
  asked("T"),
  same.expect("POST", uploads, carries("Bearer T")).answer(202, { headers: { location: `${uploads}1?_state=a%20b` } })
]

const at = `${uploads}1?_state=a%20b`

const finishing = (token: string) =>
  same.expect("PUT", `${at}&digest=${encodeURIComponent(digest)}`, carries(`Bearer ${token}`))

/** Two bytes, and how often they were asked for. */
const drawn = () => {
  let runs = 0
  const stream = Stream.suspend(() => {
    runs++
    return Stream.make(bytes("{"), bytes("}"))
  })
  return { source: { size: 2, stream }, runs: () => runs }
}

describe("RegistryAuth, renewal", () => {
  it.effect("A42 a token is renewed shortly before its end, without a refusal", () =>
    Effect.gen(function* () {
      yield* list
      yield* TestClock.adjust("296 seconds")
      yield* list
    }).pipe(
      playing(...signsIn(), asked("T2", pull), same.expect("GET", tagsPath, carries("Bearer T2")).answer(200, listed))
    )
  )

  it.effect("A42 A43 a token that runs out before the end of an upload: the same place gets the same bytes", () =>
    Effect.gen(function* () {
      const begun = yield* Uploads.start(repository)
      const sent = yield* Uploads.patch(begun, bytes("{}"))
      yield* TestClock.adjust("6 minutes")
      yield* Uploads.finish(sent, digest)
    }).pipe(
      playing(
        ...begins,
        same.expect("PATCH", at, carries("Bearer T")).answer(202, { headers: { range: "0-1" } }),
        asked("T2"),
        finishing("T2").answer(201)
      )
    )
  )

  it.effect("A42 A43 U63 a commit that is refused with 401 is repeated with a new token", () =>
    Effect.gen(function* () {
      const begun = yield* Uploads.start(repository)
      const sent = yield* Uploads.patch(begun, bytes("{}"))
      yield* TestClock.adjust("2 minutes")
      yield* Uploads.finish(sent, digest)
    }).pipe(
      playing(
        ...begins,
        same.expect("PATCH", at, carries("Bearer T")).answer(202, { headers: { range: "0-1" } }),
        finishing("T").answer(401, asks(bearer(push))),
        asked("T2"),
        finishing("T2").answer(201)
      )
    )
  )

  it.effect("A42 U63 a chunk that is refused with 401 is sent again, to the same place", () =>
    Effect.gen(function* () {
      const begun = yield* Uploads.start(repository)
      yield* TestClock.adjust("2 minutes")
      const { offset } = yield* Uploads.patch(begun, bytes("{}"))
      assert.strictEqual(offset, 2)
    }).pipe(
      playing(
        ...begins,
        same
          .expect("PATCH", at, { headers: { authorization: "Bearer T" }, body: "{}" })
          .answer(401, asks(bearer(push))),
        asked("T2"),
        same
          .expect("PATCH", at, { headers: { authorization: "Bearer T2" }, body: "{}" })
          .answer(202, { headers: { range: "0-1" } })
      )
    )
  )

  it.effect("A42 a manifest that is refused with 401 after its layers is put again", () =>
    Effect.gen(function* () {
      const image = yield* Manifests.get(reference)
      yield* TestClock.adjust("2 minutes")
      yield* Manifests.put(reference, image)
    }).pipe(
      playing(
        same.expect("GET", "/v2/org/app/manifests/1.2").answer(401, asks(bearer(pull))),
        asked("T", pull),
        same.expect("GET", "/v2/org/app/manifests/1.2", carries("Bearer T")).answer(200, {
          headers: { "content-type": "application/vnd.oci.image.index.v1+json" },
          body: JSON.stringify({
            schemaVersion: 2,
            mediaType: "application/vnd.oci.image.index.v1+json",
            manifests: []
          })
        }),
        asked("W"),
        same
          .expect("PUT", "/v2/org/app/manifests/1.2", carries("Bearer W"))
          .answer(401, asks(bearer(push, ',error="invalid_token"'))),
        asked("T2"),
        same.expect("PUT", "/v2/org/app/manifests/1.2", carries("Bearer T2")).answer(201)
      )
    )
  )

  it.effect("A42 a stream does not begin with a token that ends soon", () => {
    const { runs, source } = drawn()
    return Effect.gen(function* () {
      const begun = yield* Uploads.start(repository)
      yield* TestClock.adjust("4 minutes")
      yield* Uploads.patch(begun, source)
      assert.strictEqual(runs(), 1)
    }).pipe(
      playing(
        ...begins,
        asked("T2"),
        same
          .expect("PATCH", at, { headers: { authorization: "Bearer T2" }, body: "{}" })
          .answer(202, { headers: { range: "0-1" } })
      )
    )
  })

  it.effect("A42 a stream that is refused all the same is sent once more", () => {
    const { runs, source } = drawn()
    return Effect.gen(function* () {
      const begun = yield* Uploads.start(repository)
      yield* TestClock.adjust("2 minutes")
      yield* Uploads.patch(begun, source)
      assert.strictEqual(runs(), 2)
    }).pipe(
      playing(
        ...begins,
        same.expect("PATCH", at, carries("Bearer T")).answer(401, asks(bearer(push))),
        asked("T2"),
        same
          .expect("PATCH", at, { headers: { authorization: "Bearer T2" }, body: "{}" })
          .answer(202, { headers: { range: "0-1" } })
      )
    )
  })

  describe("E11 a stream is never what a registry asks about first", () => {
    const session: Uploads.UploadSession = {
      _tag: "UploadSession",
      repository,
      location: Redacted.make(`https://registry.test${at}`),
      offset: 0,
      minChunk: undefined
    }
    const patched = (authorization: string | undefined) =>
      same.expect("PATCH", at, { headers: { authorization }, body: "{}" }).answer(202, { headers: { range: "0-1" } })

    it.effect("E11 the root is asked in its place, and the stream drawn once", () => {
      const { runs, source } = drawn()
      return Effect.map(Uploads.patch(session, source), () => assert.strictEqual(runs(), 1)).pipe(
        Effect.provide(me),
        playing(
          same.expect("GET", "/v2/", carries(undefined)).answer(401, asks(bearer("repository:user/image:pull"))),
          service.expect("GET", tokenFor(push), carries(mine)).answer(200, grants()),
          patched("Bearer T")
        )
      )
    })

    it.effect("E11 with Basic too", () =>
      Uploads.patch(session, drawn().source).pipe(
        Effect.provide(me),
        playing(same.expect("GET", "/v2/").answer(401, asks('Basic realm="x"')), patched(mine))
      )
    )

    it.effect("E11 an open registry is asked once", () =>
      Effect.zipRight(Uploads.patch(session, drawn().source), Uploads.patch(session, drawn().source)).pipe(
        playing(same.expect("GET", "/v2/").answer(200), patched(undefined), patched(undefined))
      )
    )
  })

  it.effect("L23 a token that runs out between two pages: the page is asked for again", () =>
    Effect.gen(function* () {
      const tags = yield* Tags.stream(repository).pipe(
        Stream.tap(() => TestClock.adjust("2 minutes")),
        Stream.runCollect
      )
      assert.deepStrictEqual(Chunk.toReadonlyArray(tags), ["1", "2"])
    }).pipe(
      playing(
        same.expect("GET", tagsPath).answer(401, asks(bearer(pull))),
        asked("T", pull),
        same.expect("GET", tagsPath, carries("Bearer T")).answer(200, {
          json: { name: "org/app", tags: ["1"] },
          headers: { link: `<${tagsPath}?last=1>; rel="next"` }
        }),
        same.expect("GET", `${tagsPath}?last=1`, carries("Bearer T")).answer(401, asks(bearer(pull))),
        asked("T2", pull),
        same
          .expect("GET", `${tagsPath}?last=1`, carries("Bearer T2"))
          .answer(200, { json: { name: "org/app", tags: ["2"] } })
      )
    )
  )
})
