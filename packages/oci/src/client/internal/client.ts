import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import type { CallError } from "../RegistryError.js"
import type { Client } from "../RegistryMiddleware.js"

/** A client of one function, which runs when the request does. `makeWith` alone would take two steps to come to it. */
export const make = (execute: (request: HttpClientRequest) => Effect.Effect<HttpClientResponse, CallError>): Client =>
  Object.assign(HttpClient.makeWith<never, never, CallError, never>(Effect.flatMap(execute), Effect.succeed), {
    execute: (request: HttpClientRequest) => Effect.suspend(() => execute(request))
  })
