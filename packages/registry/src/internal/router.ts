import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Blobs from "./endpoints/blobs.js"
import * as Listings from "./endpoints/listings.js"
import * as Manifests from "./endpoints/manifests.js"
import * as Uploads from "./endpoints/uploads.js"
import type { Incoming } from "./incoming.js"
import * as Names from "./names.js"
import { type Refusal, refuse } from "./refusal.js"
import type { Answer, Registry } from "./registry.js"

/** What a path names. Its last segments tell; the slashes before them belong to the repository. */
export type Route =
  | { readonly _tag: "Base" }
  | { readonly _tag: "Catalog" }
  | { readonly _tag: "Tags"; readonly name: string }
  | { readonly _tag: "Uploads"; readonly name: string }
  | { readonly _tag: "Upload"; readonly name: string; readonly id: string }
  | { readonly _tag: "Blob"; readonly name: string; readonly digest: string }
  | { readonly _tag: "Manifest"; readonly name: string; readonly reference: string }
  | { readonly _tag: "Referrers"; readonly name: string; readonly digest: string }

const prefix = "/v2/"

export const match = (path: string): Route | undefined => {
  if (path === "/v2" || path === prefix) return { _tag: "Base" }
  if (path === "/v2/_catalog") return { _tag: "Catalog" }
  if (!path.startsWith(prefix)) return undefined
  const segments = path.slice(prefix.length).split("/")
  const [third, kind, last = ""] = [segments.at(-3), segments.at(-2), segments.at(-1)]
  const name = (tail: number): string => segments.slice(0, -tail).join("/")
  if (third === "blobs" && kind === "uploads") {
    return last === "" ? { _tag: "Uploads", name: name(3) } : { _tag: "Upload", name: name(3), id: last }
  }
  switch (kind) {
    case "blobs":
      return last === "uploads" ? { _tag: "Uploads", name: name(2) } : { _tag: "Blob", name: name(2), digest: last }
    case "manifests":
      return { _tag: "Manifest", name: name(2), reference: last }
    case "referrers":
      return { _tag: "Referrers", name: name(2), digest: last }
    case "tags":
      return last === "list" ? { _tag: "Tags", name: name(2) } : undefined
    default:
      return undefined
  }
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE"
type Methods = Partial<Record<Method, Answer>>

const methods = (registry: Registry, incoming: Incoming, route: Route): Methods => {
  switch (route._tag) {
    case "Base":
      return { GET: Effect.succeed(HttpServerResponse.unsafeJson({})) }
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
      return { POST: Uploads.start(registry, incoming, route.name) }
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
export const route = (registry: Registry, incoming: Incoming): Answer =>
  Effect.gen(function* () {
    const target = match(incoming.path)
    if (target === undefined || (target._tag === "Referrers" && !registry.settings.referrers)) return notFound
    if ("name" in target) yield* Names.repository(target.name)
    const answers = methods(registry, incoming, target)
    const method = incoming.method === "HEAD" ? "GET" : incoming.method
    const answer = isMethod(method, answers) ? answers[method] : undefined
    if (answer === undefined) {
      const allowed = Object.keys(answers).flatMap((name) => (name === "GET" ? ["GET", "HEAD"] : [name]))
      return yield* unsupported(`${incoming.method} is not supported here`, { allow: allowed.join(", ") })
    }
    return method !== "GET" && registry.settings.readOnly
      ? yield* unsupported("the registry is read-only")
      : yield* answer
  })
