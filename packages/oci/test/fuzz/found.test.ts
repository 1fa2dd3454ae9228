/** What the fuzzing found, as fixed cases. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Uploads from "effect-oci/Uploads"
import { answer, failing, repository, v2 } from "../endpoints/given.js"
import { play } from "../scripted.js"

describe("found by fuzzing", () => {
  // a URL may be written with one slash, none or backslashes, and is then still read as one with a user name
  const locations = [
    "http:/user:open-sesame@bad host/",
    "http:user:open-sesame@registry test/",
    "https:\\\\user:open-sesame@[/x"
  ]
  for (const location of locations) {
    it.effect(`names the location ${JSON.stringify(location)}, which is no URL, without its password`, () =>
      play([[`POST ${v2}/blobs/uploads/`, () => answer(202, { location })]], () =>
        Effect.gen(function* () {
          const error = yield* failing("UnsafeLocation", Uploads.start(repository))
          assert.strictEqual(error.reason, "it is not a URL")
          assert.notInclude(error.message, "open-sesame")
          assert.notInclude(error.target, "open-sesame")
        })
      )
    )
  }
})
