import { assert, describe, it } from "@effect/vitest"
import * as Script from "@effect-oci/registry/Script"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Blobs from "effect-oci/Blobs"
import * as Credentials from "effect-oci/Credentials"
import * as OriginPolicy from "effect-oci/OriginPolicy"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as Repository from "effect-oci/Repository"
import * as Tags from "effect-oci/Tags"
import { digest, registry, repository } from "../support.js"
import {
  asks,
  bearer,
  carries,
  grants,
  list,
  listed,
  me,
  mine,
  playing,
  pull,
  service,
  tagsPath,
  tokenFor
} from "./support.js"

const judge = (from: string, to: string) =>
  Effect.map(OriginPolicy.OriginPolicy, (policy) =>
    policy.judge({
      kind: "realm",
      operation: { name: "auth.token", registry, repository },
      method: "GET",
      from: `${from}/v2/`,
      to
    })
  )

const gets = (from: string, to: string, credentials: boolean, title: string) =>
  it.effect(`${title}: ${to} of ${from} ${credentials ? "gets credentials" : "is asked without credentials"}`, () =>
    Effect.map(judge(from, to), (verdict) => {
      assert(Either.isRight(verdict))
      assert.strictEqual(verdict.right.credentials, credentials)
    })
  )

const refuses = (from: string, to: string, reason: string, title: string) =>
  it.effect(`${title}: ${to} of ${from} is refused`, () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.flatten(judge(from, to)))
      assert.deepStrictEqual([error._tag, error.kind, error.reason], ["UnsafeLocation", "realm", reason])
      assert.include(error.message, reason)
    })
  )

describe("OriginPolicy, token services", () => {
  const own: ReadonlyArray<readonly [from: string, to: string]> = [
    ["https://registry.test", "https://registry.test/token"],
    ["https://registry.test", "https://REGISTRY.test:443/token"],
    ["https://registry.test:5000", "https://registry.test:5000/token"],
    ["https://10.0.0.1", "https://10.0.0.1/service/token"],
    ["http://10.0.0.1:5000", "http://10.0.0.1:5000/token"],
    ["https://localhost", "https://localhost/token"],
    ["https://[fd00::1]:5000", "https://[fd00::1]:5000/token"]
  ]
  for (const [from, to] of own) gets(from, to, true, "S10 on the registry itself")

  const kin: ReadonlyArray<readonly [from: string, to: string]> = [
    ["https://registry-1.docker.io", "https://auth.docker.io/token"],
    ["https://registry.gitlab.com", "https://gitlab.com/jwt/auth"],
    ["https://nvcr.io", "https://authn.nvidia.com/token"],
    ["https://registry.suse.com", "https://scc.suse.com/api/registry/authorize"],
    ["https://registry.test:5000", "https://registry.test:5001/token"],
    ["https://registry.test", "https://registry.test./token"],
    ["https://10.0.0.1:5000", "https://10.0.0.1:5001/token"],
    ["https://example.com", "https://auth.example.com/token"],
    ["https://registry.example.com", "https://example.com/token"],
    ["https://a.example.co.uk", "https://b.example.co.uk/token"],
    ["https://a.b.example.com", "https://c.d.example.com/token"],
    ["https://me.azurecr.io", "https://auth.me.azurecr.io/token"],
    ["http://registry.example.com", "https://auth.example.com/token"]
  ]
  for (const [from, to] of kin) gets(from, to, true, "S10 of the same house")

  for (const [from, to] of [
    ["http://localhost:5000", "http://localhost:5001/token"],
    ["http://127.0.0.1:5000", "http://localhost:5001/token"],
    ["http://[::1]:5000", "http://127.0.0.1:5001/token"]
  ] as const) {
    gets(from, to, true, "S10 S51 on the same machine")
  }

  const strangers: ReadonlyArray<readonly [from: string, to: string]> = [
    ["https://registry.test", "https://evil.test/token"],
    ["https://registry.example.com", "https://example.org/token"],
    ["https://registry.example.com", "https://registry.example.com.evil.test/token"],
    ["https://example.com", "https://evilexample.com/token"],
    ["https://a.example.com", "https://com/token"],
    ["https://a.co.uk", "https://b.co.uk/token"],
    ["https://a.com.au", "https://b.com.au/token"],
    ["https://me.github.io", "https://evil.github.io/token"],
    ["https://github.io", "https://evil.github.io/token"],
    ["https://me.azurecr.io", "https://evil.azurecr.io/token"],
    ["https://me.azurewebsites.net", "https://evil.azurewebsites.net/token"],
    ["https://a.dkr.ecr.eu-west-1.amazonaws.com", "https://b.dkr.ecr.eu-west-1.amazonaws.com/token"],
    ["https://me.s3.amazonaws.com", "https://evil.s3.amazonaws.com/token"],
    ["https://a.cloudfront.net", "https://b.cloudfront.net/token"],
    ["https://a.herokuapp.com", "https://b.herokuapp.com/token"],
    ["https://a.pages.dev", "https://b.pages.dev/token"],
    ["https://a.workers.dev", "https://b.workers.dev/token"],
    ["https://a.vercel.app", "https://b.vercel.app/token"],
    ["https://a.netlify.app", "https://b.netlify.app/token"],
    ["https://a.x.run.app", "https://b.x.run.app/token"],
    ["https://a.appspot.com", "https://b.appspot.com/token"],
    ["https://10.0.0.1.nip.io", "https://10.0.0.2.nip.io/token"],
    ["https://8.8.8.8", "https://9.8.8.8/token"],
    ["https://10.0.0.1", "https://10.0.0.2/token"],
    ["https://nvcr.io", "https://evil.nvidia.com/token"],
    ["https://localhost", "https://auth.example.com/token"]
  ]
  for (const [from, to] of strangers) gets(from, to, false, "S10 a stranger")

  gets(
    "http://registry.example.com",
    "http://auth.example.com/token",
    false,
    "S51 S57 by http, though of the same house"
  )
  gets("http://10.0.0.1:5000", "http://10.0.0.1:5001/token", false, "S51 S57 by http on another port")

  const inside: ReadonlyArray<readonly [to: string, reach: string]> = [
    ["https://169.254.169.254/latest/meta-data", "link-local"],
    ["https://metadata.google.internal/", "link-local"],
    ["https://[fd00:ec2::254]/", "private"],
    ["https://100.100.100.200/", "private"],
    ["https://10.0.0.1/token", "private"],
    ["https://127.0.0.1/token", "loopback"],
    ["https://0.0.0.0/token", "loopback"],
    ["https://[::ffff:127.0.0.1]/token", "loopback"],
    ["https://2130706433/token", "loopback"],
    ["https://0x7f.1/token", "loopback"],
    ["https://localhost/token", "loopback"]
  ]
  for (const [to, reach] of inside) {
    refuses("https://registry.test", to, `a ${reach} address is not where this registry is`, "S10 S12 into the inside")
  }
  refuses(
    "http://localhost:5000",
    "http://10.0.0.1/token",
    "a private address is not where this registry is",
    "S10 S12"
  )

  for (const to of ["http://registry.test/token", "http://auth.registry.test/token", "http://169.254.169.254/"]) {
    refuses("https://registry.test", to, "it leaves https for http", "S10 S13 from https to http")
  }
  for (const scheme of ["file", "data", "ftp", "unix", "javascript", "blob"]) {
    refuses("https://registry.test", `${scheme}:///token`, `${scheme}: is not http`, "S10 S50 another scheme")
  }
  refuses("https://registry.test", "https://me:pass@registry.test/token", "it holds a user name", "S10 E20 a user name")
  refuses("https://registry.test", "https://registry.test@evil.test/", "it holds a user name", "S10 E20 a user name")

  describe("layerTrusting", () => {
    const trusted = OriginPolicy.layerTrusting(["tokens.example.org", "10.0.0.9:5001"])
    for (const [from, to] of [
      ["https://registry.test", "https://tokens.example.org/t"],
      ["https://registry.test", "https://10.0.0.9:5001/t"],
      ["http://registry.test", "http://10.0.0.9:5001/t"]
    ] as const) {
      it.effect(`S10 lets ${to} have the credentials of ${from}`, () =>
        Effect.map(judge(from, to), (verdict) =>
          assert.isTrue(Either.isRight(verdict) && verdict.right.credentials)
        ).pipe(Effect.provide(trusted))
      )
    }
    it.effect("S13 not by http from https", () =>
      Effect.map(Effect.flip(Effect.flatten(judge("https://registry.test", "http://10.0.0.9:5001/t"))), ({ reason }) =>
        assert.strictEqual(reason, "it leaves https for http")
      ).pipe(Effect.provide(trusted))
    )
  })
})

describe("RegistryAuth, token services", () => {
  const same = Script.on("https://registry.test")
  const stranger = Script.on("https://stranger.example.org")
  const strange = `Bearer realm="https://stranger.example.org/token",service="reg",scope="${pull}"`
  const kept = Script.secret("s3cret", { onlyTo: [] })

  it.effect("S10 a stranger gives a token without credentials", () =>
    list.pipe(
      Effect.provide(me),
      playing(
        kept,
        same.expect("GET", tagsPath).answer(401, asks(strange)),
        stranger.expect("GET", tokenFor(pull), carries(undefined)).answer(200, grants()),
        same.expect("GET", tagsPath, carries("Bearer T")).answer(200, listed)
      )
    )
  )

  const refusals: ReadonlyArray<readonly [what: string, lines: ReadonlyArray<Script.Line>]> = [
    ["the stranger gives none", [stranger.expect("GET", tokenFor(pull), carries(undefined)).answer(401)]],
    [
      "the registry does not accept that",
      [
        stranger.expect("GET", tokenFor(pull), carries(undefined)).answer(200, grants()),
        same.expect("GET", tagsPath, carries("Bearer T")).answer(401, asks(strange))
      ]
    ],
    [
      "the registry denies that",
      [
        stranger.expect("GET", tokenFor(pull), carries(undefined)).answer(200, grants()),
        same.expect("GET", tagsPath, carries("Bearer T")).answer(403, Script.refusal("DENIED"))
      ]
    ]
  ]
  for (const [what, lines] of refusals) {
    it.effect(`S10 the error says that credentials were not sent when ${what}`, () =>
      Effect.map(Effect.flip(list), (error) => {
        assert(error._tag === "UnsafeLocation")
        assert.deepStrictEqual([error.kind, error.target], ["realm", "https://stranger.example.org/token"])
        assert.include(error.message, "credentials go to a token service only if it belongs to the registry")
        assert.include(error.message, "OriginPolicy can trust the host, if you do")
      }).pipe(Effect.provide(me), playing(kept, same.expect("GET", tagsPath).answer(401, asks(strange)), ...lines))
    )
  }

  it.effect("S10 a stranger that is trusted gets them", () =>
    list.pipe(
      Effect.provide([me, OriginPolicy.layerTrusting(["stranger.example.org"])]),
      playing(
        same.expect("GET", tagsPath).answer(401, asks(strange)),
        stranger.expect("GET", tokenFor(pull), carries(mine)).answer(200, grants()),
        same.expect("GET", tagsPath, carries("Bearer T")).answer(200, listed)
      )
    )
  )

  for (const realm of [
    "https://169.254.169.254/latest/",
    "http://registry.test/token",
    "file:///etc/passwd",
    "https://me@registry.test/",
    "//localhost/token"
  ]) {
    it.effect(`S10 S50 nothing is sent to ${realm}, and the error says why`, () =>
      Effect.map(Effect.flip(list), (error) => {
        assert(error._tag === "UnsafeLocation")
        assert.strictEqual(error.kind, "realm")
      }).pipe(
        Effect.provide(me),
        playing(kept, same.expect("GET", tagsPath).answer(401, asks(`Bearer realm="${realm}"`)))
      )
    )
  }

  it.effect("S51 nothing is looked at or sent when a registry on plain http asks", () =>
    Effect.map(Effect.flip(Tags.list(Either.getOrThrow(Repository.parse("http://registry.test/org/app")))), (error) => {
      assert(error._tag === "CredentialsInvalid")
      assert.include(error.message, "they are not sent over plain http")
    }).pipe(
      Effect.provide(me),
      playing(kept, Script.on("http://registry.test").expect("GET", tagsPath).answer(401, asks('Basic realm="x"')))
    )
  )

  it.effect("S57 that one registry may be asked by http lets no token service have credentials by http", () =>
    Effect.map(Effect.flip(list), (error) => {
      assert(error._tag === "UnsafeLocation")
    }).pipe(
      Effect.provide([me, RegistryHosts.layer({ scheme: "http" })]),
      playing(
        kept,
        Script.on("http://registry.test")
          .expect("GET", tagsPath)
          .answer(401, asks('Bearer realm="http://auth.registry.test/token"')),
        Script.on("http://auth.registry.test")
          .expect("GET", `/token?scope=${encodeURIComponent(pull)}`, carries(undefined))
          .answer(401)
      )
    )
  )

  it.effect("S10 a token service on another port of this machine works by http", () =>
    Tags.list(Either.getOrThrow(Repository.parse("localhost:5000/org/app"))).pipe(
      Effect.provide(Credentials.basic("localhost:5000", "me", "s3cret")),
      playing(
        Script.on("http://localhost:5000")
          .expect("GET", tagsPath)
          .answer(401, asks('Bearer realm="http://127.0.0.1:5001/token"')),
        Script.on("http://127.0.0.1:5001")
          .expect("GET", `/token?scope=${encodeURIComponent(pull)}`, carries(mine))
          .answer(200, grants()),
        Script.on("http://localhost:5000").expect("GET", tagsPath, carries("Bearer T")).answer(200, listed)
      )
    )
  )

  describe("P8 another registry that a redirect leads to", () => {
    const other = Script.on("https://other.test")
    const blob = `/v2/org/app/blobs/${digest}`
    const moved = "/v2/mirror/app/blobs/1"
    const get = Blobs.get(repository, digest)
    const challenge = 'Bearer realm="https://auth.other.test/t",service="o",scope="repository:mirror/app:pull"'
    const token = "/t?service=o&scope=repository%3Amirror%2Fapp%3Apull"

    it.effect("P8 S52 is asked as nobody, by its own token", () =>
      Effect.map(get, (bytes) => assert.strictEqual(bytes.length, 2)).pipe(
        Effect.provide(me),
        playing(
          kept,
          same.expect("GET", blob).answer(307, { headers: { location: `https://other.test${moved}` } }),
          other.expect("GET", moved, carries(undefined)).answer(401, asks(challenge)),
          Script.on("https://auth.other.test").expect("GET", token, carries(undefined)).answer(200, grants("O")),
          other.expect("GET", moved, carries("Bearer O")).answer(200, { body: "{}" })
        )
      )
    )

    it.effect("P8 its token stays with it", () =>
      Effect.zipRight(get, list).pipe(
        playing(
          same.expect("GET", blob).answer(307, { headers: { location: `https://other.test${moved}` } }),
          other.expect("GET", moved, carries(undefined)).answer(401, asks(challenge)),
          Script.on("https://auth.other.test").expect("GET", token, carries(undefined)).answer(200, grants("O")),
          other.expect("GET", moved, carries("Bearer O")).answer(200, { body: "{}" }),
          same.expect("GET", tagsPath, carries(undefined)).answer(200, listed)
        )
      )
    )

    for (const challenge of ['Basic realm="x"', 'Bearer realm="https://169.254.169.254/"', "Bearer"]) {
      it.effect(`S52 P8 ${challenge} from there is not answered`, () =>
        Effect.map(Effect.flip(get), ({ _tag }) => assert.strictEqual(_tag, "Unauthorized")).pipe(
          Effect.provide(me),
          playing(
            kept,
            same.expect("GET", blob).answer(307, { headers: { location: `https://other.test${moved}` } }),
            other.expect("GET", moved, carries(undefined)).answer(401, asks(challenge))
          )
        )
      )
    }
  })

  describe("S43 no secret is anywhere", () => {
    const credential: ReadonlyArray<
      readonly [what: string, credential: Layer.Layer<never>, ...secrets: ReadonlyArray<string>]
    > = [
      ["a password", me, "s3cret", mine],
      ["a token", Layer.orDie(Credentials.token("registry.test", "s3cret")), "s3cret"],
      [
        "an identity token",
        Layer.succeed(Credentials.Credentials, {
          lookup: () =>
            Effect.succeedSome<Credentials.Credential>({ _tag: "IdentityToken", token: Redacted.make("s3cret") })
        }),
        "s3cret"
      ]
    ]
    for (const [what, layer, ...secrets] of credential) {
      const authorizes = what === "a token"
      it.effect(`S43 ${what} that is refused`, () =>
        Effect.flip(list).pipe(
          Script.withoutLeaks([...secrets, "T0ken"]),
          Effect.provide(layer),
          playing(
            same.expect("GET", tagsPath).answer(401, asks(bearer(pull))),
            ...(authorizes
              ? [same.expect("GET", tagsPath).answer(401, asks(bearer(pull)))]
              : [
                  service
                    .expect(what === "a password" ? "GET" : "POST", what === "a password" ? tokenFor(pull) : "/token")
                    .answer(401)
                ])
          )
        )
      )
      if (authorizes) continue
      for (const [how, answer] of [
        ["is no token", { json: { token: "T0ken T0ken" } }],
        ["is a token", { json: { token: "T0ken", refresh_token: "R3fresh" } }]
      ] as const) {
        it.effect(`S43 ${what} whose answer ${how}`, () =>
          Effect.exit(list).pipe(
            Script.withoutLeaks([...secrets, "T0ken", "R3fresh"]),
            Effect.provide(layer),
            playing(
              same.expect("GET", tagsPath, carries(undefined)).answer(401, asks(bearer(pull))),
              service
                .expect(what === "a password" ? "GET" : "POST", what === "a password" ? tokenFor(pull) : "/token")
                .answer(200, answer),
              ...(how === "is a token"
                ? [same.expect("GET", tagsPath, carries("Bearer T0ken")).answer(401, asks(bearer(pull)))]
                : [])
            )
          )
        )
      }
    }
  })
})
