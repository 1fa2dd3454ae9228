import * as Effect from "effect/Effect"
import type { Operation } from "../Operation.js"
import type { Limits } from "../RegistryHosts.js"
import type { Client } from "../RegistryMiddleware.js"
import * as Body from "./body.js"
import * as RegistryHttpClient from "./client.js"
import { HeldResponse } from "./heldResponse.js"

/**
 * Reads the body of a success into memory, at most `limit` bytes of it, before it is an answer. A body that breaks off is
 * then a failure like one without any answer, and whoever repeats requests repeats the whole.
 */
export const make = (operation: Operation, limits: Limits, limit: number, next: Client): Client =>
  RegistryHttpClient.make((request) =>
    Effect.flatMap(next.execute(request), (response) =>
      response.status < 200 || response.status > 299
        ? Effect.succeed(response)
        : Effect.map(
            Body.collect({ operation, response, limits, abort: Effect.void }, limit),
            (bytes) => new HeldResponse(response, bytes)
          )
    )
  )
