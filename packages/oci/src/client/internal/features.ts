import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Repository } from "../../spec/Repository.js"
import { RegistryClient } from "../RegistryClient.js"
import * as RegistryHosts from "../RegistryHosts.js"
import { slot } from "../RegistryMemory.js"

/** How long what was found out counts: registries are upgraded, and proxies before them changed. */
const kept = Duration.toMillis("5 minutes")

/** More repositories than this are not remembered at a time. */
const most = 10_000

const memory = slot(() => new Map<string, { readonly there: boolean; readonly until: number }>())

const key = (repository: Repository, feature: keyof RegistryHosts.Capabilities) => `${repository} ${feature}`

/** Whether a repository's registry has a feature, as the settings say; nothing when they do not. */
export const stated = (
  repository: Repository,
  feature: keyof RegistryHosts.Capabilities
): Effect.Effect<boolean | undefined, never, RegistryClient> =>
  Effect.flatMap(RegistryClient, ({ provide }) =>
    Effect.map(provide(RegistryHosts.of(repository.registry, repository)), ({ capabilities }) => capabilities[feature])
  )

/** Whether a repository's registry has a feature: as the settings say, else as it was found; nothing when nobody knows. */
export const known = (
  repository: Repository,
  feature: keyof RegistryHosts.Capabilities
): Effect.Effect<boolean | undefined, never, RegistryClient> =>
  Effect.flatMap(RegistryClient, (client) => {
    const found = memory(client.memory).get(key(repository, feature))
    if (found === undefined) return stated(repository, feature)
    return Effect.flatMap(stated(repository, feature), (stated) =>
      stated === undefined
        ? Effect.map(Clock.currentTimeMillis, (now) => (found.until > now ? found.there : undefined))
        : Effect.succeed(stated)
    )
  })

/** Remembers for a while whether a repository's registry has a feature. */
export const found = (
  repository: Repository,
  feature: keyof RegistryHosts.Capabilities,
  there: boolean
): Effect.Effect<void, never, RegistryClient> =>
  Effect.zipWith(RegistryClient, Clock.currentTimeMillis, (client, now) => {
    const all = memory(client.memory)
    const name = key(repository, feature)
    all.delete(name)
    all.set(name, { there, until: now + kept })
    const [oldest] = all.keys()
    if (all.size > most && oldest !== undefined) all.delete(oldest)
  })
