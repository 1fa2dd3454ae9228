import type { Name } from "effect-oci/Operation"
import type { Incoming } from "./incoming.js"
import * as Names from "./names.js"

/** What a path names. Its last segments tell; the slashes before them belong to the repository. */
export type Route =
  | { readonly _tag: "Base" }
  | { readonly _tag: "Token" }
  | { readonly _tag: "Catalog" }
  | { readonly _tag: "Tags"; readonly name: string }
  | { readonly _tag: "Uploads"; readonly name: string }
  | { readonly _tag: "Upload"; readonly name: string; readonly id: string }
  | { readonly _tag: "Blob"; readonly name: string; readonly digest: string }
  | { readonly _tag: "Manifest"; readonly name: string; readonly reference: string }
  | { readonly _tag: "Referrers"; readonly name: string; readonly digest: string }

const prefix = "/v2/"

/** `tokens` is the path where tokens are had, if any are. */
export const match = (path: string, tokens?: string): Route | undefined => {
  if (path === tokens) return { _tag: "Token" }
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

const reading = (what: "blobs" | "manifests", { headers, method }: Incoming): Name =>
  method === "HEAD"
    ? `${what}.head`
    : what === "blobs" && headers.range !== undefined
      ? "blobs.range"
      : (`${what}.get` as const)

const uploading = (method: string): Name => {
  switch (method) {
    case "PATCH":
      return "uploads.patch"
    case "PUT":
      return "uploads.finish"
    case "DELETE":
      return "uploads.cancel"
    default:
      return "uploads.status"
  }
}

/** What a client calls it. */
export const operation = (route: Route, incoming: Incoming): Name => {
  const { method, query } = incoming
  switch (route._tag) {
    case "Base":
      return "registry.ping"
    case "Token":
      return "auth.token"
    case "Catalog":
      return "catalog.list"
    case "Tags":
      return "tags.list"
    case "Referrers":
      return "referrers.list"
    case "Blob":
      return method === "DELETE" ? "blobs.delete" : reading("blobs", incoming)
    case "Manifest":
      if (method === "PUT") return "manifests.put"
      if (method !== "DELETE") return reading("manifests", incoming)
      return Names.isDigest(route.reference) ? "manifests.delete" : "tags.delete"
    case "Uploads":
      return query.has("mount") ? "uploads.mount" : query.has("digest") ? "uploads.post" : "uploads.start"
    case "Upload":
      return uploading(method)
  }
}
