import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import type { RateLimit } from "effect-oci/RegistryError"
import * as RegistryObserver from "effect-oci/RegistryObserver"
import * as Tags from "effect-oci/Tags"
import { play, refusal } from "../scripted.js"
import { repository, tagsUrl } from "./support.js"

const now = Date.UTC(2025, 4, 10, 20, 32, 0)

/** Only what is said. */
const said = (limit: RateLimit | undefined) =>
  limit === undefined ? undefined : Object.fromEntries(Object.entries(limit).filter(([, value]) => value !== undefined))

const forms: ReadonlyArray<readonly [what: string, headers: Record<string, string>, limit: RateLimit | undefined]> = [
  [
    "Docker Hub's",
    { "ratelimit-limit": "100;w=21600", "ratelimit-remaining": "0;w=21600", "docker-ratelimit-source": "192.0.2.1" },
    { limit: 100, remaining: 0, window: 21_600 }
  ],
  [
    "three headers",
    { "ratelimit-limit": "60", "ratelimit-remaining": "59", "ratelimit-reset": "30" },
    { limit: 60, remaining: 59, reset: 30 }
  ],
  [
    "GitHub's, which ends at a second of the epoch",
    { "x-ratelimit-limit": "60", "x-ratelimit-remaining": "7", "x-ratelimit-reset": String(now / 1000 + 90) },
    { limit: 60, remaining: 7, reset: 90 }
  ],
  [
    "one that ended before it was told",
    { "x-ratelimit-remaining": "7", "x-ratelimit-reset": String(now / 1000 - 90) },
    { remaining: 7, reset: 0 }
  ],
  ["one header", { ratelimit: "limit=100, remaining=50, reset=5" }, { limit: 100, remaining: 50, reset: 5 }],
  [
    "one header and its policy",
    { ratelimit: '"default";r=50;t=30', "ratelimit-policy": '"default";q=100;w=60' },
    { limit: 100, remaining: 50, reset: 30, window: 60 }
  ],
  [
    "several windows, of which the first counts",
    { "ratelimit-limit": "10, 10;w=1, 50;w=60", "ratelimit-remaining": "4" },
    { limit: 10, remaining: 4, window: 1 }
  ],
  ["no more than what is left", { "ratelimit-remaining": "4" }, { remaining: 4 }],
  ["nothing of what is left", { "ratelimit-limit": "100" }, undefined],
  ["a word", { "ratelimit-remaining": "plenty" }, undefined],
  ["less than nothing", { "ratelimit-remaining": "-1" }, undefined],
  ["a part of one", { "ratelimit-remaining": "1.5" }, undefined],
  ["a number without end", { "ratelimit-remaining": "1".repeat(4000) }, undefined],
  ["nothing", {}, undefined]
]

describe("rate limits", () => {
  for (const [what, headers, limit] of forms) {
    it.effect(`P42 of a success are shown to observers: ${what}`, () => {
      const seen: Array<RateLimit | undefined> = []
      const observer = RegistryObserver.layer({ exchange: ({ rateLimit }) => Effect.sync(() => seen.push(rateLimit)) })
      return play([[`GET ${tagsUrl}`, Response.json({ tags: [] }, { headers })]], () =>
        Effect.gen(function* () {
          yield* TestClock.setTime(now)
          yield* Tags.list(repository)
          assert.deepStrictEqual(seen.map(said), [limit])
        })
      ).pipe(Effect.provide(observer))
    })

    it.effect(`T1 are in the error: ${what}`, () =>
      play([[`GET ${tagsUrl}`, refusal(429, "TOOMANYREQUESTS", "", headers)]], () =>
        Effect.gen(function* () {
          yield* TestClock.setTime(now)
          const error = yield* Effect.flip(Tags.list(repository))
          assert(error._tag === "TooManyRequests")
          assert.deepStrictEqual(said(error.rateLimit), limit)
        })
      )
    )
  }
})
