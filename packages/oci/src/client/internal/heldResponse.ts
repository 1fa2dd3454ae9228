import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"
import * as Stream from "effect/Stream"

/** An answer whose body is in memory, to be read any number of times. */
export class HeldResponse extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId]: HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly request: HttpClientResponse.HttpClientResponse["request"]
  readonly status: number
  readonly headers: HttpClientResponse.HttpClientResponse["headers"]

  readonly bytes: Uint8Array
  private readonly source: HttpClientResponse.HttpClientResponse

  constructor(source: HttpClientResponse.HttpClientResponse, bytes: Uint8Array) {
    super()
    this.source = source
    this.bytes = bytes
    this.request = source.request
    this.status = source.status
    this.headers = source.headers
  }

  get cookies() {
    return this.source.cookies
  }

  get remoteAddress() {
    return this.source.remoteAddress
  }

  get stream(): Stream.Stream<Uint8Array> {
    return Stream.make(this.bytes)
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer> {
    return Effect.sync(() => new Uint8Array(this.bytes).buffer)
  }

  get text(): Effect.Effect<string> {
    return Effect.sync(() => new TextDecoder().decode(this.bytes))
  }

  get json(): Effect.Effect<unknown, HttpClientError.ResponseError> {
    return this.decoded(this.text, (text): unknown => (text === "" ? null : JSON.parse(text)))
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, HttpClientError.ResponseError> {
    return this.decoded(this.text, (text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  get formData(): Effect.Effect<FormData, HttpClientError.ResponseError> {
    const { headers } = this
    return Effect.tryPromise({
      try: () => new Response(new Uint8Array(this.bytes), { headers }).formData(),
      catch: (cause) => this.undecodable(cause)
    })
  }

  toJSON(): unknown {
    return HttpIncomingMessage.inspect(this, {
      _id: "@effect/platform/HttpClientResponse",
      request: this.request.toJSON(),
      status: this.status
    })
  }

  private decoded<A>(text: Effect.Effect<string>, decode: (text: string) => A) {
    return Effect.tryMap(text, { try: decode, catch: (cause) => this.undecodable(cause) })
  }

  private undecodable(cause: unknown) {
    return new HttpClientError.ResponseError({ request: this.request, response: this, reason: "Decode", cause })
  }
}
