import { FetchHttpClient } from "@effect/platform"
import { Console, Effect, Layer, Redacted } from "effect"
import { Credentials, Reference, RegistryClient, RegistryRetry } from "effect-oci"
import { digestOf } from "./use-compose.js"

export const description = "brings its own HttpClient and policies, and swaps one of them for one call"

// #region client
const password = Redacted.make(process.env.REGISTRY_PASSWORD ?? "")

const ClientLive = RegistryClient.layer.pipe(
  Layer.provide([Credentials.basic("registry.test", "me", password), FetchHttpClient.layer])
)

export const program = (reference: Reference.Reference) =>
  digestOf(Reference.format(reference)).pipe(
    Effect.provide(RegistryRetry.layerNone), // this call only
    Effect.flatMap((digest) => Console.log(digest ?? "there is no such image")),
    Effect.provide(ClientLive)
  )
// #endregion
