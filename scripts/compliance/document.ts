import type { Scenario } from "./scenario.js"
import { sections } from "./scenarios.js"

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

A scenario without a test says why: “later” is planned, “open” is not held, “not the client's” is up to others. A remark behind
tests tells what they leave out. “as P2” means that the tests of P2 hold it.
`

const escaped = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}]/gu, "�").replace(/[\\`*_<>|[\]~]/g, (character) => `\\${character}`)

const quoted = ({ titles }: Held): string => `“${escaped(titles.join(" › "))}”`

/** Tests of one file that name the scenario, if possible first. Titles that are run in several places count once. */
const shown = (id: string, tests: ReadonlyArray<Held>, most: number): string => {
  const own = (test: Held) => test.titles.at(-1) ?? ""
  const foremost = tests.filter((test) => own(test).match(numbers)?.[0] === id)
  const from = foremost.length === 0 ? tests : foremost
  const same = from.filter(
    (test, at) => test.file === from[0]?.file && from.findIndex((other) => own(other) === own(test)) === at
  )
  const file = same[0]?.file ?? ""
  return `[${file.slice(file.lastIndexOf("/") + 1)}](../${file}): ${same.slice(0, most).map(quoted).join(", ")}`
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
  const unknown = new Set([...held.keys()].filter((id) => !known.has(id)))

  const says = ([id, , remark = ""]: Scenario): string => {
    const own = held.get(id)
    if (!remark.startsWith("as ")) {
      if (own === undefined) return remark === "" ? "open" : remark
      return remark === "" ? shown(id, own, 2) : `${shown(id, own, 2)}; ${remark}`
    }
    const others = remark.slice(3).split(" ")
    for (const other of others) if (!known.has(other)) unknown.add(other)
    const parts = others.map((other) => {
      const tests = held.get(other)
      return tests === undefined ? `as ${other}: open` : `as ${other}, ${shown(other, tests, 1)}`
    })
    return (own === undefined ? parts : [shown(id, own, 2), ...parts]).join("; ")
  }

  const tables = sections.map(
    ({ rows, title }) =>
      `## ${title}\n\n| | What it is about | What holds it |\n|---|---|---|\n${rows
        .map((row) => `| ${row[0]} | ${row[1]} | ${says(row)} |\n`)
        .join("")}`
  )
  return { text: [head, ...tables].join("\n"), unknown: [...unknown].sort() }
}
