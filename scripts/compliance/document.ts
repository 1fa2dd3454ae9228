import type { Scenario } from "./scenario.js"
import { later, sections } from "./scenarios.js"

/** A test that passed. */
export interface Held {
  /** From the root, with slashes. */
  readonly file: string
  /** Its titles, from the outermost `describe` to its own. */
  readonly titles: ReadonlyArray<string>
}

const numbers = /(?<![A-Za-z0-9])(?:(?:DS|IS|[ADELMNPRSTU])[0-9]+|13c-[0-9]+)(?![A-Za-z0-9])/g

const idsOf = (test: Held): ReadonlyArray<string> => test.titles.flatMap((title) => title.match(numbers) ?? [])

const head = `# Compliance

Our scenarios are numbered: what registries are known to do, and what a client then has to do. A test that holds one names its
number in its title, as \`P14 does not read a blob that says it has another size\`. From these titles \`pnpm test\` writes this
page when all tests have passed, so it is true of the commit that it stands in. Numbers have gaps, and keep their meaning.

A scenario without a test says why: **later** is planned, **open** is not held, **not the client's** is up to others. A remark
behind tests tells what they leave out. *as P2* means that the tests of P2 hold it.
`

const escaped = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}]/gu, "�").replace(/[\\`*_<>|[\]~]/g, (character) => `\\${character}`)

const quoted = ({ titles }: Held): string => `“${escaped(titles.join(" › "))}”`

/** One file's tests, those first that name the scenario first. Titles that are run in several places count once. */
const shown = (id: string, tests: ReadonlyArray<Held>): string => {
  const foremost = tests.filter(({ titles }) => idsOf({ file: "", titles: titles.slice(-1) })[0] === id)
  const [first, ...others] = foremost.length === 0 ? tests : foremost
  if (first === undefined) return ""
  const second = others.find(({ file, titles }) => file === first.file && titles.at(-1) !== first.titles.at(-1))
  const name = first.file.slice(first.file.lastIndexOf("/") + 1)
  return `[${name}](../${first.file}): ${[first, ...(second === undefined ? [] : [second])].map(quoted).join(", ")}`
}

export interface Document {
  readonly text: string
  /** Numbers that are in titles or remarks, but in no list. */
  readonly unknown: ReadonlyArray<string>
}

export const compose = (tests: ReadonlyArray<Held>): Document => {
  const sorted = [...tests].sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0))
  const held = new Map<string, Array<Held>>()
  for (const test of sorted) for (const id of new Set(idsOf(test))) held.set(id, [...(held.get(id) ?? []), test])

  const known = new Set(sections.flatMap(({ rows }) => rows.map(([id]) => id)))
  const unknown = new Set([...held.keys()].filter((id) => !known.has(id) && !id.startsWith("A")))

  const says = ([id, , remark = "open"]: Scenario): string => {
    const tests = shown(id, held.get(id) ?? [])
    const others = remark.startsWith("as ") ? remark.slice(3).split(" ") : []
    for (const other of others) if (!known.has(other)) unknown.add(other)
    const lacking = others.filter((other) => !held.has(other))
    const rest =
      lacking.length > 0 ? `open, as ${lacking.join(" and ")}` : remark === "open" && tests !== "" ? "" : remark
    return [tests, others.length > 0 && lacking.length === 0 ? `as ${others.join(" and ")}` : rest]
      .filter((part) => part !== "")
      .join("; ")
  }

  const tables = sections.map(
    ({ rows, title }) =>
      `## ${title}\n\n| | What it is about | What holds it |\n|---|---|---|\n${rows
        .map((row) => `| ${row[0]} | ${row[1]} | ${says(row)} |\n`)
        .join("")}`
  )
  const rest = `## Later\n\n${later.map(([ids, what]) => `- ${ids}: ${what}\n`).join("")}`
  return { text: [head, ...tables, rest].join("\n"), unknown: [...unknown].sort() }
}
