/**
 * The one judge of every URL that a server hands us: redirects, upload locations, links to a next page, token services. It
 * says where a request may go, and whether our credentials may go along.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { printable } from "../spec/internal/facts.js"
import type { InvalidReference } from "../spec/RegistryName.js"
import * as RegistryName from "../spec/RegistryName.js"
import * as Addresses from "./internal/addresses.js"
import * as Exchanges from "./internal/facts.js"
import * as Kinship from "./internal/kinship.js"
import * as Operation from "./Operation.js"
import { UnsafeLocation } from "./RegistryError.js"

/** A URL that a server handed us, and how. */
export interface Handed {
  readonly kind: "redirect" | "location" | "link" | "realm" | "urls"
  readonly operation: Operation.Operation
  /** The method that the request to it would have. */
  readonly method: string
  /** The URL that was answered with it, against which it is resolved. */
  readonly from: string
  /** As the server wrote it. */
  readonly to: string
}

/** Where to go: an absolute URL without fragment, its query byte for byte as it was handed. */
export interface Verdict {
  readonly url: string
  /** Same scheme, host and port as where it came from. Anywhere else no credentials, cookies or trace headers go along. */
  readonly sameOrigin: boolean
  /** Whether a token service may get the credentials of the registry that named it. Nothing else on another host may. */
  readonly credentials: boolean
  /** The user has named this host: what address it has is not to be checked. */
  readonly trusted?: boolean | undefined
}

export interface Service {
  readonly judge: (handed: Handed) => Either.Either<Verdict, UnsafeLocation>
}

/** Longer URLs are nobody's; a redirect that grows with each hop ends here. */
const longest = 16_384

const make = (trusted: ReadonlySet<string>): Service => ({
  judge: (handed) => {
    const refuse = (reason: string, target: string = handed.to) =>
      Either.left(
        new UnsafeLocation({
          ...Exchanges.ofRequest(handed.operation, handed.method, handed.from),
          kind: handed.kind,
          target: printable(Exchanges.shown(target)),
          reason
        })
      )
    if (handed.to.trim() === "") return refuse("it is empty")
    if (handed.to.length > longest) return refuse(`it is longer than ${longest} characters`)
    if (!URL.canParse(handed.to, handed.from)) return refuse("it is not a URL")
    const from = new URL(handed.from)
    const to = new URL(handed.to, handed.from)
    if (to.protocol !== "https:" && to.protocol !== "http:") return refuse(`${to.protocol} is not http`, to.protocol)
    if (to.username !== "" || to.password !== "") return refuse("it holds a user name", `${to.origin}${to.pathname}`)
    to.hash = ""
    const url = to.href
    if (to.origin === from.origin) return Either.right({ url, sameOrigin: true, credentials: true })
    if (from.protocol === "https:" && to.protocol === "http:") return refuse("it leaves https for http", url)
    const isRealm = handed.kind === "realm"
    if (trusted.has(to.host)) return Either.right({ url, sameOrigin: false, credentials: isRealm, trusted: true })
    const reach = Addresses.reach(to.hostname)
    const distant = reach !== "public" && reach !== Addresses.reach(from.hostname)
    const away = `a ${reach} address is not where this registry is`
    if (isRealm) {
      return distant
        ? refuse(away, url)
        : Either.right({ url, sameOrigin: false, credentials: Kinship.belongs(from, to) })
    }
    if (handed.kind !== "redirect" && handed.kind !== "urls") return refuse("it leads to another host", url)
    if (handed.method !== "GET" && handed.method !== "HEAD") {
      return refuse(`a ${handed.method} is not taken to another host`, url)
    }
    if (!Operation.isContent(handed.operation)) return refuse("only content is fetched from another host", url)
    return distant ? refuse(away, url) : Either.right({ url, sameOrigin: false, credentials: false })
  }
})

/**
 * Where the client follows a server's URLs. By default it is strict: pages and uploads stay on the registry's origin;
 * only content (blobs and manifests) is fetched from elsewhere, without credentials, never from https to http, and not
 * into loopback, private or link-local networks unless the registry is there itself. A token service may be anywhere else,
 * and gets credentials only when its name says that it belongs to the registry.
 */
export class OriginPolicy extends Context.Reference<OriginPolicy>()("effect-oci/OriginPolicy", {
  defaultValue: (): Service => make(new Set())
}) {}

/** The strict policy, said aloud. */
export const layerStrict: Layer.Layer<OriginPolicy> = Layer.succeed(OriginPolicy, make(new Set()))

/**
 * The strict policy with hosts (`storage.internal:9000`) that redirects, uploads and pages may also lead to. They still
 * get no credentials, unless a registry names one as its token service, and never by http from https.
 */
export const layerTrusting = (hosts: ReadonlyArray<string>): Layer.Layer<OriginPolicy, InvalidReference> =>
  Layer.effect(
    OriginPolicy,
    Either.map(Either.all(hosts.map(RegistryName.parse)), (names) =>
      make(new Set(names.map(({ apiAuthority }) => new URL(`https://${apiAuthority}`).host)))
    )
  )

/** How far an address reaches. Requests of a server's making do not go where the server itself is not. */
export type Reach = Addresses.Reach

/**
 * The reach of a host as URLs write it: an IPv4 address, an IPv6 address in brackets, or a name, which counts as public
 * unless it never is. What a name resolves to only a transport sees.
 */
export const reach: (hostname: string) => Reach = Addresses.reach

/**
 * The host whose word sent a request to another one; nobody's by default. A transport that resolves names itself, as
 * NodeHttp does, then connects to no loopback, private or link-local address unless that host has one too. `fetch` does
 * not tell what it connects to.
 */
export class Led extends Context.Reference<Led>()("effect-oci/OriginPolicy/Led", {
  defaultValue: (): string | undefined => undefined
}) {}

/** Runs a request that follows the word of `from`, the URL of the server that was judged. */
export const following =
  (from: string, verdict: Verdict) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    verdict.sameOrigin
      ? self
      : Effect.provideService(self, Led, verdict.trusted === true ? undefined : new URL(from).hostname)
