/**
 * A transport that replays a script. Each step expects one request and answers it; a request that is not in the script, a
 * step that is not used and an answer's body that nobody reads or gives up are failures of the test.
 */
import type * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as RegistryAuth from "effect-oci/RegistryAuth"
import * as RegistryClient from "effect-oci/RegistryClient"
import * as RegistryRetry from "effect-oci/RegistryRetry"

/** A request as the transport was given it, its URL byte for byte, and what became of the answer's body. */
export interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: Headers.Headers
  readonly body: Uint8Array
  /** `given up` is an answer that was left unread, or not waited for. */
  readonly answer: "none" | "held" | "read" | "given up"
  /** How many bytes of the answer were asked for until now. */
  readonly taken: number
}

/** What comes back. A failure of the effect is one of the connection, with that cause. */
export type Answer = Response | Effect.Effect<Response, unknown>

/** `GET https://registry.test/v2/`, and what is answered. A script that runs more than once takes its answers as functions. */
export type Step = readonly [request: string, answer: Answer | ((sent: Sent) => Answer)]

const bytesOf = (request: HttpClientRequest.HttpClientRequest) => {
  const { body } = request
  if (body._tag === "Uint8Array") return Effect.succeed(body.body)
  if (body._tag !== "Stream") return Effect.succeed(new Uint8Array())
  return Stream.runCollect(body.stream).pipe(
    Effect.map((pieces) => new Uint8Array(Buffer.concat([...pieces]))),
    Effect.mapError((cause) => new HttpClientError.RequestError({ request, reason: "Transport", cause }))
  )
}

type Recording = { -readonly [Key in keyof Sent]: Sent[Key] }

/** The response with a body that records what becomes of it. It is drawn piece by piece, only as far as it is read. */
const watched = (response: Response, signal: AbortSignal, record: Recording): Response => {
  const source = response.body?.getReader()
  if (source === undefined) {
    record.answer = "read"
    return response
  }
  record.answer = "held"
  const end = (how: "read" | "given up") => {
    if (record.answer === "held") record.answer = how
  }
  const giveUp = (reason?: unknown) => {
    end("given up")
    return source.cancel(reason).catch(() => {})
  }
  signal.addEventListener("abort", () => giveUp())
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) =>
        source.read().then(
          ({ done, value }) => {
            if (done) {
              end("read")
              return controller.close()
            }
            record.taken += value.length
            controller.enqueue(value)
          },
          (error) => {
            end("read")
            controller.error(error)
          }
        ),
      cancel: giveUp
    },
    { highWaterMark: 0 }
  )
  return Object.defineProperty(new Response(body, { headers: response.headers }), "status", { value: response.status })
}

/** Runs a test against a script, with a `RegistryClient` over it that neither signs in nor retries unless told to. */
export const play = <A, E, R>(
  steps: ReadonlyArray<Step>,
  test: (sent: ReadonlyArray<Sent>) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, RegistryClient.RegistryClient | HttpClient.HttpClient>> =>
  Effect.suspend(() => {
    const sent: Array<Sent> = []
    const client = HttpClient.make((request, { href }, signal) =>
      Effect.gen(function* () {
        const { headers, method } = request
        const url = request.urlParams.length === 0 ? request.url : href
        const line = `${method} ${url}`
        const [expected, answer] = steps[sent.length] ?? ["no more requests"]
        if (answer === undefined || line !== expected) {
          return yield* Effect.dieMessage(`request ${sent.length + 1} is ${line}, the script has ${expected}`)
        }
        const record: Recording = { method, url, headers, body: new Uint8Array(), answer: "none", taken: 0 }
        sent.push(record)
        signal.addEventListener("abort", () => {
          if (record.answer === "none") record.answer = "given up"
        })
        record.body = yield* bytesOf(request)
        const given = typeof answer === "function" ? answer(record) : answer
        const response = Effect.isEffect(given)
          ? yield* Effect.mapError(
              given,
              (cause) => new HttpClientError.RequestError({ request, reason: "Transport", cause })
            )
          : given
        return HttpClientResponse.fromWeb(request, watched(response, signal, record))
      })
    )
    const layer = RegistryClient.layer.pipe(
      Layer.provide([RegistryAuth.layerNone, RegistryRetry.layerNone]),
      Layer.provideMerge(Layer.succeed(HttpClient.HttpClient, client))
    )
    return test(sent).pipe(
      Effect.tap(() => {
        assert.strictEqual(sent.length, steps.length, `the script goes on with ${steps[sent.length]?.[0]}`)
        const held = sent.filter(({ answer }) => answer === "held").map(({ method, url }) => `${method} ${url}`)
        assert.deepStrictEqual(held, [], "answers that nobody read or gave up")
      }),
      Effect.provide(layer)
    )
  })

/** An error document of the specification. */
export const refusal = (
  status: number,
  code: string,
  message = "",
  headers: Readonly<Record<string, string>> = {}
): Response => {
  const document = JSON.stringify({ errors: [{ code, message }] })
  const length = String(new TextEncoder().encode(document).length)
  return new Response(document, {
    status,
    headers: { "content-type": "application/json", "content-length": length, ...headers }
  })
}
