import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { Repository } from "../../../spec/Repository.js"
import type { Operation } from "../../Operation.js"
import type { Host, Mirror } from "../../RegistryHosts.js"
import * as Headers from "../headers.js"
import * as Request from "../request.js"

/** A request as one host is asked it. */
export interface Route {
  readonly host: Host
  readonly operation: Operation
  readonly request: HttpClientRequest.HttpClientRequest
  /** Whether the host is a mirror. */
  readonly mirror: boolean
}

const renamed = (operation: Operation, { registry, rename }: Host): Operation => {
  const there = (repository: Repository | undefined) =>
    repository === undefined ? undefined : new Repository({ registry, name: (rename ?? String)(repository.name) })
  return { ...operation, registry, repository: there(operation.repository), from: there(operation.from) }
}

/** The path under the name that the repository has there. */
const path = (url: string, { from, repository }: Operation, there: Operation): string => {
  if (repository === undefined || there.repository === undefined) return url
  const begin = `/v2/${repository.name}/`
  const moved = url.startsWith(begin) ? `/v2/${there.repository.name}/${url.slice(begin.length)}` : url
  return from === undefined || there.from === undefined
    ? moved
    : moved.replace(`from=${encodeURIComponent(from.name)}`, `from=${encodeURIComponent(there.from.name)}`)
}

/** The URL with the name of the source, for a host that is a proxy of several. */
const named = (url: string, { namespace }: Host, { registry }: Operation): string =>
  namespace && !/[?&]ns=/.test(url) ? Request.append(url, "ns", registry.authority) : url

/** The request as the registry itself is asked it, wherever that is. */
export const source = (host: Host, operation: Operation, request: HttpClientRequest.HttpClientRequest): Route => {
  if (host.rename === undefined && host.registry === operation.registry) {
    return { host, operation, request, mirror: false }
  }
  const there = renamed(operation, host)
  const url = path(request.url, operation, there)
  const pull = request.method === "GET" || request.method === "HEAD"
  return {
    host,
    operation: there,
    request: HttpClientRequest.setUrl(request, pull ? named(url, host, operation) : url),
    mirror: false
  }
}

/** Whether a mirror is asked this: reads of content as its rule has it, lists only where it stands for the whole. */
const asked = ({ pull }: Mirror, { name, reference }: Operation): boolean => {
  switch (name) {
    case "blobs.get":
    case "blobs.head":
    case "blobs.range":
      return true
    case "manifests.get":
    case "manifests.head":
      return pull === "all" || (pull === "digest-only") === (reference?.includes(":") === true)
    case "tags.list":
    case "referrers.list":
      return pull === "all"
    default:
      return false
  }
}

/**
 * The requests that mirrors are asked before the registry, in their order, and the one that is made if none of them has an
 * answer. What mirrors get carries nothing that was meant for the registry. A further page of a list is asked of the host
 * that the page before it came from, and of no other.
 */
export const all = (
  host: Host,
  operation: Operation,
  request: HttpClientRequest.HttpClientRequest
): { readonly mirrors: ReadonlyArray<Route>; readonly last: Route } => {
  const last = source(host, operation, request)
  const { url } = request
  const from = url.startsWith("/") || !URL.canParse(url) ? undefined : new URL(url).origin
  const is = (host: Host) => from === new URL(host.baseUrl).origin
  if (from !== undefined && is(host)) return { mirrors: [], last }
  const mirrors = host.mirrors
    .filter((mirror) => asked(mirror, operation) && (from === undefined || is(mirror.host)))
    .map(({ host }) => {
      const there = renamed(operation, host)
      const moved = named(path(url, operation, there), host, operation)
      const headers = Headers.abroad(request.headers)
      return {
        host,
        operation: there,
        request: HttpClientRequest.make(request.method)(moved, { headers }),
        mirror: true
      }
    })
  const [page] = mirrors
  return from === undefined || page === undefined ? { mirrors, last } : { mirrors: [], last: page }
}
