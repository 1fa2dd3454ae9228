import { assert, describe, it } from "@effect/vitest"
import * as Script from "@effect-oci/registry/Script"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as Blobs from "effect-oci/Blobs"
import * as Credentials from "effect-oci/Credentials"
import * as Manifests from "effect-oci/Manifests"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import { digest, reference, repository } from "../support.js"
import {
  asks,
  basicOf,
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
  signsIn,
  tagsPath,
  tokenFor
} from "./support.js"

const same = Script.on("https://registry.test")

/** What comes after a challenge whose realm is on the registry itself. */
const answers = (challenge: string | ReadonlyArray<string>, target: string, title: string) =>
  it.effect(title, () =>
    Effect.map(list, (tags) => assert.deepStrictEqual(tags, ["1.2"])).pipe(
      playing(
        same.expect("GET", tagsPath, carries(undefined)).answer(401, asks(challenge)),
        same.expect("GET", target, carries(undefined)).answer(200, grants()),
        same.expect("GET", tagsPath, carries("Bearer T")).answer(200, listed)
      )
    )
  )

const scoped = `scope=${encodeURIComponent(pull)}`

/** A challenge that nobody signs in with, and what is said of it. */
const fails = (
  challenge: string | undefined,
  title: string,
  check: (error: Effect.Effect.Error<typeof list>) => void
) =>
  it.effect(title, () =>
    Effect.map(Effect.flip(list), check).pipe(
      Effect.provide(me),
      playing(same.expect("GET", tagsPath, carries(undefined)).answer(401, asks(challenge)))
    )
  )

describe("RegistryAuth, challenges", () => {
  it.effect("A1 an open registry gets no credentials, and is not asked for its root", () =>
    Effect.zipRight(list, list).pipe(
      Effect.provide(me),
      playing(same.expect("GET", tagsPath, carries(undefined)).answer(200, listed).times(2))
    )
  )

  it.effect("A1 nobody's credentials are looked up where nobody asks", () =>
    list.pipe(
      Effect.provideService(Credentials.Credentials, { lookup: () => Effect.dieMessage("looked up") }),
      playing(same.expect("GET", tagsPath, carries(undefined)).answer(200, listed))
    )
  )

  it.effect("A2 a Bearer challenge is answered with a token of its service, without credentials", () =>
    Effect.map(list, (tags) => assert.deepStrictEqual(tags, ["1.2"])).pipe(playing(...signsIn()))
  )

  it.effect("A2 the token serves the next request, and nobody is asked again", () =>
    Effect.zipRight(list, list).pipe(
      playing(...signsIn(), same.expect("GET", tagsPath, carries("Bearer T")).answer(200, listed))
    )
  )

  it.effect("A2 a password goes to the token service and not to the registry", () =>
    list.pipe(
      Effect.provide(me),
      playing(
        Script.secret("s3cret", { onlyTo: ["https://auth.registry.test"] }),
        same.expect("GET", tagsPath, carries(undefined)).answer(401, asks(bearer(pull))),
        service.expect("GET", tokenFor(pull), carries(mine)).answer(200, grants()),
        same.expect("GET", tagsPath, carries("Bearer T")).answer(200, listed)
      )
    )
  )

  it.effect("A2 another repository of a known host gets its token first", () =>
    Effect.zipRight(
      list,
      Effect.map(Blobs.get(repository, digest), (bytes) => assert.strictEqual(bytes.length, 2))
    ).pipe(
      playing(
        ...signsIn(),
        same.expect("GET", `/v2/org/app/blobs/${digest}`, carries("Bearer T")).answer(200, { body: "{}" })
      )
    )
  )

  describe("A3 Basic", () => {
    it.effect("A3 A65 goes to the registry in UTF-8 once it asks, and from then on at once", () =>
      Effect.zipRight(list, list).pipe(
        Effect.provide(Credentials.basic("registry.test", "Jürgen", "pässwörd–€😀")),
        playing(
          same.expect("GET", tagsPath, carries(undefined)).answer(401, asks('Basic realm="Registry Realm"')),
          same
            .expect("GET", tagsPath, carries(basicOf("Jürgen", "pässwörd–€😀")))
            .answer(200, listed)
            .times(2)
        )
      )
    )

    it.effect("A3 its realm is a label, and never fetched", () =>
      list.pipe(
        Effect.provide(me),
        playing(
          same
            .expect("GET", tagsPath, carries(undefined))
            .answer(401, asks('Basic realm="https://evil.test/",service="ecr.amazonaws.com"')),
          same.expect("GET", tagsPath, carries(mine)).answer(200, listed)
        )
      )
    )
  })

  it.effect("A3 is nothing for a token, and the error says so", () =>
    Effect.map(Effect.flip(list), (error) => {
      assert(error._tag === "CredentialsInvalid")
      assert.strictEqual(error.reason, "this registry wants a user name and a password, not a token")
    }).pipe(
      Effect.provide(Credentials.token("registry.test", "t0ken")),
      playing(same.expect("GET", tagsPath).answer(401, asks('Basic realm="x"')))
    )
  )

  answers('bearer realm="https://registry.test/t",service="s"', `/t?service=s&${scoped}`, "A4 bearer in lower case")
  answers('BEARER realm="https://registry.test/t",service="s"', `/t?service=s&${scoped}`, "A4 bearer in capitals")

  it.effect("A4 BASIC in capitals", () =>
    list.pipe(
      Effect.provide(me),
      playing(
        same.expect("GET", tagsPath).answer(401, asks('BASIC realm="Sonatype Nexus Repository Manager"')),
        same.expect("GET", tagsPath, carries(mine)).answer(200, listed)
      )
    )
  )

  const realm = 'realm="https://registry.test/t"'
  const several: ReadonlyArray<readonly [what: string, challenge: string | ReadonlyArray<string>]> = [
    ["two headers", ["Negotiate", `Bearer ${realm},service="s"`]],
    ["one header", `Negotiate, Bearer ${realm},service="s"`],
    ["Bearer after Basic", `Basic realm="y", Bearer ${realm},service="s"`],
    ["Bearer before Basic", `Bearer ${realm},service="s", Basic realm="y"`],
    ["an incomplete Bearer before a complete one", `Bearer service="x", Bearer ${realm}, service="s"`],
    ["a token68 in front", `Negotiate abc==, Bearer ${realm}, service="s"`]
  ]
  for (const [what, challenge] of several) {
    answers(challenge, `/t?service=s&${scoped}`, `A5 several challenges: ${what}`)
  }

  it.effect("A5 Basic where Bearer is incomplete", () =>
    list.pipe(
      Effect.provide(me),
      playing(
        same.expect("GET", tagsPath).answer(401, asks('Bearer service="x", Negotiate, Basic realm="y"')),
        same.expect("GET", tagsPath, carries(mine)).answer(200, listed)
      )
    )
  )

  it.effect("A5 Basic where the token service does not work", () =>
    list.pipe(
      Effect.provide(me),
      playing(
        same.expect("GET", tagsPath).answer(401, asks([bearer(pull), 'Basic realm="y"'])),
        service.expect("GET", tokenFor(pull)).answer(404),
        same.expect("GET", tagsPath, carries(mine)).answer(200, listed)
      )
    )
  )

  it.effect("A5 Basic where the token service is not to be trusted", () =>
    list.pipe(
      Effect.provide(me),
      playing(
        same.expect("GET", tagsPath).answer(401, asks(['Bearer realm="https://169.254.169.254/t"', 'Basic realm="y"'])),
        same.expect("GET", tagsPath, carries(mine)).answer(200, listed)
      )
    )
  )

  it.effect("A5 a refused password is not tried the other way", () =>
    Effect.map(Effect.flip(list), ({ _tag }) => assert.strictEqual(_tag, "Unauthorized")).pipe(
      Effect.provide(me),
      playing(
        same.expect("GET", tagsPath).answer(401, asks([bearer(pull), 'Basic realm="y"'])),
        service.expect("GET", tokenFor(pull)).answer(401)
      )
    )
  )

  for (const challenge of ["Negotiate", "NTLM", 'Digest realm="x", nonce="y"', "Negotiate, NTLM"]) {
    fails(challenge, `A6 ${challenge} is an error that lists what is offered`, (error) => {
      assert(error._tag === "Unauthorized")
      assert.deepStrictEqual(
        [...error.schemes],
        challenge
          .split(", ")
          .filter((part) => !part.startsWith("nonce"))
          .map((part) => part.split(" ")[0] ?? "")
      )
      assert.isFalse(error.authenticated)
    })
  }

  answers(
    `Bearer ${realm},service="a, b=c"`,
    `/t?service=${encodeURIComponent("a, b=c")}&${scoped}`,
    "A7 commas and equals signs in quotes"
  )
  answers(
    `Bearer ${realm},service="he\\"\\l\\lo"`,
    `/t?service=${encodeURIComponent('he"llo')}&${scoped}`,
    "A7 backslashes in quotes"
  )
  answers(
    `Bearer realm="https://registry.test/t?a=\\"x\\"",service="s"`,
    `/t?a=%22x%22&service=s&${scoped}`,
    "A7 quotes in a realm"
  )

  const sloppy: ReadonlyArray<readonly [what: string, challenge: string]> = [
    ["tokens without quotes", "Bearer realm=https://registry.test/t,service=s,scope=repository:org/app:pull"],
    ["spaces around everything", `Bearer  realm  =  "https://registry.test/t"  ,  service  =  s  `],
    ["tabs", `Bearer\trealm\t=\t"https://registry.test/t"\t,\tservice=s`],
    ["a folded line", `Bearer realm="https://registry.test/t",\r\n service=s`],
    ["a comma at the end", `Bearer ${realm},service=s,`],
    ["commas at the start and twice", `, Bearer ${realm},,service=s`],
    ["names in capitals", `Bearer Realm="https://registry.test/t",SERVICE="s"`],
    ["a parameter twice: the first counts", `Bearer ${realm},service=s,service=z,realm="https://evil.test/"`],
    ["names that objects have", `Bearer __proto__="x",constructor="y",${realm},service=s`]
  ]
  for (const [what, challenge] of sloppy) answers(challenge, `/t?service=s&${scoped}`, `A8 ${what}`)

  fails("Bearer abc==", "A8 a token68 is no realm", (error) => assert.strictEqual(error._tag, "ChallengeInvalid"))

  const broken: ReadonlyArray<readonly [challenge: string, reason: string]> = [
    ["Bearer", "it names no realm"],
    ['Bearer service="x"', "it names no realm"],
    ['Bearer realm=""', "it names no realm"],
    ['Bearer realm="', "it names no realm"],
    ['Bearer realm="Registry Realm"', "its realm is no URL"],
    ['Bearer realm="https://[bad/"', "its realm is no URL"],
    ['Bearer realm="https://api./auth/v1/token"', "its realm has half a host"]
  ]
  for (const [challenge, reason] of broken) {
    fails(challenge, `A9 ${challenge} is refused`, (error) => {
      assert(error._tag === "ChallengeInvalid")
      assert.strictEqual(error.reason, reason)
      assert.include(error.message, "registry.test/org/app: the registry's challenge cannot be answered")
    })
  }

  fails(`Bearer ${"a".repeat(20_000)}`, "S25 a challenge of 20,000 characters is not read", (error) =>
    assert.strictEqual(error._tag, "Unauthorized")
  )

  for (const [what, text] of [
    ["quotes", '"'.repeat(16_000)],
    ["backslashes", `"${"\\".repeat(16_000)}`],
    ["commas", ",".repeat(16_000)],
    ["spaces", `Bearer${" ".repeat(16_000)}`],
    ["parameters", `Bearer ${"a=b,".repeat(4_000)}`],
    ["schemes", "a b,".repeat(4_000)]
  ] as const) {
    fails(text, `S25 16,000 ${what} are read in no time`, (error) =>
      assert.oneOf(error._tag, ["Unauthorized", "ChallengeInvalid"])
    )
  }

  answers(
    'Bearer realm="https://registry.test/t?account=a&x=%2F",service="s"',
    `/t?account=a&x=%2F&service=s&${scoped}`,
    "A11 a realm keeps the query that it has"
  )
  answers('Bearer realm="https://registry.test/t"', `/t?${scoped}`, "A11 a service that is not named is not sent")
  answers('Bearer realm="/t?x=1",service="s"', `/t?x=1&service=s&${scoped}`, "A11 a realm may be a path")
  answers(
    'Bearer realm="https://registry.TEST:443/t#frag",service="registry.test:443"',
    `/t?service=${encodeURIComponent("registry.test:443")}&${scoped}`,
    "A12 E18 a realm is compared as a URL, and a service is sent as it is"
  )

  describe("A13 a 401 without challenge", () => {
    it.effect("A13 leads to the registry's root, whose challenge is answered for what is needed", () =>
      list.pipe(
        playing(
          same.expect("GET", tagsPath, carries(undefined)).answer(401, asks()),
          same.expect("GET", "/v2/").answer(401, asks(bearer("repository:user/image:pull"))),
          service.expect("GET", tokenFor(pull)).answer(200, grants()),
          same.expect("GET", tagsPath, carries("Bearer T")).answer(200, listed)
        )
      )
    )

    it.effect("A13 is the answer when the root has none either", () =>
      Effect.map(Effect.flip(list), (error) => {
        assert(error._tag === "Unauthorized")
        assert.deepStrictEqual([error.errors[0]?.code, error.schemes.length], ["UNAUTHORIZED", 0])
      }).pipe(
        Effect.provide(me),
        playing(same.expect("GET", tagsPath).answer(401, asks()), same.expect("GET", "/v2/").answer(200))
      )
    )

    it.effect("A13 to a token is asked again without it, and then answered with a new one", () =>
      Effect.gen(function* () {
        yield* list
        yield* TestClock.adjust("2 minutes")
        yield* list
      }).pipe(
        playing(
          ...signsIn(),
          same.expect("GET", tagsPath, carries("Bearer T")).answer(401, asks()),
          ...signsIn(pull, "T2")
        )
      )
    )

    it.effect("A13 to a token is the answer when it stays without", () =>
      Effect.gen(function* () {
        yield* list
        yield* TestClock.adjust("2 minutes")
        const error = yield* Effect.flip(list)
        assert.strictEqual(error._tag, "Unauthorized")
      }).pipe(
        playing(
          ...signsIn(),
          same.expect("GET", tagsPath, carries("Bearer T")).answer(401, asks()),
          same.expect("GET", tagsPath, carries(undefined)).answer(401, asks())
        )
      )
    )
  })

  for (const [status, code] of [
    [400, "DENIED"],
    [403, "DENIED"],
    [403, "UNAUTHORIZED"]
  ] as const) {
    it.effect(`A15 a token that was kept and is refused with ${status} ${code} is renewed once`, () =>
      Effect.gen(function* () {
        yield* list
        yield* TestClock.adjust("2 minutes")
        yield* list
      }).pipe(
        playing(
          ...signsIn(),
          same.expect("GET", tagsPath, carries("Bearer T")).answer(status, Script.refusal(code)),
          service.expect("GET", tokenFor(pull)).answer(200, grants("T2")),
          same.expect("GET", tagsPath, carries("Bearer T2")).answer(200, listed)
        )
      )
    )
  }

  it.effect("A15 a token that was just fetched is not renewed", () =>
    Effect.gen(function* () {
      yield* list
      const error = yield* Effect.flip(list)
      assert(error._tag === "Denied")
      assert.strictEqual(error.errors[0]?.code, "DENIED")
    }).pipe(
      playing(...signsIn(), same.expect("GET", tagsPath, carries("Bearer T")).answer(403, Script.refusal("DENIED")))
    )
  )

  it.effect("A15 another refusal is none of the token's", () =>
    Effect.gen(function* () {
      yield* list
      yield* TestClock.adjust("2 minutes")
      const error = yield* Effect.flip(Manifests.get(reference))
      assert(error._tag === "UnexpectedResponse")
      assert.deepStrictEqual([error.status, error.errors[0]?.code], [400, "TAG_INVALID"])
    }).pipe(
      playing(...signsIn(), same.expect("GET", "/v2/org/app/manifests/1.2").answer(400, Script.refusal("TAG_INVALID")))
    )
  )

  describe("A16 a password that has expired", () => {
    /** A source that has another password when it is asked anew. */
    const source = (asked: Array<boolean>, later = "n3w") =>
      Layer.succeed(Credentials.Credentials, {
        lookup: (_registry, _repository, options) =>
          Effect.sync(() => {
            asked.push(options?.fresh === true)
            const password = Redacted.make(options?.fresh === true ? later : "s3cret")
            return Option.some<Credentials.Credential>({ _tag: "Basic", username: "me", password })
          })
      })

    for (const status of [401, 403]) {
      it.effect(`A16 and is refused with ${status}: its source is asked once more`, () => {
        const asked: Array<boolean> = []
        return Effect.gen(function* () {
          yield* list
          yield* list
          assert.deepStrictEqual(asked.filter((fresh) => fresh).length, 1)
        }).pipe(
          Effect.provide(source(asked)),
          playing(
            same.expect("GET", tagsPath, carries(undefined)).answer(401, asks('Basic realm="x"')),
            same.expect("GET", tagsPath, carries(mine)).answer(200, listed),
            same.expect("GET", tagsPath, carries(mine)).answer(status, asks('Basic realm="x"', "DENIED")),
            same.expect("GET", tagsPath, carries(basicOf("me", "n3w"))).answer(200, listed)
          )
        )
      })
    }

    it.effect("A16 A28 and is refused by the token service: its source is asked once more", () =>
      list.pipe(
        Effect.provide(source([])),
        playing(
          same.expect("GET", tagsPath).answer(401, asks(bearer(pull))),
          service.expect("GET", tokenFor(pull), carries(mine)).answer(401),
          service.expect("GET", tokenFor(pull), carries(basicOf("me", "n3w"))).answer(200, grants()),
          same.expect("GET", tagsPath, carries("Bearer T")).answer(200, listed)
        )
      )
    )

    it.effect("A16 its source is not asked again and again", () => {
      const asked: Array<boolean> = []
      return Effect.gen(function* () {
        yield* Effect.repeatN(Effect.flip(list), 4)
        assert.strictEqual(asked.filter((fresh) => fresh).length, 1)
        yield* TestClock.adjust("2 minutes")
        yield* Effect.flip(list)
        assert.strictEqual(asked.filter((fresh) => fresh).length, 2)
      }).pipe(
        Effect.provide(source(asked, "s3cret")),
        playing(
          same.expect("GET", tagsPath, carries(undefined)).answer(401, asks('Basic realm="x"')),
          same.expect("GET", tagsPath, carries(mine)).answer(403, Script.refusal("DENIED")).times(6)
        )
      )
    })

    it.effect("A16 all that wait for the new one get it, and its source is asked once", () => {
      const asked: Array<boolean> = []
      return Effect.gen(function* () {
        yield* list
        yield* Effect.all([list, list, list, list], { concurrency: "unbounded" })
        assert.strictEqual(asked.filter((fresh) => fresh).length, 1)
      }).pipe(
        Effect.provide(source(asked)),
        playing(
          same.expect("GET", tagsPath, carries(undefined)).answer(401, asks('Basic realm="x"')),
          same.expect("GET", tagsPath, carries(mine)).answer(200, listed),
          Script.unordered(
            same.expect("GET", tagsPath, carries(mine)).answer(403, Script.refusal("DENIED")).times(4),
            same
              .expect("GET", tagsPath, carries(basicOf("me", "n3w")))
              .answer(200, listed)
              .times(4)
          )
        )
      )
    })
  })

  it.effect("A17 a 403 to a fresh token is final: nobody is asked without it", () =>
    Effect.map(Effect.flip(list), (error) => {
      assert(error._tag === "Denied")
      assert.include(error.message, "permission_denied: read_package")
    }).pipe(
      Effect.provide(me),
      playing(
        same.expect("GET", tagsPath).answer(401, asks(bearer(pull))),
        service.expect("GET", tokenFor(pull)).answer(200, grants()),
        same.expect("GET", tagsPath).answer(403, Script.refusal("DENIED", "permission_denied: read_package"))
      )
    )
  )

  it.effect("A20 a proxy's 407 is an error of its own, and gets no credentials", () =>
    Effect.map(Effect.flip(list), (error) => {
      assert(error._tag === "UnexpectedResponse")
      assert.strictEqual(error.reason, "a proxy on the way wants to know who asks")
    }).pipe(
      Effect.provide(me),
      playing(
        same.expect("GET", tagsPath, carries(undefined)).answer(407, {
          headers: { "proxy-authenticate": 'Basic realm="proxy"', "www-authenticate": 'Basic realm="x"' }
        })
      )
    )
  )

  for (const [what, credentials, header] of [
    ["a token as it is", Credentials.token("registry.test", "t0ken"), "Bearer t0ken"]
  ] as const) {
    it.effect(`A62 ${what} is sent when the registry asks, without a token service`, () =>
      Effect.zipRight(list, list).pipe(
        Effect.provide(credentials),
        playing(
          same.expect("GET", tagsPath, carries(undefined)).answer(401, asks(bearer(pull))),
          same.expect("GET", tagsPath, carries(header)).answer(200, listed).times(2)
        )
      )
    )
  }

  it.effect("A39 a registry that always asks is asked twice, and its token service once", () =>
    Effect.map(Effect.flip(list), (error) => {
      assert(error._tag === "Unauthorized")
      assert.isTrue(error.authenticated)
    }).pipe(
      Effect.provide(me),
      playing(
        same.expect("GET", tagsPath, carries(undefined)).answer(401, asks(bearer(pull))),
        service.expect("GET", tokenFor(pull)).answer(200, grants()),
        same.expect("GET", tagsPath, carries("Bearer T")).answer(401, asks(bearer(pull)))
      )
    )
  )

  it.effect("A57 a 401 without credentials may also mean that there is nothing, and says so", () =>
    Effect.map(Effect.flip(Manifests.exists(reference)), (error) => {
      assert(error._tag === "Unauthorized")
      assert.isFalse(error.authenticated)
      assert.include(error.message, "Provide Credentials, and check that the repository exists")
      assert.strictEqual(error.status, 401)
    }).pipe(
      playing(
        same.expect("HEAD", "/v2/org/app/manifests/1.2").answer(401, { headers: { "www-authenticate": bearer(pull) } }),
        service.expect("GET", tokenFor(pull)).answer(200, grants()),
        same
          .expect("HEAD", "/v2/org/app/manifests/1.2", carries("Bearer T"))
          .answer(401, { headers: { "www-authenticate": bearer(pull, ',error="insufficient_scope"') } })
      )
    )
  )

  it.effect("A57 with a token that has all that is asked for it is not asked again", () =>
    Effect.gen(function* () {
      yield* list
      assert.strictEqual((yield* Effect.flip(list))._tag, "Unauthorized")
    }).pipe(
      playing(
        ...signsIn(),
        same.expect("GET", tagsPath, carries("Bearer T")).answer(401, asks(bearer(pull, ',error="insufficient_scope"')))
      )
    )
  )

  it.effect("a request that somebody else has signed is left alone", () =>
    Effect.map(Effect.flip(list), ({ _tag }) => assert.strictEqual(_tag, "Unauthorized")).pipe(
      Effect.provide(me),
      Effect.provide(RegistryAuth.layerBasic),
      playing(same.expect("GET", tagsPath, carries(mine)).answer(401, asks(bearer(pull))))
    )
  )
})
