import type * as net from "node:net"
import type * as tls from "node:tls"
import type * as Undici from "@effect/platform-node/Undici"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as OriginPolicy from "effect-oci/OriginPolicy"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as RegistryName from "effect-oci/RegistryName"
import type * as Certificates from "./certificates.js"
import * as Guard from "./guard.js"

/** Which of undici's dispatchers takes a request. */
export interface Routes {
  /** What has been found before, at the cost of a look into a map. */
  readonly known: (url: URL, context: Context.Context<never>) => Undici.Dispatcher | undefined
  readonly find: (url: URL, context: Context.Context<never>) => Effect.Effect<Undici.Dispatcher, Error>
}

/** What the connections of one dispatcher have in common. */
export interface Setup {
  readonly secureContext?: tls.SecureContext
  readonly rejectUnauthorized?: false
  readonly lookup?: net.LookupFunction
}

export interface Options {
  readonly agent: (setup: Setup) => Undici.Dispatcher
  readonly certificates: Certificates.Find
  readonly lookup: net.LookupFunction
}

/** What the policy in place says of connections to a host. */
interface Said {
  readonly insecure: boolean
  readonly tls: RegistryHosts.Tls | undefined
  /** Tells apart what policies say of the same host; nothing is said most of the time. */
  readonly name: string
}

const silent: Said = { insecure: false, tls: undefined, name: "" }

/** What a policy says of a host does not change while the policy is the same value. */
const sayings = new WeakMap<RegistryHosts.Service, Map<string, Said>>()

const ask = (hosts: RegistryHosts.Service, host: string): Said => {
  const registry = RegistryName.parse(`https://${host}`)
  if (registry._tag === "Left") return silent
  const { insecure, tls } = hosts.lookup(registry.right)
  return insecure || tls !== undefined ? { insecure, tls, name: ` ${insecure} ${JSON.stringify(tls)}` } : silent
}

/** It is asked of each URL's own host: what holds for a registry says nothing of the hosts that it sends us to. */
const said = ({ host, protocol }: URL, context: Context.Context<never>): Said => {
  const hosts: RegistryHosts.Service | undefined = context.unsafeMap.get(RegistryHosts.RegistryHosts.key)
  if (hosts === undefined || protocol !== "https:") return silent
  const known = sayings.get(hosts) ?? new Map<string, Said>()
  const before = known.get(host)
  if (before !== undefined) return before
  sayings.set(hosts, known)
  const found = ask(hosts, host)
  if (known.size >= most) known.clear()
  known.set(host, found)
  return found
}

/** Names remembered, so that a server that sends us to ever new hosts does not fill the memory. */
const most = 1024

export const make = ({ agent, certificates, lookup }: Options): Effect.Effect<Routes, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new Map<string, Undici.Dispatcher>()),
    (agents) => Effect.promise(() => Promise.all([...agents.values()].map((dispatcher) => dispatcher.destroy())))
  ).pipe(
    Effect.map((agents) => {
      const found = new Map<string, Undici.Dispatcher>()
      const keyOf = (url: URL, context: Context.Context<never>): string => {
        const led: string | undefined = context.unsafeMap.get(OriginPolicy.Led.key)
        const { name } = said(url, context)
        return led === undefined && name === "" ? url.origin : `${url.origin}${name} ${led}`
      }
      const connectionsOf = (name: string, setup: Setup): Undici.Dispatcher => {
        const made = agents.get(name) ?? agent(setup)
        agents.set(name, made)
        return made
      }
      return {
        known: (url, context) => found.get(keyOf(url, context)),
        find: (url, context) =>
          Effect.gen(function* () {
            const led: string | undefined = context.unsafeMap.get(OriginPolicy.Led.key)
            const { insecure, name, tls } = said(url, context)
            const key = keyOf(url, context)
            const own = url.protocol === "https:" ? yield* certificates(url.host, tls) : undefined
            const dispatcher = connectionsOf(`${own === undefined ? "" : url.host}${name} ${led}`, {
              ...(own === undefined ? {} : { secureContext: own }),
              ...(insecure ? { rejectUnauthorized: false } : {}),
              lookup: led === undefined ? lookup : Guard.make(led, lookup)
            })
            if (found.size >= most) found.clear()
            found.set(key, dispatcher)
            return dispatcher
          })
      }
    })
  )
