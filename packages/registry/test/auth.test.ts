import { assert, describe, layer } from "@effect/vitest"
import * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { type Answer, codes, putManifest, send } from "./support.js"

const seed = { "org/app:1": {}, "org/base:1": {}, "other/secret:1": {} }

const basic = (user: string, password: string, scheme = "Basic") => ({
  authorization: `${scheme} ${Encoding.encodeBase64(`${user}:${password}`)}`
})

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** A blob that `org/app:1` has. */
const blobOf = (name: string, headers: Record<string, string>) =>
  Effect.map(send("GET", `/v2/${name}/manifests/1`, { headers }), ({ json }) => String(Object(json).layers[0].digest))

const challenge = ({ headers, status }: Answer): string | undefined => {
  assert.strictEqual(status, 401)
  return headers["www-authenticate"]
}

const users = { me: "sécret:1", bob: "hunter2", constructor: "x" }
const access = { bob: { "org/app": ["pull"], "org/own": ["pull", "push"] } } as const

describe("RegistryServer with basic authentication", () => {
  layer(RegistryServer.layerHttpClient({ seed, auth: { type: "basic", users, access } }))((it) => {
    it.effect("A3, code-11 challenges who does not sign in, on every path", () =>
      Effect.gen(function* () {
        for (const path of ["/v2/", "/v2/org/app/manifests/1", "/v2/_catalog", "/v2/org/none/tags/list"]) {
          const answer = yield* send("GET", path)
          assert.strictEqual(challenge(answer), `Basic realm="registry"`)
          assert.deepStrictEqual(codes(answer), ["UNAUTHORIZED"])
          assert.strictEqual(answer.headers["docker-distribution-api-version"], "registry/2.0")
        }
      })
    )

    it.effect("lets its users in", () =>
      Effect.gen(function* () {
        for (const headers of [basic("me", "sécret:1"), basic("bob", "hunter2"), basic("bob", "hunter2", "basic")]) {
          assert.strictEqual((yield* send("GET", "/v2/org/app/manifests/1", { headers })).status, 200)
        }
      })
    )

    const strangers = [
      ["me", "hunter2"],
      ["me", ""],
      ["bob", "sécret:1"],
      ["", ""],
      ["toString", ""]
    ] as const
    for (const [user, password] of strangers) {
      it.effect(`code-11 refuses ${user}:${password}, and does not say it again`, () =>
        Effect.gen(function* () {
          const answer = yield* send("GET", "/v2/", { headers: basic(user, password) })
          assert.strictEqual(answer.status, 401)
          if (password !== "") assert.notInclude(answer.text, password)
        })
      )
    }

    for (const authorization of ["Bearer bWU6c8OpY3JldDox", "Basic !", "Basic bWU=", "Basic", "Basic a b", ""]) {
      it.effect(`code-11 refuses “${authorization}”`, () =>
        Effect.gen(function* () {
          assert.strictEqual((yield* send("GET", "/v2/", { headers: { authorization } })).status, 401)
        })
      )
    }

    const denied = [
      ["PUT", "/v2/org/app/manifests/2"],
      ["DELETE", "/v2/org/app/manifests/1"],
      ["POST", "/v2/org/app/blobs/uploads/"],
      ["DELETE", "/v2/org/own/manifests/1"],
      ["GET", "/v2/org/base/manifests/1"],
      ["GET", "/v2/_catalog"]
    ] as const
    for (const [method, path] of denied) {
      it.effect(`code-12 denies bob ${method} ${path}`, () =>
        Effect.gen(function* () {
          const answer = yield* send(method, path, { headers: basic("bob", "hunter2") })
          assert.strictEqual(answer.status, 403)
          assert.deepStrictEqual(codes(answer), ["DENIED"])
        })
      )
    }

    it.effect("lets bob pull, and push where he may", () =>
      Effect.gen(function* () {
        const headers = basic("bob", "hunter2")
        assert.strictEqual((yield* send("GET", "/v2/", { headers })).status, 200)
        assert.strictEqual((yield* send("GET", "/v2/org/app/tags/list", { headers })).status, 200)
        assert.strictEqual((yield* send("POST", "/v2/org/own/blobs/uploads/", { headers })).status, 202)
      })
    )

    it.effect("mounts from what the user may pull, and from nowhere else", () =>
      Effect.gen(function* () {
        const headers = basic("bob", "hunter2")
        const mine = yield* blobOf("org/app", headers)
        const hidden = yield* blobOf("org/base", basic("me", "sécret:1"))
        const mount = (query: string) =>
          Effect.map(send("POST", `/v2/org/own/blobs/uploads/?${query}`, { headers }), ({ status }) => status)
        assert.strictEqual(yield* mount(`mount=${hidden}&from=org/base`), 202)
        assert.strictEqual(yield* mount(`mount=${hidden}`), 202)
        assert.strictEqual(yield* mount(`mount=${mine}&from=org/app`), 201)
      })
    )

    it.effect("has no token endpoint", () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* send("GET", "/token", { headers: basic("bob", "hunter2") })).status, 404)
      })
    )
  })

  layer(RegistryServer.layerHttpClient({ seed, auth: { type: "basic", users, access, anonymousPull: true } }))((it) => {
    it.effect("lets everyone pull, and asks who it is before anything else", () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* send("GET", "/v2/other/secret/manifests/1")).status, 200)
        const headers = basic("bob", "hunter2")
        assert.strictEqual((yield* send("GET", "/v2/other/secret/manifests/1", { headers })).status, 200)
        assert.isDefined(challenge(yield* send("GET", "/v2/")))
        assert.isDefined(challenge(yield* send("GET", "/v2/_catalog")))
        assert.isDefined(challenge(yield* send("POST", "/v2/other/secret/blobs/uploads/")))
      })
    )
  })
})

const realm = `realm="http://registry.test/token",service="registry"`

/** What the token endpoint says. */
interface Token {
  readonly token: string
  readonly access_token: string
  readonly expires_in: number
  readonly issued_at: string
  readonly scope: string
  readonly refresh_token?: string
}

const isToken = (json: unknown): json is Token => typeof Object(json).token === "string"

const tokenOf = ({ json, status }: Answer): Token => {
  assert.strictEqual(status, 200)
  assert(isToken(json))
  return json
}

const ask = (query: string, headers: Record<string, string> = basic("me", "sécret:1")) =>
  send("GET", `/token?${query}`, { headers })

const post = (fields: Record<string, string>) =>
  send("POST", "/token", {
    body: String(new URLSearchParams(fields)),
    headers: { "content-type": "application/x-www-form-urlencoded" }
  })

describe("RegistryServer with token authentication", () => {
  const registry = (auth: Partial<RegistryServer.TokenAuth> = {}) =>
    Layer.fresh(RegistryServer.layerHttpClient({ seed, auth: { type: "token", users, access, ...auth } }))

  layer(registry())((it) => {
    const challenges = [
      ["GET", "/v2/", ""],
      ["GET", "/v2/org/app/manifests/1", "repository:org/app:pull"],
      ["HEAD", "/v2/org/app/manifests/1", "repository:org/app:pull"],
      ["PUT", "/v2/org/app/manifests/1", "repository:org/app:pull,push"],
      ["DELETE", "/v2/org/app/manifests/1", "repository:org/app:delete"],
      ["POST", "/v2/org/app/blobs/uploads/", "repository:org/app:pull,push"],
      ["PATCH", "/v2/org/app/blobs/uploads/x", "repository:org/app:pull,push"],
      [
        "POST",
        "/v2/org/app/blobs/uploads/?mount=x&from=org/base",
        "repository:org/app:pull,push repository:org/base:pull"
      ],
      ["POST", "/v2/org/app/blobs/uploads/?mount=x&from=%22%0d", "repository:org/app:pull,push"],
      ["GET", "/v2/_catalog", "registry:catalog:*"]
    ] as const
    for (const [method, path, scope] of challenges) {
      it.effect(`A2 challenges ${method} ${path}`, () =>
        Effect.gen(function* () {
          const expected = scope === "" ? `Bearer ${realm}` : `Bearer ${realm},scope="${scope}"`
          assert.strictEqual(challenge(yield* send(method, path)), expected)
          const headers = basic("me", "sécret:1")
          assert.strictEqual(challenge(yield* send(method, path, { headers })), expected, "no Basic here")
        })
      )
    }

    it.effect("gives a token for a password, good for what it was asked for", () =>
      Effect.gen(function* () {
        const token = tokenOf(yield* ask("service=registry&scope=repository:org/app:pull,push"))
        assert.strictEqual(token.access_token, token.token)
        assert.strictEqual(token.expires_in, 300)
        assert.strictEqual(token.issued_at, "1970-01-01T00:00:00.000Z")
        assert.isUndefined(token.refresh_token)
        const headers = bearer(token.token)
        assert.strictEqual((yield* send("GET", "/v2/", { headers })).status, 200)
        assert.strictEqual((yield* send("GET", "/v2/org/app/manifests/1", { headers })).status, 200)
        assert.strictEqual((yield* send("POST", "/v2/org/app/blobs/uploads/", { headers })).status, 202)
      })
    )

    it.effect("A37 says which scope a token lacks", () =>
      Effect.gen(function* () {
        const headers = bearer(tokenOf(yield* ask("scope=repository:org/app:pull")).token)
        const answer = yield* send("PUT", "/v2/org/app/manifests/1", { headers })
        const scope = `scope="repository:org/app:pull,push"`
        assert.strictEqual(challenge(answer), `Bearer ${realm},${scope},error="insufficient_scope"`)
        assert.isDefined(challenge(yield* send("GET", "/v2/org/base/manifests/1", { headers })))
        assert.isDefined(challenge(yield* send("GET", "/v2/_catalog", { headers })))
      })
    )

    it.effect("refuses a token that it does not know", () =>
      Effect.gen(function* () {
        assert.strictEqual(
          challenge(yield* send("GET", "/v2/", { headers: bearer("abc") })),
          `Bearer ${realm},error="invalid_token"`
        )
      })
    )

    it.effect("A12 names the host and the scheme that were asked", () =>
      Effect.gen(function* () {
        for (const origin of ["https://ghcr.io", "http://127.0.0.1:5000"]) {
          const answer = yield* send("GET", "/v2/", { origin })
          assert.strictEqual(challenge(answer), `Bearer realm="${origin}/token",service="registry"`)
        }
      })
    )

    const granted = [
      ["me", "repository:org/app:pull,push", "repository:org/app:pull,push"],
      ["me", "repository:org/app:*", "repository:org/app:pull,push,delete"],
      ["me", "registry:catalog:*", "registry:catalog:*"],
      [
        "me",
        "repository:org/app:pull&scope=repository:org/base:pull",
        "repository:org/app:pull repository:org/base:pull"
      ],
      ["me", "repository:org/app:pull repository:org/base:pull", "repository:org/app:pull repository:org/base:pull"],
      ["me", "repository:org/app:pull repository:org/app:push", "repository:org/app:pull,push"],
      ["me", "repository:host:5000/app:pull", "repository:host:5000/app:pull"],
      ["me", "aws", ""],
      ["me", "", ""],
      ["me", "repository(plugin):org/app:pull", ""],
      ["bob", "repository:org/app:pull,push", "repository:org/app:pull"],
      ["bob", "repository:org/own:*", "repository:org/own:pull,push"],
      ["bob", "repository:org/base:pull registry:catalog:*", ""],
      ["constructor", "repository:org/app:pull", "repository:org/app:pull"]
    ] as const
    for (const [user, asked, scope] of granted) {
      it.effect(`A34, A35 grants ${user} “${scope}” of “${asked}”`, () =>
        Effect.gen(function* () {
          const token = tokenOf(yield* ask(`scope=${asked.replaceAll(" ", "%20")}`, basic(user, users[user])))
          assert.strictEqual(token.scope, scope)
        })
      )
    }

    const mountFrom = (digest: string, from: string, headers: Record<string, string>, to = "org/own") =>
      send("POST", `/v2/${to}/blobs/uploads/?mount=${digest}${from}`, { headers })

    it.effect("A47 mounts with a token for both repositories, and asks for it when the user can have it", () =>
      Effect.gen(function* () {
        const scope = "repository:org/mine:pull,push repository:org/base:pull"
        const both = bearer(tokenOf(yield* ask(`scope=${scope}`)).token)
        const digest = yield* blobOf("org/base", both)
        const one = bearer(tokenOf(yield* ask("scope=repository:org/mine:pull,push")).token)
        const refused = yield* mountFrom(digest, "&from=org/base", one, "org/mine")
        assert.strictEqual(challenge(refused), `Bearer ${realm},scope="${scope}",error="insufficient_scope"`)
        assert.strictEqual((yield* mountFrom(digest, "&from=org/base", both, "org/mine")).status, 201)
        assert.strictEqual((yield* mountFrom(digest, "", one, "org/mine")).status, 201)
      })
    )

    it.effect("A47 makes a mount from where the user may not pull an upload", () =>
      Effect.gen(function* () {
        const me = bearer(tokenOf(yield* ask("scope=repository:org/base:pull")).token)
        const digest = yield* blobOf("org/base", me)
        const scope = "repository:org/own:pull,push repository:org/base:pull"
        const bob = bearer(tokenOf(yield* ask(`scope=${scope}`, basic("bob", "hunter2"))).token)
        assert.strictEqual((yield* mountFrom(digest, "&from=org/base", bob)).status, 202)
        assert.strictEqual((yield* mountFrom(digest, "", bob)).status, 202)
      })
    )

    it.effect("A28 refuses a wrong password, a stranger and nobody", () =>
      Effect.gen(function* () {
        for (const headers of [basic("me", "hunter3"), basic("you", "hunter3"), bearer("hunter3"), {}]) {
          const answer = yield* ask("scope=repository:org/app:pull", headers)
          assert.strictEqual(challenge(answer), `Basic realm="registry"`)
          assert.deepStrictEqual(codes(answer), ["UNAUTHORIZED"])
          assert.notInclude(answer.text, "hunter3")
        }
      })
    )

    it.effect("gives no tokens for another service", () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* ask("service=other")).status, 400)
      })
    )

    it.effect("A31 gives a refresh token when asked, and tokens for it", () =>
      Effect.gen(function* () {
        const { refresh_token } = tokenOf(
          yield* ask("scope=repository:org/app:pull&offline_token=true", basic("bob", "hunter2"))
        )
        assert.isDefined(refresh_token)
        const form = { grant_type: "refresh_token", service: "registry", client_id: "test", refresh_token }
        const token = tokenOf(yield* post({ ...form, scope: "repository:org/app:pull,push repository:org/own:push" }))
        assert.strictEqual(token.scope, "repository:org/app:pull repository:org/own:push")
        assert.isUndefined(token.refresh_token)
        const headers = bearer(token.token)
        assert.strictEqual((yield* send("GET", "/v2/org/app/manifests/1", { headers })).status, 200)
        yield* TestClock.adjust("30 days")
        assert.strictEqual(tokenOf(yield* post({ ...form, access_type: "offline" })).refresh_token, refresh_token)
      })
    )

    it.effect("A33 gives a token for a password in a form", () =>
      Effect.gen(function* () {
        const form = { grant_type: "password", service: "registry", client_id: "test", username: "bob" }
        const token = tokenOf(
          yield* post({ ...form, password: "hunter2", scope: "repository:org/app:pull", access_type: "offline" })
        )
        assert.strictEqual(token.scope, "repository:org/app:pull")
        assert.isDefined(token.refresh_token)
        const wrong = yield* post({ ...form, password: "hunter3" })
        assert.strictEqual(wrong.status, 401)
        assert.notInclude(wrong.text, "hunter3")
      })
    )

    const full = { grant_type: "refresh_token", service: "registry", client_id: "test", refresh_token: "x" }
    const wrong: ReadonlyArray<readonly [what: string, form: Record<string, string>, status: number]> = [
      ["an unknown refresh token", full, 401],
      ["another grant", { ...full, grant_type: "authorization_code" }, 400],
      ["another service", { ...full, grant_type: "password", username: "bob", password: "hunter2", service: "x" }, 400],
      ["no client", { grant_type: "refresh_token", service: "registry", refresh_token: "x" }, 400],
      ["nothing", {}, 400],
      ["a form without end", { ...full, client_id: "x".repeat(70_000) }, 413]
    ]
    for (const [what, form, status] of wrong) {
      it.effect(`refuses a form with ${what}`, () =>
        Effect.gen(function* () {
          assert.strictEqual((yield* post(form)).status, status)
        })
      )
    }

    it.effect("code-13 takes nothing but GET and POST for a token", () =>
      Effect.gen(function* () {
        const answer = yield* send("PUT", "/token")
        assert.strictEqual(answer.status, 405)
        assert.strictEqual(answer.headers.allow, "GET, HEAD, POST")
      })
    )
  })

  layer(registry({ expiry: "90 seconds", service: `"odd" one`, realm: "https://auth.test/v2/auth?account=a" }))(
    "of its own kind",
    (it) => {
      it.effect("A7, A11 sends where tokens are had, by a name of its own", () =>
        Effect.gen(function* () {
          const header = challenge(yield* send("GET", "/v2/"))
          assert.strictEqual(
            header,
            String.raw`Bearer realm="https://auth.test/v2/auth?account=a",service="\"odd\" one"`
          )
        })
      )

      it.effect("A42 lets tokens lapse on the clock, and an upload go on with the next", () =>
        Effect.gen(function* () {
          const get = Effect.map(
            send("GET", "/v2/auth?account=a&scope=repository:org/app:pull,push", {
              origin: "https://auth.test",
              headers: basic("me", "sécret:1")
            }),
            tokenOf
          )
          const first = yield* get
          assert.strictEqual(first.expires_in, 90)
          const start = yield* send("POST", "/v2/org/app/blobs/uploads/", { headers: bearer(first.token) })
          const patch = (token: string) =>
            send("PATCH", start.headers.location ?? "", { headers: bearer(token), body: "hello" })
          yield* TestClock.adjust(Duration.millis(89_999))
          assert.strictEqual((yield* patch(first.token)).status, 202)
          yield* TestClock.adjust("1 millis")
          assert.include(challenge(yield* patch(first.token)), `error="invalid_token"`)
          const next = yield* get
          assert.strictEqual((yield* patch(next.token)).headers.range, "0-9")
        })
      )
    }
  )

  layer(registry({ anonymousPull: true }))("with anonymous pulls", (it) => {
    it.effect("A2 gives everyone a token to pull with, and no more", () =>
      Effect.gen(function* () {
        assert.isDefined(challenge(yield* send("GET", "/v2/other/secret/manifests/1")))
        const asked = "scope=repository:other/secret:pull,push registry:catalog:*&offline_token=true"
        const token = tokenOf(yield* ask(asked, {}))
        assert.strictEqual(token.scope, "repository:other/secret:pull")
        assert.isUndefined(token.refresh_token)
        const headers = bearer(token.token)
        assert.strictEqual((yield* send("GET", "/v2/other/secret/manifests/1", { headers })).status, 200)
        assert.include(challenge(yield* putManifest("other/secret", "2", "{}", headers)), `error="insufficient_scope"`)
      })
    )
  })

  layer(RegistryServer.layerHttpClient({ readOnly: true, auth: { type: "token", users } }))("read-only", (it) => {
    it.effect("still gives tokens for a form", () =>
      Effect.gen(function* () {
        const form = {
          grant_type: "password",
          service: "registry",
          client_id: "t",
          username: "bob",
          password: "hunter2"
        }
        assert.strictEqual((yield* post(form)).status, 200)
      })
    )
  })
})
