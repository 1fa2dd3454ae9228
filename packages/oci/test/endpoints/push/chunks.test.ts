import { assert, describe, it } from "@effect/vitest"
import * as Script from "@effect-oci/registry/Script"
import * as Effect from "effect/Effect"
import * as MutableRef from "effect/MutableRef"
import * as Stream from "effect/Stream"
import * as Blobs from "effect-oci/Blobs"
import type * as RegistryHosts from "effect-oci/RegistryHosts"
import { failing, repository, sha256 } from "../given.js"
import { absent, at, begun, bytesOf, cancelled, chunked, end, MiB, playing, source, within } from "./given.js"

const { all, bytes, chunk, digest, has, patch, path, size, whole } = chunked
const ended = (id: number) => chunked.end(id).answer(201)
const small = within({ chunk: { max: MiB } })

/** A stream of which nothing is known; it starts anew, or does not. */
const unknown = (once = false) => source(bytes, { once, from: undefined })
const push = (once = false) => Blobs.push(repository, unknown(once).source).pipe(small)

describe("Blobs.push in chunks", () => {
  for (const once of [false, true]) {
    it.effect(
      `U26 U35 U37 U38 U39: a stream of unknown size that is read ${once ? "once" : "again"}, hashed as it goes`,
      () =>
        Effect.gen(function* () {
          const { opened, source: given } = unknown(once)
          const progress = MutableRef.make(0)
          const pushed = yield* Blobs.push(repository, given, { progress }).pipe(small)
          assert.deepStrictEqual(pushed, { mediaType: "application/octet-stream", digest, size })
          assert.strictEqual(progress.current, size)
          assert.deepStrictEqual(opened, [0])
        }).pipe(playing(begun(1), ...all, ended(6)))
    )
  }

  it.effect("U39: one whose digest is known is asked for first", () =>
    Blobs.push(repository, source(bytes, { digest }).source).pipe(
      small,
      playing(absent(path), begun(1), ...all, ended(6))
    )
  )

  it.effect("verifies what can be read once before its end is sent", () =>
    Effect.gen(function* () {
      const given = source(bytes, { digest: sha256("other"), size, once: true }).source
      const error = yield* failing("DigestMismatch", Blobs.push(repository, given, { verify: true }).pipe(small))
      assert.deepStrictEqual([error.expected, error.actual], [sha256("other"), digest])
    }).pipe(playing(begun(1), ...all, cancelled(6)))
  )

  it.effect("U19: a source that is shorter than it says is not ended", () =>
    failing(
      "SizeMismatch",
      Blobs.push(repository, source(bytes, { size: size + 1, once: true }).source).pipe(small)
    ).pipe(playing(begun(1), ...all.slice(0, 4), cancelled(5)))
  )

  it.effect("a source that fails leaves no upload behind", () =>
    Effect.gen(function* () {
      const stream = Stream.concat(source(bytes).source.stream, Stream.fail("the disk is gone" as const))
      assert.strictEqual(yield* Effect.flip(Blobs.push(repository, { stream }).pipe(small)), "the disk is gone")
    }).pipe(playing(begun(1), ...all.slice(0, 4), cancelled(5)))
  )

  for (const status of [200, 201, 202, 204]) {
    it.effect(`U27: goes on after ${status}`, () =>
      push().pipe(playing(begun(1), chunk(1, 0, MiB).answer(...has(2, MiB, status)), ...all.slice(1), ended(6)))
    )
  }

  it.effect("U27: a refused end is looked after: the registry may have accepted before (ECR)", () =>
    push().pipe(
      playing(
        begun(1),
        ...all,
        Script.expect("PUT", end(6, digest)).answer(400, Script.refusal("SOMETHING")),
        Script.expect("HEAD", path).answer(200, { headers: { "content-length": String(size) } })
      )
    )
  )

  it.effect("U27: a refused end of what is not there is the registry's error", () =>
    failing("UnexpectedResponse", push()).pipe(
      playing(begun(1), ...all, Script.expect("PUT", end(6, digest)).answer(400), absent(path), cancelled(6))
    )
  )

  it.effect("the end is sent again after an outage, and not the chunks", () =>
    push(true).pipe(
      playing(
        begun(1),
        ...all,
        Script.expect("PUT", end(6, digest)).answer(503),
        absent(path),
        Script.expect("GET", at(6)).answer(...has(6, size, 204)),
        ended(6)
      )
    )
  )
})

describe("Blobs.push chooses the length of chunks", () => {
  const first = (
    headers: Record<string, string>,
    settings: Omit<RegistryHosts.Settings, "mirrors" | "location"> = {}
  ) =>
    Effect.suspend(() => {
      const large = bytesOf(17 * MiB)
      let length = 0
      const refused = Script.expect("PATCH", at(1)).answer(({ body }) => {
        length = body.length
        return { status: 403 }
      })
      return failing(
        "Denied",
        Blobs.push(repository, source(large, { once: true, size: large.length }).source).pipe(within(settings))
      ).pipe(
        playing(begun(1, headers), refused, cancelled(1)),
        Effect.map(() => length)
      )
    })

  const cases: ReadonlyArray<
    readonly [
      what: string,
      length: number,
      headers: Record<string, string>,
      settings?: Omit<RegistryHosts.Settings, "mirrors" | "location">
    ]
  > = [
    ["U29: 16 MiB of themselves, more than any storage wants of a part", 16 * MiB, {}],
    ["U13 DS25: as many as the registry wants at least", 16.5 * MiB, { "oci-chunk-min-length": String(16.5 * MiB) }],
    ["U13: no less than they would be where the registry wants less", 16 * MiB, { "oci-chunk-min-length": "1048576" }],
    ["U13 S27: what is no length says nothing", 16 * MiB, { "oci-chunk-min-length": "-5" }],
    ["U14: at most as many as the registry takes", 2 * MiB, { "oci-chunk-max-length": String(2 * MiB) }],
    ["U14 S27: no request for each byte", 64 * 1024, { "oci-chunk-max-length": "1" }],
    [
      "the settings come before the registry",
      3 * MiB,
      { "oci-chunk-min-length": String(8 * MiB) },
      { chunk: { max: 3 * MiB } }
    ],
    ["… and before its other wish", MiB, { "oci-chunk-max-length": String(MiB / 2) }, { chunk: { min: MiB } }]
  ]
  for (const [what, length, headers, settings] of cases) {
    it.effect(what, () => Effect.map(first(headers, settings), (found) => assert.strictEqual(found, length)))
  }

  it.effect("U14: a blob that is longer than the registry takes at once goes in chunks", () =>
    Blobs.push(repository, source(bytes, { digest, size }).source).pipe(
      playing(
        absent(path),
        begun(1, { "oci-chunk-max-length": String(3 * MiB) }),
        patch(1, 0, 3 * MiB),
        patch(2, 3 * MiB, size),
        ended(3)
      )
    )
  )

  it.effect("U13 S27: a least length beyond the settings means the whole", () =>
    Blobs.push(repository, source(bytes, { digest, size }).source).pipe(
      within({ chunk: { max: MiB } }),
      playing(
        absent(path),
        begun(1, { "oci-chunk-min-length": String(8 * MiB), "oci-chunk-max-length": String(2 * MiB) }),
        whole(1).answer(201)
      )
    )
  )
})
