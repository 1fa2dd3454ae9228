import { assert, describe, it } from "@effect/vitest"
import * as Script from "@effect-oci/registry/Script"
import * as Effect from "effect/Effect"
import * as Blobs from "effect-oci/Blobs"
import { failing, repository, sha256 } from "../given.js"
import { absent, at, begun, bytesOf, cancelled, chunked, MiB, playing, source, within } from "./given.js"

const { all, bytes, chunk, digest, has, patch, path, size, whole } = chunked
const ended = (id: number) => chunked.end(id).answer(201)
const small = within({ chunk: { max: MiB } })

/** A stream of which nothing is known; it starts anew, or does not. */
const push = (once = false) => Blobs.push(repository, source(bytes, { once, from: undefined }).source).pipe(small)

const stands = (id: number, to: number, next = id) => Script.expect("GET", at(id)).answer(...has(next, to, 204))
const refusedChunk = Script.refusal(
  "SOMETHING",
  "the request body is too large and exceeds the maximum permissible limit of 4.00MiB"
)

describe("Blobs.push goes on in chunks", () => {
  it.effect("U32: after a part of a chunk, from what is held of a source that is read once", () =>
    push(true).pipe(
      playing(
        begun(1),
        chunk(1, 0, MiB).answer(...has(2, MiB / 2)),
        patch(2, MiB / 2, 1.5 * MiB),
        patch(3, 1.5 * MiB, 2.5 * MiB),
        patch(4, 2.5 * MiB, 3.5 * MiB),
        patch(5, 3.5 * MiB, size),
        ended(6)
      )
    )
  )

  it.effect("U32: a registry that takes nothing of any chunk is given up", () =>
    failing("UnexpectedResponse", push()).pipe(
      playing(
        begun(1),
        patch(1, 0, MiB),
        chunk(2, MiB, 2 * MiB)
          .answer(...has(2, MiB))
          .times(5),
        cancelled(2)
      )
    )
  )

  it.effect("U33 DS30: after 416, from where the session stands", () =>
    push(true).pipe(
      playing(
        begun(1),
        patch(1, 0, MiB),
        chunk(2, MiB, 2 * MiB).answer(416, { headers: { range: "0-1" } }),
        stands(2, MiB, 2),
        ...all.slice(1),
        ended(6)
      )
    )
  )

  it.effect("U33: four times in a row", () =>
    failing("RangeNotSatisfiable", push(true)).pipe(
      playing(
        begun(1),
        ...[0, 1, 2, 3].flatMap(() => [chunk(1, 0, MiB).answer(416), Script.expect("GET", at(1)).answer(204)]),
        chunk(1, 0, MiB).answer(416),
        cancelled(1)
      )
    )
  )

  for (const [name, broken] of [
    ["a cut", chunk(2, MiB, 2 * MiB).answer(Script.cut)],
    ["503", chunk(2, MiB, 2 * MiB).answer(503)],
    ["429", chunk(2, MiB, 2 * MiB).answer(429)],
    ["silence", chunk(2, MiB, 2 * MiB).answer(Script.stall)]
  ] as const) {
    it.effect(`after ${name}, with what is not there yet`, () =>
      push(true).pipe(
        playing(
          begun(1),
          patch(1, 0, MiB),
          broken,
          stands(2, 1.5 * MiB, 3),
          patch(3, 1.5 * MiB, 2.5 * MiB),
          patch(4, 2.5 * MiB, 3.5 * MiB),
          patch(5, 3.5 * MiB, size),
          ended(6)
        )
      )
    )
  }

  it.effect("U25 U34: where the session is gone, with another and from the beginning", () =>
    Effect.gen(function* () {
      const { opened, source: given } = source(bytes)
      const pushed = yield* Blobs.push(repository, given).pipe(small)
      assert.strictEqual(pushed.digest, digest)
      assert.deepStrictEqual(opened, [0, 0])
    }).pipe(
      playing(
        begun(8),
        chunk(8, 0, MiB).answer(...has(9, MiB)),
        chunk(9, MiB, 2 * MiB).answer(404, Script.refusal("BLOB_UPLOAD_UNKNOWN")),
        Script.expect("DELETE", at(9)).answer(404),
        begun(1),
        ...all,
        ended(6)
      )
    )
  )

  it.effect("U67: but not when the source is gone too", () =>
    failing("SourceNotReplayable", push(true)).pipe(
      playing(
        begun(8),
        chunk(8, 0, MiB).answer(...has(9, MiB)),
        chunk(9, MiB, 2 * MiB).answer(404, Script.refusal("BLOB_UPLOAD_UNKNOWN")),
        Script.expect("DELETE", at(9)).answer(404),
        begun(1),
        cancelled(1)
      )
    )
  )

  it.effect("an upload that went wrong unseen begins anew", () =>
    push().pipe(
      playing(
        begun(8),
        chunk(8, 0, MiB).answer(Script.cut),
        stands(8, MiB),
        chunk(8, MiB, 2 * MiB).answer(...has(8, 2 * MiB)),
        chunk(8, 2 * MiB, 3 * MiB).answer(...has(8, 3 * MiB)),
        chunk(8, 3 * MiB, 4 * MiB).answer(...has(8, 4 * MiB)),
        chunk(8, 4 * MiB, size).answer(...has(8, size)),
        chunked.end(8).answer(400, Script.refusal("DIGEST_INVALID")),
        absent(path),
        cancelled(8),
        begun(1),
        ...all,
        ended(6)
      )
    )
  )
})

describe("Blobs.push goes over to another way", () => {
  const known = source(bytes, { digest, size }).source

  it.effect("U30: to smaller chunks, as GHCR wants them, and sends the same place again", () =>
    Effect.gen(function* () {
      const large = bytesOf(17 * MiB)
      const lengths: Array<number> = []
      const takes =
        (most: number) =>
        ({ body, headers }: Script.Received): Script.Answer => {
          lengths.push(body.length)
          if (body.length > most) return { status: 416, ...refusedChunk }
          const to = Number(headers["content-range"]?.split("-")[1])
          return { status: 202, headers: { location: at(1), range: `0-${to}` } }
        }
      yield* Blobs.push(repository, source(large, { once: true }).source).pipe(
        playing(
          begun(1),
          Script.expect("PATCH", at(1))
            .answer(takes(4 * MiB))
            .times(6),
          Script.expect("PUT", `${at(1)}?digest=${encodeURIComponent(sha256(large))}`).answer(201)
        )
      )
      const modest = 4 * MiB - 64 * 1024
      assert.deepStrictEqual(lengths, [16 * MiB, modest, modest, modest, modest, 17 * MiB - 4 * modest])
    })
  )

  it.effect("U22: 413 to a whole blob is answered with chunks, and to those with smaller ones", () =>
    Blobs.push(repository, known).pipe(
      small,
      playing(
        absent(path),
        begun(8),
        whole(8).answer(413, { body: "<html>413 Request Entity Too Large</html>" }),
        cancelled(8),
        begun(1),
        chunk(1, 0, MiB).answer(413),
        ...Array.from({ length: 9 }, (_, n) => patch(n + 1, (n * MiB) / 2, ((n + 1) * MiB) / 2)),
        ended(10)
      )
    )
  )

  it.effect("U22: 413 to the smallest chunk is final", () =>
    failing("PayloadTooLarge", push()).pipe(
      playing(begun(1), ...[16, 8, 4, 2, 1].map((n) => chunk(1, 0, n * 64 * 1024).answer(413)), cancelled(1))
    )
  )

  it.effect("U11 U40: a registry that refuses a PUT with a body, or its coding, is sent chunks", () =>
    Effect.forEach([400, 405, 411, 501], (status) =>
      Blobs.push(repository, known).pipe(
        small,
        playing(absent(path), begun(8), whole(8).answer(status), cancelled(8), begun(1), ...all, ended(6))
      )
    )
  )

  for (const status of [400, 405, 415, 501]) {
    it.effect(
      `U31: a registry that refuses the first chunk with ${status} is sent the whole, and that is remembered`,
      () =>
        Effect.gen(function* () {
          const { opened, source: given } = source(bytes, { from: undefined })
          const pushed = yield* Blobs.push(repository, given)
          assert.strictEqual(pushed.digest, digest)
          assert.lengthOf(opened, 3)
          yield* Blobs.push(repository, given, { check: false })
          assert.lengthOf(opened, 5)
        }).pipe(
          small,
          playing(
            begun(8),
            chunk(8, 0, MiB).answer(status),
            cancelled(8),
            begun(1),
            whole(1).answer(201),
            begun(2),
            whole(2).answer(201)
          )
        )
    )
  }

  it.effect("U31: unless it can be read only once", () =>
    failing("UnexpectedResponse", push(true)).pipe(playing(begun(1), chunk(1, 0, MiB).answer(405), cancelled(1)))
  )

  it.effect("U31: and a registry that is known to take none is sent the whole even when it asks for chunks", () =>
    Blobs.push(repository, known).pipe(
      within({ capabilities: { chunks: false } }),
      playing(absent(path), begun(1, { "oci-chunk-max-length": String(MiB) }), whole(1).answer(201))
    )
  )

  it.effect("neither way: the last refusal is the error", () =>
    failing("UnexpectedResponse", Blobs.push(repository, known)).pipe(
      small,
      playing(
        absent(path),
        begun(8),
        whole(8).answer(405),
        cancelled(8),
        begun(1),
        chunk(1, 0, MiB).answer(405),
        cancelled(1)
      )
    )
  )
})
