/**
 * Very many calls at once, to a registry that signs in and breaks: every call ends as it should, a token is fetched once,
 * and no more sockets are open than are allowed.
 */
import { createServer } from "node:http"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as NodeHasher from "@effect-oci/node/NodeHasher"
import * as NodeHttp from "@effect-oci/node/NodeHttp"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Credentials from "effect-oci/Credentials"
import * as Manifests from "effect-oci/Manifests"
import * as Reference from "effect-oci/Reference"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as RegistryError from "effect-oci/RegistryError"
import * as RegistryObserver from "effect-oci/RegistryObserver"
import * as RegistryRetry from "effect-oci/RegistryRetry"

const calls = 10_000
const connections = 16
const names = ["org/a", "org/b", "org/c", "org/d"]

/** A server that counts the sockets that are open at a time. */
const counting = (sockets: { open: number; most: number }) => () =>
  createServer().on("connection", (socket) => {
    sockets.most = Math.max(sockets.most, ++sockets.open)
    socket.on("close", () => sockets.open--)
  })

const storm = (seed: number) =>
  Effect.gen(function* () {
    const sockets = { open: 0, most: 0 }
    const tokens = { asked: 0, given: 0 }
    const observer = RegistryObserver.layer({
      exchange: ({ operation, status }) =>
        Effect.sync(() => {
          if (operation.name !== "auth.token") return
          tokens.asked++
          if (status === 200) tokens.given++
        })
    })
    const server = RegistryServer.layerHttp({
      seed: Object.fromEntries(names.map((name) => [`${name}:1`, {}])),
      auth: { type: "token", users: { me: "s3cret" } },
      faults: {
        seed,
        // who is told by a token service that the password is wrong believes it
        rate: { "manifests.head": 0.05, "manifests.get": 0.05 },
        kinds: [401, 429, "reset"],
        retryAfter: 0
      }
    }).pipe(
      Layer.provideMerge(NodeHttpServer.layer(counting(sockets), { port: 0, host: "127.0.0.1" })),
      Layer.provide(NodeHasher.layer)
    )
    const program = Effect.gen(function* () {
      const { address } = yield* HttpServer.HttpServer
      const host = address._tag === "TcpAddress" ? `127.0.0.1:${address.port}` : ""
      const client = RegistryClient.layer.pipe(
        Layer.provide([
          Credentials.basic(host, "me", "s3cret"),
          NodeHttp.layerWith({ connections }),
          RegistryRetry.layer({ base: "5 millis", cap: "100 millis" }),
          observer
        ])
      )
      const references = names.map((name) => Either.getOrThrow(Reference.parse(`${host}/${name}:1`)))
      const call = (at: number) => {
        const reference = references[at % references.length] ?? references[0]
        assert(reference !== undefined)
        return Effect.exit(at % 2 === 0 ? Manifests.head(reference) : Effect.asVoid(Manifests.get(reference)))
      }
      const exits = yield* Effect.provide(
        Effect.forEach(
          Array.from({ length: calls }, (_, at) => at),
          call,
          { concurrency: "unbounded" }
        ),
        client
      )
      const { injected } = (yield* RegistryServer.RegistryServer).faults
      return { exits, injected: yield* injected }
    })
    const { exits, injected } = yield* Effect.provide(program, server)
    return { exits, injected, sockets, tokens }
  })

describe("10,000 calls at once to a registry that signs in, throttles and breaks", () => {
  for (const seed of [1, 2]) {
    it.live(
      `seed ${seed}: each is answered or fails as it may, a token is fetched once for a repository, sockets stay bounded`,
      () =>
        Effect.gen(function* () {
          const { exits, injected, sockets, tokens } = yield* storm(seed)
          assert.strictEqual(exits.length, calls)
          const failures = exits.flatMap((exit) => (Exit.isFailure(exit) ? [exit.cause] : []))
          for (const cause of failures) {
            assert.isTrue(Cause.isFailType(cause) && RegistryError.isRegistryError(cause.error), Cause.pretty(cause))
          }
          // of a call's five tries one in twenty breaks: hardly a call has them all broken
          assert.isBelow(failures.length, calls / 100)
          for (const kind of [401, 429, "reset"] as const) assert.isAbove(injected[kind] ?? 0, calls / 200)
          assert.strictEqual(tokens.given, names.length)
          assert.isAtMost(sockets.most, connections)
        }),
      120_000
    )
  }
})
