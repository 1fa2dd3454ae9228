import * as Cookies from "@effect/platform/Cookies"
import * as Headers from "@effect/platform/Headers"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Exchange } from "./exchange.js"
import * as Pieces from "./pieces.js"

const decoder = new TextDecoder()

/** Headers that came twice are joined, as every transport of the platform does. */
const joined = (raw: Exchange["headers"]): Headers.Headers => {
  const headers: Record<string, string> = {}
  for (const name in raw) {
    const value = raw[name]
    if (value !== undefined) headers[name] = typeof value === "string" ? value : value.join(", ")
  }
  return Headers.unsafeFromRecord(headers)
}

const join = (chunks: ReadonlyArray<Uint8Array>): Uint8Array<ArrayBuffer> => {
  let size = 0
  for (const chunk of chunks) size += chunk.length
  const all = new Uint8Array(Buffer.allocUnsafeSlow(size).buffer)
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}

/** An answer. Its body is read once, either in pieces or whole; what was read whole can be asked for again. */
export class Response extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId]: HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly request: HttpClientRequest.HttpClientRequest
  readonly status: number
  readonly headers: Headers.Headers
  readonly #exchange: Exchange
  #reading: "nothing" | "pieces" | "whole" = "nothing"
  #whole: Uint8Array<ArrayBuffer> | undefined

  constructor(request: HttpClientRequest.HttpClientRequest, exchange: Exchange) {
    super()
    this.request = request
    this.status = exchange.status
    this.headers = joined(exchange.headers)
    this.#exchange = exchange
  }

  get cookies(): Cookies.Cookies {
    return Cookies.fromSetCookie(this.#exchange.headers["set-cookie"] ?? [])
  }

  get remoteAddress(): Option.Option<string> {
    return Option.none()
  }

  get stream(): Stream.Stream<Uint8Array, HttpClientError.ResponseError> {
    return Stream.suspend(() => {
      if (this.#reading !== "nothing")
        return Stream.fail(this.#failure(new TypeError("the body has been read already")))
      this.#reading = "pieces"
      const exchange = this.#exchange
      const pull: Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<HttpClientError.ResponseError>> = Effect.suspend(
        () => {
          const chunks = exchange.take()
          if (chunks.length > 0) return Effect.succeed(Chunk.unsafeFromArray(chunks))
          if (exchange.error !== undefined) return Effect.fail(Option.some(this.#failure(exchange.error)))
          if (exchange.ended) return Effect.fail(Option.none())
          return Effect.flatMap(more, () => pull)
        }
      )
      const more = Effect.async<void>((resume) => exchange.wait(() => resume(Effect.void)))
      return Stream.ensuring(
        Stream.repeatEffectChunkOption(pull),
        Effect.sync(() => exchange.abort())
      )
    })
  }

  /** An exit when all of it is here: then nobody need wait, nor watch over who does. */
  get arrayBuffer(): Effect.Effect<ArrayBuffer, HttpClientError.ResponseError> {
    return this.#exchange.ended && this.#reading !== "pieces"
      ? Exit.succeed(this.#taken().buffer)
      : Effect.map(this.#bytes, ({ buffer }) => buffer)
  }

  get text(): Effect.Effect<string, HttpClientError.ResponseError> {
    return Effect.map(this.#bytes, (bytes) => decoder.decode(bytes))
  }

  get json(): Effect.Effect<unknown, HttpClientError.ResponseError> {
    return this.#decoded((text): unknown => (text === "" ? null : JSON.parse(text)))
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, HttpClientError.ResponseError> {
    return this.#decoded((text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  get formData(): Effect.Effect<FormData, HttpClientError.ResponseError> {
    return Effect.flatMap(this.#bytes, (bytes) =>
      Effect.tryPromise({
        try: () => new globalThis.Response(bytes, { headers: this.headers }).formData(),
        catch: (cause) => this.#failure(cause)
      })
    )
  }

  toJSON(): unknown {
    return HttpIncomingMessage.inspect(this, {
      _id: "@effect/platform/HttpClientResponse",
      request: this.request.toJSON(),
      status: this.status
    })
  }

  get #bytes(): Effect.Effect<Uint8Array<ArrayBuffer>, HttpClientError.ResponseError> {
    return Effect.suspend(() => {
      if (this.#reading === "pieces") return Effect.fail(this.#failure(new TypeError("the body has been read already")))
      this.#reading = "whole"
      return this.#exchange.over ? this.#collected() : Effect.flatMap(this.#over, () => this.#collected())
    })
  }

  #collected(): Effect.Effect<Uint8Array<ArrayBuffer>, HttpClientError.ResponseError> {
    return this.#exchange.error === undefined
      ? Effect.succeed(this.#taken())
      : Effect.fail(this.#failure(this.#exchange.error))
  }

  /** The whole body, in memory of its own: what comes from the socket are views of larger pieces, which can be filled again. */
  #taken(): Uint8Array<ArrayBuffer> {
    this.#reading = "whole"
    if (this.#whole === undefined) {
      const chunks = this.#exchange.take()
      this.#whole = join(chunks)
      for (const chunk of chunks) {
        Pieces.lend(chunk)
        Pieces.giveBack(chunk)
      }
    }
    return this.#whole
  }

  get #over(): Effect.Effect<void> {
    return Effect.async<void>((resume) => {
      this.#exchange.collect(() => resume(Effect.void))
      return Effect.sync(() => this.#exchange.abort())
    })
  }

  #decoded<A>(decode: (text: string) => A): Effect.Effect<A, HttpClientError.ResponseError> {
    return Effect.flatMap(this.text, (text) =>
      Effect.try({ try: () => decode(text), catch: (cause) => this.#failure(cause) })
    )
  }

  #failure(cause: unknown): HttpClientError.ResponseError {
    return new HttpClientError.ResponseError({ request: this.request, response: this, reason: "Decode", cause })
  }
}
