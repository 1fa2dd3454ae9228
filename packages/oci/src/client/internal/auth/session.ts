import type * as Redacted from "effect/Redacted"
import type { CallError } from "../../RegistryError.js"
import * as RegistryMemory from "../../RegistryMemory.js"
import * as Flight from "./flight.js"
import * as Identity from "./identity.js"
import * as Scope from "./scope.js"
import * as Vanguard from "./vanguard.js"

/** How a registry wants us to sign in, as one of its challenges said. */
export interface Way {
  readonly scheme: "basic" | "bearer"
  /** Where it was said: what a relative realm and the realm's rights are measured by. */
  readonly from: string
  readonly realm: string
  readonly service: string | undefined
  /** What goes with every request for a token. */
  readonly everywhere: Scope.Scopes
  /** Registry, realm and service: tokens of one are none of another's. */
  readonly key: string
}

/** A token, and what is known of it. */
export interface Grant {
  readonly scopes: Scope.Scopes
  readonly header: Redacted.Redacted
  /** In milliseconds of the clock: from then on it is not sent. */
  readonly until: number
  /** Less than this is left of it too soon for a body that is long under way. */
  readonly ample: number
  /** Until then a refusal is not a matter of its age. */
  readonly fresh: number
  /** Given without credentials. */
  readonly anonymous: boolean
  /** There were credentials, which its service must not get. */
  readonly withheld: boolean
  readonly place: string
}

interface Host {
  readonly way: Way
  /** Repositories whose challenges named another way than the host's. */
  readonly others: Map<string, Way>
}

/** How much one client remembers of each kind; the oldest goes first. */
const most = 500

/** Tokens for one resource, of different scopes. */
const mostOfOne = 8

const keep = <A>(all: Map<string, A>, key: string, value: A): void => {
  all.delete(key)
  all.set(key, value)
  if (all.size <= most) return
  const [oldest] = all.keys()
  if (oldest !== undefined) all.delete(oldest)
}

const make = () => {
  const hosts = new Map<string, Host>()
  const open = new Map<string, true>()
  const heard = new Map<string, true>()
  const grants = new Map<string, ReadonlyArray<Grant>>()
  const refreshTokens = new Map<string, Redacted.Redacted>()
  const deletes = new Map<string, ReadonlyArray<string>>()
  const posts = new Map<string, boolean>()

  const placeOf = (way: Way, identity: Identity.Identity, scopes: Scope.Scopes): string =>
    `${identity.id} ${scopes[0]?.resource ?? ""} ${way.key}`

  return {
    identify: Identity.make(),
    /** One fetch for all who want the same token. */
    fetching: Flight.make<Grant, CallError>(),
    /** One look for all whose credential was refused. */
    renewing: Flight.make<Identity.Identity, CallError>(),
    /** Lets some requests to a host that nobody has heard of go ahead, and makes the others wait for their answer. */
    ahead: Vanguard.make(
      (baseUrl) => heard.has(baseUrl),
      (baseUrl) => keep(heard, baseUrl, true)
    ),
    placeOf,

    /** How requests sign in without being asked. */
    way: (baseUrl: string, repository: string | undefined): Way | undefined => {
      const host = hosts.get(baseUrl)
      if (host === undefined) return undefined
      return (repository === undefined ? undefined : host.others.get(repository)) ?? host.way
    },
    /** Keeps a way that has worked. */
    learn: (baseUrl: string, repository: string | undefined, way: Way): void => {
      const known = hosts.get(baseUrl)
      const same = known?.way.key === way.key
      const others = known?.others ?? new Map<string, Way>()
      if (repository !== undefined && known !== undefined && !same) keep(others, repository, way)
      if (!same || known?.way.everywhere.length !== way.everywhere.length) keep(hosts, baseUrl, { way, others })
    },
    forget: (baseUrl: string): void => {
      hosts.delete(baseUrl)
    },

    /** Whether the registry's root asks nobody for anything, so that a stream may be the first that it gets. */
    isOpen: (baseUrl: string): boolean => open.has(baseUrl),
    opened: (baseUrl: string): void => keep(open, baseUrl, true),

    /** A token that will do, and lasts for longer than `left` milliseconds. */
    find: (
      way: Way,
      identity: Identity.Identity,
      scopes: Scope.Scopes,
      now: number,
      streams: boolean
    ): Grant | undefined =>
      grants
        .get(placeOf(way, identity, scopes))
        ?.find((grant) => now < grant.until - (streams ? grant.ample : 0) && Scope.covers(grant.scopes, scopes)),
    keep: (grant: Grant, now: number): void => {
      const others = (grants.get(grant.place) ?? []).filter(
        ({ scopes, until }) => now < until && !Scope.covers(grant.scopes, scopes)
      )
      keep(grants, grant.place, [grant, ...others].slice(0, mostOfOne))
    },
    /** Drops a token that was refused. */
    drop: (grant: Grant): void => {
      const others = (grants.get(grant.place) ?? []).filter((other) => other !== grant)
      if (others.length === 0) grants.delete(grant.place)
      else grants.set(grant.place, others)
    },

    /** The refresh token that a token service handed back for a credential. */
    refreshToken: (way: Way, identity: Identity.Identity): Redacted.Redacted | undefined =>
      refreshTokens.get(`${identity.id} ${way.key}`),
    keepRefreshToken: (way: Way, identity: Identity.Identity, token: Redacted.Redacted | undefined): void => {
      if (token === undefined) refreshTokens.delete(`${identity.id} ${way.key}`)
      else keep(refreshTokens, `${identity.id} ${way.key}`, token)
    },

    /** The actions that deletes were found to need. */
    deletes: (way: Way): ReadonlyArray<string> | undefined => deletes.get(way.key),
    keepDeletes: (way: Way, actions: ReadonlyArray<string>): void => keep(deletes, way.key, actions),

    /** Whether the token service takes refresh tokens by `POST`, as far as it was tried. */
    posts: (way: Way): boolean | undefined => posts.get(way.key),
    keepPosts: (way: Way, works: boolean): void => keep(posts, way.key, works)
  }
}

/** What one client knows of how to sign in. */
export type Session = ReturnType<typeof make>

export const of: (memory: RegistryMemory.RegistryMemory) => Session = RegistryMemory.slot(make)
