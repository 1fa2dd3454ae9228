import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import { globalValue } from "effect/GlobalValue"
import * as Scope from "effect/Scope"
import type { Name } from "../../Operation.js"
import type { Host } from "../../RegistryHosts.js"
import { type RegistryMemory, slot } from "../../RegistryMemory.js"

/** A host's requests under way, and who waits for one of them to end: small ones first, then in their order. */
interface Slots {
  used: number
  readonly small: Set<Waiter>
  readonly large: Set<Waiter>
}

/** Wants a slot of each of its hosts, all at once: while it waits it holds none, so that no two can wait for each other. */
interface Waiter {
  readonly wants: ReadonlyArray<{ readonly slots: Slots; readonly limit: number }>
  readonly small: boolean
  readonly turn: Deferred.Deferred<void>
  granted: boolean
}

const none: ReadonlySet<string> = new Set()

/** The hosts whose slots a fiber has already, by their names. */
const held = globalValue("effect-oci/slots/held", () => FiberRef.unsafeMake(none))

const queue = ({ small }: Waiter, slots: Slots): Set<Waiter> => (small ? slots.small : slots.large)

const first = ({ large, small }: Slots): Waiter | undefined => (small.size > 0 ? small : large).values().next().value

/** Whoever is first wherever it waits, and has room there, gets its turn. Nobody passes one that came before. */
const settle = (slots: Slots): void => {
  for (let next = first(slots); next !== undefined; next = first(slots)) {
    const waiter = next
    if (!waiter.wants.every(({ limit, slots }) => slots.used < limit && first(slots) === waiter)) return
    for (const { slots } of waiter.wants) {
      slots.used++
      queue(waiter, slots).delete(waiter)
    }
    waiter.granted = true
    Deferred.unsafeDone(waiter.turn, Exit.void)
    for (const want of waiter.wants) if (want.slots !== slots) settle(want.slots)
  }
}

const leave = (waiter: Waiter): void => {
  for (const { slots } of waiter.wants) {
    if (waiter.granted) slots.used--
    else queue(waiter, slots).delete(waiter)
  }
  for (const { slots } of waiter.wants) settle(slots)
}

/** Runs with the slots, and hands on to `then` what gives them back. Only the waiting can be interrupted. */
const taking = <A, E, R>(
  wants: Waiter["wants"],
  small: boolean,
  then: (
    restore: <B, E2, R2>(self: Effect.Effect<B, E2, R2>) => Effect.Effect<B, E2, R2>,
    giveBack: Effect.Effect<void>
  ) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.suspend(() => {
      const waiter: Waiter = { wants, small, turn: Deferred.unsafeMake(FiberId.none), granted: false }
      const giveBack = Effect.sync(() => leave(waiter))
      for (const { slots } of wants) queue(waiter, slots).add(waiter)
      for (const { slots } of wants) settle(slots)
      return waiter.granted
        ? then(restore, giveBack)
        : Effect.zipRight(
            // a turn that comes together with an interruption is given back as well
            Effect.onInterrupt(restore(Deferred.await(waiter.turn)), () => giveBack),
            then(restore, giveBack)
          )
    })
  )

const empty = (): Slots => ({ used: 0, small: new Set(), large: new Set() })

/** What is made for a host when it is first asked for, by its name. */
const byHost = <A>(make: () => A) => {
  const all = slot(() => new Map<string, A>())
  return (memory: RegistryMemory, { registry }: Host): A => {
    const name = registry.toString()
    const known = all(memory).get(name)
    if (known !== undefined) return known
    const made = make()
    all(memory).set(name, made)
    return made
  }
}

const slotsOf = byHost(empty)

/** Operations whose bodies may be large. */
const large: ReadonlySet<Name> = new Set([
  "blobs.get",
  "blobs.range",
  "uploads.post",
  "uploads.patch",
  "uploads.finish"
])

/** Waits for a slot of a host, and keeps it as long as the scope. A host without a limit costs nothing. */
export const hold = (memory: RegistryMemory, host: Host, operation: Name, scope: Scope.Scope): Effect.Effect<void> => {
  const { concurrency } = host
  if (concurrency === undefined) return Effect.void
  return Effect.flatMap(FiberRef.get(held), (names) =>
    names.has(host.registry.toString())
      ? Effect.void
      : taking([{ slots: slotsOf(memory, host), limit: concurrency }], !large.has(operation), (_, giveBack) =>
          Scope.addFinalizer(scope, giveBack)
        )
  )
}

/** Runs an effect with a slot of each host, taken all at once. What it asks of these hosts needs no further ones. */
export const together = <A, E, R>(
  memory: RegistryMemory,
  hosts: ReadonlyArray<Host>,
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.flatMap(FiberRef.get(held), (names) => {
    const wants = new Map<string, Waiter["wants"][number]>()
    // what is asked of a host may be asked of its mirrors, which may have it for a mirror in turn
    for (const host of hosts.flatMap((host) => [host, ...host.mirrors.map((mirror) => mirror.host)])) {
      const name = host.registry.toString()
      if (host.concurrency === undefined || names.has(name)) continue
      wants.set(name, { slots: slotsOf(memory, host), limit: host.concurrency })
    }
    if (wants.size === 0) return self
    return taking([...wants.values()], false, (restore, giveBack) =>
      Effect.ensuring(restore(Effect.locally(self, held, new Set([...names, ...wants.keys()]))), giveBack)
    )
  })

const paceOf = byHost(() => ({ gate: empty(), next: 0 }))

/** Waits until a host may be asked again. Who is interrupted meanwhile takes no turn. */
export const turn = (memory: RegistryMemory, host: Host): Effect.Effect<void> => {
  const { requestsPerSecond } = host
  if (requestsPerSecond === undefined) return Effect.void
  const pace = paceOf(memory, host)
  return taking([{ slots: pace.gate, limit: 1 }], true, (restore, giveBack) =>
    Clock.currentTimeMillis.pipe(
      Effect.flatMap((now) =>
        Effect.map(pace.next > now ? Effect.sleep(pace.next - now) : Effect.void, () => {
          pace.next = Math.max(pace.next, now) + 1000 / requestsPerSecond
        })
      ),
      restore,
      Effect.ensuring(giveBack)
    )
  )
}
