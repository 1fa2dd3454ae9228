import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { RegistryMemory } from "../RegistryMemory.js"

interface Own {
  readonly keys: ReadonlyArray<string>
  readonly context: Context.Context<never>
}

/** The policies that clients were built with, by their memories. */
const all = new WeakMap<RegistryMemory, Own>()

/** Keeps for a client those of its surroundings that are policies: it must not bring the rest to those who call it. */
export const keep = (
  memory: RegistryMemory,
  context: Context.Context<never>,
  policies: ReadonlyArray<{ readonly key: string }>
): void => {
  const own = policies.flatMap(({ key }) =>
    context.unsafeMap.has(key) ? [[key, context.unsafeMap.get(key)] as const] : []
  )
  all.set(memory, { keys: own.map(([key]) => key), context: Context.unsafeMake(new Map(own)) })
}

const nothing = Context.empty()

/** A client's policies that a context has none of its own for. */
export const missing = (memory: RegistryMemory, { unsafeMap }: Context.Context<never>): Context.Context<never> => {
  const own = all.get(memory)
  const keys = own?.keys.filter((key) => !unsafeMap.has(key)) ?? []
  if (own === undefined || keys.length === 0) return nothing
  if (keys.length === own.keys.length) return own.context
  return Context.unsafeMake(new Map(keys.map((key) => [key, own.context.unsafeMap.get(key)])))
}

/** Runs an effect under a client's policies. Within itself, or where the program was given the same, there is nothing to add. */
export const provide = <A, E, R>(memory: RegistryMemory, self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.contextWithEffect((context: Context.Context<never>) => {
    const more = missing(memory, context)
    return more === nothing ? self : Effect.provide(self, more)
  })

/** One policy as it stands there for a client: what is only read need not be provided. */
export const get = <I, S>(
  memory: RegistryMemory,
  context: Context.Context<never>,
  policy: Context.Reference<I, S>
): S => Context.get(context.unsafeMap.has(policy.key) ? context : (all.get(memory)?.context ?? nothing), policy)
