import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Page from "../demo/page.js"
import * as Story from "../demo/story.js"
import { printed } from "./support.js"

/** Each pattern is that of a line, and of one behind the line of the pattern before. */
const assertStory = (lines: ReadonlyArray<string>, patterns: ReadonlyArray<RegExp>) => {
  let at = 0
  for (const pattern of patterns) {
    const found = lines.findIndex((line, index) => index >= at && pattern.test(line))
    assert.notStrictEqual(found, -1, `${pattern} in:\n${lines.slice(at).join("\n")}`)
    at = found + 1
  }
}

describe("pnpm demo", () => {
  it.effect("tells the whole story", () =>
    Effect.gen(function* () {
      const { err, out } = yield* printed(Story.run([]))
      assertStory(out, [
        /^build {6}\d+ files of packages\/oci\/src, \d+\.\d kB as a tar$/,
        /^push {7}layer {3}sha256:… {2}\d+\.\d kB, gzipped on its way, in chunks$/,
        /^ {11}image {3}sha256:… {2}\d+ B, linux\/amd64$/,
        /^ {11}image {3}sha256:… {2}\d+ B, linux\/arm64$/,
        /^ {11}index {3}sha256:… {2}tagged 0\.1\.0 and latest$/,
        /^tags {7}0\.1\.0, latest$/,
        /^catalog {4}demo\/effect-oci$/,
        /^resolve {4}linux\/arm64 is sha256:…$/,
        /^resolve {4}PlatformUnknown: no image for plan9\/386\. There is linux\/amd64, linux\/arm64$/,
        /^attach {5}sha256:… {2}the list of its files, which refers to 0\.1\.0$/,
        /^referrers {2}sha256:… {2}application\/vnd\.effect-oci\.demo\.files\+json, \d+ B$/,
        /^pull {7}config {2}sha256:… {2}for linux\/amd64$/,
        /^ {11}layer {3}sha256:… {2}\d+\.\d kB, verified as it came$/,
        /^ {11}✓ unpacked it is sha256:…, as the config says$/,
        /^missing {4}ManifestUnknown: registry\.test\/demo\/effect-oci:no-such-tag: no such manifest/,
        /^cancel {5}an upload that stands at \d+\.\d kB of \d+\.\d kB$/,
        /^ {11}✓ nothing is left of it: BlobUploadUnknown$/,
        /^\d+ requests in 0\.0 s$/
      ])
      assert.deepStrictEqual(err, [])
    })
  )

  it.effect("is plain where it is not on a terminal, in lines of at most 90 columns", () =>
    Effect.gen(function* () {
      const { out } = yield* printed(Story.run([]))
      assert.notInclude(out.join("\n"), "\u001b")
      assert.deepStrictEqual(
        out.filter((line) => line.length > 90),
        []
      )
    })
  )

  it.effect("has colours and a line that moves on a terminal", () =>
    Effect.gen(function* () {
      const moves: Array<string> = []
      const { out } = yield* printed(Story.run([])).pipe(
        Effect.provideService(Page.Page, {
          isTerminal: true,
          overwrite: (line) => Effect.sync(() => void moves.push(line))
        })
      )
      assert.include(out.join("\n"), "\u001b[36mbuild\u001b[39m")
      assert.isTrue(moves.some((line) => /━.* \d+\.\d kB$/.test(line)))
    })
  )

  for (const [bytes, text] of [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [48_123, "48.1 kB"],
    [1_250_000_000, "1.3 GB"],
    [5e12, "5000.0 GB"]
  ] as const) {
    it(`calls ${bytes} bytes ${text}`, () => {
      assert.strictEqual(Page.size(bytes), text)
    })
  }
})
