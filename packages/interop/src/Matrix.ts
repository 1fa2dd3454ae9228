/**
 * What each client does on each server, as the tests found it: a test of the matrix stands in the suite of a client, and
 * that in the suite of a server.
 */
import * as Arr from "effect/Array"
import type { TestCase, TestModule } from "vitest/node"
import { described, found } from "./deviations.js"
import type { Server } from "./Server.js"

export interface Cell {
  readonly server: string
  readonly client: string
  readonly task: string
  readonly passed: boolean
}

const cell = (test: TestCase): ReadonlyArray<Cell> => {
  const client = test.parent
  if (client.type !== "suite" || client.parent.type !== "suite") return []
  return [
    {
      server: client.parent.name,
      client: client.name,
      task: test.name,
      passed: test.result().state === "passed"
    }
  ]
}

/** All cells, in an order that does not depend on which test ended first. */
export const cells = (modules: ReadonlyArray<TestModule>): ReadonlyArray<Cell> =>
  modules
    .toSorted((a, b) => (a.moduleId < b.moduleId ? -1 : 1))
    .flatMap((module) => [...module.children.allTests()].flatMap(cell))

/** How our client is called there, which does each task of the endpoint suite. */
const ours = "effect-oci over "

const table = (
  corner: string,
  columns: ReadonlyArray<string>,
  headings: ReadonlyArray<string>,
  rows: ReadonlyArray<string>,
  shown: (row: string, column: string) => string
): ReadonlyArray<string> => [
  `| ${[corner, ...headings].join(" | ")} |`,
  `|${" --- |".repeat(columns.length + 1)}`,
  ...rows.map((row) => `| ${[row, ...columns.map((column) => shown(row, column))].join(" | ")} |`)
]

const mark = (found: ReadonlyArray<Cell>): string =>
  found.length === 0 ? "–" : found.every(({ passed }) => passed) ? "yes" : "**no**"

const namesOf = (cells: ReadonlyArray<Cell>, name: "client" | "task"): ReadonlyArray<string> =>
  Arr.dedupe(cells.map((cell) => cell[name]))

/** The suite of set-ups that stand between a client and what it wants: its suites are set-ups, and their tests what holds. */
export const setUps = "Sign-in, proxies and mirrors"

/** The document. Versions are those of the tools that took part, by name. */
export const document = (
  cells: ReadonlyArray<Cell>,
  servers: ReadonlyArray<Server>,
  versions: ReadonlyMap<string, string>
): string => {
  const versioned = (name: string, tool = name) => [name, versions.get(tool) ?? []].flat().join(" ")
  const known = cells.filter(({ server }) => servers.some(({ name }) => name === server))
  const [own, others] = Arr.partition(known, ({ client }) => !client.startsWith(ours))
  const [clients, tools] = [namesOf(own, "client"), namesOf(others, "client")]
  const section = ({ deviations, name, tool }: Server): ReadonlyArray<string> => {
    const here = others.filter(({ server }) => server === name)
    const sentences = described(deviations)
    return [
      "",
      `## ${versioned(name, tool?.name)}`,
      "",
      ...(sentences.length === 0
        ? ["Nothing that the suite asks for is otherwise than the specification says."]
        : sentences.map((sentence) => `- ${sentence}`)),
      "",
      ...table(
        "Task",
        tools,
        tools.map((name) => versioned(name)),
        namesOf(here, "task"),
        (task, tool) => mark(here.filter((cell) => cell.task === task && cell.client === tool))
      )
    ]
  }
  const setUp = (name: string): ReadonlyArray<string> => {
    const here = cells.filter(({ client, server }) => server === setUps && client === name)
    // what is named as a word is told with its version
    const words = name.split(" ").map((word) => versioned(word, servers.find(({ name }) => name === word)?.tool?.name))
    return [
      "",
      `### ${words.join(" ")}`,
      "",
      ...table("Case", [name], [""], namesOf(here, "task"), (task) => mark(here.filter((cell) => cell.task === task)))
    ]
  }
  return `${[
    "# Who works with whom",
    "",
    "Written by `pnpm test:real` when all of it passes, against real servers and tools on this machine.",
    "",
    "Our client passes the suite of every endpoint on each server, over each transport. Where a server does otherwise than",
    "the specification says, the suite asserts what our client makes of that. The sections on the servers tell each case.",
    "",
    ...table(
      "Server",
      clients,
      clients.map((client) => client.slice(ours.length)),
      servers.map(({ name }) => name),
      (server, client) => mark(own.filter((cell) => cell.server === server && cell.client === client))
    ),
    "",
    "The tables of the sections are about the tools of others. What a tool pushes, copies or attaches, our client reads back;",
    "what it pulls, lists, inspects, discovers or deletes, our client has pushed. Manifests, configurations and layers are",
    "compared byte for byte. A dash stands where the tool has no command for the task.",
    ...servers.flatMap(section),
    "",
    `## ${setUps}`,
    "",
    "Each set-up runs on this machine for the tests. Our client takes part in every case.",
    "",
    ...found.map((sentence) => `- ${sentence}`),
    ...namesOf(
      cells.filter(({ server }) => server === setUps),
      "client"
    ).flatMap(setUp)
  ].join("\n")}\n`
}
