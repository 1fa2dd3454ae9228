import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import type { CallError } from "../RegistryError.js"
import type { Client } from "../RegistryMiddleware.js"

/** A client of one function. */
export const make = (execute: (request: HttpClientRequest) => Effect.Effect<HttpClientResponse, CallError>): Client =>
  HttpClient.makeWith<never, never, CallError, never>(Effect.flatMap(execute), Effect.succeed)
