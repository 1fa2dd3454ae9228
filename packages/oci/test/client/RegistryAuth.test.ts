import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Credentials from "effect-oci/Credentials"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import { CredentialsInvalid } from "effect-oci/RegistryError"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as Repository from "effect-oci/Repository"
import * as Tags from "effect-oci/Tags"
import { play, refusal } from "../scripted.js"
import { repository, tagsUrl } from "./support.js"

const noTags = () => Response.json({ tags: [] })

/** The `Authorization` that a registry gets to see. */
const authorization = (registry: string, credentials: Layer.Layer<never, unknown>, hosts?: Layer.Layer<never>) => {
  const at = Either.getOrThrow(Repository.parse(`${registry}/org/app`))
  const url = `${registry.startsWith("http") ? registry : `https://${registry}`}/v2/org/app/tags/list`
  return play([[`GET ${url}`, noTags]], (sent) => Effect.map(Tags.list(at), () => sent[0]?.headers.authorization)).pipe(
    Effect.provide(hosts ?? Layer.empty),
    Effect.provide([RegistryAuth.layerBasic, credentials])
  )
}

const base64 = (text: string) => Buffer.from(text, "utf8").toString("base64")

describe("RegistryAuth", () => {
  describe("layerBasic", () => {
    const known: ReadonlyArray<readonly [what: string, username: string, password: string]> = [
      ["a user name and a password", "me", "secret"],
      ["A65 letters beyond ASCII, in UTF-8", "Jürgen", "pässwörd–€😀"],
      ["A55 a dollar and a plus", "robot$p+n", "a/b+c="],
      ["a colon in a password", "me", "a:b:c"],
      ["an empty password", "me", ""],
      ["an empty user name", "", "secret"],
      ["spaces", "me too", " secret "]
    ]
    for (const [what, username, password] of known) {
      it.effect(`sends ${what}`, () =>
        Effect.gen(function* () {
          const sent = yield* authorization("registry.test", Credentials.basic("registry.test", username, password))
          assert.strictEqual(sent, `Basic ${base64(`${username}:${password}`)}`)
        })
      )
    }

    it.effect("sends a token as it is", () =>
      Effect.gen(function* () {
        const sent = yield* authorization("registry.test", Credentials.token("registry.test", "ey.x-_~+/="))
        assert.strictEqual(sent, "Bearer ey.x-_~+/=")
      })
    )

    it.effect("A1 sends nothing to a registry that is another's", () =>
      Effect.gen(function* () {
        const sent = yield* authorization("registry.test", Credentials.basic("other.test", "me", "secret"))
        assert.isUndefined(sent)
      })
    )

    for (const alias of ["docker.io", "index.docker.io", "https://index.docker.io/v1/", "registry-1.docker.io"]) {
      it.effect(`A59 sends Docker Hub what it knows of ${alias}`, () =>
        play([["GET https://registry-1.docker.io/v2/library/mongo/tags/list", noTags]], (sent) =>
          Effect.gen(function* () {
            yield* Tags.list(yield* Repository.parse("mongo"))
            assert.isDefined(sent[0]?.headers.authorization)
          })
        ).pipe(Effect.provide([RegistryAuth.layerBasic, Credentials.basic(alias, "me", "secret")]))
      )
    }

    it.effect("sends nothing without credentials", () =>
      Effect.gen(function* () {
        assert.isUndefined(yield* authorization("registry.test", Layer.empty))
      })
    )

    const unusable: ReadonlyArray<readonly [what: string, credentials: Layer.Layer<never, unknown>, reason: string]> = [
      [
        "CR and LF in a password",
        Credentials.basic("registry.test", "me", "secret\r\nx: y"),
        "user name or password holds control characters"
      ],
      [
        "LF in a user name",
        Credentials.basic("registry.test", "me\n", "secret"),
        "user name or password holds control characters"
      ],
      [
        "NUL in a password",
        Credentials.basic("registry.test", "me", "secret\0"),
        "user name or password holds control characters"
      ],
      ["a colon in a user name", Credentials.basic("registry.test", "me:you", "secret"), "the user name holds a colon"],
      [
        "CR and LF in a token",
        Credentials.token("registry.test", "secret\r\nx: y"),
        "the token is not printable ASCII"
      ],
      ["a space in a token", Credentials.token("registry.test", "secret token"), "the token is not printable ASCII"],
      ["a token beyond ASCII", Credentials.token("registry.test", "secr€t"), "the token is not printable ASCII"],
      ["an empty token", Credentials.token("registry.test", ""), "the token is not printable ASCII"]
    ]
    for (const [what, credentials, reason] of unusable) {
      it.effect(`S21 A65 refuses ${what} before anything is sent`, () =>
        play([], () =>
          Effect.gen(function* () {
            const error = yield* Effect.flip(Tags.list(repository))
            assert(error._tag === "CredentialsInvalid")
            assert.strictEqual(error.reason, reason)
            assert.strictEqual(error.registry, "registry.test")
            assert.notInclude(error.message, "secr")
          })
        ).pipe(Effect.provide([RegistryAuth.layerBasic, credentials]))
      )
    }

    describe("and plain http", () => {
      const me = (registry: string) => Credentials.basic(registry, "me", "secret")

      it.effect("S51 sends no credentials over it", () =>
        play([], () =>
          Effect.gen(function* () {
            const at = Either.getOrThrow(Repository.parse("http://registry.test/org/app"))
            const error = yield* Effect.flip(Tags.list(at))
            assert(error._tag === "CredentialsInvalid")
            assert.include(error.message, "RegistryHosts sets this host's scheme to http")
          })
        ).pipe(Effect.provide([RegistryAuth.layerBasic, me("registry.test")]))
      )

      it.effect("S51 asks a registry without credentials over it", () =>
        Effect.gen(function* () {
          assert.isUndefined(yield* authorization("http://registry.test", Layer.empty))
        })
      )

      it.effect("S51 sends them where RegistryHosts says http", () =>
        Effect.gen(function* () {
          const hosts = RegistryHosts.layer({ scheme: "http" })
          assert.isDefined(yield* authorization("http://registry.test", me("registry.test"), hosts))
        })
      )

      for (const registry of ["http://localhost:5000", "http://127.0.0.1:5000", "http://[::1]:5000"]) {
        it.effect(`S51 sends them to ${registry}`, () =>
          Effect.gen(function* () {
            assert.isDefined(yield* authorization(registry, me(registry)))
          })
        )
      }
    })

    describe("on a registry that asks", () => {
      const registry = RegistryServer.layerTest({
        auth: { type: "basic", users: { Jürgen: "pässwörd" } },
        seed: { "org/app:1.2": {} }
      })
      const list = Effect.map(Tags.list(repository), ({ tags }) => tags)
      const as = (username: string, password: string) =>
        [RegistryAuth.layerBasic, Credentials.basic("registry.test", username, password)] as const

      it.effect("A3 A65 lets us in", () =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* Effect.provide(list, as("Jürgen", "pässwörd")), ["1.2"])
        }).pipe(Effect.provide(registry))
      )

      it.effect("A3 is refused with a wrong password, and says so", () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(Effect.provide(list, as("Jürgen", "wrong")))
          assert(error._tag === "Unauthorized")
          assert.isTrue(error.authenticated)
          assert.deepStrictEqual(error.schemes, ["Basic"])
          assert.include(error.message, "the credentials were refused, it offers Basic")
        }).pipe(Effect.provide(registry))
      )

      it.effect("says what to do when there are none", () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(Effect.provide(list, RegistryAuth.layerBasic))
          assert(error._tag === "Unauthorized")
          assert.isFalse(error.authenticated)
          assert.include(error.message, "Provide Credentials")
        }).pipe(Effect.provide(registry))
      )
    })
  })

  it.effect("layerNone signs nothing in, whatever credentials there are", () =>
    play([[`GET ${tagsUrl}`, noTags]], (sent) =>
      Effect.gen(function* () {
        yield* Tags.list(repository).pipe(Effect.provide(RegistryAuth.layerNone))
        assert.isUndefined(sent[0]?.headers.authorization)
      })
    ).pipe(Effect.provide([RegistryAuth.layerBasic, Credentials.basic("registry.test", "me", "secret")]))
  )

  it.effect("a way of signing in of one's own is told what for, and looks the credential up when it wants", () => {
    const looked: Array<string> = []
    return play([[`GET ${tagsUrl}`, noTags]], () =>
      Effect.gen(function* () {
        yield* Tags.list(repository)
        assert.deepStrictEqual(looked, ["tags.list org/app"])
      })
    ).pipe(
      Effect.provide([
        Layer.succeed(RegistryAuth.RegistryAuth, ({ operation }, next) => {
          looked.push(`${operation.name} ${operation.repository?.name}`)
          return next
        }),
        Layer.succeed(Credentials.Credentials, { lookup: () => Effect.dieMessage("looked up") })
      ])
    )
  })

  it.effect("a credential that cannot be looked up is the call's failure", () =>
    play([], () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Tags.list(repository))
        assert(error._tag === "CredentialsInvalid")
        assert.strictEqual(error.reason, "the helper is not there")
      })
    ).pipe(
      Effect.provide([
        RegistryAuth.layerBasic,
        Layer.succeed(Credentials.Credentials, {
          lookup: (registry, repository) =>
            new CredentialsInvalid({
              registry: registry.toString(),
              repository: repository?.name,
              reason: "the helper is not there"
            })
        })
      ])
    )
  )

  it.effect("S43 no secret is in what a refusal leaves", () =>
    play([[`GET ${tagsUrl}`, refusal(401, "UNAUTHORIZED", "no", { "www-authenticate": 'Basic realm="x"' })]], () =>
      Effect.gen(function* () {
        const cause = yield* Effect.flip(Effect.sandbox(Tags.list(repository)))
        const error = yield* Effect.flip(Effect.failCause(cause))
        const shown = [
          Cause.pretty(cause, { renderErrorCause: true }),
          inspect(cause, { depth: 20, showHidden: true }),
          inspect(error, { depth: 20, showHidden: true }),
          JSON.stringify(cause),
          JSON.stringify(error),
          String(error),
          error.stack ?? "",
          error.message
        ]
        for (const text of shown) {
          assert.notInclude(text, "s3cret")
          assert.notInclude(text, base64("me:s3cret"))
        }
      })
    ).pipe(Effect.provide([RegistryAuth.layerBasic, Credentials.basic("registry.test", "me", Redacted.make("s3cret"))]))
  )
})
