/**
 * What a client remembers between calls: tokens, how a host is doing, what it can do. Policies are values without state,
 * shared by all clients of a program; what one of them must remember lies in a slot of its own, once for each client.
 *
 * ```ts
 * const seen = RegistryMemory.slot(() => new Set<string>())
 * const policy: RegistryRetry.Service = ({ memory }, next) => … seen(memory) …
 * ```
 */

/** The memory of one client. It has nothing of its own: slots hang on to it, and go with it. */
export class RegistryMemory {
  readonly _tag = "RegistryMemory"
}

/** A place in the memory of every client. What lies there is made when a client first asks for it. */
export const slot = <A>(make: () => A): ((memory: RegistryMemory) => A) => {
  const all = new WeakMap<RegistryMemory, { readonly value: A }>()
  return (memory) => {
    const known = all.get(memory)
    if (known !== undefined) return known.value
    const value = make()
    all.set(memory, { value })
    return value
  }
}
