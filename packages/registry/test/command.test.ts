import { fileURLToPath } from "node:url"
import * as Command from "@effect/platform/Command"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Catalog from "effect-oci/Catalog"
import * as Credentials from "effect-oci/Credentials"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as RegistryName from "effect-oci/RegistryName"
import { send } from "./support.js"

/** What `pnpm registry` runs. */
const command = (...args: ReadonlyArray<string>) => {
  const main = fileURLToPath(new URL("../src/node/main.ts", import.meta.url))
  return Command.make(process.execPath, "--import", "tsx", main, ...args)
}

/** Starts it on a free port, until the scope ends: where it is, and what it says. */
const started = (...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const registry = yield* Command.start(command("--port", "0", ...args))
    const listening = yield* Deferred.make<string>()
    const lines: Array<string> = []
    yield* registry.stdout.pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.runForEach((line) => {
        lines.push(line)
        const host = /oras push --plain-http (127\.0\.0\.1:\d+)/.exec(line)?.[1]
        return host === undefined ? Effect.void : Deferred.succeed(listening, host)
      }),
      Effect.forkScoped
    )
    return { host: yield* Deferred.await(listening), lines }
  })

/** Runs it to its end: how that was, and what it said of it. */
const ended = (...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { exitCode, stderr } = yield* Command.start(command(...args))
    const said = Stream.mkString(Stream.decodeText(stderr))
    const [code, text] = yield* Effect.zip(exitCode, said, { concurrent: true })
    return { code, text }
  })

/** Asks for what is there, and says how that went. */
const asking = (host: string, credentials?: readonly [user: string, password: string]) =>
  Effect.flatMap(RegistryName.parse(host), (registry) => Catalog.list(registry)).pipe(
    Effect.match({ onFailure: ({ _tag }) => _tag, onSuccess: ({ repositories }) => repositories }),
    Effect.provide(credentials === undefined ? Layer.empty : Credentials.basic(host, ...credentials)),
    Effect.provide(Layer.provide(RegistryClient.layer, FetchHttpClient.layer))
  )

describe("pnpm registry", () => {
  it.scopedLive("breaks the requests of its seed, and gives tokens to its users", () =>
    Effect.gen(function* () {
      const users = ["--user", "me:hunter2", "--user", "you:a:b"]
      const { host, lines } = yield* started("--auth", "token", ...users, "--faults", "1128")
      const ping = send("GET", "/v2/", { origin: `http://${host}` }).pipe(
        Effect.match({ onFailure: ({ reason }) => reason, onSuccess: ({ status }) => status })
      )
      assert.deepStrictEqual(yield* Effect.replicateEffect(ping, 4), [504, 401, 401, "Transport"])
      // from here on the seed has nothing for a while
      assert.strictEqual(yield* asking(host), "Unauthorized")
      assert.strictEqual(yield* asking(host, ["me", "a:b"]), "Unauthorized")
      assert.deepStrictEqual(yield* asking(host, ["me", "hunter2"]), [])
      assert.deepStrictEqual(yield* asking(host, ["you", "a:b"]), [])
      assert.include(lines, `  crane auth login -u me -p hunter2 ${host}`)
    }).pipe(Effect.provide([NodeContext.layer, FetchHttpClient.layer]))
  )

  it.scopedLive("does not keep anything in a folder that is somebody else's", () =>
    Effect.gen(function* () {
      const folder = fileURLToPath(new URL(".", import.meta.url))
      const { code, text } = yield* ended("--dir", folder)
      const reason = "the folder is not empty, and not that of a registry"
      assert.deepStrictEqual([Number(code), text], [1, `cannot keep anything in ${folder}: ${reason}\n`])
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scopedLive("says what is wrong with a user, and not the password", () =>
    Effect.gen(function* () {
      const { code, text } = yield* ended("--auth", "basic", "--user", "hunter2")
      assert.deepStrictEqual([Number(code), text], [1, "--user must be a name and a password: me:secret\n"])
    }).pipe(Effect.provide(NodeContext.layer))
  )
})
