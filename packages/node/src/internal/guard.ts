import type { LookupAddress } from "node:dns"
import { isIPv6, type LookupFunction } from "node:net"
import * as OriginPolicy from "effect-oci/OriginPolicy"

/** A name that leads where the server that named it is not. */
class UnsafeAddress extends Error {
  readonly code = "ERR_UNSAFE_ADDRESS"
}

const reachOf = (address: string): OriginPolicy.Reach =>
  OriginPolicy.reach(isIPv6(address) ? new URL(`http://[${address.replace(/%.*/, "")}]`).hostname : address)

const all = (
  lookup: LookupFunction,
  hostname: string,
  options: Parameters<LookupFunction>[1],
  then: (error: NodeJS.ErrnoException | null, addresses: ReadonlyArray<LookupAddress>) => void
) =>
  lookup(hostname, { ...options, all: true }, (error, found, family) =>
    error === null || error === undefined
      ? then(null, typeof found === "string" ? [{ address: found, family: family ?? 4 }] : found)
      : then(error, [])
  )

/**
 * Finds no addresses of loopback, private and link-local networks, unless the server that sent us there has an address of
 * the same reach. It is asked as the connection is made, so no later answer can change where that goes.
 */
export const make =
  (led: string, lookup: LookupFunction): LookupFunction =>
  (hostname, options, callback) => {
    const done = (error: NodeJS.ErrnoException | null, addresses: ReadonlyArray<LookupAddress>) => {
      const [first] = addresses
      if (error !== null) callback(error, "")
      else if (first === undefined)
        callback(Object.assign(new Error(`no address of ${hostname}`), { code: "ENOTFOUND" }), "")
      else if (options.all === true) callback(null, [...addresses])
      else callback(null, first.address, first.family)
    }
    all(lookup, hostname, options, (error, addresses) => {
      const near = addresses.find(({ address }) => reachOf(address) !== "public")
      if (error !== null || near === undefined) return done(error, addresses)
      const among = (reaches: ReadonlySet<OriginPolicy.Reach>) => {
        const safe = addresses.filter(({ address }) => reaches.has(reachOf(address)))
        if (safe.length > 0) return done(null, safe)
        const reason = `${hostname} is ${near.address}, a ${reachOf(near.address)} address, where ${led} is not`
        done(new UnsafeAddress(reason), [])
      }
      const literal = OriginPolicy.reach(led)
      if (literal !== "public") return among(new Set(["public", literal]))
      all(lookup, led, {}, (_, own) => among(new Set(["public", ...own.map(({ address }) => reachOf(address))])))
    })
  }
