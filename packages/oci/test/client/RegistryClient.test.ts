import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Blobs from "effect-oci/Blobs"
import * as Credentials from "effect-oci/Credentials"
import * as Hasher from "effect-oci/Hasher"
import * as OriginPolicy from "effect-oci/OriginPolicy"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import * as RegistryClient from "effect-oci/RegistryClient"
import { isRetryable, type RegistryError } from "effect-oci/RegistryError"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as RegistryMiddleware from "effect-oci/RegistryMiddleware"
import * as RegistryObserver from "effect-oci/RegistryObserver"
import * as RegistryRetry from "effect-oci/RegistryRetry"
import * as Tags from "effect-oci/Tags"
import manifest from "../../package.json" with { type: "json" }
import { play, type Sent } from "../scripted.js"
import { digest, origin, registry, repository, tagsUrl } from "./support.js"

/** Redirects each blob to itself with a query, then answers it: so that a read of it needs every policy. */
const transport = Layer.succeed(
  HttpClient.HttpClient,
  HttpClient.make((request) =>
    Effect.sync(() => {
      const response = request.url.endsWith("?moved")
        ? new Response("{}")
        : new Response(null, { status: 307, headers: { location: "?moved" } })
      return HttpClientResponse.fromWeb(request, response)
    })
  )
)

/** Notes that a policy was asked. */
interface Note {
  (): void
}

const portable = Effect.runSync(Hasher.Hasher)

/** Each policy as one that notes when it is asked and else does what is sound. */
const policies: { readonly [policy: string]: (note: Note) => Layer.Layer<never> } = {
  Credentials: (note) =>
    Layer.merge(
      RegistryAuth.layerBasic,
      Layer.succeed(Credentials.Credentials, {
        lookup: () => {
          note()
          return Effect.succeedSome({ _tag: "Token", token: Redacted.make("t") })
        }
      })
    ),
  RegistryAuth: (note) =>
    Layer.succeed(RegistryAuth.RegistryAuth, (_, next) => {
      note()
      return next
    }),
  RegistryRetry: (note) =>
    Layer.succeed(RegistryRetry.RegistryRetry, (_, next) => {
      note()
      return next
    }),
  RegistryHosts: (note) =>
    Layer.succeed(RegistryHosts.RegistryHosts, {
      lookup: (registry) => {
        note()
        return RegistryHosts.make(registry)
      }
    }),
  OriginPolicy: (note) =>
    Layer.succeed(OriginPolicy.OriginPolicy, {
      judge: ({ from, to }) => {
        note()
        return Either.right({ url: new URL(to, from).href, sameOrigin: true, credentials: true })
      }
    }),
  RegistryMiddleware: (note) =>
    RegistryMiddleware.layer((_, next) => {
      note()
      return next
    }),
  RegistryObserver: (note) =>
    Layer.succeed(RegistryObserver.RegistryObserver, {
      exchange: () => Effect.sync(note),
      warning: () => Effect.void
    }),
  Hasher: (note) =>
    Layer.succeed(Hasher.Hasher, {
      make: (algorithm) => {
        note()
        return portable.make(algorithm)
      }
    })
}

/** Reads a blob, with policies around just that. */
interface Read {
  (...around: ReadonlyArray<Layer.Layer<never>>): Effect.Effect<void, unknown, RegistryClient.RegistryClient>
}

const reads: { readonly [what: string]: Read } = {
  "an endpoint": (...around) =>
    Effect.asVoid(around.reduce((read, layer) => Effect.provide(read, layer), Blobs.get(repository, digest))),
  "a stream": (...around) =>
    Stream.runDrain(
      around.reduce((read, layer) => Stream.provideSomeLayer(read, layer), Blobs.stream(repository, digest))
    )
}

const client = RegistryClient.layer

/** Where a policy may be put. The `near` one must be asked, and no other. */
const places: {
  readonly [place: string]: (
    read: Read,
    near: Layer.Layer<never>,
    far: Layer.Layer<never>
  ) => Effect.Effect<void, unknown, HttpClient.HttpClient>
} = {
  "given to the client's layer": (read, near) => read().pipe(Effect.provide(client.pipe(Layer.provide(near)))),
  "beneath the client's layer and handed on": (read, near) =>
    read().pipe(Effect.provide(client.pipe(Layer.provideMerge(near)))),
  "merged beside the client": (read, near) => read().pipe(Effect.provide(Layer.merge(client, near))),
  "around the program, inside the client": (read, near) => read().pipe(Effect.provide(near), Effect.provide(client)),
  "around the program, outside the client": (read, near) => read().pipe(Effect.provide(client), Effect.provide(near)),
  "around one call": (read, near) => read(near).pipe(Effect.provide(client)),
  "beside a client that was given another": (read, near, far) =>
    read().pipe(Effect.provide(Layer.merge(client.pipe(Layer.provide(far)), near))),
  "around the program of a client that was given another": (read, near, far) =>
    read().pipe(Effect.provide(near), Effect.provide(client.pipe(Layer.provide(far)))),
  "around one call of a client that was given another": (read, near, far) =>
    read(near).pipe(Effect.provide(client.pipe(Layer.provide(far)))),
  "around one call in a program with another": (read, near, far) =>
    read(near).pipe(Effect.provide(far), Effect.provide(client)),
  "around one call beside another": (read, near, far) => read(near).pipe(Effect.provide(Layer.merge(client, far))),
  "around one call within another": (read, near, far) => read(near, far).pipe(Effect.provide(client)),
  "around the program, with another further out": (read, near, far) =>
    read().pipe(Effect.provide(near), Effect.provide(client), Effect.provide(far))
}

/** A service over a client of its own. */
class Left extends Context.Tag("Left")<Left, Effect.Effect<unknown, RegistryError>>() {}
class Right extends Context.Tag("Right")<Right, Effect.Effect<unknown, RegistryError>>() {}

const list = Effect.map(RegistryClient.RegistryClient, (client) =>
  Effect.provideService(Tags.list(repository), RegistryClient.RegistryClient, client)
)

class Colour extends Context.Tag("Colour")<Colour, string>() {}

const noTags = () => Response.json({ name: "org/app", tags: [] })

describe("RegistryClient", () => {
  describe("takes every policy", () => {
    for (const [place, put] of Object.entries(places)) {
      for (const [what, read] of Object.entries(reads)) {
        it.effect(`${place}, for ${what}`, () =>
          Effect.gen(function* () {
            const asked = yield* Effect.forEach(Object.entries(policies), ([policy, make]) => {
              const found: Array<string> = []
              const noting = (name: string) => make(() => found.push(name))
              return Effect.map(put(read, noting("near"), noting("far")), () => [policy, Arr.dedupe(found)] as const)
            })
            assert.deepStrictEqual(
              asked,
              Object.keys(policies).map((policy) => [policy, ["near"]])
            )
          }).pipe(Effect.provide(transport))
        )
      }
    }

    it.effect("for one call and not for the next", () =>
      play(
        [
          [`GET ${tagsUrl}`, noTags],
          [`GET ${origin}/there/v2/org/app/tags/list`, noTags],
          [`GET ${tagsUrl}`, noTags]
        ],
        () =>
          Effect.gen(function* () {
            yield* Tags.list(repository)
            yield* Effect.provide(Tags.list(repository), RegistryHosts.layer({ prefix: "/there" }))
            yield* Tags.list(repository)
          })
      )
    )
  })

  describe("two clients", () => {
    const signedIn = (password: string) => Credentials.basic("registry.test", "me", password)
    const authorizations = (sent: ReadonlyArray<Sent>) => sent.map(({ headers }) => headers.authorization)
    const basic = (password: string) => `Basic ${Buffer.from(`me:${password}`).toString("base64")}`
    const both = Effect.zipRight(Effect.flatten(Left), Effect.flatten(Right))

    const apart = {
      "that are given their credentials": (password: string) =>
        client.pipe(Layer.provide([signedIn(password), RegistryAuth.layerBasic])),
      "that find their credentials": () => client
    }
    for (const [how, make] of Object.entries(apart)) {
      it.effect(`${how} stay two in one graph of layers`, () =>
        play(
          [
            [`GET ${tagsUrl}`, noTags],
            [`GET ${tagsUrl}`, noTags]
          ],
          (sent) =>
            Effect.gen(function* () {
              const live = Layer.merge(
                Layer.effect(Left, list).pipe(Layer.provide(make("1")), Layer.provide(signedIn("1"))),
                Layer.effect(Right, list).pipe(Layer.provide(make("2")), Layer.provide(signedIn("2")))
              )
              yield* both.pipe(Effect.provide(live.pipe(Layer.provide(RegistryAuth.layerBasic))))
              assert.deepStrictEqual(authorizations(sent), [basic("1"), basic("2")])
            })
        )
      )
    }
  })

  describe("context", () => {
    it.effect("does not bring its surroundings to those who call it", () =>
      Effect.gen(function* () {
        const client = yield* RegistryClient.RegistryClient
        const colour = client.provide(Effect.map(Effect.serviceOption(Colour), Option.getOrUndefined))
        assert.isUndefined(yield* colour)
        assert.strictEqual(yield* Effect.provideService(colour, Colour, "mine"), "mine")
      }).pipe(Effect.provide(client.pipe(Layer.provide([transport, Layer.succeed(Colour, "the client's")]))))
    )

    it.effect("keeps the caller's services for the caller's body", () =>
      play([[`PUT ${origin}/upload`, new Response(null, { status: 201 })]], (sent) =>
        Effect.gen(function* () {
          const client = yield* RegistryClient.RegistryClient
          const body = Stream.fromEffect(
            Effect.map(
              Effect.serviceOption(Colour),
              Option.getOrElse(() => "none")
            )
          ).pipe(Stream.encodeText)
          const request = HttpClientRequest.put("/upload").pipe(HttpClientRequest.bodyStream(body))
          yield* Effect.scoped(client.execute({ name: "uploads.finish", registry }, request)).pipe(
            Effect.provideService(Colour, "mine")
          )
          assert.strictEqual(new TextDecoder().decode(sent[0]?.body), "mine")
        })
      )
    )
  })

  describe("execute", () => {
    const execute = (request: HttpClientRequest.HttpClientRequest) =>
      Effect.scoped(
        Effect.flatMap(RegistryClient.RegistryClient, (client) =>
          client.execute({ name: "registry.ping", registry }, request)
        )
      )

    it.effect("sends a path to the operation's registry", () =>
      play([[`GET ${origin}/v2/_extension`, new Response("yes")]], () =>
        execute(HttpClientRequest.get("/v2/_extension"))
      )
    )

    it.effect("sends a whole URL where it says", () =>
      play([["GET https://elsewhere.test/x", new Response("yes")]], () =>
        execute(HttpClientRequest.get("https://elsewhere.test/x"))
      )
    )

    it.effect("hands out any status as an answer", () =>
      play([[`GET ${origin}/v2/`, new Response("no", { status: 418 })]], () =>
        Effect.map(execute(HttpClientRequest.get("/v2/")), ({ status }) => assert.strictEqual(status, 418))
      )
    )

    it.effect("T20 says who it is, and asks for bytes as they are", () =>
      play([[`GET ${tagsUrl}`, noTags]], (sent) =>
        Effect.gen(function* () {
          yield* Tags.list(repository)
          assert.strictEqual(sent[0]?.headers["user-agent"], `effect-oci/${manifest.version}`)
          assert.strictEqual(sent[0]?.headers["accept-encoding"], "identity")
        })
      )
    )

    it.effect("leaves a user agent of one's own", () =>
      play([[`GET ${origin}/v2/`, new Response("yes")]], (sent) =>
        Effect.gen(function* () {
          yield* execute(HttpClientRequest.get("/v2/", { headers: { "user-agent": "mine/1" } }))
          assert.strictEqual(sent[0]?.headers["user-agent"], "mine/1")
        })
      )
    )

    it.effect("S58 S59 S60 T27 sends no trace headers and no cookies, whatever was set", () => {
      const cookie = () => Response.json({ tags: [] }, { headers: { "set-cookie": "sid=1" } })
      return play(
        [
          [`GET ${tagsUrl}`, cookie],
          [`GET ${tagsUrl}`, cookie]
        ],
        (sent) =>
          Effect.gen(function* () {
            yield* Effect.withSpan(Tags.list(repository), "outer")
            yield* Tags.list(repository)
            for (const { headers } of sent) {
              assert.deepStrictEqual(Object.keys(headers).sort(), ["accept", "accept-encoding", "user-agent"])
            }
          })
      )
    })

    const unsendable: ReadonlyArray<readonly [what: string, name: string, value: string]> = [
      ["a line break in a value", "x-note", "a\r\nb: c"],
      ["a null in a value", "x-note", "a\u0000"],
      ["a character that no header has", "x-note", "a\u2014b"],
      ["a space in a name", "x note", "a"],
      ["an empty name", "", "a"]
    ]
    for (const [what, name, value] of unsendable) {
      it.effect(`S21 E19 refuses ${what}`, () =>
        play([], () =>
          Effect.gen(function* () {
            const error = yield* Effect.flip(execute(HttpClientRequest.get("/v2/", { headers: { [name]: value } })))
            assert(error._tag === "TransportError")
            assert.strictEqual(error.code, "ERR_HEADER")
            assert.include(error.reason, JSON.stringify(name))
          })
        )
      )
    }

    for (const url of ["v2/", "https://", "http://[bad", ""]) {
      it.effect(`refuses ${JSON.stringify(url)}, which is no URL`, () =>
        play([], () =>
          Effect.gen(function* () {
            const error = yield* Effect.flip(execute(HttpClientRequest.get(url)))
            assert(error._tag === "TransportError")
            assert.isFalse(isRetryable(error))
          })
        )
      )
    }

    it.effect("keeps the parameters of a request where it is, and not where it is redirected to", () =>
      play(
        [
          [`GET ${origin}/v2/?n=1&b=+`, new Response(null, { status: 307, headers: { location: "/v2/x?a=1" } })],
          [`GET ${origin}/v2/x?a=1`, new Response("yes")]
        ],
        () => execute(HttpClientRequest.get("/v2/?n=1", { urlParams: { b: " " } }))
      )
    )
  })
})
