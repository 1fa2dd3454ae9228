import { inspect } from "node:util"
import * as CommandExecutor from "@effect/platform/CommandExecutor"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as CredentialHelper from "effect-oci/CredentialHelper"
import * as Credentials from "effect-oci/Credentials"
import * as Files from "./credentialFiles.js"

/** A helper of a home of its own, whose program is this script. */
const helped = <A, E>(
  script: string,
  use: (helper: CredentialHelper.CredentialHelper, home: Files.Home) => Effect.Effect<A, E>,
  variables: Readonly<Record<string, string>> = {}
) =>
  Effect.gen(function* () {
    const home = yield* Files.make({ "bin/docker-credential-test": `#!/bin/sh\n${script}\n` })
    const path = (variables.PATH ?? "~/bin").replaceAll("~", home.folder)
    const helper = yield* Effect.provide(CredentialHelper.make("test"), [
      NodeContext.layer,
      Files.environment({ PATH: path })
    ])
    return yield* use(helper, home)
  })

const get = (script: string, server = "registry.test") =>
  helped(script, (helper) => Effect.map(helper.get(server), Files.shown))

const basic: Credentials.Basic = { _tag: "Basic", username: "me", password: Redacted.make("s3cret") }

describe("CredentialHelper", () => {
  it.scoped("A63 says the server on one line, and reads who and what", () =>
    Effect.gen(function* () {
      const script = `echo "$1" > "$0.verb"; cat > "$0.input"; echo '{"ServerURL":"x","Username":"me","Secret":"s3cret"}'`
      yield* helped(script, (helper, home) =>
        Effect.gen(function* () {
          assert.strictEqual(Files.shown(yield* helper.get("https://index.docker.io/v1/")), "me:s3cret")
          assert.strictEqual(home.read("bin/docker-credential-test.verb"), "get\n")
          assert.strictEqual(home.read("bin/docker-credential-test.input"), "https://index.docker.io/v1/\n")
        })
      )
    })
  )

  const answers: ReadonlyArray<readonly [what: string, script: string, credential: string]> = [
    [
      "an identity token from the user <token>",
      `echo '{"ServerURL":"x","Username":"<token>","Secret":"ey.i"}'`,
      "identity ey.i"
    ],
    ["a user without a name", `echo '{"ServerURL":"x","Username":"","Secret":"1"}'`, ":1"],
    ["nothing from an empty secret", `echo '{"ServerURL":"x","Username":"","Secret":""}'`, "none"],
    ["nothing when there is nothing", "echo 'credentials not found in native keychain'; exit 1", "none"],
    [
      "a credential that comes with a lot on stderr",
      `yes | head -c 300000 >&2; echo '{"ServerURL":"x","Username":"me","Secret":"1"}'`,
      "me:1"
    ]
  ]
  for (const [what, script, credential] of answers) {
    it.scoped(`A63 takes ${what}`, () =>
      Effect.map(get(`cat > /dev/null; ${script}`), (found) => assert.strictEqual(found, credential))
    )
  }

  it.scoped("A63 takes an answer from one that does not listen", () =>
    Effect.map(get(`exec 0<&-; echo '{"ServerURL":"x","Username":"me","Secret":"1"}'`), (found) =>
      assert.strictEqual(found, "me:1")
    )
  )

  const wrong: ReadonlyArray<readonly [what: string, script: string, reason: RegExp]> = [
    ["fails", "echo s3cret; echo s3cret >&2; exit 2", /get failed with exit code 2\. Run it by hand/],
    ["is killed", "echo s3cret; kill -9 $$", /get cannot be run/],
    ["says no JSON", "echo s3cret", /does not answer as credential helpers do/],
    ["says another JSON", `echo '{"username":"me","secret":"s3cret"}'`, /does not answer as credential helpers do/],
    ["says nothing", "exit 0", /does not answer as credential helpers do/],
    ["says too much", "yes s3cret | head -c 70000", /answers more than 64 KiB/],
    ["never stops", "yes s3cret", /answers more than 64 KiB/]
  ]
  for (const [what, script, reason] of wrong) {
    it.scoped(`A63 S43 one that ${what} is an error that does not say what it said`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(get(`cat > /dev/null; ${script}`))
        assert.strictEqual(error._tag, "CredentialsInvalid")
        assert.match(error.reason, reason)
        assert.match(error.reason, /^docker-credential-test /)
        assert.strictEqual(error.registry, "registry.test")
        for (const text of [error.message, JSON.stringify(error), inspect(error, { depth: 10, showHidden: true })]) {
          assert.notInclude(text, "s3cret")
        }
      })
    )
  }

  it.scoped("A63 one that is not there is an error, and no other source is asked", () =>
    Effect.gen(function* () {
      const home = yield* Files.make({
        ".docker/config.json": {
          credHelpers: { "registry.test": "gone" },
          auths: { "registry.test": { auth: Files.base64("file:1") }, "b.test": { auth: Files.base64("file:2") } }
        }
      })
      const layer = home
        .layer(Credentials.dockerConfig)
        .pipe(Credentials.orElse(Credentials.basic("registry.test", "other", "3")))
      const error = yield* Effect.flip(Effect.provide(Files.found("registry.test"), layer))
      assert.strictEqual(
        error.reason,
        "docker-credential-gone is not on the PATH. Install it, or take it out of the configuration"
      )
      assert.strictEqual(yield* Effect.provide(Files.found("b.test"), layer), "file:2")
    })
  )

  for (const path of ["", "bin", ".", "~/empty::bin"]) {
    it.scoped(`S39 does not look in the working directory when the PATH is “${path}”`, () =>
      Effect.gen(function* () {
        const answer = `cat > /dev/null; echo '{"ServerURL":"x","Username":"evil","Secret":"1"}'`
        const error = yield* Effect.flip(
          helped(
            answer,
            (helper, home) => {
              const before = process.cwd()
              return Effect.acquireUseRelease(
                Effect.sync(() => process.chdir(path === "." ? `${home.folder}/bin` : home.folder)),
                () => helper.get("registry.test"),
                () => Effect.sync(() => process.chdir(before))
              )
            },
            { PATH: path }
          )
        )
        assert.include(error.reason, "is not on the PATH")
      })
    )
  }

  const unnamed = [
    "../../tmp/evil",
    "/bin/sh",
    "x; rm -rf",
    "a b",
    "",
    ".",
    "..",
    "a\nb",
    "$(x)",
    "a\\b",
    "ä",
    "x".repeat(101)
  ]

  /** Surroundings in which anything that runs is the failure of the test. */
  const nothingRuns = Layer.mergeAll(
    FileSystem.layerNoop({ stat: () => Effect.dieMessage("looked for") }),
    Path.layer,
    Layer.succeed(
      CommandExecutor.CommandExecutor,
      CommandExecutor.makeExecutor(() => Effect.dieMessage("run"))
    ),
    Files.environment({ PATH: "/bin" })
  )

  for (const name of unnamed) {
    it.effect(`S39 runs nothing for the name ${JSON.stringify(name.slice(0, 20))}`, () =>
      Effect.gen(function* () {
        const helper = yield* CredentialHelper.make(name)
        const store = helper.store("registry.test", basic)
        const get = Effect.asVoid(helper.get("registry.test"))
        for (const call of [get, store, helper.erase("registry.test"), Effect.asVoid(helper.list)]) {
          assert.include((yield* Effect.flip(call)).reason, "is no credential helper")
        }
      }).pipe(Effect.provide(nothingRuns))
    )
  }

  for (const server of ["a.test\nb.test", "a.test\r", "a b", "", "a\0b", "ä.test", "x".repeat(513)]) {
    it.effect(`S40 says nothing of the server ${JSON.stringify(server.slice(0, 20))}`, () =>
      Effect.gen(function* () {
        const helper = yield* CredentialHelper.make("test")
        const error = yield* Effect.flip(helper.get(server))
        assert.strictEqual(error.reason, "docker-credential-test is asked for no address of a server")
      }).pipe(Effect.provide(nothingRuns))
    )
  }

  it.scoped("A63 stores, lists and erases", () =>
    Effect.gen(function* () {
      const script = `case "$1" in
store|erase) echo "$1 $(cat)" >> "$0.log" ;;
list) echo '{"https://index.docker.io/v1/":"me","ghcr.io":"you"}' ;;
esac`
      yield* helped(script, (helper, home) =>
        Effect.gen(function* () {
          yield* helper.store("ghcr.io", basic)
          yield* helper.store("ghcr.io", { _tag: "IdentityToken", token: Redacted.make("ey.i") })
          yield* helper.erase("ghcr.io")
          assert.deepStrictEqual(home.read("bin/docker-credential-test.log").split("\n"), [
            'store {"ServerURL":"ghcr.io","Username":"me","Secret":"s3cret"}',
            'store {"ServerURL":"ghcr.io","Username":"<token>","Secret":"ey.i"}',
            "erase ghcr.io",
            ""
          ])
          assert.deepStrictEqual(yield* helper.list, [
            { server: "https://index.docker.io/v1/", username: "me" },
            { server: "ghcr.io", username: "you" }
          ])
        })
      )
    })
  )

  it.scoped("S43 does not say what could not be stored", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(helped("cat; cat >&2; exit 1", (helper) => helper.store("ghcr.io", basic)))
      assert.notInclude(inspect(error, { depth: 10, showHidden: true }), "s3cret")
    })
  )

  describe("that says nothing", () => {
    /** A process that never ends by itself, and what became of it. */
    const silent = (signals: Array<string>) => {
      const start = Effect.map(
        Deferred.make<CommandExecutor.ExitCode>(),
        (ended): CommandExecutor.Process => ({
          ...Inspectable.BaseProto,
          [CommandExecutor.ProcessTypeId]: CommandExecutor.ProcessTypeId,
          pid: CommandExecutor.ProcessId(1),
          exitCode: Deferred.await(ended),
          isRunning: Effect.negate(Deferred.isDone(ended)),
          kill: (signal = "SIGTERM") => {
            signals.push(signal)
            return Effect.asVoid(Deferred.succeed(ended, CommandExecutor.ExitCode(1)))
          },
          stdin: Sink.drain,
          stdout: Stream.never,
          stderr: Stream.never
        })
      )
      return Layer.mergeAll(
        FileSystem.layerNoop({ stat: () => Effect.succeed(Files.info) }),
        Path.layer,
        Files.environment({ PATH: "/bin" }),
        Layer.succeed(
          CommandExecutor.CommandExecutor,
          CommandExecutor.makeExecutor(() => start)
        )
      )
    }

    it.effect("A63 is given up after 10 seconds, and killed", () => {
      const signals: Array<string> = []
      return Effect.gen(function* () {
        const helper = yield* CredentialHelper.make("test")
        const fiber = yield* Effect.fork(Effect.flip(helper.get("registry.test")))
        yield* TestClock.adjust("9999 millis")
        assert.strictEqual(signals.length, 0)
        yield* TestClock.adjust("1 millis")
        const error = yield* Fiber.join(fiber)
        assert.strictEqual(error.reason, "docker-credential-test get did not answer within 10 seconds")
        assert.deepStrictEqual(signals, ["SIGKILL"])
      }).pipe(Effect.provide(silent(signals)))
    })

    it.effect("A63 is killed when nobody waits any more", () => {
      const signals: Array<string> = []
      return Effect.gen(function* () {
        const helper = yield* CredentialHelper.make("test")
        const fiber = yield* Effect.fork(helper.get("registry.test"))
        yield* Effect.yieldNow()
        yield* TestClock.adjust("1 seconds")
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(signals, ["SIGKILL"])
      }).pipe(Effect.provide(silent(signals)))
    })

    it.scopedLive("A63 is killed even when it does not want to", () =>
      Effect.gen(function* () {
        const script = `trap '' TERM; echo $$ > "$0.pid"; while :; do sleep 1; done`
        yield* helped(script, (helper, home) =>
          Effect.gen(function* () {
            yield* Effect.timeoutOption(helper.get("registry.test"), "500 millis")
            const pid = Number(home.read("bin/docker-credential-test.pid"))
            assert.isAbove(pid, 1)
            assert.throws(() => process.kill(pid, 0))
          })
        )
      })
    )
  })

  it.scoped("layer has what one helper has, and keeps there", () =>
    Effect.gen(function* () {
      const home = yield* Files.make({
        "bin/docker-credential-test": `#!/bin/sh
kept="$0.kept"
case "$1" in
get) cat > /dev/null; cat "$kept" 2> /dev/null || { echo credentials not found in native keychain; exit 1; } ;;
store) cat > "$kept" ;;
erase) rm "$kept" ;;
esac
`
      })
      yield* Effect.gen(function* () {
        const { erase, store } = yield* Credentials.Credentials
        assert(erase !== undefined && store !== undefined)
        const registry = Files.registryOf("registry.test")
        assert.strictEqual(yield* Files.found("registry.test"), "none")
        assert.strictEqual(Option.getOrUndefined(yield* store(registry, basic)), "docker-credential-test")
        assert.strictEqual(yield* Files.found("registry.test"), "me:s3cret")
        yield* erase(registry)
        assert.strictEqual(yield* Files.found("registry.test"), "none")
        yield* erase(registry)
        const token = yield* Effect.flip(store(registry, { _tag: "Token", token: Redacted.make("s3cret") }))
        assert.strictEqual(token.reason, "docker-credential-test keeps no bearer tokens")
      }).pipe(Effect.provide(home.layer(CredentialHelper.layer("test"), { PATH: `~/bin` })))
    })
  )
})
