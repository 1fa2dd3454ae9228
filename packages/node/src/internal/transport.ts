import type * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as UrlParams from "@effect/platform/UrlParams"
import * as NodeStream from "@effect/platform-node/NodeStream"
import type * as Undici from "@effect/platform-node/Undici"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as ScopedTransport from "effect-oci/ScopedTransport"
import { Exchange } from "./exchange.js"
import { Response } from "./response.js"
import type { Routes } from "./routes.js"

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

const dispatch = (dispatcher: Undici.Dispatcher, request: Request, url: URL, exchange: Exchange, body: Body): Answer =>
  Effect.async((resume) => {
    exchange.start(body, () =>
      resume(
        exchange.error === undefined
          ? Effect.succeed(new Response(request, exchange))
          : Effect.fail(failure(request, explained(exchange.error)))
      )
    )
    dispatcher.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: request.method,
        headers: request.headers,
        body,
        // how long to wait is the business of who waits
        headersTimeout: 0,
        bodyTimeout: 0,
        // undici gives up a connection after each HEAD, since some servers send a body; then it is given up all the same
        ...(request.method === "HEAD" ? { reset: false } : undefined)
      },
      exchange
    )
    return Effect.sync(() => exchange.abort())
  })

/** A form is written by the fetch of Node itself: undici from npm does not know its class. */
const written = (form: FormData) =>
  Effect.promise(async () => {
    const response = new globalThis.Response(form)
    const type = response.headers.get("content-type") ?? "multipart/form-data"
    return { type, bytes: new Uint8Array(await response.arrayBuffer()) }
  })

const converted = (dispatcher: Undici.Dispatcher, request: Request, url: URL, exchange: Exchange): Answer => {
  const { body } = request
  switch (body._tag) {
    case "Stream":
      return Effect.flatMap(NodeStream.toReadable(body.stream), (readable) =>
        dispatch(dispatcher, request, url, exchange, readable)
      )
    case "FormData":
      return Effect.flatMap(written(body.formData), ({ bytes, type }) =>
        dispatch(dispatcher, HttpClientRequest.setHeader(request, "content-type", type), url, exchange, bytes)
      )
    default:
      return dispatch(dispatcher, request, url, exchange, inMemory(body))
  }
}

const send = (
  routes: Routes,
  context: Context.Context<never>,
  request: Request,
  url: URL,
  exchange: Exchange
): Answer => {
  const known = routes.known(url, context)
  return known === undefined
    ? routes.find(url, context).pipe(
        Effect.mapError((cause) => failure(request, cause)),
        Effect.flatMap((dispatcher) => converted(dispatcher, request, url, exchange))
      )
    : converted(known, request, url, exchange)
}

/** As `execute` with `HttpClient.withScope`, without what these cost: a signal for each request and a platform's span. */
const scoped =
  (routes: Routes): ScopedTransport.Execute =>
  (request) =>
    Effect.withFiberRuntime(({ currentContext }) => {
      const url = UrlParams.makeUrl(request.url, request.urlParams, request.hash)
      if (url._tag === "Left") return Effect.fail(failure(request, url.left, "InvalidUrl"))
      const exchange = new Exchange()
      const abort = Effect.sync(() => exchange.abort())
      return Effect.zipRight(
        Scope.addFinalizer(Context.unsafeGet(currentContext, Scope.Scope), abort),
        send(routes, currentContext, request, url.right, exchange)
      )
    })

/** The platform's client, which sees to spans, to answers that nobody reads and to `HttpClient.withScope`. */
export const make = (routes: Routes): ScopedTransport.ScopedTransport =>
  Object.assign(
    HttpClient.make((request, url, signal, { currentContext }) => {
      const exchange = new Exchange()
      signal.addEventListener("abort", () => exchange.abort(), { once: true })
      return send(routes, currentContext, request, url, exchange)
    }),
    { [ScopedTransport.TypeId]: scoped(routes) }
  )
