import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { LazyArg } from "effect/Function"
import * as Option from "effect/Option"
import type { RegistryName } from "../../../spec/RegistryName.js"
import type { Credential, Service } from "../../Credentials.js"
import type { CredentialsInvalid } from "../../RegistryError.js"
import * as Keys from "./keys.js"
import * as Memo from "./memo.js"

type Found<A, E> = Effect.Effect<Option.Option<A>, E>

/** The first, if it is there; else the second, which is not asked before. */
export const or = <A, E>(first: Found<A, E>, second: LazyArg<Found<A, E>>): Found<A, E> =>
  Effect.flatMap(first, (found) => (Option.isSome(found) ? Effect.succeed(found) : second()))

const both = <A>(first: A | undefined, second: A | undefined, join: (first: A, second: A) => A): A | undefined =>
  first === undefined || second === undefined ? (first ?? second) : join(first, second)

/** Nothing but what is in a map. */
export const fromMap = (credentials: ReadonlyMap<Keys.Key, Credential>): Service => ({
  lookup: (registry, repository) => Effect.succeed(Option.fromNullable(Keys.find(credentials, registry, repository)))
})

/** Two sources as one. What cannot be asked is a failure, and never a reason to use another's credentials. */
export const orElse = (first: Service, second: Service): Service => ({
  lookup: (registry, repository, options) =>
    or(first.lookup(registry, repository, options), () => second.lookup(registry, repository, options)),
  headers: both(
    first.headers,
    second.headers,
    (first, second) => (registry) =>
      Effect.flatMap(first(registry), (first) => Effect.map(second(registry), (second) => ({ ...second, ...first })))
  ),
  store: both(
    first.store,
    second.store,
    (first, second) => (registry, credential) => or(first(registry, credential), () => second(registry, credential))
  ),
  // one that fails does not keep the other from forgetting
  erase: both(
    first.erase,
    second.erase,
    (first, second) => (registry) =>
      Effect.flatMap(Effect.exit(first(registry)), (exit) => Effect.zipRight(second(registry), exit))
  )
})

/** What a source said, for some time. */
export const cached = (self: Service, timeToLive: Duration.DurationInput): Service => {
  const answers = Memo.make<Option.Option<Credential>, CredentialsInvalid>(timeToLive)
  const { erase, lookup, store } = self
  return {
    ...self,
    lookup: (registry, repository, options) =>
      answers.get(
        `${registry.scheme} ${registry.authority}/${repository?.name ?? ""}`,
        lookup(registry, repository, options),
        options?.fresh
      ),
    store: store && ((registry, credential) => Effect.zipLeft(store(registry, credential), answers.clear)),
    erase: erase && ((registry) => Effect.ensuring(erase(registry), answers.clear))
  }
}

/** A source that knows one registry. */
export const forHost = ({ erase, headers, lookup, store }: Service, name: RegistryName): Service => {
  const names = Keys.hosts(name)
  const is = ({ authority }: RegistryName) => names.includes(authority)
  return {
    lookup: (registry, repository, options) =>
      is(registry) ? lookup(registry, repository, options) : Effect.succeedNone,
    headers: headers && ((registry) => (is(registry) ? headers(registry) : Effect.succeed({}))),
    store: store && ((registry, credential) => (is(registry) ? store(registry, credential) : Effect.succeedNone)),
    erase: erase && ((registry) => (is(registry) ? erase(registry) : Effect.void))
  }
}
