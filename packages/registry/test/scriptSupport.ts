import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Script from "@effect-oci/registry/Script"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { send } from "./support.js"

export const registry = "https://registry.test"

/** What a test that plays a script is told, one thing after the other. */
export const failures = (exit: Exit.Exit<unknown, unknown>): ReadonlyArray<string> =>
  Exit.isFailure(exit)
    ? [...Cause.defects(exit.cause)].map((defect) =>
        defect instanceof Script.Failure ? defect.message : String(defect)
      )
    : []

/** How a test of a script ends. */
export const play = (
  test: Effect.Effect<unknown, unknown, HttpClient.HttpClient | Script.Script>,
  ...lines: ReadonlyArray<Script.Line>
) => Effect.exit(Effect.provide(test, Script.layer(...lines)))

/** One exchange with the registry, whose answer is read. */
export const get = (target: string, headers: Record<string, string> = {}, origin = registry) =>
  send("GET", target, { origin, headers })

/** One exchange with the registry, whose answer is not read. */
export const execute = (target: string, method: "GET" | "HEAD" = "GET") =>
  Effect.flatMap(HttpClient.HttpClient, (client) =>
    client.execute(HttpClientRequest.make(method)(`${registry}${target}`))
  )
