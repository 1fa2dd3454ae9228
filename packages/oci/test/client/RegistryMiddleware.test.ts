import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Blobs from "effect-oci/Blobs"
import * as Credentials from "effect-oci/Credentials"
import * as Manifests from "effect-oci/Manifests"
import type { Operation } from "effect-oci/Operation"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import { TransportError } from "effect-oci/RegistryError"
import * as RegistryMiddleware from "effect-oci/RegistryMiddleware"
import * as RegistryRetry from "effect-oci/RegistryRetry"
import * as Repository from "effect-oci/Repository"
import * as Tags from "effect-oci/Tags"
import * as Uploads from "effect-oci/Uploads"
import { play, refusal } from "../scripted.js"
import { blobUrl, digest, manifestUrl, origin, reference, registry, repository, tagsUrl } from "./support.js"

const noTags = () => Response.json({ tags: [] })

describe("RegistryMiddleware", () => {
  it.effect("is told the operation", () => {
    const told: Array<Operation> = []
    return play(
      [
        [`GET ${manifestUrl}`, refusal(404, "MANIFEST_UNKNOWN")],
        [`DELETE ${blobUrl}`, new Response(null, { status: 202 })],
        [`GET ${tagsUrl}`, noTags]
      ],
      () =>
        Effect.gen(function* () {
          yield* Effect.flip(Manifests.get(reference))
          yield* Blobs.delete(repository, digest)
          yield* Tags.list(repository)
          assert.deepStrictEqual(
            told.map(({ name, reference }) => [name, reference]),
            [
              ["manifests.get", "1.2"],
              ["blobs.delete", digest],
              ["tags.list", undefined]
            ]
          )
          for (const operation of told) {
            assert.deepStrictEqual(operation.registry, registry)
            assert.deepStrictEqual(operation.repository, repository)
          }
        })
    ).pipe(
      Effect.provide(
        RegistryMiddleware.layer((operation, next) => {
          told.push(operation)
          return next
        })
      )
    )
  })

  it.effect("is told where a mount takes its blob from", () => {
    const told: Array<string | undefined> = []
    const mount = `${origin}/v2/org/app/blobs/uploads/?mount=${encodeURIComponent(digest)}&from=org%2Fother`
    return play([[`POST ${mount}`, new Response(null, { status: 201 })]], () =>
      Effect.gen(function* () {
        yield* Uploads.mount(repository, digest, yield* Repository.parse("registry.test/org/other"))
        assert.deepStrictEqual(told, ["org/other"])
      })
    ).pipe(
      Effect.provide(
        RegistryMiddleware.layer((operation, next) => {
          told.push(operation.from?.name)
          return next
        })
      )
    )
  })

  it.effect("may change the request", () =>
    play([[`GET ${origin}/mirror/v2/org/app/tags/list?ns=docker.io`, noTags]], (sent) =>
      Effect.gen(function* () {
        yield* Tags.list(repository)
        assert.strictEqual(sent[0]?.headers["x-mine"], "1")
      })
    ).pipe(
      Effect.provide(
        RegistryMiddleware.layer((_, next) =>
          HttpClient.mapRequest(next, (request) =>
            request.pipe(
              HttpClientRequest.setUrl(request.url.replace("/v2/", "/mirror/v2/")),
              HttpClientRequest.setUrlParam("ns", "docker.io"),
              HttpClientRequest.setHeader("x-mine", "1")
            )
          )
        )
      )
    )
  )

  it.effect("may answer in place of the registry", () =>
    play([], () => Effect.map(Tags.list(repository), ({ tags }) => assert.deepStrictEqual(tags, ["cached"]))).pipe(
      Effect.provide(
        RegistryMiddleware.layer((_, next) =>
          HttpClient.transform(next, (_, request) =>
            Effect.succeed(HttpClientResponse.fromWeb(request, Response.json({ tags: ["cached"] })))
          )
        )
      )
    )
  )

  it.effect("may fail, in this library's words", () =>
    play([], () =>
      Effect.map(Effect.flip(Tags.list(repository)), (error) => {
        assert(error._tag === "TransportError")
        assert.strictEqual(error.reason, "offline")
      })
    ).pipe(
      Effect.provide(
        RegistryMiddleware.layer((_, next) =>
          HttpClient.transform(next, () => Effect.fail(new TransportError({ reason: "offline" })))
        )
      )
    )
  )

  it.effect("5.4 stands around retries, which stand around signing in", () => {
    const order: Array<string> = []
    const noting =
      (name: string): RegistryMiddleware.Middleware =>
      (_, next) =>
        HttpClient.transform(next, (send) =>
          Effect.suspend(() => {
            order.push(name)
            return Effect.tap(send, () => order.push(`${name} after`))
          })
        )
    return play([[`GET ${tagsUrl}`, noTags]], () =>
      Effect.gen(function* () {
        yield* Tags.list(repository)
        assert.deepStrictEqual(order, ["mine", "retry", "auth", "auth after", "retry after", "mine after"])
      })
    ).pipe(
      Effect.provide([
        RegistryMiddleware.layer(noting("mine")),
        Layer.succeed(RegistryRetry.RegistryRetry, ({ operation }, next) => noting("retry")(operation, next)),
        Layer.succeed(RegistryAuth.RegistryAuth, ({ operation }, next) => noting("auth")(operation, next))
      ])
    )
  })

  it.effect("sees no credentials", () => {
    const seen: Array<string | undefined> = []
    return play([[`GET ${tagsUrl}`, noTags]], (sent) =>
      Effect.gen(function* () {
        yield* Tags.list(repository)
        assert.isDefined(sent[0]?.headers.authorization)
        assert.deepStrictEqual(seen, [undefined])
      })
    ).pipe(
      Effect.provide([
        RegistryAuth.layerBasic,
        Credentials.basic("registry.test", "me", "secret"),
        RegistryMiddleware.layer((_, next) =>
          HttpClient.mapRequest(next, (request) => {
            seen.push(request.headers.authorization)
            return request
          })
        )
      ])
    )
  })
})
