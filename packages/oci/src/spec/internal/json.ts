import * as Either from "effect/Either"

/** Nesting that no document of OCI comes near. Beyond it readers that recurse may run out of stack. */
export const maxDepth = 100

const quote = 0x22
const backslash = 0x5c
const brace = 0x7b
const closingBrace = 0x7d
const bracket = 0x5b
const closingBracket = 0x5d

/** Where the string that opens at `start` closes; -1 when it never does. */
const endOfString = (text: string, start: number): number => {
  let end = text.indexOf('"', start + 1)
  while (end !== -1) {
    let escapes = 0
    while (text.charCodeAt(end - 1 - escapes) === backslash) escapes++
    if (escapes % 2 === 0) return end
    end = text.indexOf('"', end + 1)
  }
  return -1
}

const isFollowedByColon = (text: string, end: number): boolean => {
  let at = end + 1
  while (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t") at++
  return text[at] === ":"
}

const parse = (text: string, reviver?: (key: string, value: unknown) => unknown): Either.Either<unknown, string> =>
  Either.try({ try: () => JSON.parse(text, reviver), catch: () => "it is not JSON" })

interface Scan {
  readonly flaw?: string | undefined
  readonly holdsPrototype: boolean
}

/** One pass over the text. What is not JSON at all is left to the parser to refuse. */
const scan = (text: string): Scan => {
  // The names seen in each object that is open; an array has none.
  const open: Array<Set<string> | undefined> = []
  let holdsPrototype = false
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === brace || char === bracket) {
      open.push(char === brace ? new Set() : undefined)
      if (open.length > maxDepth) return { flaw: `it is nested more than ${maxDepth} levels deep`, holdsPrototype }
    } else if (char === closingBrace || char === closingBracket) {
      open.pop()
    } else if (char === quote) {
      const end = endOfString(text, at)
      if (end === -1) break
      const names = open[open.length - 1]
      if (names !== undefined && isFollowedByColon(text, end)) {
        const raw = text.slice(at + 1, end)
        const name = raw.includes("\\") ? Either.getOrElse(parse(`"${raw}"`), () => raw) : raw
        if (typeof name === "string") {
          if (names.has(name)) return { flaw: `an object has the key ${JSON.stringify(name)} twice`, holdsPrototype }
          names.add(name)
          holdsPrototype ||= name === "__proto__"
        }
      }
      at = end
    }
  }
  return { holdsPrototype }
}

// to make one costs more than to use it
const utf8 = new TextDecoder("utf-8", { fatal: true })

/**
 * Reads JSON of a stranger in linear time: UTF-8 only (a byte order mark is passed over), bounded depth, no key twice in
 * one object, since readers differ in which one they take. Keys `__proto__` are left out, for whoever copies the result.
 * The left side says what is wrong, as a clause.
 */
export const read = (bytes: Uint8Array): Either.Either<unknown, string> =>
  Either.try({
    try: () => utf8.decode(bytes),
    catch: () => "it is not UTF-8"
  }).pipe(
    Either.flatMap((text) => {
      const { flaw, holdsPrototype } = scan(text)
      if (flaw !== undefined) return Either.left(flaw)
      return parse(text, holdsPrototype ? (key, value) => (key === "__proto__" ? undefined : value) : undefined)
    })
  )
