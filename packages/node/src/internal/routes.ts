import type * as net from "node:net"
import type * as tls from "node:tls"
import type * as Undici from "@effect/platform-node/Undici"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as OriginPolicy from "effect-oci/OriginPolicy"
import * as RegistryHosts from "effect-oci/RegistryHosts"
import * as RegistryName from "effect-oci/RegistryName"
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
  readonly tls: (host: string) => Effect.Effect<tls.SecureContext | undefined, Error>
  readonly lookup: net.LookupFunction
}

/** What a policy says of an origin does not change while the policy is the same value. */
const insecurities = new WeakMap<RegistryHosts.Service, Map<string, boolean>>()

const lookUp = (hosts: RegistryHosts.Service, host: string): boolean => {
  const registry = RegistryName.parse(`https://${host}`)
  return registry._tag === "Right" && hosts.lookup(registry.right).insecure === true
}

/** Whether the policy in place takes any certificate of this host. It is asked of each URL's own host. */
const isInsecure = ({ host, protocol }: URL, context: Context.Context<never>): boolean => {
  const hosts: RegistryHosts.Service | undefined = context.unsafeMap.get(RegistryHosts.RegistryHosts.key)
  if (hosts === undefined || protocol !== "https:") return false
  const known = insecurities.get(hosts) ?? new Map<string, boolean>()
  insecurities.set(hosts, known)
  const found = known.get(host)
  if (found !== undefined) return found
  const insecure = lookUp(hosts, host)
  if (known.size < most) known.set(host, insecure)
  return insecure
}

/** Names remembered, so that a server that sends us to ever new hosts does not fill the memory. */
const most = 1024

export const make = ({ agent, lookup, tls }: Options): Effect.Effect<Routes, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new Map<string, Undici.Dispatcher>()),
    (agents) => Effect.promise(() => Promise.all([...agents.values()].map((dispatcher) => dispatcher.destroy())))
  ).pipe(
    Effect.map((agents) => {
      const found = new Map<string, Undici.Dispatcher>()
      const keyOf = (url: URL, context: Context.Context<never>) => {
        const led: string | undefined = context.unsafeMap.get(OriginPolicy.Led.key)
        const insecure = isInsecure(url, context)
        const { origin } = url
        const key = led === undefined && !insecure ? origin : `${origin} ${insecure} ${led}`
        return { led, insecure, key }
      }
      const connectionsOf = (name: string, setup: Setup): Undici.Dispatcher => {
        const made = agents.get(name) ?? agent(setup)
        agents.set(name, made)
        return made
      }
      return {
        known: (url, context) => found.get(keyOf(url, context).key),
        find: (url, context) =>
          Effect.gen(function* () {
            const { insecure, key, led } = keyOf(url, context)
            const own = url.protocol === "https:" ? yield* tls(url.host) : undefined
            const dispatcher = connectionsOf(`${own === undefined ? "" : url.host} ${insecure} ${led}`, {
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
