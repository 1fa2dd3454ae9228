import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import { constFalse } from "effect/Function"
import type { MayPull } from "./auth/gate.js"
import * as Blobs from "./endpoints/blobs.js"
import * as Listings from "./endpoints/listings.js"
import * as Manifests from "./endpoints/manifests.js"
import * as Uploads from "./endpoints/uploads.js"
import type { Incoming } from "./incoming.js"
import * as Names from "./names.js"
import { type Refusal, refuse } from "./refusal.js"
import type { Answer, Registry } from "./registry.js"
import type { Route } from "./route.js"

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE"
type Methods = Partial<Record<Method, Answer>>

const methods = (registry: Registry, incoming: Incoming, route: Route, mayPull: MayPull): Methods => {
  switch (route._tag) {
    case "Base":
      return { GET: Effect.succeed(HttpServerResponse.unsafeJson({})) }
    case "Token":
      return registry.gate.tokens === undefined
        ? {}
        : { GET: registry.gate.tokens.get(incoming), POST: registry.gate.tokens.post(incoming) }
    case "Catalog":
      return { GET: Listings.catalog(registry, incoming) }
    case "Tags":
      return { GET: Listings.tags(registry, incoming, route.name) }
    case "Referrers":
      return { GET: Listings.referrers(registry, incoming, route.name, route.digest) }
    case "Blob":
      return {
        GET: Blobs.get(registry, incoming, route.name, route.digest),
        DELETE: deleting(registry, Blobs.remove(registry, route.name, route.digest))
      }
    case "Manifest":
      return {
        GET: Manifests.get(registry, incoming, route.name, route.reference),
        PUT: Manifests.put(registry, incoming, route.name, route.reference),
        DELETE: deleting(registry, Manifests.remove(registry, route.name, route.reference))
      }
    case "Uploads":
      return { POST: Uploads.start(registry, incoming, route.name, mayPull) }
    case "Upload":
      return {
        GET: Uploads.status(registry, route.name, route.id),
        PATCH: Uploads.patch(registry, incoming, route.name, route.id),
        PUT: Uploads.finish(registry, incoming, route.name, route.id),
        DELETE: Uploads.cancel(registry, route.name, route.id)
      }
  }
}

const unsupported = (message: string, headers: Readonly<Record<string, string>> = {}): Refusal =>
  refuse(405, "UNSUPPORTED", message, { headers })

const deleting = (registry: Registry, answer: Answer): Answer =>
  registry.settings.deletes ? answer : Effect.fail(unsupported("deletion is disabled"))

// As registries answer a path of no endpoint, and so one that a client knows no referrers API by (end-12a).
const notFound = HttpServerResponse.text("404 page not found\n", { status: 404 })

const isMethod = (text: string, answers: Methods): text is Method => Object.hasOwn(answers, text)

/** The answer to a request. `HEAD` goes wherever `GET` does: the transports leave the body out. */
export const answer = (registry: Registry, incoming: Incoming, route: Route | undefined): Answer =>
  Effect.gen(function* () {
    if (route === undefined || (route._tag === "Referrers" && !registry.settings.referrers)) return notFound
    if ("name" in route) yield* Names.repository(route.name)
    const isToken = route._tag === "Token"
    const mayPull = isToken ? constFalse : yield* registry.gate.enter(route, incoming)
    const answers = methods(registry, incoming, route, mayPull)
    const method = incoming.method === "HEAD" ? "GET" : incoming.method
    const answer = isMethod(method, answers) ? answers[method] : undefined
    if (answer === undefined) {
      const allowed = Object.keys(answers).flatMap((name) => (name === "GET" ? ["GET", "HEAD"] : [name]))
      return yield* unsupported(`${incoming.method} is not supported here`, { allow: allowed.join(", ") })
    }
    return method !== "GET" && registry.settings.readOnly && !isToken
      ? yield* unsupported("the registry is read-only")
      : yield* answer
  })
