import type { Readable } from "node:stream"
import type * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as UrlParams from "@effect/platform/UrlParams"
import type * as Undici from "@effect/platform-node/Undici"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as ScopedTransport from "effect-oci/ScopedTransport"
import { Exchange } from "./exchange.js"
import { Response } from "./response.js"
import type { Routes } from "./routes.js"
import * as Streamed from "./streamed.js"

type Request = HttpClientRequest.HttpClientRequest
type Answer = Effect.Effect<Response, HttpClientError.RequestError>
type Body = Exclude<Undici.Dispatcher.DispatchOptions["body"], undefined>

const failure = (request: Request, cause: unknown, reason: "Transport" | "InvalidUrl" = "Transport") =>
  new HttpClientError.RequestError({ request, reason, cause })

/** What a proxy says instead of opening a tunnel stands in undici's message alone. */
class ProxyRefused extends Error {
  readonly code: string
  constructor(status: string) {
    super(`the proxy answers ${status}${status === "407" ? ": it wants a user name and a password, in its URL" : ""}`)
    this.code = `ERR_PROXY_${status}`
  }
}

/** No answer has begun in time. */
class Late extends Error {
  readonly code = ScopedTransport.late
  constructor() {
    super("no answer in time")
  }
}

const explained = (error: Error): Error => {
  const refused = /^Proxy response \((\d{3})\)/.exec(error.message)
  return refused?.[1] === undefined ? error : new ProxyRefused(refused[1])
}

/** Nothing to convert: undici takes what the platform's body holds, and says so where it does not. */
const inMemory = (body: Exclude<HttpBody.HttpBody, HttpBody.Stream | HttpBody.FormData>): Body => {
  switch (body._tag) {
    case "Empty":
      return null
    case "Uint8Array":
      return body.body
    case "Raw":
      return body.body as Body
  }
}

/** A request on its way: what it asks for, and how long its answer is waited for, in milliseconds. */
interface Sending {
  readonly request: Request
  readonly url: URL
  readonly exchange: Exchange
  readonly limit: number
}

/** The longest wait of a timer. */
const longest = 2 ** 31 - 1

const dispatch = (
  dispatcher: Undici.Dispatcher,
  { exchange, limit, request, url }: Sending,
  body: Body | Streamed.Streamed
): Answer =>
  Effect.async((resume) => {
    const timer = limit > longest ? undefined : setTimeout(() => exchange.abort(new Late()), limit)
    exchange.start(body, () => {
      clearTimeout(timer)
      resume(
        exchange.error === undefined
          ? Effect.succeed(new Response(request, exchange))
          : Effect.fail(failure(request, explained(exchange.error)))
      )
    })
    dispatcher.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: request.method,
        headers: request.headers,
        // undici takes what can be iterated, though its types do not say so
        body: body instanceof Streamed.Streamed ? (body as unknown as Readable) : body,
        // how long to wait is the business of who waits
        headersTimeout: 0,
        bodyTimeout: 0,
        // undici gives up a connection after each HEAD, since some servers send a body; then it is given up all the same
        ...(request.method === "HEAD" ? { reset: false } : undefined)
      },
      exchange
    )
    return Effect.sync(() => {
      clearTimeout(timer)
      exchange.abort()
    })
  })

/** A form is written by the fetch of Node itself: undici from npm does not know its class. */
const written = (form: FormData) =>
  Effect.promise(async () => {
    const response = new globalThis.Response(form)
    const type = response.headers.get("content-type") ?? "multipart/form-data"
    return { type, bytes: new Uint8Array(await response.arrayBuffer()) }
  })

const converted = (dispatcher: Undici.Dispatcher, sending: Sending): Answer => {
  const { request } = sending
  const { body } = request
  switch (body._tag) {
    case "Stream":
      return Effect.flatMap(Streamed.make(body.stream), (streamed) => dispatch(dispatcher, sending, streamed))
    case "FormData":
      return Effect.flatMap(written(body.formData), ({ bytes, type }) =>
        dispatch(dispatcher, { ...sending, request: HttpClientRequest.setHeader(request, "content-type", type) }, bytes)
      )
    default:
      return dispatch(dispatcher, sending, inMemory(body))
  }
}

const send = (routes: Routes, context: Context.Context<never>, sending: Sending): Answer => {
  const { request, url } = sending
  const known = routes.known(url, context)
  return known === undefined
    ? routes.find(url, context).pipe(
        Effect.mapError((cause) => failure(request, cause)),
        Effect.flatMap((dispatcher) => converted(dispatcher, sending))
      )
    : converted(known, sending)
}

/** As `execute` with `HttpClient.withScope` and a time limit, without what these cost: a signal, a span and fibers. */
const scoped =
  (routes: Routes): ScopedTransport.Send =>
  (request, scope, limit) =>
    Effect.withFiberRuntime(({ currentContext }) => {
      const url = UrlParams.makeUrl(request.url, request.urlParams, request.hash)
      if (url._tag === "Left") return Effect.fail(failure(request, url.left, "InvalidUrl"))
      const exchange = new Exchange(currentContext.unsafeMap.get(ScopedTransport.Refilled.key) === true)
      const sending = send(routes, currentContext, { request, url: url.right, exchange, limit })
      // most answers are whole by now, and leave nothing to give up
      return Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(restore(sending), (response) =>
          exchange.over
            ? Effect.succeed(response)
            : Effect.as(
                Scope.addFinalizer(
                  scope,
                  Effect.sync(() => exchange.abort())
                ),
                response
              )
        )
      )
    })

/** The platform's client, which sees to spans, to answers that nobody reads and to `HttpClient.withScope`. */
export const make = (routes: Routes): ScopedTransport.ScopedTransport =>
  Object.assign(
    HttpClient.make((request, url, signal, { currentContext }) => {
      const exchange = new Exchange(false)
      signal.addEventListener("abort", () => exchange.abort(), { once: true })
      return send(routes, currentContext, { request, url, exchange, limit: Number.POSITIVE_INFINITY })
    }),
    { [ScopedTransport.TypeId]: scoped(routes) }
  )
