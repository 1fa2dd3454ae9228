import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Catalog from "effect-oci/Catalog"
import { play, refusal } from "../scripted.js"
import { answer, collect, failing, json, registry } from "./given.js"

const next = (target: string) => `<${target}>; rel="next"`

describe("Catalog", () => {
  const catalogLine = "GET https://registry.test/v2/_catalog"
  const repositories = (values: unknown, link?: string) =>
    answer(200, link === undefined ? {} : { link }, json({ repositories: values }))

  it.effect("L21 lists repositories, whatever their names", () =>
    play([[`${catalogLine}?n=2&last=a%2Fb`, repositories(["b", "UPPER", "../x"], next("?3"))]], () =>
      Effect.gen(function* () {
        const page = yield* Catalog.list(registry, { n: 2, last: "a/b" })
        assert.deepStrictEqual(page, { repositories: ["b", "UPPER", "../x"], hasNext: true })
      })
    )
  )

  it.effect("L21 streams them page by page", () =>
    play(
      [
        [catalogLine, repositories(["a"], next("/v2/_catalog?last=a"))],
        [`${catalogLine}?last=a`, repositories(null)]
      ],
      () => Effect.map(collect(Catalog.stream(registry)), (found) => assert.deepStrictEqual(found, ["a"]))
    )
  )

  it.effect("P45 refuses what is no list", () =>
    play([[catalogLine, answer(200, {}, "<html>")]], () => failing("UnexpectedResponse", Catalog.list(registry)))
  )

  const refused = [
    ["404 (ECR)", "Unsupported", () => answer(404)],
    ["405 (GHCR)", "Unsupported", () => answer(405)],
    ["UNSUPPORTED", "Unsupported", () => refusal(400, "UNSUPPORTED")],
    ["401 (Docker Hub)", "Unauthorized", () => refusal(401, "UNAUTHORIZED")],
    ["403 (GHCR)", "Denied", () => refusal(403, "DENIED")]
  ] as const
  for (const [name, tag, answered] of refused) {
    it.effect(`L21 ${name} is ${tag}`, () =>
      play([[catalogLine, answered()]], () => failing(tag, Catalog.list(registry)))
    )
  }
})
