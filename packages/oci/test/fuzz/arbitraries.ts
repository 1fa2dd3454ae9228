/** What strangers may send: texts, documents and bytes that were right before something happened to them. */
import { assert } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"

/** Pieces that parsers trip over: separators, quotes, escapes, look-alikes, numbers out of range, names of prototypes. */
const odd = [
  "",
  " ",
  "\t",
  "\u0000",
  "\r\n",
  "\u001b[31m",
  "\u202e",
  "\u00ad",
  "é",
  "ſ",
  "K",
  "９",
  "\ud800",
  "%00",
  "%",
  "..",
  "/",
  "//",
  ":",
  "@",
  "?",
  "#",
  "[",
  "]",
  "{",
  "}",
  "(",
  '"',
  "\\",
  ",",
  ";",
  "<",
  ">",
  "=",
  "*",
  "-",
  "_",
  "+",
  "0",
  "-1",
  "1.5",
  "1e400",
  "9007199254740993",
  "99999999999999999999",
  "NaN",
  "null",
  "__proto__",
  "constructor",
  "toString",
  "a".repeat(300),
  "-".repeat(3000),
  '"size":1,',
  '"mediaType":"text/plain",',
  "[".repeat(150)
]

/** Any text of so many code points. Not of `FastCheck.string`, which takes seconds to make its first of all of Unicode. */
export const anyText = (maxLength: number): FastCheck.Arbitrary<string> =>
  FastCheck.array(FastCheck.oneof(FastCheck.nat(0xff), FastCheck.nat(0x10ffff)), { maxLength }).map((points) =>
    String.fromCodePoint(...points)
  )

export const oddText = FastCheck.oneof(FastCheck.constantFrom(...odd), anyText(20), FastCheck.integer().map(String))

interface Edit {
  readonly kind: "insert" | "remove" | "replace" | "repeat" | "cut"
  readonly at: number
  readonly length: number
  readonly text: string
}

const edits: FastCheck.Arbitrary<ReadonlyArray<Edit>> = FastCheck.array(
  FastCheck.record({
    kind: FastCheck.constantFrom("insert", "insert", "remove", "replace", "replace", "repeat", "cut"),
    at: FastCheck.nat(),
    length: FastCheck.nat(8),
    text: oddText
  }),
  { maxLength: 3 }
)

const edited = (text: string, { at: nth, kind, length, text: other }: Edit): string => {
  const at = nth % (text.length + 1)
  const [before, part, after] = [text.slice(0, at), text.slice(at, at + length), text.slice(at + length)]
  switch (kind) {
    case "insert":
      return before + other + part + after
    case "remove":
      return before + after
    case "replace":
      return before + other + after
    case "repeat":
      return before + part.repeat(3) + after
    case "cut":
      return before
  }
}

/** One of these texts, or what a few edits make of it. */
export const near = (...samples: ReadonlyArray<string>): FastCheck.Arbitrary<string> =>
  FastCheck.tuple(FastCheck.constantFrom(...samples), edits).map(([text, edits]) => edits.reduce(edited, text))

/** As `near`, as far as HTTP clients let it pass in a header: Latin-1 on one line. */
export const nearHeader = (...samples: ReadonlyArray<string>): FastCheck.Arbitrary<string> =>
  near(...samples).map((text) => text.replace(/[^\u0001-\u00ff]|[\r\n]/g, "\u00bf"))

interface Slot {
  readonly holder: object
  readonly key: string
}

const slots = (value: unknown): ReadonlyArray<Slot> =>
  typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => [{ holder: value, key }, ...slots(inner)])
    : []

interface Change {
  readonly kind: "drop" | "retype" | "rename" | "nest" | "copy"
  readonly at: number
  readonly from: number
  readonly value: unknown
  readonly text: string
}

const oddValue: FastCheck.Arbitrary<unknown> = FastCheck.oneof(
  FastCheck.constantFrom(null, true, 0, -1, -0, 1.5, 2 ** 53, 1e308, [], {}, [[]], [null], { "": 1 }, { size: null }),
  oddText,
  FastCheck.constant(JSON.parse('{"__proto__":{"polluted":true}}')),
  FastCheck.json({ maxDepth: 2 }).map((text): unknown => JSON.parse(text))
)

const changes: FastCheck.Arbitrary<ReadonlyArray<Change>> = FastCheck.array(
  FastCheck.record({
    kind: FastCheck.constantFrom("drop", "retype", "retype", "rename", "nest", "copy"),
    at: FastCheck.nat(),
    from: FastCheck.nat(),
    value: oddValue,
    text: oddText
  }),
  { maxLength: 3 }
)

const nested = (value: unknown, depth: number): unknown => {
  let all = value
  for (let level = 0; level < depth; level++) all = level % 2 === 0 ? [all] : { a: all }
  return all
}

/** Changes the document in place. */
const change = (document: unknown, { at, from, kind, text, value }: Change): void => {
  const all = slots(document)
  const slot = all[at % all.length]
  const other = all[from % all.length]
  if (slot === undefined || other === undefined) return
  const own: unknown = Reflect.get(slot.holder, slot.key)
  const set = (key: string, to: unknown) =>
    Object.defineProperty(slot.holder, key, { value: to, configurable: true, enumerable: true, writable: true })
  const drop = () =>
    Array.isArray(slot.holder) ? slot.holder.splice(Number(slot.key), 1) : Reflect.deleteProperty(slot.holder, slot.key)
  switch (kind) {
    case "drop":
      return void drop()
    case "retype":
      return void set(slot.key, structuredClone(value))
    case "nest":
      return void set(slot.key, nested(own, from % 150))
    case "copy":
      return void set(slot.key, structuredClone(Reflect.get(other.holder, other.key)))
    case "rename":
      if (Array.isArray(slot.holder)) return
      drop()
      return void set(from % 2 === 0 ? text : slot.key.toUpperCase(), own)
  }
}

interface Damage {
  readonly flips: ReadonlyArray<readonly [at: number, bits: number]>
  readonly kept: number
  readonly mark: boolean
}

/** Mostly none. */
const damage: FastCheck.Arbitrary<Damage> = FastCheck.record({
  flips: FastCheck.oneof(
    { weight: 5, arbitrary: FastCheck.constant([]) },
    {
      weight: 1,
      arbitrary: FastCheck.array(FastCheck.tuple(FastCheck.nat(), FastCheck.integer({ min: 1, max: 255 })), {
        maxLength: 3
      })
    }
  ),
  kept: FastCheck.oneof(
    { weight: 9, arbitrary: FastCheck.constant(1) },
    { weight: 1, arbitrary: FastCheck.double({ min: 0, max: 1, noNaN: true }) }
  ),
  mark: FastCheck.nat(15).map((n) => n === 0)
})

const damaged = (bytes: Uint8Array, { flips, kept, mark }: Damage): Uint8Array => {
  const all = new Uint8Array(mark ? [0xef, 0xbb, 0xbf, ...bytes] : bytes)
  if (all.length > 0) for (const [at, bits] of flips) all[at % all.length] = (all[at % all.length] ?? 0) ^ bits
  return all.slice(0, Math.ceil(all.length * kept))
}

/** Bytes that may have suffered on their way. */
export const nearBytes = (...samples: ReadonlyArray<Uint8Array>): FastCheck.Arbitrary<Uint8Array> =>
  FastCheck.tuple(FastCheck.constantFrom(...samples), damage).map(([bytes, damage]) => damaged(bytes, damage))

/** A document that was one of these before fields were dropped, renamed, retyped, nested and mixed up. */
export const nearDocument = (...samples: ReadonlyArray<unknown>): FastCheck.Arbitrary<unknown> =>
  FastCheck.tuple(FastCheck.constantFrom(...samples), changes).map(([sample, changes]) => {
    const document: unknown = structuredClone(sample)
    for (const one of changes) change(document, one)
    return document
  })

/** Such a document as bytes: its text may have been edited too, and its bytes damaged. */
export const nearJson = (...samples: ReadonlyArray<unknown>): FastCheck.Arbitrary<Uint8Array> =>
  FastCheck.tuple(nearDocument(...samples), FastCheck.oneof(FastCheck.constant([]), edits), damage).map(
    ([document, edits, damage]) =>
      damaged(new TextEncoder().encode(edits.reduce(edited, JSON.stringify(document) ?? "")), damage)
  )

/** Whether a text is fit for a terminal: one line of bounded length, nothing in it that steers. */
export const assertPrintable = (text: string): void => {
  assert.notMatch(text, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
  assert.isAtMost(text.length, 2500)
}
