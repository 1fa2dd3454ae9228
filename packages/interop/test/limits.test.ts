import { assert } from "@effect/vitest"
import * as NodeRegistry from "@effect-oci/node/NodeRegistry"
import * as Arr from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Manifests from "effect-oci/Manifests"
import * as Reference from "effect-oci/Reference"
import * as RegistryRetry from "effect-oci/RegistryRetry"
import * as Accounts from "../src/Accounts.js"
import * as Nginx from "../src/Nginx.js"
import * as Server from "../src/Server.js"
import { repository } from "./given.js"
import * as Images from "./images.js"
import { as, roundTrip, setUp } from "./setup.js"

class Front extends Context.Tag("test/Front")<Front, Nginx.Nginx>() {}

/** ggcr's registry behind nginx, which wants a password and takes so many requests a second. */
const limited = (perSecond: number) => {
  const front = Layer.scoped(
    Front,
    Effect.gen(function* () {
      const registry = yield* Server.Host
      return yield* Nginx.make(
        `
    auth_basic "tests";
    auth_basic_user_file ${yield* Accounts.htpasswd};
    limit_req zone=all burst=20 nodelay;
    limit_req_status 429;
    error_page 429 @later;
    location / { ${Nginx.to(registry)} }
    location @later { add_header Retry-After 1 always; return 429; }`,
        `limit_req_zone $server_port zone=all:1m rate=${perSecond}r/s;`
      )
    })
  ).pipe(Layer.provide(Server.ggcr.layer))
  return Layer.provideMerge(
    Layer.effect(
      Server.Host,
      Effect.map(Front, ({ host }) => host)
    ),
    front
  )
}

setUp("ggcr behind nginx with a password and `limit_req`", limited(20), (it) => {
  it.scoped("our client signs in, pushes and pulls", () =>
    roundTrip.pipe(Effect.provide([NodeRegistry.layer, as(Accounts.me)]))
  )

  it.scoped("80 calls at once are all answered, though many are first turned away (429, `Retry-After`)", () =>
    Effect.gen(function* () {
      const [image, target] = [yield* Images.single(), yield* repository]
      yield* Images.push(target, "1", image)
      const front = yield* Front
      const before = (yield* front.log).length
      const head = Manifests.head(Reference.make(target, { tag: "1" }))
      const answers = yield* Effect.all(Arr.replicate(head, 80), { concurrency: "unbounded" })
      assert.strictEqual(answers.length, 80)
      const statuses = (yield* front.log).slice(before).map((line) => line.split(" ")[2])
      assert.strictEqual(statuses.filter((status) => status === "200").length, 80)
      assert.isAtLeast(statuses.filter((status) => status === "429").length, 1)
    }).pipe(Effect.provide([NodeRegistry.layer, as(Accounts.me)]))
  )

  it.scoped("without retries they are `TooManyRequests`, with the time to wait", () =>
    Effect.gen(function* () {
      const reference = Reference.make(yield* repository, { tag: "1" })
      const answers = yield* Effect.all(Arr.replicate(Effect.flip(Manifests.head(reference)), 80), {
        concurrency: "unbounded"
      })
      const refused = answers.flatMap((error) => (error._tag === "TooManyRequests" ? [error.retryAfter] : []))
      assert.isNotEmpty(refused)
      for (const wait of refused) assert.strictEqual(wait, 1)
    }).pipe(Effect.provide([NodeRegistry.layer, as(Accounts.me), RegistryRetry.layerNone]))
  )
})
