import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Repository from "effect-oci/Repository"
import * as Tags from "effect-oci/Tags"
import { play, refusal } from "../scripted.js"
const repository = Either.getOrThrow(Repository.parse("registry.test/org/app"))
describe("x", () => {
  it.effect("a", () => play([["GET https://registry.test/v2/org/app/tags/list", () => refusal(401, "UNAUTHORIZED")]], (sent) => Effect.gen(function*(){
    const e = yield* Effect.flip(Tags.list(repository))
    console.log(e.message, sent)
    assert.strictEqual(e._tag, "Unauthorized")
  })))
})
