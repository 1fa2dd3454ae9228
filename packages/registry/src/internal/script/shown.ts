import * as Cause from "effect/Cause"
import * as Inspectable from "effect/Inspectable"
import * as Predicate from "effect/Predicate"

/** What an attempt to show something comes to; nothing when it fails. */
const attempt = (show: () => unknown): unknown => {
  try {
    return show()
  } catch {
    return undefined
  }
}

/** What a value says of itself when Node inspects it. */
const custom = (value: object): unknown => {
  const inspect = Predicate.hasProperty(value, Inspectable.NodeInspectSymbol) && value[Inspectable.NodeInspectSymbol]
  return Predicate.isFunction(inspect) ? attempt(() => inspect.call(value, 10, {}, String)) : undefined
}

/** Each text that `inspect` shows of a value, at any depth. As there, getters are not run. */
export const inspected = (value: unknown, seen: Set<unknown> = new Set()): ReadonlyArray<string> => {
  if (typeof value === "string") return [value]
  if (typeof value !== "object" || value === null || seen.has(value)) return []
  seen.add(value)
  const parts: Array<unknown> = []
  const own = custom(value)
  if (own !== undefined && own !== value) return inspected(own, seen)
  if (value instanceof Error) parts.push(value.message, value.stack, value.cause)
  if (value instanceof Map || value instanceof Set) parts.push(...[...value.entries()].flat())
  for (const key of Reflect.ownKeys(value)) {
    const property = Reflect.getOwnPropertyDescriptor(value, key)
    if (property?.enumerable === true) parts.push(String(key), property.value)
  }
  return parts.flatMap((part) => inspected(part, seen))
}

/** All that can be read of a value, by the way it is read. */
export const forms = (value: unknown): ReadonlyArray<readonly [how: string, texts: ReadonlyArray<string>]> => [
  ["String", [String(attempt(() => String(value)))]],
  ["JSON.stringify", [String(attempt(() => JSON.stringify(value)))]],
  ["inspect", inspected(value)],
  ...(Cause.isCause(value)
    ? [
        ["Cause.pretty", [Cause.pretty(value, { renderErrorCause: true })]] as const,
        ...[...Cause.failures(value), ...Cause.defects(value)].flatMap(forms)
      ]
    : [])
]
