/** The embedded registry with something between it and a client: what holds, counts, refuses or changes. */
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as RegistryServer from "@effect-oci/registry/RegistryServer"
import * as Effect from "effect/Effect"
import * as RegistryClient from "effect-oci/RegistryClient"

/** Stands between a client and its registry. */
export type Between = (
  request: HttpClientRequest.HttpClientRequest,
  send: HttpClient.HttpClient["execute"]
) => ReturnType<HttpClient.HttpClient["execute"]>

/** A client of its own on a registry in the process, as what runs on it. */
export const client = ({ client }: RegistryServer.Service, between: Between = (request, send) => send(request)) =>
  RegistryClient.make.pipe(
    Effect.provideService(
      HttpClient.HttpClient,
      HttpClient.make((request) => between(request, client.execute))
    ),
    Effect.map(
      (client) =>
        <A, E, R>(self: Effect.Effect<A, E, R>) =>
          Effect.provideService(self, RegistryClient.RegistryClient, client)
    )
  )
