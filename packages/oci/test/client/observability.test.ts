import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HashMap from "effect/HashMap"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Metric from "effect/Metric"
import * as MetricState from "effect/MetricState"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Tracer from "effect/Tracer"
import * as Blobs from "effect-oci/Blobs"
import * as Catalog from "effect-oci/Catalog"
import * as Credentials from "effect-oci/Credentials"
import * as Manifests from "effect-oci/Manifests"
import * as Registry from "effect-oci/Registry"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import type { RegistryClient } from "effect-oci/RegistryClient"
import * as RegistryRetry from "effect-oci/RegistryRetry"
import * as Tags from "effect-oci/Tags"
import { play, refusal, type Step } from "../scripted.js"
import { blobUrl, digest, manifestUrl, origin, reference, registry, repository, tagsUrl } from "./support.js"

interface Recorded {
  readonly name: string
  readonly kind: Tracer.SpanKind
  readonly parent: string | undefined
  readonly attributes: Readonly<Record<string, unknown>>
  readonly ended: boolean
}

/** Runs an effect and hands out its spans, in the order in which they began. */
const traced = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const spans: Array<Tracer.Span & { ended: boolean }> = []
    const tracer = Tracer.make({
      context: (f) => f(),
      span: (name, parent, context, links, startTime, kind) => {
        const attributes = new Map<string, unknown>()
        const span = {
          _tag: "Span" as const,
          name,
          spanId: String(spans.length),
          traceId: "trace",
          parent,
          context,
          status: { _tag: "Started" as const, startTime },
          attributes,
          links,
          sampled: true,
          kind,
          ended: false,
          attribute: (key: string, value: unknown) => void attributes.set(key, value),
          event: () => {},
          addLinks: () => {},
          end: () => {
            span.ended = true
          }
        }
        spans.push(span)
        return span
      }
    })
    return Effect.map(Effect.withTracer(Effect.exit(effect), tracer), () =>
      spans.map(
        ({ attributes, ended, kind, name, parent }): Recorded => ({
          name,
          kind,
          parent: Option.getOrUndefined(Option.map(parent, (up) => (up._tag === "Span" ? up.name : up.spanId))),
          attributes: Object.fromEntries([...attributes].filter(([key]) => key !== "code.stacktrace")),
          ended
        })
      )
    )
  })

const noTags = () => Response.json({ tags: [] })

const signed = "https://cdn.test:8443/blob?X-Amz-Signature=s3cret#s3cret"

const secretly = [RegistryAuth.layerBasic, Credentials.basic("registry.test", "me", "s3cret")] as const

/** An exchange with secrets in every place that they can be in. */
const secrets: ReadonlyArray<Step> = [
  [
    `GET ${blobUrl}`,
    () => new Response(null, { status: 307, headers: { location: signed, "set-cookie": "sid=s3cret" } })
  ],
  [
    `GET ${signed.replace("#s3cret", "")}`,
    () => refusal(401, "UNAUTHORIZED", "", { "www-authenticate": 'Bearer realm="https://x.test/?s3cret"' })
  ]
]

const hidesSecrets = (text: string) => {
  assert.notInclude(text, "s3cret")
  assert.notInclude(text, Buffer.from("me:s3cret").toString("base64"))
}

describe("spans", () => {
  it.effect("an endpoint's holds one for each exchange", () =>
    play(
      [
        [`GET ${blobUrl}`, () => new Response(null, { status: 307, headers: { location: signed } })],
        [`GET ${signed.replace("#s3cret", "")}`, () => new Response("{}")]
      ],
      () =>
        Effect.gen(function* () {
          const spans = yield* traced(Blobs.get(repository, digest))
          assert.deepStrictEqual(spans, [
            {
              name: "oci.blobs.get",
              kind: "internal",
              parent: undefined,
              attributes: { "oci.registry": "registry.test", "oci.repository": "org/app", "oci.digest": digest },
              ended: true
            },
            {
              name: "GET",
              kind: "client",
              parent: "oci.blobs.get",
              attributes: {
                "http.request.method": "GET",
                "http.response.status_code": 307,
                "oci.operation": "blobs.get",
                "server.address": "registry.test",
                "server.port": 443,
                "url.full": blobUrl,
                "url.scheme": "https"
              },
              ended: true
            },
            {
              name: "GET",
              kind: "client",
              parent: "oci.blobs.get",
              attributes: {
                "http.request.method": "GET",
                "http.response.status_code": 200,
                "oci.operation": "blobs.get",
                "server.address": "cdn.test",
                "server.port": 8443,
                "url.full": "https://cdn.test:8443/blob",
                "url.scheme": "https"
              },
              ended: true
            }
          ])
        })
    )
  )

  it.effect("of an exchange without an answer names the failure", () =>
    play([[`GET ${tagsUrl}`, Effect.fail("gone")]], () =>
      Effect.gen(function* () {
        const [, exchange] = yield* traced(Tags.list(repository))
        assert.strictEqual(exchange?.attributes["error.type"], "TransportError")
        assert.isUndefined(exchange?.attributes["http.response.status_code"])
        assert.isTrue(exchange?.ended)
      })
    )
  )

  it.effect("count how often a request was sent again", () =>
    play(
      [
        [`GET ${tagsUrl}`, Effect.fail("gone")],
        [`GET ${tagsUrl}`, noTags]
      ],
      () =>
        Effect.gen(function* () {
          const spans = yield* traced(Tags.list(repository))
          assert.deepStrictEqual(
            spans.slice(1).map(({ attributes }) => attributes["http.request.resend_count"]),
            [undefined, 1]
          )
        })
    ).pipe(
      Effect.provide(Layer.succeed(RegistryRetry.RegistryRetry, (_, next) => HttpClient.retry(next, { times: 1 })))
    )
  )

  const json = () => Response.json({ tags: [], repositories: [] })
  const named: ReadonlyArray<
    readonly [name: string, step: Step, call: Effect.Effect<ReadonlyArray<Recorded>, never, RegistryClient>]
  > = [
    ["oci.tags.list", [`GET ${tagsUrl}`, json], traced(Tags.list(repository))],
    ["oci.tags.stream", [`GET ${tagsUrl}`, json], traced(Stream.runDrain(Tags.stream(repository)))],
    ["oci.catalog.list", [`GET ${origin}/v2/_catalog`, json], traced(Catalog.list(registry))],
    ["oci.catalog.stream", [`GET ${origin}/v2/_catalog`, json], traced(Stream.runDrain(Catalog.stream(registry)))],
    ["oci.registry.ping", [`GET ${origin}/v2/`, json], traced(Registry.ping(registry))],
    ["oci.registry.supports", [`GET ${origin}/v2/`, json], traced(Registry.supports(registry))],
    [
      "oci.blobs.stream",
      [`GET ${blobUrl}`, () => new Response("{}")],
      traced(Stream.runDrain(Blobs.stream(repository, digest)))
    ],
    ["oci.blobs.exists", [`HEAD ${blobUrl}`, () => new Response(null)], traced(Blobs.exists(repository, digest))],
    ["oci.manifests.get", [`GET ${manifestUrl}`, json], traced(Manifests.get(reference))]
  ]
  for (const [name, step, call] of named) {
    it.effect(`${name} is one around its exchange`, () =>
      play([step], () =>
        Effect.map(call, (spans) => {
          const [outer, inner, ...further] = spans
          assert.strictEqual(outer?.name, name)
          assert.strictEqual(outer?.attributes["oci.registry"], "registry.test")
          assert.strictEqual(inner?.parent, name)
          assert.strictEqual(inner?.kind, "client")
          assert.deepStrictEqual(further, [])
          assert.isTrue(outer?.ended)
        })
      )
    )
  }

  it.effect("name the tag where one is asked for", () =>
    play([[`GET ${manifestUrl}`, noTags]], () =>
      Effect.map(traced(Manifests.get(reference)), ([outer]) =>
        assert.deepStrictEqual(outer?.attributes, {
          "oci.registry": "registry.test",
          "oci.repository": "org/app",
          "oci.reference": "1.2"
        })
      )
    )
  )

  it.effect("S44 E9 hold no secrets", () =>
    play(secrets, () =>
      Effect.map(traced(Blobs.get(repository, digest)), (spans) => {
        assert.strictEqual(spans.length, 3)
        hidesSecrets(JSON.stringify(spans))
      })
    ).pipe(Effect.provide(secretly))
  )
})

describe("logs", () => {
  interface Line {
    readonly level: string
    readonly text: string
    readonly annotations: Readonly<Record<string, unknown>>
  }

  const logged = <A, E, R>(effect: Effect.Effect<A, E, R>, level: LogLevel.LogLevel) =>
    Effect.suspend(() => {
      const lines: Array<Line> = []
      const logger = Logger.make(({ annotations, context, logLevel, message }) => {
        lines.push({
          level: logLevel.label,
          text: Inspectable.withRedactableContext(context, () =>
            Arr.ensure(message)
              .map((part) => Inspectable.toStringUnknown(part))
              .join(" ")
          ),
          annotations: Object.fromEntries(HashMap.toEntries(annotations))
        })
      })
      return Effect.exit(effect).pipe(
        Logger.withMinimumLogLevel(level),
        Effect.provide(Logger.add(logger)),
        Effect.as(lines)
      )
    })

  it.effect("say nothing of a success at Info", () =>
    play([[`GET ${tagsUrl}`, noTags]], () =>
      Effect.map(logged(Tags.list(repository), LogLevel.Info), (lines) => assert.deepStrictEqual(lines, []))
    )
  )

  it.effect("tell each exchange at Debug, of this package and operation", () =>
    play([[`GET ${tagsUrl}`, Effect.delay(Effect.sync(noTags), "25 millis")]], () =>
      Effect.gen(function* () {
        const listing = yield* Effect.fork(logged(Tags.list(repository), LogLevel.Debug))
        yield* TestClock.adjust("25 millis")
        assert.deepStrictEqual(yield* listing, [
          {
            level: "DEBUG",
            text: `GET ${tagsUrl} 200 25 ms`,
            annotations: { package: "effect-oci", operation: "tags.list" }
          }
        ])
      })
    )
  )

  it.effect("tell a failure by its name", () =>
    play([[`GET ${tagsUrl}`, Effect.fail("gone")]], () =>
      Effect.map(logged(Tags.list(repository), LogLevel.Debug), ([line]) =>
        assert.strictEqual(line?.text, `GET ${tagsUrl} TransportError 0 ms`)
      )
    )
  )

  it.effect("show headers at Trace", () =>
    play([[`GET ${tagsUrl}`, noTags]], () =>
      Effect.map(logged(Tags.list(repository), LogLevel.Trace), (lines) => {
        assert.deepStrictEqual(
          lines.map(({ level }) => level),
          ["DEBUG", "TRACE", "TRACE"]
        )
        assert.include(lines[1]?.text, '"accept": "application/json"')
        assert.include(lines[2]?.text, '"content-type": "application/json"')
      })
    )
  )

  it.effect("S43 S44 hold no secrets at any level", () =>
    play(secrets, () =>
      Effect.map(logged(Blobs.get(repository, digest), LogLevel.All), (lines) => {
        assert.strictEqual(lines.length, 6)
        hidesSecrets(JSON.stringify(lines))
      })
    ).pipe(Effect.provide(secretly))
  )

  it.effect("S43 S44 hold no secrets when a program logs its failure", () =>
    play(secrets, () =>
      Effect.map(
        logged(
          Effect.tapErrorCause(Blobs.get(repository, digest), (cause) => Effect.logError("failed", cause)),
          LogLevel.Info
        ),
        (lines) => {
          assert.strictEqual(lines.length, 1)
          hidesSecrets(JSON.stringify(lines))
        }
      )
    ).pipe(Effect.provide(secretly))
  )
})

describe("metrics", () => {
  /** How often an exchange of this kind was measured, and the seconds of all of them. */
  const measured = (tags: Readonly<Record<string, string>>) =>
    Effect.map(Metric.snapshot, (pairs) => {
      const wanted = Object.entries(tags).sort()
      const found = pairs.find(
        ({ metricKey }) =>
          metricKey.name === "http.client.request.duration" &&
          JSON.stringify(metricKey.tags.map(({ key, value }) => [key, value]).sort()) === JSON.stringify(wanted)
      )
      const state = found?.metricState
      return state !== undefined && MetricState.isHistogramState(state)
        ? { count: state.count, sum: state.sum }
        : { count: 0, sum: 0 }
    })

  it.effect("measure each exchange, by operation and status", () => {
    const tags = { "http.request.method": "GET", "oci.operation": "tags.list", "http.response.status_code": "418" }
    return play(
      [
        [
          `GET ${tagsUrl}`,
          Effect.delay(
            Effect.sync(() => new Response("", { status: 418 })),
            "250 millis"
          )
        ]
      ],
      () =>
        Effect.gen(function* () {
          const before = yield* measured(tags)
          const listing = yield* Effect.fork(Effect.exit(Tags.list(repository)))
          yield* TestClock.adjust("250 millis")
          assert.isTrue(Exit.isFailure(yield* listing.await.pipe(Effect.flatten)))
          const after = yield* measured(tags)
          assert.strictEqual(after.count - before.count, 1)
          assert.strictEqual(after.sum - before.sum, 0.25)
        })
    )
  })

  it.effect("measure exchanges without an answer, by failure", () => {
    const tags = { "http.request.method": "GET", "oci.operation": "tags.list", "error.type": "TransportError" }
    return play([[`GET ${tagsUrl}`, Effect.fail("gone")]], () =>
      Effect.gen(function* () {
        const before = yield* measured(tags)
        yield* Effect.exit(Tags.list(repository))
        assert.strictEqual((yield* measured(tags)).count - before.count, 1)
      })
    )
  })
})
